//! The platform's bookkeeping: which attempts and endpoints it has met, how often, and every POST.
//!
//! It only counts. Names are kept once and shared, since a rehearsal of a large list holds one of
//! each for every recipient.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::answer::Delivery;
use super::faults::Fault;
use super::ledger::PostRow;

/// Counters and names.
#[derive(Debug)]
pub(super) struct Book {
    started: Timestamp,
    endpoints: HashMap<Arc<str>, EndpointCount>,
    tokens: HashMap<Arc<str>, TokenId>,
    counts: Vec<TokenCount>,
    posts: Vec<Post>,
    clis: HashSet<Arc<str>>,
}

/// An attempt's id, as this book numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenId(usize);

/// How often an endpoint was asked for and called.
#[derive(Debug, Default)]
pub(super) struct EndpointCount {
    /// POSTs that passed the platform's checks.
    pub(super) posts: u64,
    /// Calls placed.
    pub(super) calls: u64,
}

/// How often an attempt's id came.
#[derive(Debug)]
pub(super) struct TokenCount {
    pub(super) token: Arc<str>,
    /// POSTs, whatever became of them.
    pub(super) posts: u32,
    /// Calls placed.
    pub(super) rung: u32,
}

#[derive(Debug)]
struct Post {
    arrived: SignedDuration,
    token: TokenId,
    status: u16,
    fault: Option<Fault>,
    placed: bool,
    against: Box<str>,
}

impl Book {
    pub(super) fn new(started: Timestamp) -> Self {
        Self {
            started,
            endpoints: HashMap::new(),
            tokens: HashMap::new(),
            counts: Vec::new(),
            posts: Vec::new(),
            clis: HashSet::new(),
        }
    }

    /// The attempt that a `custom` text belongs to: its first word.
    pub(super) fn token(&mut self, custom: &str) -> TokenId {
        let word = custom.split_whitespace().next().unwrap_or_default();
        if let Some(id) = self.tokens.get(word) {
            return *id;
        }
        let (token, id) = (Arc::from(word), TokenId(self.counts.len()));
        self.tokens.insert(Arc::clone(&token), id);
        self.counts.push(TokenCount {
            token,
            posts: 0,
            rung: 0,
        });
        id
    }

    pub(super) fn count(&self, token: TokenId) -> &TokenCount {
        &self.counts[token.0]
    }

    /// Counts a call for an attempt; returns its name.
    pub(super) fn ring(&mut self, token: TokenId) -> Arc<str> {
        let count = &mut self.counts[token.0];
        count.rung += 1;
        Arc::clone(&count.token)
    }

    pub(super) fn endpoint(&mut self, endpoint: &str) -> (Arc<str>, &mut EndpointCount) {
        let name = match self.endpoints.get_key_value(endpoint) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(endpoint),
        };
        let count = self.endpoints.entry(Arc::clone(&name)).or_default();
        (name, count)
    }

    /// The shared copy of a caller's number: a campaign has one for all its calls.
    pub(super) fn cli(&mut self, cli: &str) -> Arc<str> {
        if let Some(known) = self.clis.get(cli) {
            return Arc::clone(known);
        }
        let cli: Arc<str> = Arc::from(cli);
        self.clis.insert(Arc::clone(&cli));
        cli
    }

    /// Records one POST and what became of it.
    pub(super) fn note(
        &mut self,
        token: TokenId,
        now: Timestamp,
        delivery: &Delivery,
        (fault, placed): (Option<Fault>, bool),
        against: &str,
    ) {
        self.counts[token.0].posts += 1;
        self.posts.push(Post {
            arrived: now.duration_since(self.started),
            token,
            status: match delivery {
                Delivery::After(_, answer) => answer.status,
                Delivery::Hang(_) | Delivery::Close | Delivery::Reset => 0,
            },
            fault,
            placed,
            against: against.into(),
        });
    }

    /// POSTs so far.
    pub(super) fn posts_count(&self) -> usize {
        self.posts.len()
    }

    /// Every POST, in the order in which they were decided.
    pub(super) fn posts(&self) -> Vec<PostRow> {
        let row = |post: &Post| PostRow {
            arrived_us: i64::try_from(post.arrived.as_micros()).unwrap_or(i64::MAX),
            attempt: self.count(post.token).token.to_string(),
            status: post.status,
            fault: post.fault,
            placed: post.placed,
            against: post.against.to_string(),
        };
        self.posts.iter().map(row).collect()
    }
}
