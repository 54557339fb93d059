//! Conferences: who is in one, and what is done to them.
//!
//! Seed 001, "Get Conference Info" and the three methods after it; `onhold`, `resume` and `moh` are
//! the SDKs' (`FACTS` §5). A participant is an answered conference callout whose call goes on.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::ApiError;
use super::call::{Call, Managed, Phase};
use super::call_id::CallId;
use super::fields::Fields;
use super::recording::Scene;
use super::requests::Notes;
use super::wording::Wording;

const MUSIC: [&str; 4] = ["ring", "music1", "music2", "music3"];

/// The calls of each conference, over or not, in the order in which they were placed.
#[derive(Debug, Default)]
pub(super) struct Conferences(HashMap<Arc<str>, Vec<usize>>);

/// What a participant can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Mute,
    Unmute,
    OnHold,
    Resume,
}

impl Conferences {
    /// A call that joins the conference when it is answered.
    pub(super) fn join(&mut self, conference: String, call: usize) {
        self.0.entry(conference.into()).or_default().push(call);
    }

    /// Who is talking in a conference now, and for how many seconds; nobody is no conference.
    pub(super) fn participants(
        &self,
        conference: &str,
        scene: Scene<'_>,
    ) -> Result<Vec<(usize, u32)>, ApiError> {
        let talking =
            |index: &usize| match scene.calls.get(*index)?.phase(scene.now, scene.time_scale) {
                Phase::Talking(seconds) => Some((*index, seconds)),
                Phase::Ringing | Phase::Over => None,
            };
        let there: Vec<_> = self
            .0
            .get(conference)
            .into_iter()
            .flatten()
            .filter_map(talking)
            .collect();
        if there.is_empty() {
            let message =
                format!("No such ongoing conference '{conference}' in the application's context");
            return Err(ApiError::new(40400, message));
        }
        Ok(there)
    }

    /// One of those who are talking in a conference now.
    pub(super) fn participant(
        &self,
        conference: &str,
        call: &str,
        scene: Scene<'_>,
    ) -> Result<usize, ApiError> {
        let there = self.participants(conference, scene)?;
        CallId::parse(call)
            .and_then(|id| there.iter().find(|(index, _)| scene.calls[*index].id == id))
            .map(|(index, _)| *index)
            .ok_or_else(|| {
                let message = format!("No such participant in the conference '{conference}'");
                ApiError::new(40400, message)
            })
    }
}

/// `GET /calling/v1/conferences/id/{conferenceId}`.
pub(super) fn tell(there: &[(usize, u32)], calls: &[Call], wording: &Wording) -> Value {
    let told = |(index, seconds): &(usize, u32)| {
        let call = &calls[*index];
        let (muted, on_hold) = call
            .managed
            .as_ref()
            .map_or((false, false), |managed| (managed.muted, managed.on_hold));
        let mut item = json!({
            "cli": *call.endpoint,
            wording.participant_id: call.id.to_string(),
            "duration": seconds,
            "muted": muted,
        });
        if wording.tells_hold {
            item["onhold"] = on_hold.into();
        }
        item
    };
    json!({ "participants": there.iter().map(told).collect::<Vec<_>>() })
}

impl Command {
    /// Reads `{"command": …, "moh": …}`. The documents give music to `onhold` alone, and a sample of
    /// theirs to `mute` as well.
    pub(super) fn read(body: &Map<String, Value>, notes: &mut Notes) -> Result<Self, ApiError> {
        notes.strays(body, &["command", "moh"]);
        let fields = Fields(body);
        let command = match fields.text("command")? {
            Some("mute") => Self::Mute,
            Some("unmute") => Self::Unmute,
            Some("onhold") => Self::OnHold,
            Some("resume") => Self::Resume,
            _ => {
                return Err(ApiError::illegal(
                    "command is mute, unmute, onhold or resume",
                ));
            }
        };
        match fields.text("moh")? {
            None => Ok(command),
            Some(music) if MUSIC.contains(&music) => {
                if command != Self::OnHold {
                    notes.add("`moh` is for `onhold`");
                }
                Ok(command)
            }
            Some(_) => Err(ApiError::illegal("moh")),
        }
    }

    pub(super) fn apply(self, managed: &mut Managed) {
        match self {
            Self::Mute => managed.muted = true,
            Self::Unmute => managed.muted = false,
            Self::OnHold => managed.on_hold = true,
            Self::Resume => managed.on_hold = false,
        }
    }
}
