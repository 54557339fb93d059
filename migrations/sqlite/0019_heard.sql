-- What was heard in calls: what was pressed in them, and that a machine answered. In a call of a flow there is one
-- row for each menu that was asked (`nth`, from 1) and one for who answered (0); a campaign that brings its own SVAML
-- has no such order, and what was pressed there is told apart by its moment.

create table heard (
    key      integer primary key,
    attempt  integer not null references attempts (key),
    run      integer not null references runs (number),
    at       integer not null,
    nth      integer check (nth >= 0),
    value    text,                               -- what was pressed; null: a machine, or not to be known any more
    makes    integer not null,                   -- InCall::pack
    suppress text,                               -- the suppression list that the number went on by it
    check (nth is not null or value is not null)
) strict;

create unique index heard_once on heard (
    attempt, ifnull(nth, -1),
    case when nth is null then at else 0 end, case when nth is null then value else '' end
);

create index heard_responses on heard (run, value, attempt) where nth > 0 and value is not null;

insert into heard (key, attempt, run, at, value, makes)
select presses.key, attempt, attempts.run, at, value, 0 from presses join attempts on attempts.key = attempt;
drop table presses;

-- How a recipient was tried before the attempt after which they wait, so that what is heard late in its call can
-- be weighed as if it had come in time.
alter table recipients add column tried_before integer not null default 0;

create index heard_connected on heard (attempt) where makes & 16 <> 0;

-- Further calls of attempts in whose call somebody else was put on the line: the other end's legs.
create table legs (
    attempt    integer not null references attempts (key),
    call_id    text    not null,
    at         integer not null,
    duration_s integer,                          -- null: not over, or not told
    debit      text,
    currency   text,
    primary key (attempt, call_id)
) strict, without rowid;
