//! Chance that follows from a seed and from what it is about, never from the order of arrival.
//!
//! A draw is keyed by its purpose, by whom it is about and by how often it was made for them, so
//! that two runs of a campaign meet the same people whatever the network did in between.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// What a draw decides. Each purpose has a stream of its own, so that switching a fault on does not
/// change how calls end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// How the n-th call to an endpoint ends.
    Fate = 1,
    /// What goes wrong with the n-th POST for an endpoint.
    Fault = 2,
    /// Whether an endpoint is forbidden.
    Forbidden = 3,
    /// The id of the n-th call to an endpoint, and how it is told.
    Identity = 4,
    /// What goes wrong with the n-th GET of a call.
    Get = 5,
    /// How the n-th refusal is worded.
    Refusal = 6,
    /// How a request around callouts is answered, and whether it fails.
    Wording = 7,
    /// The key of the n-th recording of a call.
    Recording = 8,
    /// What goes wrong with the events of the n-th call to an endpoint.
    Event = 9,
    /// Whether a second call is told with the n-th call to an endpoint, and what goes wrong with its events.
    SecondCall = 10,
    /// Who answers the n-th call to an endpoint, and what they do in it.
    Person = 11,
    /// What goes wrong with the n-th menu result or notification of a call.
    Told = 12,
    /// The second leg of a call.
    Leg = 13,
}

/// The generator for the `nth` draw with this purpose about `whom`.
pub(super) fn draw(seed: u64, purpose: Purpose, whom: &str, nth: u64) -> StdRng {
    let mut hash = mix(seed ^ (purpose as u64).rotate_left(56));
    for byte in whom.bytes() {
        // FNV-1a: cheap, and good enough ahead of the finishing mix and of StdRng.
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    StdRng::seed_from_u64(mix(mix(hash) ^ nth))
}

/// The finishing mix of `SplitMix64`.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;

    use super::*;

    #[test]
    fn a_draw_depends_on_each_of_its_keys() {
        let first = |seed, purpose, whom, nth| -> u64 { draw(seed, purpose, whom, nth).random() };
        let base = first(1, Purpose::Fate, "+46", 0);
        assert_eq!(base, first(1, Purpose::Fate, "+46", 0));
        assert_ne!(base, first(2, Purpose::Fate, "+46", 0));
        assert_ne!(base, first(1, Purpose::Fault, "+46", 0));
        assert_ne!(base, first(1, Purpose::Fate, "+47", 0));
        assert_ne!(base, first(1, Purpose::Fate, "+46", 1));
    }
}
