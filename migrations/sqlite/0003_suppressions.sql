-- Numbers never to be called, who said so, and what is left of people who are to be forgotten.

-- One change of a suppression list by a person. Never changed but for its `why`, never deleted.
create table suppression_acts (
    number  integer primary key,
    what    text    not null check (what in ('add', 'remove', 'erase')),
    list    text    check (length(list) > 0),    -- absent: a removal from all lists
    who     text    not null,
    at      integer not null,
    why     text,
    until   integer,                             -- when what was added expires
    numbers integer not null check (numbers >= 0),
    check (list is not null or what = 'remove'),
    check (until is null or what = 'add')
) strict;

-- The numbers that an act put on its list and that still stand there by it; a number is on a list by
-- one act, the latest. A number is its digits, country code first: an integer of 15 digits at most.
-- A row holds some of those that share their upper 32 bits (`high`), as a Roaring bitmap of the lower
-- 32 in its portable format: millions of numbers in some 2 bytes each, read in a moment.
create table suppressed_numbers (
    id      integer primary key,
    act     integer not null references suppression_acts (number),
    high    integer not null check (high between 0 and 4294967295),
    numbers blob    not null
) strict;
create index suppressed_numbers_act on suppressed_numbers (act);

-- Numbers that stay suppressed without being stored: HMAC-SHA256 of the E.164 text, with the `key`
-- below.
create table erased_numbers (
    hash blob    primary key check (length(hash) = 32),
    act  integer not null references suppression_acts (number)
) strict, without rowid;

-- One row. The revision grows with every change, so that an engine sees one by a glance.
create table suppression_state (
    one      integer primary key check (one = 1),
    revision integer not null,
    key      blob    check (length(key) = 32)    -- drawn when the first number is erased
) strict;
insert into suppression_state (one, revision) values (1, 0);

-- Rows that an import or a look before the dial found suppressed are rejects as well.
drop index recipients_rejects;
create index recipients_rejects on recipients (run, id)
    where disposition in ('invalid', 'duplicate', 'suppressed');

-- When the run's personal data was deleted.
alter table runs add column purged_at integer;
