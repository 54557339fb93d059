-- At most one unfinished run of a campaign, by an index and not by who looks first. It speaks of runs with
-- `alone`: not of those that are made by hand, nor of rehearsals, nor of runs beside which another one of
-- their campaign was unfinished already, which stay as they are.
alter table runs add column alone integer not null default 0 check (alone in (0, 1));

update runs set alone = 1
where campaign <> 'call/place' and not rehearsal
      and not (state in ('planned', 'running', 'paused')
               and exists (select 1 from runs as other
                           where other.campaign = runs.campaign and other.number <> runs.number
                                 and not other.rehearsal
                                 and other.state in ('planned', 'running', 'paused')));

create unique index runs_unfinished on runs (campaign)
    where alone and state in ('planned', 'running', 'paused');
