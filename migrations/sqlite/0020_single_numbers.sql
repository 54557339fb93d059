-- A number that was put on a list alone is found without reading the others: who opts out in a call waits for it.

alter table suppressed_numbers add column number integer;    -- the only number of the row; null of other rows

create index suppressed_numbers_number on suppressed_numbers (number) where number is not null;

create index suppressed_numbers_many on suppressed_numbers (act) where number is null;
