//! Runs in a list, each on a line.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Summary;
use super::moments::Zone;
use super::words::grouped;
use crate::domain::{Disposition, RunId, RunState};

/// Fewest characters by which a run is named.
const ID_CHARS_MIN: usize = 4;

/// Characters of a date and a time of day: `2026-11-30 09:00`.
const MINUTE_CHARS: usize = 16;

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
        let began = minute(zone, self.began_at);
        let ended = match (state.unfinished(), self.ended_at) {
            (false, Some(at)) => {
                let ended = minute(zone, at);
                // On the same day the time says all.
                let day = began.split(' ').next().unwrap_or_default();
                let time = ended
                    .strip_prefix(day)
                    .map(|time| time.trim_start().to_owned());
                time.unwrap_or(ended)
            }
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
            began,
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

/// A moment to the minute, by the clock of the list's zone: a list is read for what is where, and has no
/// room for more.
fn minute(zone: &Zone, at: Timestamp) -> String {
    zone.stamp(at).chars().take(MINUTE_CHARS).collect()
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
    use crate::domain::Tally;

    #[test]
    fn an_end_on_the_same_day_is_a_time_alone() {
        let listed = |ended_at: Option<&str>, state| Listed {
            summary: Summary {
                run: RunId::new("0123456789ab"),
                campaign: "x".into(),
                state,
                why: None,
                rehearsal: false,
                purged_at: None,
                zone: Zone::utc(),
                tally: Tally::default(),
                heard: super::super::heard::Heard::default(),
            },
            began_at: "2026-01-05T08:00:59Z".parse().unwrap(),
            ended_at: ended_at.map(|at| at.parse().unwrap()),
            engine: false,
        };
        for (ended, state, told) in [
            (Some("2026-01-05T10:46:40Z"), RunState::Completed, "10:46"),
            (
                Some("2026-01-06T00:01:00Z"),
                RunState::Expired,
                "2026-01-06 00:01",
            ),
            (Some("2026-01-05T10:46:40Z"), RunState::Paused, "not over"),
            (None, RunState::Running, "not over"),
        ] {
            let cells = listed(ended, state).cells(&Zone::utc(), 4);
            assert_eq!(cells[0], "0123");
            assert_eq!(
                (cells[3].as_str(), cells[4].as_str()),
                ("2026-01-05 08:00", told)
            );
        }
    }

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
