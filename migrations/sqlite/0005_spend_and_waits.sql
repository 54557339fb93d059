-- What a run may cost, what is held for each attempt, and every wait that was decided.

-- JSON: currency, caps, rates and who changed the cap. Absent: the run has no cap.
alter table runs add column spend text;

-- The worst case of a call to them, in the run's currency, and the seconds after which it is hung up.
alter table recipients add column hold text;
alter table recipients add column longest_s integer check ((longest_s is null) = (hold is null));

-- What was held when the intent was written. Whether it is still held, settled or released follows from
-- the attempt's state and debit.
alter table attempts add column hold text;
-- Everything that counts against a cap, in the order in which it is added up: a start of a run of a
-- million reads nothing else. Runs without a cap have nothing in it.
create index attempts_charges
    on attempts (run, state, result, debit, currency, hold, duration_s, intended_at)
    where hold is not null;

-- Why a recipient was not called yet: one row for each wait that the engine decided. Never changed.
create table waits (
    number    integer primary key,
    recipient integer not null references recipients (id),
    at        integer not null,                  -- when that was decided
    reason    text    not null,
    until     integer                            -- absent: nothing that comes by itself
) strict;
create index waits_recipient on waits (recipient);
