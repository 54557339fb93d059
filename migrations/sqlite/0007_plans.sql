-- What a run was planned as, and whom it calls of those of an earlier run.

alter table runs add column plan text;           -- the hash of the plan that it spends
alter table runs add column planned_list text;   -- SHA-256 of the list that it must find; absent: whatever the list is
alter table runs add column only_of text;        -- the id of the run of whose recipients only those are called whom it did not reach
create unique index runs_plan on runs (plan) where plan is not null;
