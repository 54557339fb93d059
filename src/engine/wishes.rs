//! What people want of an engine at work, from other terminals: wishes, suppression lists, and how it stands.

use std::sync::Arc;

use super::engine::{Engine, Report};
use super::timeline::Kind;
use crate::store::EngineStatus;

impl Engine {
    /// Tells other terminals how things stand, and reads what they wish.
    pub(super) fn read_wishes(&mut self) {
        let (store, run) = (
            Arc::clone(&self.assignment.store),
            self.assignment.run.clone(),
        );
        let progress = self.core.progress(self.assignment.time.now());
        let telling = EngineStatus {
            why: progress.why_slow.into_owned(),
            slow: progress.slow.to_owned(),
            rate: progress.rate,
            in_flight: progress.in_flight,
            uncertain_held: progress.uncertain_held,
            slowed_down: progress.slowed_down,
            hears: progress.hears,
        };
        if self.aside.is_none() && self.told.as_ref() != Some(&telling) {
            self.told = Some(telling.clone());
            let (store, run) = (Arc::clone(&store), run.clone());
            // EngineStatus is a courtesy: a store that fails says so at the next commit.
            tokio::spawn(async move { drop(store.report_status(&run, &telling).await) });
        }
        let (wishes, revision) = (Arc::clone(&store), self.suppressions.revision());
        self.timeline.start(Kind::Look, async move {
            Report::Wish(wishes.asked(&run).await.unwrap_or(None))
        });
        if self.aside.is_none() {
            let watched = Arc::clone(&store);
            self.timeline.start(
                Kind::Look,
                async move { Report::Watched(watched.watch().await) },
            );
        }
        if !self.reading_suppressions && self.aside.is_none() {
            self.reading_suppressions = true;
            self.timeline.start(Kind::Look, async move {
                Report::Suppressions(store.suppressions_since(revision).await)
            });
        }
    }
}
