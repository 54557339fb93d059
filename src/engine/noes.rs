//! Who said in a call that they never want to be called again, to this process: they are dialled by no engine of
//! it from that moment on, a second before the suppression lists are read anew.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::{Digits, Suppression, Suppressions};

/// Numbers that opted out while this process answered. Until the lists say so.
#[derive(Default)]
pub struct Noes(Mutex<HashMap<Digits, Suppression>>);

impl std::fmt::Debug for Noes {
    /// They are people.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Noes").finish_non_exhaustive()
    }
}

impl Noes {
    /// This number is called no more, however it is written.
    pub fn add(&self, number: Digits, why: Suppression) {
        let mut noes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noes.insert(number.person(), why);
    }

    /// The lists were read anew: who is on one is known by that from now on, until they are taken off it.
    pub fn listed(&self, lists: &Suppressions) {
        let mut noes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noes.retain(|number, _| lists.of(*number).is_empty());
    }

    /// Why an endpoint is called no more; none where it said nothing.
    pub fn of(&self, endpoint: &str) -> Option<Suppression> {
        let noes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noes.is_empty() {
            return None;
        }
        noes.get(&Digits::of(endpoint)?.person()).cloned()
    }
}
