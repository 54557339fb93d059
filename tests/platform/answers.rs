//! Whoever is on the line waits for two seconds at most, and hears no promise that is not kept.

use std::sync::Arc;

use async_trait::async_trait;
use callout::serve::{Answers, Found, Talk};
use callout::sinch::events::Event;

use crate::receiver::{House, PIE};

/// Answers always so.
#[derive(Debug)]
pub(crate) struct Always {
    /// What is found; none: it is looked for for ever.
    pub(crate) found: Option<Result<Found, String>>,
    /// Whether what was pressed can be taken into account; none: it is tried for ever.
    pub(crate) taken: Option<Result<(), String>>,
}

impl Always {
    /// No call has a flow.
    pub(crate) fn plain() -> Arc<Self> {
        Self::finds(Found::Plain)
    }

    fn finds(found: Found) -> Arc<Self> {
        Arc::new(Self {
            found: Some(Ok(found)),
            taken: Some(Ok(())),
        })
    }
}

#[async_trait]
impl Answers for Always {
    async fn find(&self, _: &Event) -> Result<Found, String> {
        match &self.found {
            Some(found) => found.clone(),
            None => std::future::pending().await,
        }
    }

    async fn take(&self, _: &Event) -> Result<(), String> {
        match &self.taken {
            Some(taken) => taken.clone(),
            None => std::future::pending().await,
        }
    }

    fn told(&self, _: &Event) {}
}

const NEXT: &str =
    r#"{"action":{"name":"hangup"},"instructions":[{"name":"say","text":"never again"}]}"#;
const IN_DOUBT: &str =
    r#"{"action":{"name":"hangup"},"instructions":[{"name":"say","text":"goodbye"}]}"#;
const HANG_UP: &str = r#"{"action":{"name":"hangup"}}"#;

fn talk(first: bool) -> Found {
    Found::Talk(Talk {
        next: NEXT.into(),
        in_doubt: IN_DOUBT.into(),
        first,
        connects: None,
    })
}

async fn said(answers: Always) -> String {
    let house = House::answering(Arc::new(answers)).await;
    let (status, body) = house.send(&house.good(PIE)).await;
    assert_eq!(status, 200);
    assert_eq!(house.kinds().await, ["pie"], "it is kept, whatever is said");
    body
}

#[tokio::test]
async fn a_promise_is_spoken_once_it_is_kept() {
    let taken = |taken| Always {
        found: Some(Ok(talk(true))),
        taken,
    };
    assert_eq!(said(taken(Some(Ok(())))).await, NEXT);
    assert_eq!(said(taken(Some(Err("disk full".into())))).await, HANG_UP);
    assert_eq!(said(taken(None)).await, HANG_UP, "it cannot be waited for");
}

#[tokio::test]
async fn what_cannot_be_found_out_ends_the_call_without_a_fault_in_its_ear() {
    let found = |found| Always { found, taken: None };
    assert_eq!(said(found(Some(Ok(talk(false))))).await, NEXT);
    assert_eq!(
        said(found(Some(Err("no such table".into())))).await,
        HANG_UP
    );
    assert_eq!(said(found(None)).await, HANG_UP, "it cannot be waited for");
    assert_eq!(said(found(Some(Ok(Found::Nobodys)))).await, HANG_UP);
    // The key of somebody whose row is gone is tried to be taken into account.
    assert_eq!(said(found(Some(Ok(Found::Forgotten)))).await, HANG_UP);
}

#[tokio::test]
async fn what_is_not_durable_in_time_is_not_built_upon() {
    let answers = Always {
        found: Some(Ok(talk(true))),
        taken: Some(Ok(())),
    };
    let house = House::answering(Arc::new(answers)).await;
    let _lock = house.lock_inbox().await;
    let (status, body) = house.send(&house.good(PIE)).await;
    assert_eq!((status, &*body), (200, IN_DOUBT));
}
