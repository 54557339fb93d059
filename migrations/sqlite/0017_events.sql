-- What the platform's events and a person's word say of attempts. An event that names no attempt is found by
-- its call; whose word an end is, is kept where it is a person's, above which the platform's stands; and
-- calls are kept that name an attempt which has another call, or which was settled as not called.

alter table attempts add column word text check (word in ('person'));

create index attempts_call on attempts (call_id) where call_id is not null;

create table second_calls (
    attempt integer not null references attempts (key),
    call_id text    not null,
    at      integer not null,
    primary key (attempt, call_id)
) strict;
