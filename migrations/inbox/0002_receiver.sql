-- Until when whoever receives has said that they are there; and the calls of a run whose end was told.

create table receiver (
    until integer not null
) strict;

insert into receiver (until) values (0);

create index events_told on events (run) where run is not null and kind = 'dice';

pragma user_version = 2;
