-- Which database this is, and what was once unknown to it.

-- One row. The id tells this database from every other; its copies have it as well, and what they lack
-- is told by the mark, a small file outside of the database. Where that is kept: 0 nowhere yet, 1 beside
-- the database, 2 in a folder of this machine's state.
create table identity (
    one    integer primary key check (one = 1),
    id     blob    not null check (length(id) = 16),
    marked integer not null default 0 check (marked in (0, 1, 2))
) strict;
insert into identity (one, id) values (1, randomblob(16));

-- A person went on although calls may have been placed that are not in this database. Whom nobody could
-- tell about has an attempt of its own: those with keys from `first_key` to `last_key`. The calls that
-- are not known were placed from `since` on. Never changed, never deleted.
create table accepted_gaps (
    number    integer primary key,
    who       text    not null,
    at        integer not null,
    what      text    not null,                  -- how the database stood, in words
    attempts  integer,                           -- how many are not in it; absent: nobody can tell
    since     integer not null,
    first_key integer,
    last_key  integer,
    former    blob    not null,                  -- the database's id until then
    check ((first_key is null) = (last_key is null))
) strict;
