//! The core alone in a world made from a seed: a store that forgets what was not committed, a
//! platform that loses answers, refuses and is late, crashes and stops at random, and virtual time.
//! After every step the promises are checked; bugs planted in the world show that they would fail.

use std::time::Duration;

use callout::domain::window::{OnClose, Window, WindowZone};
use callout::engine::Pace;

use crate::nature::{Nature, SECOND};
use crate::planted::Bug;
use crate::simulation::{Report, Simulation};

fn assert_no_violations(seeds: impl Iterator<Item = u64>, change: fn(Nature) -> Nature) {
    let posts = posts_without_violations(seeds, change);
    // Worlds in which nothing happens would prove nothing.
    assert!(posts > 1_000, "{posts} POSTs");
}

fn posts_without_violations(seeds: impl Iterator<Item = u64>, change: fn(Nature) -> Nature) -> u64 {
    let mut posts = 0;
    for seed in seeds {
        let nature = change(Nature::of(seed));
        let report = Simulation::run(nature.clone(), Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        let everybody = usize::try_from(nature.recipients).unwrap();
        assert_eq!(report.dispositions.len(), everybody, "seed {seed}");
        posts += report.posts;
    }
    posts
}

#[test]
fn whatever_a_world_does_the_promises_hold() {
    assert_no_violations(0..140, |nature| nature);
}

#[test]
fn what_the_platform_tells_by_itself_breaks_no_promise_in_whatever_order_it_comes() {
    assert_no_violations(20_000..20_140, Nature::telling);
    assert_no_violations(21_000..21_060, |nature| nature.telling().retrying());
    assert_no_violations(22_000..22_040, |nature| Nature {
        cancel_at: Some(SECOND * 6),
        ..nature.telling().retrying()
    });
}

#[test]
fn what_is_heard_in_calls_decides_whenever_it_is_told_and_however_often() {
    let asking = posts_without_violations(23_000..23_030, Nature::asking);
    let cancelled = posts_without_violations(24_000..24_010, |nature| Nature {
        cancel_at: Some(SECOND * 6),
        ..nature.asking()
    });
    let capped = posts_without_violations(25_000..25_010, |nature| nature.asking().capped());
    let posts = asking + cancelled + capped;
    assert!(posts > 3_000, "{posts} POSTs");
}

#[test]
fn whoever_is_busy_is_called_again_as_often_as_the_campaign_says_and_no_sooner() {
    assert_no_violations(3_000..3_100, Nature::retrying);
    assert_no_violations(4_000..4_040, |nature| Nature {
        cancel_at: Some(SECOND * 6),
        ..nature.retrying()
    });
}

#[test]
fn nobody_is_called_outside_their_window() {
    assert_no_violations(5_000..5_060, Nature::windowed);
    assert_no_violations(6_000..6_040, |nature| nature.windowed().retrying());
}

#[test]
fn whom_the_window_leaves_behind_is_expired_once() {
    assert_no_violations(7_000..7_060, |nature| {
        let nature = nature.windowed().retrying();
        let window = nature.window.unwrap();
        let spans = window.spans().to_vec();
        let window = Window::new(spans, WindowZone::Recipient, [], OnClose::Expire);
        Nature {
            window: Some(window),
            ..nature
        }
    });
}

#[test]
fn the_cap_is_never_passed_whatever_is_lost_and_whoever_dies() {
    let (mut stopped, mut hung_up) = (0, 0);
    assert_no_violations(9_100..9_120, |nature| nature.capped().retrying());
    for seed in 9_000..9_040 {
        let report = Simulation::run(Nature::of(seed).capped(), Bug::None);
        stopped += report.stopped.0;
        hung_up += report.hung_up;
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        assert_eq!(
            report.stopped.1, 0,
            "seed {seed}: no call cost more than was held"
        );
    }
    // Worlds that never come near their cap, and calls that end by themselves, would prove nothing.
    assert!(
        stopped > 20 && hung_up > 200,
        "{stopped} stops, {hung_up} hang-ups"
    );
}

#[test]
fn what_does_not_fit_into_a_day_waits_for_the_next() {
    let mut waited = 0;
    for seed in 9_200..9_220 {
        let report = Simulation::run(Nature::of(seed).in_days(), Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        waited += u32::from(report.ended > SECOND * 3_600);
    }
    assert!(waited > 10, "{waited} of 20 worlds went on for another day");
}

#[test]
fn a_call_that_cannot_be_hung_up_stops_the_run_once_its_price_is_known() {
    let mut stopped = 0;
    for seed in 9_300..9_320 {
        let nature = Nature {
            deaf: true,
            ..Nature::of(seed).capped()
        };
        let report = Simulation::run(nature, Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        stopped += report.stopped.1;
    }
    assert!(stopped > 20, "{stopped} stops");
}

#[test]
fn debits_that_are_no_price_give_nothing_of_the_cap_back() {
    let mut stopped = 0;
    for seed in 9_500..9_520 {
        let nature = Nature {
            odd_prices: true,
            ..Nature::of(seed).capped()
        };
        let report = Simulation::run(nature, Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        stopped += report.stopped.1;
    }
    assert!(stopped > 20, "{stopped} stops");
}

#[test]
fn an_uncertain_attempt_without_its_hold_is_noticed() {
    let showing = (9_400..9_420).filter(|seed| {
        let nature = Nature {
            lost: 0.2,
            crashes: (1..9).map(|nth| SECOND * 3 * nth).collect(),
            ..Nature::of(*seed).capped()
        };
        let report = Simulation::run(nature, Bug::ForgetHolds);
        report.violations.iter().any(|v| v.contains("is spent"))
    });
    let worlds = showing.count();
    assert!(worlds >= 5, "{worlds} of 20 worlds");
}

#[test]
fn a_page_that_an_intent_overtook_names_nobody_twice() {
    // Seeds in which a page read before a commit arrived after it, and its recipients were
    // intended again.
    assert_no_violations([17, 29, 36, 232].into_iter(), |nature| nature);
}

#[test]
fn what_is_uncertain_after_a_kill_counts_as_a_call_for_its_minute() {
    // Seeds in which a restart allowed more calls at once than the campaign.
    assert_no_violations([1, 45, 1_000, 1_005].into_iter(), |nature| nature);
}

#[test]
fn a_cancelled_run_ends_and_everybody_has_a_disposition() {
    assert_no_violations(1_000..1_080, |nature| Nature {
        cancel_at: Some(SECOND * 4),
        ..nature
    });
}

#[test]
fn an_expired_run_ends_and_everybody_has_a_disposition() {
    assert_no_violations(1_000..1_080, |nature| Nature {
        cancel_at: Some(SECOND * 4),
        expires: true,
        ..nature
    });
}

#[test]
fn ticks_more_or_less_change_nothing_about_the_end() {
    for seed in 2_000..2_060 {
        let calm = Nature::of(seed).calm();
        let ticking = Nature {
            extra_ticks: true,
            ..calm.clone()
        };
        let (plain, ticked) = (
            Simulation::run(calm, Bug::None),
            Simulation::run(ticking, Bug::None),
        );
        assert_eq!(plain.violations, Vec::<String>::new(), "seed {seed}");
        assert_eq!(ticked.violations, Vec::<String>::new(), "seed {seed}");
        assert_eq!(plain.dispositions, ticked.dispositions, "seed {seed}");
    }
}

#[test]
fn a_platform_that_ends_calls_at_once_holds_no_run_up() {
    for seed in 8_000..8_010 {
        let nature = Nature {
            recipients: 1_400,
            pace: Pace {
                calls_per_second: 700.0,
                concurrent_calls: None,
            },
            longest_call: Duration::ZERO,
            unknown_first: 0,
            ..Nature::of(seed).calm()
        };
        let healthy = Nature {
            lost: 0.0,
            too_many: 0.0,
            server_error: 0.0,
            unreachable: 0.0,
            too_early: 0.0,
            refused: 0.0,
            get_failing: 0.0,
            ..nature
        };
        let report = Simulation::run(healthy, Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        // Two seconds of dialling, and little more.
        assert!(report.ended < SECOND * 4, "seed {seed}: {:?}", report.ended);
    }
}

/// How many of so many worlds show a planted bug, and in which words.
fn noticed(bug: Bug, words: &str) -> usize {
    let reports = (0..40).map(|seed| Simulation::run(Nature::of(seed), bug));
    showing(reports, words)
}

/// The same of fewer worlds in which people are asked.
fn noticed_where_people_are_asked(bug: Bug, words: &str) -> usize {
    let reports = (0..16).map(|seed| Simulation::run(Nature::of(seed).asking(), bug));
    showing(reports, words)
}

fn showing(reports: impl Iterator<Item = Report>, words: &str) -> usize {
    let showing = reports.filter(|r| r.violations.iter().any(|v| v.contains(words)));
    showing.count()
}

#[test]
fn a_store_that_redials_what_is_uncertain_is_noticed() {
    let worlds = noticed(Bug::RedialUncertain, "may have rung");
    assert!(worlds >= 5, "{worlds} of 40 worlds");
}

#[test]
fn a_machine_that_counts_as_a_person_is_noticed() {
    let worlds = noticed_where_people_are_asked(Bug::MachineIsAPerson, "ends reached");
    assert!(worlds >= 10, "{worlds} of 16 worlds");
}

#[test]
fn a_key_that_is_dropped_because_it_comes_late_is_noticed() {
    let worlds = noticed_where_people_are_asked(Bug::DropLateKeys, "pressed");
    assert!(worlds >= 8, "{worlds} of 16 worlds");
}

#[test]
fn an_intent_that_is_recorded_and_not_committed_is_noticed() {
    let worlds = noticed(Bug::RecordedIsCommitted, "not durable");
    assert!(worlds >= 30, "{worlds} of 40 worlds");
}

#[test]
fn an_account_that_loses_its_rights_costs_nobody_and_the_run_goes_on_when_it_is_well() {
    let mut paused = 0;
    for seed in 0..60 {
        let nature = Nature::of(seed).unwell();
        let report = Simulation::run(nature.clone(), Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        let everybody = usize::try_from(nature.recipients).unwrap();
        assert_eq!(report.dispositions.len(), everybody, "seed {seed}");
        paused += report.refused;
    }
    assert!(paused >= 60, "{paused} pauses");
}
