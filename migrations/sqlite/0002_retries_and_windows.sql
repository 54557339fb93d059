-- How often a recipient was tried, what they wait for, and in which time zones they may be.

alter table recipients add column tried integer not null default 0; -- Tried::pack: used, busy, no answer, faults
alter table recipients add column waiting_for text
    check (waiting_for is null or state <> 'done');

alter table recipients add column zones text; -- names with commas, or `?` and why they are not known

alter table runs add column blackout_file blob; -- the campaign's file of dates, as it was read

-- Calls on one number, whatever the run.
create index recipients_endpoint on recipients (endpoint) where endpoint is not null;
