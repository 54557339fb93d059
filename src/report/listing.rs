//! Runs in a list, each on a line.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Summary;
use super::moments::Zone;
use super::words::grouped;
use crate::domain::{Disposition, RunId, RunState};

/// Fewest characters by which a run is named.
const ID_CHARS_MIN: usize = 4;

/// The names of a list's columns.
pub const HEADER: [&str; 11] = [
    "RUN",
    "CAMPAIGN",
    "STATE",
    "BEGAN",
    "ENDED",
    "ROWS",
    "REACHED",
    "UNREACHED",
    "UNCERTAIN",
    "TO CALL",
    "SPENT",
];

/// A run in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The run and its counts.
    pub summary: Summary,
    /// When it was made.
    pub began_at: Timestamp,
    /// When it ended, or stopped last; none where it did neither.
    pub ended_at: Option<Timestamp>,
    /// Whether an engine works on it.
    pub engine: bool,
}

impl Listed {
    /// What stands in each of the [`HEADER`]'s columns. The id is cut to `chars` characters.
    pub fn cells(&self, zone: &Zone, chars: usize) -> [String; 11] {
        let Summary {
            run,
            campaign,
            state,
            tally,
            ..
        } = &self.summary;
        let ended = match (state.unfinished(), self.ended_at) {
            (false, Some(at)) => zone.stamp(at),
            (false, None) => "-".to_owned(),
            (true, _) if self.engine => "goes on".to_owned(),
            (true, _) => "not over".to_owned(),
        };
        let spent = if tally.spent.is_empty() {
            "-".to_owned()
        } else {
            tally.spent.to_string()
        };
        let of = |disposition| grouped(tally.of(disposition));
        [
            run.as_str().chars().take(chars).collect(),
            campaign.clone(),
            state.to_string(),
            zone.stamp(self.began_at),
            ended,
            grouped(tally.rows),
            of(Disposition::Reached),
            of(Disposition::Unreached),
            of(Disposition::Uncertain),
            grouped(tally.left()),
            spent,
        ]
    }

    /// The run for programs: its summary, and when it was.
    pub fn json(&self) -> Value {
        let mut value = self.summary.json();
        value["began_at"] = json!(self.began_at.to_string());
        value["ended_at"] = json!(self.ended_at.map(|at| at.to_string()));
        value["engine_at_work"] = json!(self.engine);
        value["to_call"] = json!(self.summary.tally.left());
        value
    }

    /// Whether it went on until the machine or its engine was killed.
    pub fn was_killed(&self) -> bool {
        self.summary.state == RunState::Running && !self.engine
    }
}

/// So many characters of these ids tell each from all others.
pub fn id_chars<'a>(ids: impl IntoIterator<Item = &'a RunId>) -> usize {
    let mut ids: Vec<&str> = ids.into_iter().map(RunId::as_str).collect();
    ids.sort_unstable();
    let common = |pair: &[&str]| {
        let both = pair[0].chars().zip(pair[1].chars());
        both.take_while(|(one, other)| one == other).count()
    };
    let most = ids.windows(2).map(common).max();
    most.map_or(ID_CHARS_MIN, |most| (most + 1).max(ID_CHARS_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_cut_to_what_tells_them_apart() {
        let chars = |ids: &[&str]| {
            let ids: Vec<RunId> = ids.iter().map(|id| RunId::new(*id)).collect();
            id_chars(&ids)
        };
        assert_eq!(chars(&[]), 4);
        assert_eq!(chars(&["abcdefgh", "xyzabcde"]), 4);
        assert_eq!(chars(&["abcdefgh", "xyzabcde", "abcdefxx"]), 7);
    }
}
