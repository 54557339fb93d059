//! `[retry]`: who is called again, and when.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::call_flow::Heard;
use super::duration;
use super::place::Place;
use super::table::Table;
use crate::domain::retry::{ATTEMPTS_MAX, PerNumber, RetryPolicy, Waits};

const RETRY: [&str; 9] = [
    "max_attempts",
    "busy",
    "no_answer",
    "failed",
    "machine",
    "no_response",
    "reasons",
    "jitter",
    "per_number",
];
/// What is drawn around a wait where the campaign does not say.
const JITTER_DEFAULT: f64 = 0.1;
const WAITS_HELP: &str = "\"10m\", a list such as [\"1h\", \"4h\"], or \"never\"";

/// Reads `[retry]`; without it everybody is called once. `heard` is what can be heard in the calls, none where
/// that could not be read.
pub(super) fn read(root: &Table<'_, '_>, heard: Option<Heard>) -> RetryPolicy {
    let Some(table) = root.table("retry", "[retry]", &RETRY) else {
        return RetryPolicy::default();
    };
    let max_attempts = table.integer("max_attempts", 1..=ATTEMPTS_MAX);
    if !table.has("max_attempts") {
        table.missing(
            "max_attempts",
            "how often at most is a person called? such as 3",
        );
    }
    let policy = RetryPolicy {
        max_attempts: max_attempts.unwrap_or(1),
        busy: waits(&table, "busy"),
        no_answer: waits(&table, "no_answer"),
        failed: waits(&table, "failed"),
        machine: waits(&table, "machine"),
        no_response: waits(&table, "no_response"),
        reasons: reasons(&table),
        jitter: jitter(&table),
        per_number: per_number(&table),
    };
    if let Some(heard) = heard {
        fits(&table, &policy, heard);
    }
    let ends = [
        &policy.busy,
        &policy.no_answer,
        &policy.failed,
        &policy.machine,
        &policy.no_response,
    ];
    let none = ends
        .into_iter()
        .chain(policy.reasons.values())
        .all(|waits| *waits == Waits::Never);
    if policy.max_attempts > 1 && none {
        let help =
            "say after what: busy = \"10m\", no_answer = [\"1h\", \"4h\"], failed = \"never\"";
        let message = "[retry] has no wait, so only faults of the platform are tried again";
        table.file.warn(&table.place(), message, help);
    }
    policy
}

/// What nobody can hear is not waited after.
fn fits(table: &Table<'_, '_>, policy: &RetryPolicy, heard: Heard) {
    if policy.machine != Waits::Never && (!heard.machines || heard.machine_counts) {
        let (message, help) = if heard.machines {
            let help = "counts_as = \"unreached\", or no wait";
            ("`machine` waits after what counts as reached", help)
        } else {
            let help = "add [machine], with do = \"leave\", \"leave after beep\" or \"hang up\"";
            ("`machine` needs [machine]: they are not looked for", help)
        };
        table.file.fault(&table.key_place("machine"), message, help);
    }
    if policy.no_response != Waits::Never && !heard.wants_response {
        let message = "`no_response` needs [reached]: every answered call counts";
        let help = "add [reached] with responses = [\"confirmed\"]";
        table
            .file
            .fault(&table.key_place("no_response"), message, help);
    }
}

fn waits(table: &Table<'_, '_>, name: &str) -> Waits {
    table
        .entry(name)
        .map_or(Waits::Never, |value| read_waits(table, name, value))
}

fn read_waits(table: &Table<'_, '_>, name: &str, value: &Spanned<DeValue<'_>>) -> Waits {
    let wait = |value: &Spanned<DeValue<'_>>| {
        let DeValue::String(text) = value.get_ref() else {
            table.wrong_type(name, value, WAITS_HELP);
            return None;
        };
        match duration::parse(text) {
            Ok(wait) if duration::ANY.contains(&wait) => Some(wait),
            Ok(_) => {
                let message = format!("`{name}` has a wait that is no time at all, or ten years");
                let place = Place::of(value.span());
                table.file.fault(&place, message, "\"10m\", for example");
                None
            }
            Err(bad) => {
                let message = format!("`{name}`: {}", bad.message);
                table
                    .file
                    .fault(&Place::of(value.span()), message, bad.help);
                None
            }
        }
    };
    match value.get_ref() {
        DeValue::String(text) if text == "never" => Waits::Never,
        DeValue::Array(items) if items.is_empty() => {
            let message = format!("`{name}` has no waits");
            table
                .file
                .fault(&Place::of(value.span()), message, WAITS_HELP);
            Waits::Never
        }
        DeValue::Array(items) => Waits::After(items.iter().filter_map(wait).collect()),
        _ => wait(value).map_or(Waits::Never, |wait| Waits::After(vec![wait])),
    }
}

/// `reasons = { TIMEOUT = "30m" }`: by the platform's own word.
fn reasons(table: &Table<'_, '_>) -> BTreeMap<String, Waits> {
    let Some(value) = table.entry("reasons") else {
        return BTreeMap::new();
    };
    let DeValue::Table(entries) = value.get_ref() else {
        table.wrong_type("reasons", value, "a table: reasons = { TIMEOUT = \"30m\" }");
        return BTreeMap::new();
    };
    let read = entries.iter().map(|(reason, value)| {
        let waits = read_waits(table, reason.get_ref(), value);
        (reason.get_ref().to_ascii_uppercase(), waits)
    });
    read.collect()
}

fn jitter(table: &Table<'_, '_>) -> f64 {
    let Some(jitter) = table.number("jitter") else {
        return JITTER_DEFAULT;
    };
    if !(0.0..=1.0).contains(&jitter.value) {
        let help = "a share from 0 to 1: 0.1 draws a wait of 10 minutes from 9 to 11";
        table
            .file
            .fault(&jitter.place, "`jitter` is out of range", help);
    }
    jitter.value
}

/// `per_number = { calls = 2, within = "7d" }`.
fn per_number(table: &Table<'_, '_>) -> Option<PerNumber> {
    let per = table.table("per_number", "[retry.per_number]", &["calls", "within"])?;
    let calls = per.integer("calls", 1..=ATTEMPTS_MAX);
    let within = duration::read(&per, "within", duration::ANY);
    if !per.has("calls") {
        per.missing("calls", "calls = 2");
    }
    if !per.has("within") {
        per.missing("within", "within = \"7d\"");
    }
    Some(PerNumber {
        calls: calls?,
        within: within?.value,
    })
}
