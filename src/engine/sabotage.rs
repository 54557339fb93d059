//! Planted bugs, for the test of the tests. Debug builds only: a release has none of this.
//!
//! A torture test that would not notice these proves nothing, so it is run with each of them and
//! must fail.

/// A bug to plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// After a restart, what is uncertain is dialled again.
    RedialOnRestart,
    /// The POST leaves before its intent is durable.
    PostBeforeCommit,
}

impl Sabotage {
    /// Reads the name that a test gives in the environment.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "redial-on-restart" => Some(Self::RedialOnRestart),
            "post-before-commit" => Some(Self::PostBeforeCommit),
            _ => None,
        }
    }
}
