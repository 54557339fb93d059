//! `callout suppress`: numbers never to be called.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use roaring::RoaringTreemap;
use serde_json::{Value, json};

use super::args::{
    ReadingArgs, ReasonArgs, SuppressAddArgs, SuppressCheckArgs, SuppressCommand,
    SuppressImportArgs, SuppressListArgs, SuppressRemoveArgs,
};
use super::exit::{self, Exit, Failure};
use crate::app::plan::Warning;
use crate::app::suppress::{self, Imported, ListCounts, Reason, Removable};
use crate::app::{App, Error};
use crate::domain::{Destination, Digits, NumberForm, Suppression};
use crate::output;
use crate::recipients::{NumberList, Numbers};
use crate::report::moments::Zone;
use crate::report::summary::{counted, grouped};
use crate::store::Access;

pub(super) async fn suppress(command: SuppressCommand, app: &App) -> Result<Exit, Failure> {
    match command {
        SuppressCommand::Add(args) => add(&args, app).await,
        SuppressCommand::Remove(args) => remove(&args, app).await,
        SuppressCommand::List(args) => list(&args, app).await,
        SuppressCommand::Import(args) => import_file(&args, app).await,
        SuppressCommand::Check(args) => check(&args, app).await,
    }
}

async fn add(args: &SuppressAddArgs, app: &App) -> Result<Exit, Failure> {
    let numbers = digits(&args.numbers, &args.reading)?;
    let (reason, added) = app.suppress(reason(&args.reason, app)?, &numbers).await?;
    if args.json {
        output::say_json(&suppress::added_json(&reason, added));
    } else {
        output::say(&suppress::added_text(&reason, added));
    }
    Ok(Exit::Done)
}

async fn import_file(args: &SuppressImportArgs, app: &App) -> Result<Exit, Failure> {
    let list = NumberList {
        file: args.file.clone(),
        column: args.number.clone(),
        numbers: numbers(&args.reading)?,
    };
    let imported = app
        .import_suppressed(&list, reason(&args.reason, app)?)
        .await
        .map_err(|error| match error {
            Error::Faults(faults) => faults.with_help(in_terms_of_here).into(),
            error => Failure::from(error),
        })?;
    let Imported {
        reason,
        read,
        added,
    } = imported;
    let file = args.file.display();
    if args.json {
        let mut told = suppress::added_json(&reason, added);
        told["rows"] = json!(read.rows);
        told["repeated"] = json!(read.repeated);
        told["faulty"] = json!(read.faulty());
        let fault = |(why, lines): (&String, &Vec<u64>)| json!({ "reason": in_terms_of_here(why), "lines": lines });
        told["faults"] = read.faults.iter().map(fault).collect();
        output::say_json(&told);
    } else {
        output::say(&format!(
            "{file}: {} rows = {} numbers + {} repeated + {} that are no numbers",
            grouped(read.rows),
            grouped(read.numbers.len()),
            grouped(read.repeated),
            grouped(read.faulty())
        ));
        if !read.faults.is_empty() {
            output::say(&in_terms_of_here(&read.faults_in_words()));
        }
        output::say(&suppress::added_text(&reason, added));
    }
    Ok(if read.faults.is_empty() {
        Exit::Done
    } else {
        Exit::Usage
    })
}

async fn remove(args: &SuppressRemoveArgs, app: &App) -> Result<Exit, Failure> {
    let numbers = digits(&args.numbers, &args.reading)?;
    let list = args.list.as_deref();
    let removable = app
        .removable(&numbers, list, args.reason.as_deref())
        .await?;
    if !args.yes && removable.numbers > 0 {
        exit::sure(&removal_question(&removable), "nothing was removed")?;
    }
    let removed = app.unsuppress(&numbers, list, args.reason.clone()).await?;
    let (removed, still) = (removed.entries, removed.still_suppressed);
    if args.json {
        output::say_json(&json!({ "removed": removed, "still_suppressed": still }));
    } else {
        let entries = counted(removed, "entry", "entries");
        output::say(&format!("{entries} removed"));
        if still > 0 {
            output::say(&format!(
                "{still} of the numbers are still suppressed by another list: `callout suppress \
                 check NUMBER` says by which"
            ));
        }
    }
    Ok(Exit::Done)
}

/// What a person decides on.
fn removal_question(removable: &Removable) -> String {
    let lists = removable.lists.iter();
    let lists: Vec<String> = lists
        .map(|(name, numbers)| format!("{name} ({})", grouped(*numbers)))
        .collect();
    let erased = match removable.erased() {
        0 => String::new(),
        n => format!(
            " {} erased, by people who wanted to be forgotten.",
            counted(n, "number was", "numbers were")
        ),
    };
    format!(
        "Take {} off {} {}?{erased} Who is on no other list may be called again.",
        counted(removable.numbers, "number", "numbers"),
        if lists.len() == 1 { "list" } else { "lists" },
        lists.join(", "),
    )
}

async fn list(args: &SuppressListArgs, app: &App) -> Result<Exit, Failure> {
    let store = app.open(Access::Beside).await?;
    let lists = store.suppressions().await?;
    let changes = store.list_changes().await?;
    store.close().await?;
    let now = app.clock.wall();
    let wanted = |name: &str| args.list.as_deref().is_none_or(|list| list == name);
    if args.entries {
        let mut entries: Vec<(Digits, &Suppression)> = lists
            .entries()
            .filter(|(_, reason)| wanted(&reason.list))
            .collect();
        entries.sort_by_key(|(number, _)| *number);
        say_entries(&entries, args, (now, &app.zone_here()))?;
        return Ok(Exit::Done);
    }
    let counts = suppress::counts(&lists, &changes, args.list.as_deref(), now);
    if args.json {
        let told: Vec<Value> = counts.iter().map(ListCounts::json).collect();
        output::say_json(&json!({ "lists": told }));
    } else if counts.is_empty() {
        output::say("no number is suppressed");
    } else {
        let zone = app.zone_here();
        let rows = counts.iter().map(|list| {
            [
                list.name.to_owned(),
                grouped(list.numbers),
                grouped(list.expired),
                list.last_change(&zone),
            ]
        });
        let header = ["LIST", "NUMBERS", "EXPIRED", "LAST CHANGE"];
        output::say(&output::table(header, rows));
        for list in counts.iter().filter(|list| list.import_again) {
            output::say(&format!("warning: {}", import_again(list.name)));
        }
    }
    Ok(Exit::Done)
}

/// A list whose numbers earlier rules read, and what to do about it.
pub(super) fn import_again(list: &str) -> String {
    let fact = Warning::ListReadEarlier(list.to_owned()).to_string();
    let (fact, how) = (output::printable(&fact), how_to_import_again(list));
    format!("{fact}: {how}")
}

/// What to do about a list whose numbers earlier rules read.
pub(super) fn how_to_import_again(list: &str) -> String {
    let list = output::printable(list);
    format!("import its files again (callout suppress import FILE --list {list})")
}

/// Written as they come: there may be millions.
fn say_entries(
    entries: &[(Digits, &Suppression)],
    args: &SuppressListArgs,
    (now, zone): (Timestamp, &Zone),
) -> Result<(), Failure> {
    let mut open = true;
    for chunk in entries.chunks(1_000) {
        let mut text = String::new();
        for (number, reason) in chunk {
            let number = if args.raw {
                number.e164()
            } else {
                Destination::number(number.e164()).masked()
            };
            // One document a line: a list of millions is no one document.
            let line = if args.json {
                let mut entry = suppress::reason_json(reason, now);
                entry["number"] = json!(number);
                entry.to_string()
            } else {
                format!(
                    "{number:<16}  {}",
                    output::printable(&suppress::reason_words(reason, now, zone))
                )
            };
            text.push_str(&line);
            text.push('\n');
        }
        open = open && output::pour(text.as_bytes())?;
    }
    Ok(())
}

async fn check(args: &SuppressCheckArgs, app: &App) -> Result<Exit, Failure> {
    let number = number(&args.number, numbers(&args.reading)?)?;
    let lists = app.suppressions_if_any().await?;
    let now = app.clock.wall();
    let reasons = lists.of(number);
    let suppressed = reasons.iter().any(|reason| reason.holds(now));
    if args.json {
        let reasons: Vec<_> = reasons
            .iter()
            .map(|r| suppress::reason_json(r, now))
            .collect();
        output::say_json(&json!({ "suppressed": suppressed, "lists": reasons }));
    } else {
        let masked = Destination::number(number.e164()).masked();
        let verdict = if suppressed {
            "is suppressed"
        } else {
            "is not suppressed"
        };
        output::say(&format!("{masked} {verdict}"));
        let zone = app.zone_here();
        for reason in reasons {
            output::say(&format!(
                "  {}",
                output::printable(&suppress::reason_words(reason, now, &zone))
            ));
        }
    }
    Ok(Exit::Done)
}

fn reason(args: &ReasonArgs, app: &App) -> Result<Reason, Failure> {
    let until = args.until.map(|day| {
        let after = day.tomorrow().and_then(|day| day.to_zoned(TimeZone::UTC));
        after.map(|midnight| midnight.timestamp())
    });
    let until = until
        .transpose()
        .map_err(|e| Failure::usage(format!("--until: {e}")))?;
    if until.is_some_and(|until| until <= app.clock.wall()) {
        return Err(Failure::usage("--until: that day is over"));
    }
    Ok(Reason {
        list: args.list.clone(),
        why: args.reason.clone(),
        until,
    })
}

/// Reads numbers as the options say.
pub(super) fn numbers(reading: &ReadingArgs) -> Result<Numbers, Failure> {
    let country = reading.country.as_deref().map(str::to_ascii_uppercase);
    if reading.form == NumberForm::National && country.is_none() {
        return Err(Failure::usage(
            "--numbers national needs --country: say whose numbers they are, as in --country SE",
        ));
    }
    Numbers::new(country.as_deref(), reading.form)
        .map_err(|e| Failure::usage(format!("--country: {e}")))
}

pub(super) fn number(text: &str, numbers: Numbers) -> Result<Digits, Failure> {
    let wrong =
        |why: String| Failure::usage(format!("`{text}` is no number: {}", in_terms_of_here(&why)));
    let read = numbers.normalise(text).map_err(|e| wrong(e.to_string()))?;
    Digits::of(&read.e164).ok_or_else(|| wrong("it has more than 15 digits".into()))
}

fn digits(texts: &[String], reading: &ReadingArgs) -> Result<RoaringTreemap, Failure> {
    let numbers = numbers(reading)?;
    let digits = texts.iter().map(|text| Ok(number(text, numbers)?.value()));
    digits.collect()
}

/// What is wrong with numbers says what to do in a campaign file; here it is an option.
pub(super) fn in_terms_of_here(why: &str) -> String {
    why.replace("`region` in [recipients]", "--country")
        .replace("`numbers` in [recipients]", "--numbers")
        .replace(
            "name the column that has the numbers",
            "name the column that has the numbers with --number",
        )
}
