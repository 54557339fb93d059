-- Until when whoever receives has said that they are there; and the calls of a run whose end was told.

create table receiver (
    until integer not null
) strict;

insert into receiver (until) values (0);

create index events_told on events (run) where run is not null and kind = 'dice';

-- Whoever is forgotten is looked for in every body anyway; an event is not to pay for that.
drop index events_attempt;
drop index events_call;

pragma user_version = 2;
