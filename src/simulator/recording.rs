//! Recordings: made by managing a call, listed a page at a time, downloaded and deleted.
//!
//! Seed 001, "List Recordings", "Download Recording" and "Delete Recording" (000 has the same; the
//! other documents do not have them). The lengths of pages and of the time that a recording is kept
//! are our own: the documents name neither.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rand::Rng as _;
use serde_json::{Map, Value, json};

use super::answer::{Answer, ApiError};
use super::call::Call;
use super::call_id::CallId;
use super::chance::{Purpose, draw};
use super::percent;
use super::requests::{Head, Notes};
use super::wav;
use super::wording::Wording;

/// Recordings on a page, unless asked otherwise.
const PAGE_SIZE: u64 = 20;
/// How long a recording is kept.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Every recording that was begun.
#[derive(Debug)]
pub(super) struct Recordings {
    seed: u64,
    all: Vec<Recording>,
}

#[derive(Debug)]
struct Recording {
    key: String,
    sound: Sound,
    headers: Map<String, Value>,
    deleted: bool,
}

/// Where the sound comes from.
#[derive(Debug)]
enum Sound {
    /// It was there before the simulator began.
    Stored { created: Timestamp, seconds: u32 },
    /// A call, from a moment until it was stopped or the call ended.
    Call {
        index: usize,
        from: Timestamp,
        to: Option<Timestamp>,
    },
}

/// What recordings are told from: the calls that they were made of, and the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) calls: &'a [Call],
    pub(super) time_scale: f64,
    pub(super) now: Timestamp,
}

/// Which recordings are listed.
#[derive(Debug)]
struct Filter {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    page: u64,
    page_size: u64,
}

impl Recordings {
    /// Some recordings from before the simulator began, an hour apart.
    pub(super) fn new(seed: u64, count: u32, started: Timestamp) -> Self {
        let mut recordings = Self {
            seed,
            all: Vec::new(),
        };
        for nth in (0..count).rev() {
            let before = SignedDuration::from_hours(i64::from(nth) + 1);
            let sound = Sound::Stored {
                created: started.checked_sub(before).unwrap_or(started),
                seconds: 5 + nth % 20,
            };
            recordings.add("", nth.into(), sound, Map::new());
        }
        recordings
    }

    /// Begins to record a call, unless it is being recorded.
    pub(super) fn start(
        &mut self,
        index: usize,
        call: CallId,
        destination: Option<&str>,
        now: Timestamp,
    ) {
        let of_call = |recording: &&Recording| matches!(recording.sound, Sound::Call { index: i, .. } if i == index);
        if self.all.iter().filter(of_call).any(Recording::is_running) {
            return;
        }
        let nth = self.all.iter().filter(of_call).count();
        let mut headers = Map::new();
        headers.insert("callId".to_owned(), call.to_string().into());
        if let Some(destination) = destination {
            headers.insert("destinationUrl".to_owned(), destination.into());
        }
        let sound = Sound::Call {
            index,
            from: now,
            to: None,
        };
        let nth = u64::try_from(nth).unwrap_or(u64::MAX);
        self.add(&call.to_string(), nth, sound, headers);
    }

    /// Stops recording a call; without a recording there is nothing to stop.
    pub(super) fn stop(&mut self, call: usize, now: Timestamp) {
        for recording in &mut self.all {
            if let Sound::Call { index, to, .. } = &mut recording.sound
                && *index == call
            {
                to.get_or_insert(now);
            }
        }
    }

    /// `GET /calling/v1/recording`: what is there, a page of it.
    pub(super) fn list(
        &self,
        head: Head<'_>,
        scene: Scene<'_>,
        wording: &Wording,
        notes: &mut Notes,
    ) -> Result<Value, ApiError> {
        let filter = Filter::read(head.query, notes)?;
        let time = |moment: Timestamp| {
            let zone = if wording.zone { "Z" } else { "" };
            format!("{}{zone}", moment.strftime("%Y-%m-%dT%H:%M:%S"))
        };
        let mut found: Vec<_> = self
            .all
            .iter()
            .filter_map(|recording| Some((recording.stored(scene)?.0, recording)))
            .filter(|(created, _)| {
                filter.from.is_none_or(|from| *created >= from)
                    && filter.to.is_none_or(|to| *created <= to)
            })
            .collect();
        found.sort_by_key(|(created, _)| *created);
        let skipped = (filter.page - 1).saturating_mul(filter.page_size);
        let page = found
            .into_iter()
            .skip(usize::try_from(skipped).unwrap_or(usize::MAX))
            .take(usize::try_from(filter.page_size).unwrap_or(usize::MAX))
            .map(|(created, recording)| {
                let key = &recording.key;
                json!({
                    "key": key,
                    "url": format!("http://{}/calling/v1/recording/{key}", head.host),
                    "createdOn": time(created),
                    "expiresOn": time(expiry(created)),
                    "headers": recording.headers,
                })
            });
        Ok(page.collect())
    }

    /// `GET /calling/v1/recording/{key}`: the sound.
    pub(super) fn download(&self, key: &str, scene: Scene<'_>) -> Result<Answer, ApiError> {
        let (place, seconds) = self.find(key, scene)?;
        let pitch = self.all[place].key.bytes().fold(0, u8::wrapping_add);
        Ok(Answer::new(200, "audio/wav", wav::tone(seconds, pitch)))
    }

    /// `DELETE /calling/v1/recording/{key}`.
    pub(super) fn delete(&mut self, key: &str, scene: Scene<'_>) -> Result<(), ApiError> {
        let (place, _) = self.find(key, scene)?;
        self.all[place].deleted = true;
        Ok(())
    }

    fn find(&self, key: &str, scene: Scene<'_>) -> Result<(usize, u32), ApiError> {
        if key.is_empty() {
            return Err(ApiError::new(40002, "No key specified"));
        }
        self.all
            .iter()
            .enumerate()
            .filter(|(_, recording)| recording.key == key)
            .find_map(|(place, recording)| Some((place, recording.stored(scene)?.1)))
            .ok_or_else(|| ApiError::new(40400, "Recording not found"))
    }

    fn add(&mut self, whom: &str, nth: u64, sound: Sound, headers: Map<String, Value>) {
        let key: u128 = draw(self.seed, Purpose::Recording, whom, nth).random();
        self.all.push(Recording {
            key: format!("{key:032x}"),
            sound,
            headers,
            deleted: false,
        });
    }
}

impl Recording {
    fn is_running(&self) -> bool {
        matches!(self.sound, Sound::Call { to: None, .. })
    }

    /// When it was stored and its seconds; nothing while it runs, when nothing was said, and once it
    /// is deleted or has expired.
    fn stored(&self, scene: Scene<'_>) -> Option<(Timestamp, u32)> {
        let (created, seconds) = match self.sound {
            Sound::Stored { created, seconds } => (created, seconds),
            Sound::Call { index, from, to } => {
                let call = scene.calls.get(index)?;
                let end = call.end(scene.time_scale);
                let end = to.map_or(end, |to| to.min(end));
                (end, call.talked_s(from, end, scene.time_scale))
            }
        };
        let there = created <= scene.now && scene.now < expiry(created) && !self.deleted;
        (there && seconds > 0).then_some((created, seconds))
    }
}

fn expiry(created: Timestamp) -> Timestamp {
    created.checked_add(KEPT_FOR).unwrap_or(Timestamp::MAX)
}

impl Filter {
    /// Reads the query; the messages are those of seed 001. The documents do not say how a timestamp
    /// is written: anything of ISO 8601 is taken, UTC where it has no zone.
    fn read(query: &str, notes: &mut Notes) -> Result<Self, ApiError> {
        let mut filter = Self {
            from: None,
            to: None,
            page: 1,
            page_size: PAGE_SIZE,
        };
        let positive = |value: &str| value.parse().ok().filter(|number: &u64| *number > 0);
        for (name, value) in percent::pairs(query) {
            match name.as_str() {
                "from" => filter.from = Some(moment("from", &value)?),
                "to" => filter.to = Some(moment("to", &value)?),
                "page" | "pageNumber" => {
                    notes.spelling(&name, "page");
                    filter.page = positive(&value).ok_or_else(|| {
                        ApiError::new(40001, "'pageNumber' must be greater than 0")
                    })?;
                }
                "pageSize" => {
                    filter.page_size = positive(&value).ok_or_else(|| {
                        ApiError::new(40001, "'pageSize' must be a positive integer")
                    })?;
                }
                _ => notes.add(format!("`{name}` is in no document")),
            }
        }
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && to <= from
        {
            return Err(ApiError::new(40001, "'to' must be greater than 'from'"));
        }
        Ok(filter)
    }
}

fn moment(name: &str, text: &str) -> Result<Timestamp, ApiError> {
    let without_zone = || {
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    };
    text.parse()
        .ok()
        .or_else(without_zone)
        .ok_or_else(|| ApiError::illegal(&format!("'{name}' is no timestamp")))
}
