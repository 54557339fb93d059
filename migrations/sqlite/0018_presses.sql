-- What people pressed in calls, as the platform told it: one row for each result of a menu.

create table presses (
    key     integer primary key,
    attempt integer not null references attempts (key),
    at      integer not null,
    value   text    not null,
    unique (attempt, at, value)
) strict;
