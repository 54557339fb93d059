-- What an engine leaves behind when it has called everybody of the one run in a database: two attempts
-- each on average, the later rounds behind the first, as retries come hours later.

delete from waits;
delete from attempts;

with rounds (nth) as (values (1), (2), (3)),
     tries (recipient, nth, last) as materialized (
        -- A quarter answers at once, two need two calls, and of the last, with three, a third never does.
        select recipients.id, nth, nth = case recipients.id % 4 when 0 then 1 when 2 then 3 else 2 end
        from rounds cross join recipients
        where nth <= case recipients.id % 4 when 0 then 1 when 2 then 3 else 2 end
        order by nth, recipients.id
     )
insert into attempts (id, run, recipient, state, intended_at, answered_at, ended_at, call_id, result, reason,
                      duration_s, debit, currency, hold)
select cast(printf('%016x', row_number() over ()) as blob), run, recipient, 'final',
       at, at + 47, at + 16000, lower(printf('%s-%s-%s-%s-%s', hex(randomblob(4)), hex(randomblob(2)),
       hex(randomblob(2)), hex(randomblob(2)), hex(randomblob(6)))),
       case when answered then 'ANSWERED' when recipient % 2 then 'BUSY' else 'NOANSWER' end,
       case when answered then iif(recipient % 3, 'CALLERHANGUP', 'CALLEEHANGUP')
            when recipient % 2 then 'N/A' else 'TIMEOUT' end,
       case when answered then 5 + recipient % 70 else 0 end,
       case when not answered then '0' when recipient % 70 < 56 then '0.0415' else '0.0830' end, 'EUR', hold
from (
    select run, recipient, last and recipient % 12 <> 10 as answered, hold,
           created_at + 3600000 * (nth - 1) + (recipient - first_recipient) * 2 as at
    from tries join recipients on recipients.id = recipient join runs on runs.number = run
);

insert into waits (recipient, at, reason, until)
select recipient, ended_at, 'retry', ended_at + 3584000 from attempts where result <> 'ANSWERED' order by key;

update recipients set state = 'done', due_at = null, waiting_for = null,
       disposition = iif(id % 12 = 10, 'unreached', 'reached'),
       -- As `Tried::pack` has it: calls, busy ones, those that nobody answered.
       tried = case id % 4 when 0 then 1 << 24 when 2 then (3 << 24) + (iif(id % 12 = 10, 3, 2) << 8)
                   else (2 << 24) + (1 << 16) end;

update runs set state = 'completed', why = null, money = 0, telling = null, ended_at = created_at + 10000000;
