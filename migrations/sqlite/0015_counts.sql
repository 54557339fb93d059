-- Counts of a run of millions in a moment: every part of it has an index in which its rows stand together,
-- and which grows at its ends alone.

create index recipients_done on recipients (run, disposition) where state = 'done';

-- Who waits, and for what, is counted without a look at the rows.
drop index recipients_due;
create index recipients_due on recipients (run, due_at, id, state, waiting_for)
    where state in ('pending', 'waiting');

-- Attempts that are over. Those that are not are few: `attempts_live`.
create index attempts_over
    on attempts (run, state, result, reason, debit, currency, intended_at, duration_s)
    where state in ('final', 'not sent', 'refused');
