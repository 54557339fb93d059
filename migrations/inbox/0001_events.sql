-- The inbox: the platform's events, in a file of their own beside the database.

create table events (
    number    integer primary key autoincrement, -- the order in which they came; none is used twice
    digest    blob    not null unique check (length(digest) = 32), -- of its body and what was signed with it
    signed_at text    not null,
    at        integer not null,
    kind      text    not null,
    attempt   text,                              -- the id in its `custom`, 32 hex digits
    call      text,
    bodied    integer not null default 1 check (bodied in (0, 1)), -- its body is still there
    owner     text    check (owner in ('run', 'nobody', 'unknown attempt')), -- null: it is pending
    run       text    check (owner = 'run' or run is null),
    handled_at integer
) strict;

create index events_pending on events (number) where owner is null;
create index events_nobodys on events (at) where owner = 'nobody';
create index events_unknown on events (number) where owner = 'unknown attempt';
create index events_bodied on events (run) where run is not null and bodied = 1;
create index events_attempt on events (attempt) where attempt is not null;
create index events_call on events (call) where call is not null;

-- Bodies stand apart: rows are added at the end and never grow, so that no page is rebuilt with a copy of
-- one in its gaps.
create table bodies (
    number integer primary key,
    body   blob    not null
) strict;

-- How many came, by kind, those that were deleted since as well.
create table taken (
    kind    text    primary key,
    count   integer not null,
    last_at integer not null
) strict;

-- How many requests were refused, by reason.
create table refused (
    reason  text    primary key,
    count   integer not null,
    last_at integer not null
) strict;

-- Whether rows of `bodies` were deleted, so that pages may have been rebuilt.
create table upkeep (
    rebuilt integer not null check (rebuilt in (0, 1))
) strict;

insert into upkeep (rebuilt) values (0);

pragma user_version = 1;
