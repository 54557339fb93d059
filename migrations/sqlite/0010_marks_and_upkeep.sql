-- What the file says of itself before its tables are read, and what is still to be done to it.

-- "call": that this is callout's database, for whoever looks before touching it.
pragma application_id = 1667329132;

-- One row. People were forgotten, and the file is still to be written anew, so that no old page keeps
-- a copy of them: set in the transaction that forgets, cleared when the file was rewritten.
create table upkeep (
    one        integer primary key check (one = 1),
    scrub_owed integer not null check (scrub_owed in (0, 1))
) strict;
insert into upkeep (one, scrub_owed) values (1, 0);
