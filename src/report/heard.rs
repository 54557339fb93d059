//! How results come: told by the platform as calls end, or asked for.

use serde_json::{Value, json};

use super::words::{counted, grouped};

/// What a database heard from the platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Calls of the run whose end the platform told.
    pub told: u64,
    /// Events of whatever run that were received and are not read yet.
    pub waiting: u64,
    /// Events of the last day that belong to nobody here.
    pub nobodys: u64,
    /// How many of these were a call to one of the application's own numbers.
    pub strange_calls: u64,
    /// Events that name an attempt which this database does not know.
    pub unknown_attempts: u64,
    /// Requests that were refused, by reason.
    pub refused: Vec<(String, u64)>,
}

impl Heard {
    /// How the results of a run come, of whose calls so many are over, in a few words.
    pub fn way(&self, over: u64) -> String {
        match (self.told, over.saturating_sub(self.told)) {
            (0, _) => "asked for".to_owned(),
            (_, 0) => "told by the platform".to_owned(),
            (told, others) => {
                let calls = counted(told, "call", "calls");
                format!(
                    "told by the platform for {calls}, asked for {}",
                    grouped(others)
                )
            }
        }
    }

    /// What else there is to say of what came to the database; nothing where all is as it should be.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.waiting > 0 {
            let events = counted(self.waiting, "event waits", "events wait");
            remarks.push(format!("{events} to be read"));
        }
        if self.nobodys > 0 {
            let events = counted(
                self.nobodys,
                "event of the last day belongs",
                "events of the last day belong",
            );
            let strange = if self.strange_calls > 0 {
                let calls = counted(self.strange_calls, "was a call", "were calls");
                format!("; {calls} to the application's own numbers, and nobody here answers those")
            } else {
                String::new()
            };
            remarks.push(format!("{events} to nobody here{strange}"));
        }
        if self.unknown_attempts > 0 {
            let events = counted(self.unknown_attempts, "event is", "events are");
            remarks.push(format!(
                "{events} of attempts that this database does not know: an older copy of it may have been put in \
                 its place"
            ));
        }
        let refused: u64 = self.refused.iter().map(|(_, n)| n).sum();
        if refused > 0 {
            let requests = counted(refused, "request was", "requests were");
            let why: Vec<String> = self
                .refused
                .iter()
                .map(|(why, n)| format!("{} {why}", grouped(*n)))
                .collect();
            remarks.push(format!(
                "{requests} refused by the receiver: {}",
                why.join(", ")
            ));
        }
        remarks
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let refused = self.refused.iter();
        let refused: serde_json::Map<String, Value> =
            refused.map(|(why, n)| (why.clone(), json!(n))).collect();
        json!({
            "told": self.told,
            "waiting": self.waiting,
            "nobodys": self.nobodys,
            "strange_calls": self.strange_calls,
            "unknown_attempts": self.unknown_attempts,
            "refused": refused,
        })
    }
}
