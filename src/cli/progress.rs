//! Progress: a bar on a terminal, a line every ten seconds elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::watch;

use super::output;
use crate::domain::Disposition;
use crate::engine::Progress;
use crate::report::summary::grouped;

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows how a run goes on until its engine is gone. `rows` of zero: not known.
pub(super) async fn show(mut told: watch::Receiver<Progress>, rows: u64, done: u64) {
    if output::watched() {
        let bar = ProgressBar::with_draw_target(
            (rows > 0).then_some(rows),
            ProgressDrawTarget::stderr_with_hz(5),
        );
        let shape = if rows > 0 {
            "{wide_bar:.cyan/blue} {pos}/{len} rows, {eta} left\n{msg}"
        } else {
            "{spinner} {pos} rows\n{msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(shape) {
            bar.set_style(style);
        }
        bar.set_position(done);
        bar.reset_eta();
        while told.changed().await.is_ok() {
            let progress = told.borrow_and_update().clone();
            bar.set_position(done + progress.finished());
            bar.set_message(words(&progress));
        }
        bar.finish_and_clear();
    } else {
        let mut every = tokio::time::interval(LINE_EVERY);
        every.tick().await;
        loop {
            tokio::select! {
                _ = every.tick() => {
                    let progress = told.borrow().clone();
                    let finished = grouped(done + progress.finished());
                    let of = if rows > 0 { format!(" of {}", grouped(rows)) } else { String::new() };
                    output::tell(&format!("{finished}{of} rows   {}", words(&progress)));
                }
                changed = told.changed() => if changed.is_err() { return },
            }
        }
    }
}

fn words(progress: &Progress) -> String {
    let slowed = if progress.slowed_down > 0 {
        format!(", {} refused with 429", grouped(progress.slowed_down))
    } else {
        String::new()
    };
    let committed = progress.committed.map_or(String::new(), |amount| {
        format!(", {amount} of the cap billed or held")
    });
    format!(
        "{} reached, {} unreached, {} uncertain, {} in flight, {} dialled at up to {:.1}/s{slowed}, \
         spent {}{committed}   [{}]",
        grouped(progress.of(Disposition::Reached)),
        grouped(progress.of(Disposition::Unreached) + progress.of(Disposition::Refused)),
        grouped(progress.of(Disposition::Uncertain)),
        progress.in_flight,
        grouped(progress.posted),
        progress.rate,
        progress.spent,
        progress.why_slow
    )
}
