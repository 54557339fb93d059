//! A plan for people, in sentences that hold for whoever reads them; commands are the face's to name.

use std::time::Duration;

use super::{Eligible, Plan, Price, Prices, Sample, samples};
use crate::domain::Money;
use crate::domain::forecast::{MACHINES_USUAL, SILENCE_USUAL};
use crate::domain::money::{Amount, said};
use crate::domain::retry::Waits;
use crate::domain::svaml::Event;
use crate::report::flow;
use crate::report::moments::moment;
use crate::report::summary::{counted, grouped, human};

/// Countries that are named one by one.
const COUNTRIES: usize = 8;

impl Plan {
    /// What it comes to, a line for each thing.
    pub(crate) fn lines(&self) -> Vec<String> {
        lines(self)
    }
}

fn lines(plan: &Plan) -> Vec<String> {
    let list = &plan.list;
    let mut lines = vec![
        format!("Plan of {}: nobody is dialled by this", plan.campaign.name),
        format!(
            "rows {} -> valid {} -> unique {} -> not suppressed {} -> eligible {}",
            grouped(list.rows),
            grouped(list.rows - list.invalid),
            grouped(list.valid + list.suppressed),
            grouped(list.valid),
            grouped(list.valid)
        ),
        format!(
            "  {} and {} are reported and not called",
            counted(list.invalid, "invalid row", "invalid rows"),
            counted(list.duplicates, "duplicate", "duplicates")
        ),
    ];
    if let Some(run) = &plan.earlier.only_of {
        lines.push(format!(
            "  {} of the duplicates are left out: of run {run} only those are called whom it did \
             not reach",
            grouped(list.left_out)
        ));
    }
    if list.suppressed > 0 {
        lines.push(format!(
            "  {} on a suppression list and not called",
            counted(list.suppressed, "row is", "rows are")
        ));
    }
    if list.unknown_numbers > 0 {
        lines.push(format!(
            "  {} numbers are not known to the numbering plan; they are dialled all the same",
            grouped(list.unknown_numbers)
        ));
    }
    lines.extend(countries(plan));
    lines.extend(plan.samples.iter().map(sample));
    lines.extend(in_the_call(plan));
    lines.extend(plan.eligible.as_ref().map(|of| eligible(of, plan)));
    lines.push(attempts_text(plan));
    lines.extend(start(plan));
    lines.push(time(plan));
    lines.extend(money(plan));
    lines
}

/// A text that somebody hears. Of a call that asks the longest stands for all, and the rest is told of it as well.
fn sample(sample: &Sample) -> String {
    let (what, line, number) = (sample.what, sample.line, &sample.number);
    let Some(flow) = &sample.flow else {
        let about = |s: u32| format!(", about {s} s");
        return format!(
            "{what} (line {line}, {number}, {} characters{}):\n  {}",
            sample.text.chars().count(),
            sample.speech_s.map_or(String::new(), about),
            sample.text
        );
    };
    let about = |s: u32| format!(", about {s} s to the end of the first question");
    let hears = if what == samples::LONGEST {
        flow::tree(flow).join("\n  ")
    } else {
        sample.text.clone()
    };
    format!(
        "{what} (line {line}, {number}{}):\n  {hears}",
        sample.speech_s.map_or(String::new(), about)
    )
}

/// What a call that asks takes: time, and somebody who answers.
fn in_the_call(plan: &Plan) -> Vec<String> {
    let Some(way) = plan.way else {
        return Vec::new();
    };
    let seconds = |seconds: u32| human(Duration::from_secs(seconds.into()));
    let spend = plan.campaign.spend.as_ref();
    let ended = spend.and_then(|spend| spend.longest_call_s);
    let ended = ended.map_or(String::new(), |s| {
        format!("; the platform ends it after {}", seconds(s))
    });
    let mut lines = vec![match (way.least_s, way.most_s) {
        (Some(least), Some(most)) => format!(
            "a call: about {} on the shortest way, {} at most on the longest{ended}",
            seconds(least),
            seconds(most)
        ),
        _ => format!("a call: how long it takes is not known, as what is played is not{ended}"),
    }];
    let callbacks: Vec<String> = plan.callbacks().into_iter().map(told_of).collect();
    if !callbacks.is_empty() {
        lines.push(format!(
            "callbacks: {}; a receiver that the platform can reach must be there while calls go on",
            callbacks.join("; ")
        ));
    }
    let beep = plan
        .campaign
        .outline()
        .is_some_and(|flow| flow.waits_for_beep());
    if beep {
        lines.push(
            "  speaking to a machine after its beep changes a call that goes on (PATCH with `say`): that the \
             platform takes this is documented nowhere, so call a mailbox of your own first"
                .to_owned(),
        );
    }
    lines
}

fn told_of(event: Event) -> String {
    let why = match event {
        Event::Ace => "who answers decides what is said",
        Event::Pie => "each key decides what follows",
        Event::Notify => "a machine and its beep are told while the call goes on",
        Event::Ice | Event::Dice => "",
    };
    let name = event.as_str();
    let name = match event {
        Event::Notify => "Notify".to_owned(),
        _ => name.to_uppercase(),
    };
    format!("{name} ({why})")
}

/// How many numbers are in which country.
fn countries(plan: &Plan) -> Option<String> {
    let countries = plan.countries();
    let named = |(country, numbers): &(String, u64)| format!("{country} {}", grouped(*numbers));
    let first: Vec<String> = countries.iter().take(COUNTRIES).map(named).collect();
    let others = match countries.len().saturating_sub(COUNTRIES) {
        0 => String::new(),
        more => format!(", {more} others"),
    };
    (!first.is_empty()).then(|| format!("by country: {}{others}", first.join(", ")))
}

fn attempts_text(plan: &Plan) -> String {
    let (expected, worst) = plan.attempts();
    if expected == worst {
        return format!("attempts: {}, one each", grouped(worst));
    }
    let retry = &plan.campaign.retry;
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let machines = (retry.machine != Waits::Never)
        .then(|| format!(", {} of them by machines", percent(MACHINES_USUAL)));
    let silent = (retry.no_response != Waits::Never).then(|| {
        format!(
            ", and that nothing is pressed in {} of them",
            percent(SILENCE_USUAL)
        )
    });
    format!(
        "attempts: about {} expected, {} at worst ({} at most for each); supposed that 70 % of \
         calls are answered{}{}",
        grouped(expected),
        grouped(worst),
        retry.max_attempts,
        machines.unwrap_or_default(),
        silent.unwrap_or_default()
    )
}

fn money(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    match &plan.prices {
        Some(prices) => lines.push(prices_text(prices, plan.minutes())),
        None if plan.costs().is_some() => lines.push("money: at the rates of [spend]".into()),
        None => lines.push(
            "money: not known; the platform tells what calls cost when SINCH_APPLICATION_KEY \
             and SINCH_APPLICATION_SECRET are set"
                .into(),
        ),
    }
    if let Some(costs) = plan.costs() {
        let worst = match &costs.worst {
            Some(worst) => format!("{worst} at worst"),
            None => "the worst case is not known: nothing says how long a call can be".into(),
        };
        let unknown = match costs.unknown {
            0 => String::new(),
            n => format!(
                "; the price of {} is not known",
                counted(n, "recipient", "recipients")
            ),
        };
        lines.push(format!(
            "  about {} expected, {worst}{unknown}",
            costs.expected
        ));
        if let (Some(spend), Some(worst)) = (&plan.campaign.spend, &costs.worst) {
            let sum = worst.sums().find(|(c, _)| *c == spend.currency);
            if let (Some(cap), Some((_, sum)), 0) = (spend.cap, sum, costs.unknown) {
                // A sum that is too large to be added up is above every cap.
                lines.push(if sum.is_none_or(|sum| sum > cap) {
                    format!(
                        "  the cap of {} is below the worst case: the run may stop at it, with work \
                         left",
                        said(cap, &spend.currency)
                    )
                } else {
                    let cap = said(cap, &spend.currency);
                    format!("  the cap of {cap} covers the worst case")
                });
            }
            if let Some(per_day) = spend.per_day {
                lines.push(format!(
                    "  {} a calendar day ({}): what does not fit waits for the next",
                    said(per_day, &spend.currency),
                    spend.time_zone
                ));
            }
        }
    } else if let Some(spend) = &plan.campaign.spend {
        lines.push(format!(
            "  the cap needs prices in {}: without them `run` is refused",
            spend.currency
        ));
    }
    lines
}

/// When a run of it starts, where the campaign says so.
fn start(plan: &Plan) -> Option<String> {
    let schedule = plan.campaign.schedule.as_ref()?;
    let first = moment(plan.start.as_ref()?);
    let expiry = schedule.expires_after.map_or(String::new(), |after| {
        format!("; nobody is called later than {} after it", human(after))
    });
    Some(match &schedule.repeat {
        Some(repeat) => format!("start: {}, from {first} on{expiry}", repeat.words()),
        None => format!("start: {first}, once{expiry}"),
    })
}

fn time(plan: &Plan) -> String {
    let Some(span) = &plan.span else {
        return "time: not known; `run` needs calls_per_second in [pacing]".into();
    };
    let begun = if span.from == plan.at {
        "begun now, it "
    } else {
        ""
    };
    let ends = (plan.end(span.from)).filter(|_| span.expected.is_some());
    let ends = ends.map_or(String::new(), |ends| {
        format!("{begun}{ends}, as calls usually end; ")
    });
    let windows = if plan.eligible.is_some() {
        ", while windows are open"
    } else {
        ""
    };
    match (span.soonest, span.latest) {
        (Some(soonest), Some(latest)) if soonest == latest => format!(
            "time: {ends}about {} to dial everybody{windows}; {} decides",
            human(soonest),
            span.bottleneck
        ),
        (Some(soonest), Some(latest)) => format!(
            "time: {ends}about {} to dial everybody, {} if everybody is called as often as they may \
             be{windows}; {} decides",
            human(soonest),
            human(latest),
            span.bottleneck
        ),
        _ => format!(
            "time: {} of dialling, but windows do not open for long enough; {} decides",
            human(span.dialling),
            span.bottleneck
        ),
    }
}

/// How many may be called when.
fn eligible(eligible: &Eligible, plan: &Plan) -> String {
    let next = eligible.next.map_or(String::new(), |at| {
        format!(", the first from {} on", plan.zone.moment(at, plan.at))
    });
    let held = if eligible.held == 0 {
        String::new()
    } else {
        format!(
            "; {} are held: their time zone is not known, a `time_zone` column would say it",
            grouped(eligible.held)
        )
    };
    format!(
        "window: {}\n  {} may be called now, {} later{next}{held}",
        eligible.window(),
        grouped(eligible.now),
        grouped(eligible.later)
    )
}

/// What a minute costs, and what everything does if everybody listens for so many started minutes.
fn prices_text(prices: &Prices, minutes: u32) -> String {
    let mut lines = vec!["money: a minute costs".to_owned()];
    for group in &prices.groups {
        let price = group
            .price
            .as_ref()
            .map_or("not known".to_owned(), price_text);
        let numbers = match group.numbers() {
            0 => "only connected to".to_owned(),
            numbers => format!("{:>9} numbers", grouped(numbers)),
        };
        lines.push(format!(
            "  {} {:<16} {numbers}   {price}",
            group.country, group.kind
        ));
    }
    match prices.totals(minutes) {
        Some((low, high)) => {
            let sum = if low == high {
                low.to_string()
            } else {
                format!("{low} to {high}")
            };
            lines.push(format!(
                "  {sum} if everybody answers, {minutes} started {} each; prices are samples",
                if minutes == 1 { "minute" } else { "minutes" }
            ));
        }
        None => lines.push("  what the run costs is not known".into()),
    }
    if let Some(trouble) = &prices.trouble {
        lines.push(format!("  not everything could be asked: {trouble}"));
    }
    lines.join("\n")
}

fn price_text(price: &Price) -> String {
    let restricted = if price.restricted {
        "; some are restricted: the platform may refuse them"
    } else {
        ""
    };
    let shown = |rate: &str| {
        Money::parse_amount(rate).map_or_else(|| rate.to_owned(), |rate| Amount(rate).to_string())
    };
    let (lowest, highest, currency) =
        (shown(&price.lowest), shown(&price.highest), &price.currency);
    if lowest == highest {
        format!("{lowest} {currency}{restricted}")
    } else {
        format!("{lowest} to {highest} {currency}{restricted}")
    }
}
