-- Runs, their recipients and the attempts on them. Times are milliseconds since 1970 UTC; money is
-- decimal text. The checks repeat the states of DESIGN, section 5: what cannot be must not be stored.

create table runs (
    number           integer primary key,
    id               text    not null unique check (length(id) = 12),
    campaign         text    not null,
    definition       text    not null,           -- the campaign file as it was read
    definition_path  text    not null,
    platform         text    not null,           -- base URL and application key
    rehearsal        integer not null check (rehearsal in (0, 1)),
    state            text    not null check (state in
                         ('planned', 'running', 'paused', 'completed', 'cancelled', 'expired')),
    why              text,                       -- why it is paused
    money            integer not null default 0 check (money in (0, 1)), -- paused for want of money
    wish             text    check (wish in ('pause', 'cancel')),
    telling          text,                       -- JSON: how its engine stands, told each second
    created_at       integer not null,
    started_at       integer,
    ended_at         integer,
    -- The list, once it is imported in full.
    header           text,                       -- JSON array of the column names
    destination_kind text    check (destination_kind in ('number', 'username')),
    list_sha256      text,
    first_recipient  integer,
    last_recipient   integer,
    -- The results file that was written last, so that a resume may replace it if nobody changed it.
    results_path     text,
    results_sha256   text,
    check (state = 'planned' or header is not null),
    check ((header is null) = (first_recipient is null)),
    check ((header is null) = (last_recipient is null)),
    check ((state = 'paused') = (why is not null)),
    check ((results_path is null) = (results_sha256 is null))
) strict;

-- One row of a list. Within a run the ids rise in the list's order, without gaps.
create table recipients (
    id          integer primary key,
    run         integer not null references runs (number),
    line        integer not null,
    cells       text    not null,                -- JSON array, as read
    endpoint    text,                            -- E.164 or user name; absent where invalid
    state       text    not null check (state in ('pending', 'waiting', 'in flight', 'done')),
    disposition text    check (disposition in ('reached', 'unreached', 'refused', 'invalid',
                    'duplicate', 'suppressed', 'uncertain', 'expired', 'cancelled')),
    due_at      integer,
    reason      text,                            -- why invalid, duplicate or refused
    fault       text,                            -- JSON: column and value of an invalid row
    check ((state = 'done') = (disposition is not null)),
    check ((state in ('pending', 'waiting')) = (due_at is not null)),
    check (endpoint is not null or disposition = 'invalid')
) strict;

create index recipients_due on recipients (run, due_at, id) where state in ('pending', 'waiting');
create index recipients_rejects on recipients (run, id)
    where disposition in ('invalid', 'duplicate');

-- One try on one recipient. The row is durable before its POST leaves.
create table attempts (
    key         integer primary key,
    id          blob    not null unique check (length(id) = 16),
    run         integer not null references runs (number),
    recipient   integer not null references recipients (id),
    state       text    not null check (state in
                    ('intended', 'accepted', 'final', 'not sent', 'refused', 'uncertain')),
    intended_at integer not null,
    answered_at integer,
    ended_at    integer,
    call_id     text,
    result      text,
    reason      text,
    duration_s  integer,
    debit       text,
    currency    text,
    note        text,                            -- why uncertain, refused or not sent
    check (state <> 'accepted' or call_id is not null),
    check (state not in ('final', 'not sent', 'refused') or ended_at is not null)
) strict;

create index attempts_recipient on attempts (recipient);
-- A recipient has at most one attempt that is not over, and those are found at once.
create unique index attempts_live on attempts (run, recipient)
    where state in ('intended', 'accepted', 'uncertain');

-- What a person said about an uncertain attempt. Never changed, never deleted.
create table settlements (
    number  integer primary key,
    attempt integer not null references attempts (key),
    called  integer not null check (called in (0, 1)),
    why     text    not null,
    who     text    not null,
    at      integer not null
) strict;
