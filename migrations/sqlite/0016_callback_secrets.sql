-- The secrets that callback paths carry: the first one is there before the first run.
create table callback_secrets (
    secret text    primary key,
    since  integer not null,
    until  integer                               -- when it stops being taken; null: the current one
) strict;

insert into callback_secrets (secret, since) values (lower(hex(randomblob(16))), 0);
