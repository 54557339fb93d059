-- By which version of the rules the numbers of a run, and of a suppression list, were read. What is
-- there now was read by the first, which took some digits for other people's numbers. 0: read again, but for those
-- whose call was not over then.

alter table runs add column reader integer not null default 1 check (reader >= 0);
alter table suppression_acts add column reader integer not null default 1 check (reader >= 1);
