-- By which version of the rules the numbers of a run, and of a suppression list, were read. What is
-- there now was read by the first, which took some digits for other people's numbers.

alter table runs add column reader integer not null default 1 check (reader >= 1);
alter table suppression_acts add column reader integer not null default 1 check (reader >= 1);
