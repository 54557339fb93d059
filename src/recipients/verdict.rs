//! One row, judged: can it become a callout?
//!
//! Reads the number, renders the callout on trial, and says in plain words why not. Duplicates are
//! a matter between rows, which `check` decides.

use crate::campaign::{Campaign, Faults, Script};
use crate::domain::{
    CallLength, Destination, DestinationKind, Leg, RejectKind, Screen, Way, Zones,
};

use super::phone::Numbers;
use super::zones::ZoneOf;

/// Longest name of a user.
const USERNAME_CHARS_MAX: usize = 128;

/// Whether a row can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowVerdict {
    /// It becomes a recipient.
    Valid {
        /// Whom to call.
        destination: Destination,
        /// False where the numbering plan does not know the number: a warning.
        known_number: bool,
        /// The time zones in which they may be; only where the campaign's window asks.
        zones: Option<Zones>,
        /// How long the call may be, as far as its callout says.
        length: CallLength,
        /// Whom else the call can be connected to.
        legs: Vec<Leg>,
        /// How long a call takes that asks; none where it asks nothing.
        way: Option<Way>,
    },
    /// It does not.
    Reject {
        /// Invalid, duplicate or suppressed.
        kind: RejectKind,
        /// The column at fault, where one is.
        column: Option<String>,
        /// What stands there: personal data.
        value: Option<String>,
        /// Whom a duplicate would have called a second time, or a suppressed row at all.
        destination: Option<Destination>,
        /// What is wrong, for people.
        reason: String,
    },
}

/// Longest cell, in bytes: what a spreadsheet's 32,767 characters may take.
const CELL_BYTES_MAX: usize = 128 << 10;

/// What a row is judged by.
#[derive(Debug)]
pub(super) struct RowCheck {
    script: Script,
    numbers: Numbers,
    kind: DestinationKind,
    columns: usize,
    number: usize,
    number_name: String,
    /// Whom calls can be connected to whatever the row, and may be.
    connects: Vec<Destination>,
    /// Where time zones are read, if the campaign's window asks for them.
    zone_of: Option<ZoneOf>,
}

impl RowCheck {
    /// For a campaign bound to this header.
    pub(super) fn new(
        campaign: &Campaign,
        script: Script,
        header: &[String],
        screen: Screen<'_>,
    ) -> Result<Self, Faults> {
        let spec = &campaign.recipients;
        let numbers = Numbers::new(spec.region.as_deref(), spec.numbers).map_err(|error| {
            let help = "use the two letters of ISO 3166, as in \"SE\" or \"US\"";
            campaign.region_fault(&error.to_string(), help)
        })?;
        let number = header.iter().position(|name| *name == spec.number);
        let mut check = Self {
            script,
            numbers,
            kind: spec.destination_kind,
            columns: header.len(),
            // Binding has refused a header without it; should it not have, every row is refused.
            number: number.unwrap_or(usize::MAX),
            number_name: spec.number.clone(),
            connects: Vec::new(),
            zone_of: campaign.asks_for_zones().then(|| ZoneOf::new(spec, header)),
        };
        check.connects = check.connects_of(campaign, screen)?;
        Ok(check)
    }

    /// Whom calls of a campaign can be connected to whatever the row; a fault where one cannot or must not be
    /// called.
    fn connects_of(
        &self,
        campaign: &Campaign,
        screen: Screen<'_>,
    ) -> Result<Vec<Destination>, Faults> {
        let (mut connects, mut faults) = (Vec::new(), Vec::new());
        for connect in campaign.connects() {
            let to = Destination::number(connect.number.clone());
            if let Err(reason) = self.connect(&to.endpoint) {
                let message = format!("`connect` cannot be dialled: {reason}");
                let help = "a number that is in use, as it is dialled from abroad";
                faults.push(connect.fault(&message, help));
            } else if let Some(why) = screen.against(&to) {
                let message = format!("`connect` must not be called: it is {why}");
                let help = "connect to another number, or take it off the list";
                faults.push(connect.fault(&message, help));
            }
            connects.push(to);
        }
        Faults::collect(faults).map_or(Ok(connects), Err)
    }

    /// Whether a row can become a callout, apart from other rows.
    pub(super) fn verdict(&self, cells: &[String]) -> RowVerdict {
        if cells.len() != self.columns {
            let reason = format!(
                "the row has {} cells, the header {}",
                cells.len(),
                self.columns
            );
            return invalid(None, None, reason);
        }
        if let Some(long) = cells.iter().position(|cell| cell.len() > CELL_BYTES_MAX) {
            let reason = format!("cell {} has more than {CELL_BYTES_MAX} bytes", long + 1);
            return invalid(None, None, reason);
        }
        let cell = cells.get(self.number).map_or("", String::as_str);
        let (destination, known_number) = match self.destination(cell) {
            Ok(read) => read,
            Err(reason) => {
                return invalid(
                    Some(self.number_name.clone()),
                    Some(cell.to_owned()),
                    reason,
                );
            }
        };
        match self.script.callout(&destination, cells) {
            Ok(callout) => {
                let legs = callout.legs();
                let new = legs.iter().filter(|leg| !self.connects.contains(&leg.to));
                let mut wrong = new.filter_map(|leg| self.connect(&leg.to.endpoint).err());
                if let Some(reason) = wrong.next() {
                    return invalid(None, None, format!("`connect`: {reason}"));
                }
                RowVerdict::Valid {
                    length: callout.length(),
                    legs,
                    way: callout.way(),
                    zones: self.zone_of.map(|of| of.zones(cells, &destination)),
                    destination,
                    known_number,
                }
            }
            Err(fault) => invalid(fault.column, fault.value, fault.reason),
        }
    }

    /// Whether a call can be connected to a number in E.164.
    fn connect(&self, number: &str) -> Result<(), String> {
        let read = self
            .numbers
            .normalise(number)
            .map_err(|why| why.to_string())?;
        if read.e164 == number {
            return Ok(());
        }
        Err("write it with + and the country code, as it is dialled from abroad".to_owned())
    }

    /// Whom a cell means, and whether the numbering plan knows the number.
    pub(super) fn destination(&self, cell: &str) -> Result<(Destination, bool), String> {
        match self.kind {
            DestinationKind::Number => {
                let read = self
                    .numbers
                    .normalise(cell)
                    .map_err(|why| why.to_string())?;
                Ok((Destination::number(read.e164), read.known))
            }
            kind @ (DestinationKind::Username | DestinationKind::Sip) => {
                let endpoint = address(kind, cell)?.to_owned();
                Ok((Destination { kind, endpoint }, true))
            }
        }
    }

    /// The verdict on a row whose destination an earlier valid row has; or an earlier run, which is why
    /// it is left out.
    pub(super) fn duplicate(
        &self,
        destination: Destination,
        cells: &[String],
        why: Option<String>,
    ) -> RowVerdict {
        let what = match self.kind {
            DestinationKind::Number => "number",
            DestinationKind::Username => "name",
            DestinationKind::Sip => "address",
        };
        RowVerdict::Reject {
            kind: RejectKind::Duplicate,
            column: Some(self.number_name.clone()),
            value: cells.get(self.number).cloned(),
            destination: Some(destination),
            reason: why.unwrap_or_else(|| format!("the same {what} as an earlier row")),
        }
    }

    /// The verdict on a row whose number is on a suppression list.
    pub(super) fn suppressed(
        &self,
        destination: Destination,
        cells: &[String],
        reason: String,
    ) -> RowVerdict {
        RowVerdict::Reject {
            kind: RejectKind::Suppressed,
            column: Some(self.number_name.clone()),
            value: cells.get(self.number).cloned(),
            destination: Some(destination),
            reason,
        }
    }
}

/// A user's name or a SIP address, without the spaces around it, or what is wrong with it.
pub fn address(kind: DestinationKind, text: &str) -> Result<&str, String> {
    let name = username(text.trim())?;
    let is_sip = || {
        let (user, host) = name.split_once('@')?;
        let of_one_word = !name.contains(char::is_whitespace) && !host.contains('@');
        (of_one_word && !user.is_empty() && !host.is_empty()).then_some(())
    };
    if kind == DestinationKind::Sip && is_sip().is_none() {
        return Err("it is no SIP address, such as desk@sip.example.com".to_owned());
    }
    Ok(name)
}

fn username(name: &str) -> Result<&str, String> {
    let chars = name.chars().count();
    if name.is_empty() {
        Err("there is no name".to_owned())
    } else if chars > USERNAME_CHARS_MAX {
        Err(format!(
            "the name has {chars} characters, at most {USERNAME_CHARS_MAX} are taken"
        ))
    } else if name.chars().any(char::is_control) {
        Err("the name has control characters".to_owned())
    } else {
        Ok(name)
    }
}

pub(super) fn invalid(column: Option<String>, value: Option<String>, reason: String) -> RowVerdict {
    RowVerdict::Reject {
        kind: RejectKind::Invalid,
        column,
        value,
        destination: None,
        reason,
    }
}
