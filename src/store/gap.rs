//! What a database may lack of what was done: the facts, for whoever has to decide whether to go on.

use std::fmt;

/// How a database differs from what is known of it outside of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// It is an older copy, and this was done since.
    Older {
        /// Attempts that are not in it.
        attempts: u64,
        /// Runs that are not in it.
        runs: u64,
        /// Changes of suppression lists that are not in it.
        list_changes: u64,
    },
    /// It is another database than the one that was here.
    Another {
        /// So many attempts had that one made.
        attempts: u64,
    },
    /// What was known of it outside is not here: it is a copy, it was moved, or that was removed.
    Unmarked {
        /// What is known outside was kept in another place than where it is looked for now.
        elsewhere: bool,
    },
    /// What is known of it outside cannot be read.
    Unreadable,
}

impl Gap {
    /// How many attempts are not in the database; none where nobody can tell.
    pub fn attempts(self) -> Option<u64> {
        match self {
            Self::Older { attempts, .. } => Some(attempts),
            Self::Another { .. } | Self::Unmarked { .. } | Self::Unreadable => None,
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Older {
                attempts,
                runs,
                list_changes,
            } => {
                let lacks = [
                    counted(*attempts, "attempt"),
                    counted(*runs, "run"),
                    counted(*list_changes, "change of the suppression lists"),
                ];
                let lacks: Vec<String> = lacks.into_iter().flatten().collect();
                write!(
                    f,
                    "is an older copy: it lacks {} made since",
                    lacks.join(" and ")
                )
            }
            Self::Another { attempts } => write!(
                f,
                "is another database than the one that was here, in which {} been made",
                match attempts {
                    1 => "1 attempt has".to_owned(),
                    n => format!("{n} attempts have"),
                }
            ),
            Self::Unmarked { elsewhere: false } => f.write_str(
                "is a copy or was moved: the mark that was made for it is not here, so nobody can \
                 tell which calls it lacks",
            ),
            Self::Unmarked { elsewhere: true } => f.write_str(
                "has its mark in another place than where it is looked for, so nobody can tell \
                 which calls it lacks",
            ),
            Self::Unreadable => f.write_str(
                "has a mark that cannot be read, so nobody can tell which calls it lacks",
            ),
        }
    }
}

fn counted(count: u64, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(match what.split_once(' ') {
            Some((first, rest)) => format!("{n} {first}s {rest}"),
            None => format!("{n} {what}s"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_copy_lacks_is_counted() {
        let said = |attempts, runs, list_changes| {
            Gap::Older {
                attempts,
                runs,
                list_changes,
            }
            .to_string()
        };
        assert_eq!(
            said(100, 0, 0),
            "is an older copy: it lacks 100 attempts made since"
        );
        assert_eq!(
            said(0, 1, 2),
            "is an older copy: it lacks 1 run and 2 changes of the suppression lists made since"
        );
    }
}
