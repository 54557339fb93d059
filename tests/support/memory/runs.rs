//! What is done with whole runs, in memory.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use callout::domain::{
    AttemptEvent, AttemptState, BY_HAND, DestinationKind, Disposition, READ_AGAIN_BUT, READER,
    RecipientId, RecipientState, RunEvent, RunId, RunState, Spend, Tried, closed,
};
use callout::store::{
    AtRest, Imported, ImportedRow, NewRun, RejectedRow, Rows, Run, RunEnd, RunHead, RunStore,
    StoreError, Wish, Wishing, WrittenOtherwise,
};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::engine::after;
use super::{Listed, Memory, Recipient, Tables};

#[async_trait]
impl RunStore for Memory {
    async fn create_run(&self, run: &NewRun) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !run.rehearsal
            && run.campaign != BY_HAND
            && let Some(other) = tables.unfinished(&run.campaign).last()
        {
            return Err(StoreError::Unfinished {
                run: other.id.clone(),
                campaign: other.campaign.clone(),
                state: other.state,
            });
        }
        if tables.run(&run.id).is_ok() {
            return Err(StoreError::Database(format!("{} is there", run.id)));
        }
        if let Some(scheduled_for) = run.scheduled_for {
            let occurrence = (run.campaign.clone(), scheduled_for);
            if tables.occurrences.contains_key(&occurrence) {
                return Err(StoreError::OccurrenceTaken {
                    campaign: run.campaign.clone(),
                    scheduled_for,
                });
            }
            tables.occurrences.insert(occurrence, run.id.clone());
        }
        tables.runs.push(begun(run));
        Ok(())
    }

    async fn import(
        &self,
        run: &RunId,
        mut rows: Rows,
        imported: oneshot::Receiver<Imported>,
    ) -> Result<(), StoreError> {
        let mut list = Vec::new();
        while let Some(chunk) = rows.recv().await {
            list.extend(chunk);
        }
        let imported = imported.await.map_err(|_| StoreError::ImportGivenUp)?;
        self.tables().import(run, list, imported)
    }

    async fn run(&self, id: &RunId) -> Result<Run, StoreError> {
        self.tables().run(id).cloned()
    }

    async fn run_heads(&self, prefix: &str) -> Result<Vec<RunHead>, StoreError> {
        let tables = self.tables();
        let runs = tables.runs.iter().rev();
        let found = runs.filter(|run| run.id.as_str().starts_with(prefix));
        Ok(found.map(head).collect())
    }

    async fn unfinished(&self, campaign: &str) -> Result<Vec<RunHead>, StoreError> {
        Ok(self.tables().unfinished(campaign).rev().map(head).collect())
    }

    async fn forget_planned(&self, run: &RunId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let is_it =
            |it: &Run| it.id == *run && it.state == RunState::Planned && it.header.is_none();
        if tables.runs.iter().any(is_it) {
            tables.occurrences.retain(|_, of| of != run);
            tables.runs.retain(|it| !is_it(it));
        }
        Ok(())
    }

    async fn cancel_at_rest(&self, run: &RunId, now: Timestamp) -> Result<AtRest, StoreError> {
        let mut tables = self.tables();
        after(tables.run(run)?.state, RunEvent::Cancelled)?;
        let cancelled = tables.close(run, Disposition::Cancelled);
        let open = tables.recipients_of(run);
        let open = open.filter(|(_, who)| who.state == RecipientState::InFlight);
        let open = u64::try_from(open.count()).unwrap();
        if open == 0 {
            tables.end_run(run, &RunEnd::Cancelled, now)?;
        } else {
            tables.run_mut(run)?.wish = Some(Wish::Cancel);
        }
        Ok(AtRest { cancelled, open })
    }

    async fn ask_engine(&self, run: &RunId, wish: Option<Wish>) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let stands = &mut tables.run_mut(run)?.wish;
        // Who asked for the end is not made to wait by who asks for a pause.
        if (*stands, wish) != (Some(Wish::Cancel), Some(Wish::Pause)) {
            *stands = wish;
        }
        Ok(())
    }

    async fn wishing(&self) -> Result<Wishing, StoreError> {
        // Nothing here lasts so long that a wish could not be left meanwhile.
        Ok(Wishing::held_by(()))
    }

    async fn results_written(
        &self,
        run: &RunId,
        path: &Path,
        sha256: &str,
    ) -> Result<(), StoreError> {
        self.tables().run_mut(run)?.results = Some((path.to_owned(), sha256.to_owned()));
        Ok(())
    }

    async fn written_otherwise(
        &self,
        run: &RunId,
        column: usize,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<WrittenOtherwise>, StoreError> {
        let tables = self.tables();
        let rows = tables.recipients_of(run).filter(|(id, _)| *id > after.0);
        let otherwise = rows.filter_map(|(id, who)| {
            let uncertain = who.state == RecipientState::Done(Disposition::Uncertain);
            let called = uncertain || who.state == RecipientState::InFlight;
            let cells: Vec<String> = serde_json::from_str(&who.listed.cells).unwrap();
            let (endpoint, cell) = (who.listed.endpoint.clone()?, cells.get(column)?.clone());
            ((called || who.is_to_call()) && endpoint != cell).then_some(WrittenOtherwise {
                recipient: RecipientId(id),
                endpoint,
                cell,
                called,
            })
        });
        Ok(otherwise.take(usize::try_from(limit).unwrap()).collect())
    }

    async fn reject(&self, rejects: &[(RecipientId, RejectedRow)]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for (recipient, reject) in rejects {
            let who = tables.recipients.get_mut(&recipient.0);
            if let Some(who) = who.filter(|who| who.is_to_call()) {
                let verdict = Disposition::from(reject.kind);
                who.state = RecipientState::Done(closed(who.tried, verdict));
                who.reason = Some(reject.reason.clone());
            }
        }
        Ok(())
    }

    async fn was_read_again(&self, run: &RunId, whole: bool) -> Result<(), StoreError> {
        let reader = if whole { READER } else { READ_AGAIN_BUT };
        self.tables().run_mut(run)?.reader = reader;
        Ok(())
    }

    async fn set_spend(&self, run: &RunId, spend: &Spend) -> Result<(), StoreError> {
        self.tables().run_mut(run)?.spend = Some(spend.clone());
        Ok(())
    }

    async fn accept_refusals(&self, run: &RunId, _: Timestamp) -> Result<Option<u64>, StoreError> {
        let mut tables = self.tables();
        let Some(code) = tables.run(run)?.refused_with else {
            return Ok(None);
        };
        let left = tables.recipients_of(run);
        let left: Vec<_> = left
            .filter(|(_, who)| who.is_to_call())
            .filter_map(|(id, who)| Some((id, who.attempt?)))
            .collect();
        let mut accepted = 0;
        for (id, key) in left {
            let attempt = tables.attempts.get_mut(&key.0).unwrap();
            let refusal = attempt.refusal.clone();
            let Some(refusal) = refusal.filter(|refusal| refusal.code() == code) else {
                continue;
            };
            if !matches!(attempt.state, AttemptState::NotSent(_)) {
                continue;
            }
            let reason = refusal.to_string();
            let stands = AttemptEvent::RefusalStands(refusal);
            attempt.state = attempt.state.clone().after(stands).unwrap();
            let who = tables.recipients.get_mut(&id).unwrap();
            who.state = RecipientState::Done(Disposition::Refused);
            who.reason = Some(reason);
            accepted += 1;
        }
        let run = tables.run_mut(run)?;
        (run.refused_with, run.suspect) = (None, None);
        run.theirs.insert(code);
        Ok(Some(accepted))
    }
}

impl Tables {
    /// The unfinished runs of a campaign, oldest first.
    fn unfinished<'t>(&'t self, campaign: &'t str) -> impl DoubleEndedIterator<Item = &'t Run> {
        let runs = self.runs.iter();
        let of = runs.filter(move |run| run.campaign == campaign && !run.rehearsal);
        of.filter(|run| run.state.unfinished())
    }

    fn import(
        &mut self,
        run: &RunId,
        rows: Vec<ImportedRow>,
        imported: Imported,
    ) -> Result<(), StoreError> {
        let it = self.run_mut(run)?;
        if it.header.is_some() {
            return Err(StoreError::Database("the list is there".into()));
        }
        it.header = Some(imported.header);
        it.list_sha256 = Some(imported.sha256);
        // Callouts are made after the run's own definition, which tells a SIP address from a name.
        it.destination_kind = match imported.destination_kind {
            DestinationKind::Sip => DestinationKind::Username,
            other => other,
        };
        it.rows = u64::try_from(rows.len()).unwrap();
        let first = self.recipients.keys().last().map_or(1, |id| id + 1);
        let recipients = rows.into_iter().map(|row| recipient(run, row));
        self.recipients.extend((first..).zip(recipients));
        self.name_earlier_rows(run);
        Ok(())
    }

    /// Tells each duplicate on which line the earlier row is.
    fn name_earlier_rows(&mut self, run: &RunId) {
        let duplicate = RecipientState::Done(Disposition::Duplicate);
        let mut firsts: Vec<Arc<Listed>> = Vec::new();
        for who in self.recipients.values_mut() {
            if who.listed.run != *run {
                continue;
            }
            if who.state != duplicate {
                firsts.push(Arc::clone(&who.listed));
                continue;
            }
            let same = |first: &&Arc<Listed>| first.endpoint == who.listed.endpoint;
            if let Some(first) = firsts.iter().find(same) {
                who.reason = Some(format!("the same number as line {}", first.line));
            }
        }
    }
}

/// A row of a run's list as it begins.
fn recipient(run: &RunId, row: ImportedRow) -> Recipient {
    let (state, reason, endpoint) = match row.verdict {
        Ok(endpoint) => (RecipientState::Pending, None, Some(endpoint)),
        Err(reject) => {
            let state = RecipientState::Done(reject.kind.into());
            (state, Some(reject.reason), reject.endpoint)
        }
    };
    let listed = Listed {
        run: run.clone(),
        line: row.line,
        cells: serde_json::to_string(&row.cells).unwrap(),
        endpoint,
        zones: row.zones,
        hold: row.hold,
    };
    Recipient {
        listed: Arc::new(listed),
        state,
        due_at: 0,
        tried: Tried::default(),
        tried_before: Tried::default(),
        reason,
        attempt: None,
    }
}

fn begun(run: &NewRun) -> Run {
    Run {
        id: run.id.clone(),
        campaign: run.campaign.clone(),
        definition: run.definition.clone(),
        definition_path: run.definition_path.clone(),
        blackout_file: run.blackout_file.clone(),
        rehearsal: run.rehearsal,
        platform: run.platform.clone(),
        state: RunState::Planned,
        why: None,
        money: false,
        refused_with: None,
        suspect: None,
        theirs: BTreeSet::new(),
        wish: None,
        created_at: run.created_at,
        scheduled_for: run.scheduled_for,
        expires_at: run.expires_at,
        spend: run.spend.clone(),
        planned: run.planned.clone(),
        started_at: None,
        ended_at: None,
        header: None,
        rows: 0,
        list_sha256: None,
        destination_kind: DestinationKind::Number,
        telling: None,
        reader: READER,
        purged_at: None,
        results: None,
    }
}

fn head(run: &Run) -> RunHead {
    RunHead {
        id: run.id.clone(),
        campaign: run.campaign.clone(),
        definition_path: run.definition_path.clone(),
        rehearsal: run.rehearsal,
        state: run.state,
        imported: run.header.is_some(),
        planned: run.planned.clone(),
        created_at: run.created_at,
        scheduled_for: run.scheduled_for,
        expires_at: run.expires_at,
        ended_at: run.ended_at,
        purged_at: run.purged_at,
        results: run.results.clone(),
    }
}
