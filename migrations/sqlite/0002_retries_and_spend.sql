-- How often a recipient was tried, what they wait for, and what an attempt may cost at most.

alter table recipients add column tried integer not null default 0; -- Tried::pack: used, busy, no answer, faults
alter table recipients add column waiting_for text
    check (waiting_for is null or state <> 'done');

alter table attempts add column hold text; -- decimal, in the currency of the run's cap

-- Calls on one number, whatever the run.
create index recipients_endpoint on recipients (endpoint) where endpoint is not null;
