//! What whoever opens a database wants of it.

/// What a command wants of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To be its one engine. The database is made where there is none.
    Engine,
    /// To be the one engine of a database that must be there.
    EngineOfExisting,
    /// To be the one engine of a database that is made anew and may be lost: nothing is synced to
    /// disk, and whoever pulls the plug has nothing.
    Scratch,
    /// To read, and to leave wishes. The database must be there.
    Beside,
    /// The same, and the database is made where there is none.
    BesideOrNew,
}
