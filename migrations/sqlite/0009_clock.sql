-- Whether the machine's clock can be believed. Nobody is dialled while it shows an earlier time than the
-- database has seen, unless a person said that it is right.

-- Attempts by their moment: the newest is found at once, and so is what lies ahead of the clock.
create index attempts_intended on attempts (intended_at);

-- A person said that a clock is right which shows an earlier time. Never changed, never deleted.
create table clock_acceptances (
    number  integer primary key,
    who     text    not null,
    wall    integer not null,                    -- what the clock showed then
    newest  integer not null,                    -- the newest moment in the database, ahead of it
    found   text    not null,                    -- the table that has it
    attempt integer not null                     -- the latest attempt then: others are judged anew
) strict;
