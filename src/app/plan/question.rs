//! What a person decides on before a run, and what should make them think again.

use jiff::{Timestamp, Zoned};

use super::Plan;
use super::eligible::Eligible;
use crate::domain::money::said;
use crate::domain::window::Window;
use crate::report::words::{counted, grouped};

impl Plan {
    /// The question before a run that begins at a start to come, or else now: `Call 300 people now (about 378,
    /// at most 600 calls; expected 13.23 EUR, cap 30.00 EUR; ends about Mon 21:00 UTC)?`
    pub(crate) fn question(&self, start: Option<&Zoned>) -> String {
        let from = start.map_or(self.at, Zoned::timestamp);
        let when = start.map_or("now".to_owned(), |_| {
            format!("at {}", self.zone.moment(from, self.at))
        });
        let facts = [Some(self.calls()), Some(self.cost()), self.end(from)];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        let people = counted(self.list.valid, "person", "people");
        let facts = facts.join("; ");
        match self.again() {
            None => format!("Call {people} {when} ({facts})?"),
            Some(again) => format!(
                "This list was {}. Call {people} {when}, again ({facts})?",
                again.text()
            ),
        }
    }

    fn calls(&self) -> String {
        let (expected, worst) = self.attempts();
        let calls = counted(worst, "call", "calls");
        if expected == worst {
            calls
        } else {
            format!("about {}, at most {calls}", grouped(expected))
        }
    }

    fn cost(&self) -> String {
        let spend = self.campaign.spend.as_ref();
        let cap = spend.and_then(|spend| Some(said(spend.cap?, &spend.currency)));
        let cap = cap.map_or("no cap".to_owned(), |cap| format!("cap {cap}"));
        let Some(costs) = self.costs() else {
            return format!("cost not known, {cap}");
        };
        let without = match costs.unknown {
            0 => String::new(),
            n => format!(
                " without {} of unknown price",
                counted(n, "person", "people")
            ),
        };
        format!("expected {}{without}, {cap}", costs.expected)
    }

    /// When a run that begins then is done, as calls usually end; none without a rate.
    pub(super) fn end(&self, from: Timestamp) -> Option<String> {
        let span = self.span.as_ref()?;
        let end = span.expected.and_then(|span| from.checked_add(span).ok());
        Some(match end {
            Some(end) => format!("ends about {}", self.zone.about(end, from, self.at)),
            None => "no end in sight, its windows do not open for long enough".to_owned(),
        })
    }

    /// What a person should look at before a run that begins then, beside the plan's warnings.
    pub(crate) fn cautions(&self, start: Option<&Zoned>) -> Vec<String> {
        let at = start.map_or(self.at, Zoned::timestamp);
        let Some(window) = &self.campaign.window else {
            return self.asleep(at).into_iter().collect();
        };
        let night = "[window] is open before 08:00 or after 21:00, when people sleep";
        window
            .opens_at_night()
            .then(|| night.to_owned())
            .into_iter()
            .collect()
    }

    /// Whether some are called at night where nothing forbids it.
    fn asleep(&self, at: Timestamp) -> Option<String> {
        let mut day = Eligible::new(Window::daytime());
        for zones in &self.zones {
            day.add(Some(zones), at);
        }
        (day.later > 0).then(|| {
            let then = if at > self.at { "then" } else { "now" };
            let all = if day.now == 0 { "" } else { "some of " };
            format!(
                "the campaign has no [window], and where {all}these people are it is before 08:00 or after \
                 21:00 {then}"
            )
        })
    }
}
