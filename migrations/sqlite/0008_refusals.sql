-- Whose fault refusals are.

-- Of an attempt that was refused, also where that was taken back: HTTP status and code, as `403/40300`,
-- and whom the code speaks of.
alter table attempts add column refusal text;
alter table attempts add column refusal_of text
    check (refusal_of is null or refusal is not null and refusal_of in ('account', 'recipient', 'unknown'));

-- The code of the refusals that the run is paused for, the one that it paused for last, and a JSON array of
-- those that a person called the recipients' own.
alter table runs add column refused_with text;
alter table runs add column suspect text;
alter table runs add column refusals_theirs text not null default '[]';
