//! The caps are never passed, and the run stops at its cap only when nobody fits any more.

use std::collections::BTreeMap;

use callout::domain::{AttemptState, Charges, Legs, SpendAccount, Standing};
use rust_decimal::Decimal;

use super::{Checker, Scene, Violations};
use crate::nature::{hold_of, now_at};

#[derive(Debug)]
pub(super) struct Caps;

impl Checker for Caps {
    fn rang(&mut self, scene: &Scene<'_>, broken: &mut Violations) {
        caps_hold(scene, broken);
    }

    /// Nothing is on its way, and nobody fits.
    fn stopped_at_the_cap(&mut self, scene: &Scene<'_>, broken: &mut Violations) {
        let committed = committed(scene);
        let cap = scene.spend.and_then(|spend| spend.cap).unwrap();
        let people = scene.disk.recipients.iter();
        let left = people.filter(|(_, who)| who.is_to_call());
        let next = left.map(|(id, _)| hold_of(*id).amount);
        if next.max().is_none_or(|dearest| committed + dearest <= cap) {
            let text = format!("stopped at {committed} of {cap} with room for everybody");
            broken.push(text);
        }
        let mut attempts = scene.disk.attempts.values();
        if attempts.any(|a| matches!(a.state, AttemptState::Accepted(_))) {
            broken.push("stopped while calls go on".into());
        }
    }

    fn at_the_end(&mut self, scene: &Scene<'_>, broken: &mut Violations) {
        if scene.over {
            caps_hold(scene, broken);
        }
    }
}

/// What counts against the cap, by the disk.
fn committed(scene: &Scene<'_>) -> Decimal {
    let attempts = scene.disk.attempts.values();
    let charges: Vec<Charges> = attempts
        .map(|attempt| Charges {
            standing: Standing::from(&attempt.state),
            hold: attempt.hold,
            legs: Legs::None,
            attempts: 1,
        })
        .collect();
    let spent = scene.spend.map(|spend| SpendAccount::of(spend, &charges));
    spent.map_or(Decimal::ZERO, |spent| spent.committed())
}

fn caps_hold(scene: &Scene<'_>, broken: &mut Violations) {
    // Where hang-ups fail, a call may cost more than was held for it, and the run stops then.
    let Some(spend) = scene.spend.filter(|_| !scene.nature.deaf) else {
        return;
    };
    let billed = billed(scene);
    if spend.cap.is_some_and(|cap| billed > cap) {
        broken.push(format!("{billed} of a cap of {:?} is spent", spend.cap));
    }
    if let Some(per_day) = spend.per_day {
        let mut days: BTreeMap<_, Decimal> = BTreeMap::new();
        for call in scene.platform.calls.values() {
            let day = spend.zone().to_datetime(now_at(call.began).wall).date();
            *days.entry(day).or_default() += call.cost().min(hold_of(call.recipient.0).amount);
        }
        if days.values().any(|billed| *billed > per_day) {
            broken.push(format!("{days:?} at {per_day} a day"));
        }
    }
}

/// What all calls cost so far: those that go on, as much as is held for them.
fn billed(scene: &Scene<'_>) -> Decimal {
    let calls = scene.platform.calls.values();
    let costs = calls.map(|call| {
        if call.ends <= scene.now {
            call.cost()
        } else {
            hold_of(call.recipient.0).amount
        }
    });
    costs.sum()
}
