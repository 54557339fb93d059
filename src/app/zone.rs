//! By whose clock people are told the time: a campaign's, or this machine's where it names no zone.

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::App;
use crate::campaign::Campaign;
use crate::domain::window::WindowZone;
use crate::domain::{Spend, Window};
use crate::report::moments::Zone;
use crate::store::Run;

impl App {
    /// The zone of what belongs to no campaign: this machine's, or UTC where that is wanted.
    pub(crate) fn zone_here(&self) -> Zone {
        self.zone_or(None)
    }

    /// The zone of a campaign: its window's, that of its days of money, or its schedule's.
    pub(crate) fn zone_of_campaign(&self, campaign: &Campaign) -> Zone {
        self.zone_or(named(campaign))
    }

    /// The zone of a run's campaign, as that was when the run began.
    pub(crate) fn zone_of(&self, run: &Run) -> Zone {
        let dates = run.blackout_file.as_deref();
        let campaign = Campaign::parse_kept(&run.definition, &run.definition_path, dates).ok();
        self.zone_or(campaign.as_ref().and_then(named))
    }

    /// A moment of a schedule, which is told in the schedule's own zone or in UTC.
    pub(crate) fn told(&self, at: Zoned) -> Zoned {
        if self.settings.utc {
            return at.with_time_zone(TimeZone::UTC);
        }
        at
    }

    fn zone_or(&self, named: Option<TimeZone>) -> Zone {
        if self.settings.utc {
            return Zone::utc();
        }
        Zone::new(named.unwrap_or_else(|| self.settings.local.clone()))
    }
}

fn named(campaign: &Campaign) -> Option<TimeZone> {
    let of_window = match campaign.window.as_ref().map(Window::zone) {
        Some(WindowZone::Fixed(zones)) => zones.zones().first().cloned(),
        _ => None,
    };
    let of_day = |spend: &Spend| spend.per_day.map(|_| spend.zone());
    of_window
        .or_else(|| campaign.spend.as_ref().and_then(of_day))
        .or_else(|| Some(campaign.schedule.as_ref()?.zone().clone()))
}
