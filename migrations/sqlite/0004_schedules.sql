-- Schedules: what became of each occurrence of a campaign, and until when a run calls people.

-- From then on the run calls nobody any more.
alter table runs add column expires_at integer;

-- One moment at which a campaign was to start: a run was started for it, or it was skipped. The key
-- is what keeps a restart, or a second scheduler, from starting one twice. The run is named and not
-- referred to: when it is deleted some day, its occurrence must still not be started again.
create table occurrences (
    campaign      text    not null,              -- its name
    scheduled_for integer not null,
    run           text,
    skipped       text    check (skipped in ('missed', 'superseded', 'stale', 'overlap', 'fault')),
    reason        text,                          -- why it was skipped, in words
    at            integer not null,              -- when that was decided
    primary key (campaign, scheduled_for),
    check ((run is null) = (skipped is not null)),
    check ((skipped is null) = (reason is null))
) strict, without rowid;

-- The latest run of a campaign, which may be in the way of the next.
create index runs_campaign on runs (campaign, number);
create unique index occurrences_run on occurrences (run) where run is not null;
