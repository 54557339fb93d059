//! Who is in a conference, and what is done with them (seed 001, "Get Conference Info",
//! "Mute/Unmute Conference Participant", "Kick …"; `FACTS` §5).

use std::str::FromStr;

use reqwest::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use super::lenient::Object;
use super::method::{ApiMethod, Host, LIST_BYTES_MAX, Plain};
use super::region::Paths;
use crate::domain::CallId;

fn plain(verb: Method, conference: &str, paths: Paths) -> Plain {
    let path = paths.pick("/calling/v1/conferences/id", "/v1/conferences/id");
    Plain::new(verb, Host::Calling, path).segment(conference)
}

/// `GET /calling/v1/conferences/id/{conferenceId}`: who takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetConference {
    /// The id of the conference that is asked about.
    pub conference: String,
}

/// Somebody in a conference (seed 001, `Participant`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Their number, or what was passed as `cli` for users of data.
    pub cli: Option<String>,
    /// Their call: the schema says `id`, the prose `callId` (`FACTS` §12, row 23).
    pub id: Option<String>,
    /// Seconds in the conference.
    pub duration_s: Option<i64>,
    /// Whether nobody hears them.
    pub muted: Option<bool>,
    /// Whether they hear music instead (documented by the SDKs only).
    pub onhold: Option<bool>,
}

impl ApiMethod for GetConference {
    type Answer = Vec<Participant>;

    fn request(&self, paths: Paths) -> Plain {
        plain(Method::GET, &self.conference, paths)
    }

    fn read(&self, body: &[u8]) -> Option<Vec<Participant>> {
        let object = Object::parse(body)?;
        let Some(participants) = object.raw(&["participants"]) else {
            return Some(Vec::new());
        };
        let items: Vec<&RawValue> = serde_json::from_str(participants.get()).ok()?;
        items.into_iter().map(participant).collect()
    }

    fn answer_bytes_max(&self) -> usize {
        LIST_BYTES_MAX
    }
}

fn participant(item: &RawValue) -> Option<Participant> {
    let item = Object::parse(item.get().as_bytes())?;
    Some(Participant {
        cli: item.text(&["cli"]),
        id: item.text(&["id"]).or_else(|| item.text(&["callId"])),
        duration_s: item.integer(&["duration"]),
        muted: item.boolean(&["muted"]),
        onhold: item.boolean(&["onhold"]),
    })
}

/// What can be done with a participant. The seeds know the first two, the SDKs all four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConferenceCommand {
    /// Nobody hears them.
    Mute,
    /// They are heard again.
    Unmute,
    /// They hear music.
    OnHold,
    /// They are back.
    Resume,
}

/// Music on hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Moh {
    /// A ring tone.
    Ring,
    /// The platform's first piece.
    Music1,
    /// The platform's second piece of music.
    Music2,
    /// The platform's third piece of music.
    Music3,
}

impl FromStr for Moh {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ring" => Ok(Self::Ring),
            "music1" => Ok(Self::Music1),
            "music2" => Ok(Self::Music2),
            "music3" => Ok(Self::Music3),
            _ => Err("music on hold is one of ring, music1, music2 and music3".into()),
        }
    }
}

/// `PATCH /calling/v1/conferences/id/{conferenceId}/{callId}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManageParticipant {
    /// The id of the conference.
    pub conference: String,
    /// The participant's call.
    pub call: CallId,
    /// What to do.
    pub command: ConferenceCommand,
    /// Music, with [`ConferenceCommand::OnHold`] only; none is silence.
    pub moh: Option<Moh>,
}

impl ApiMethod for ManageParticipant {
    type Answer = ();

    fn request(&self, paths: Paths) -> Plain {
        #[derive(Serialize)]
        struct Body {
            command: ConferenceCommand,
            #[serde(skip_serializing_if = "Option::is_none")]
            moh: Option<Moh>,
        }
        plain(Method::PATCH, &self.conference, paths)
            .segment(self.call.as_str())
            .json(&Body {
                command: self.command,
                moh: self.moh,
            })
    }

    fn read(&self, _: &[u8]) -> Option<()> {
        Some(())
    }
}

/// `DELETE /calling/v1/conferences/id/{conferenceId}/{callId}`: one participant leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KickParticipant {
    /// The id of the conference.
    pub conference: String,
    /// The participant's call.
    pub call: CallId,
}

impl ApiMethod for KickParticipant {
    type Answer = ();

    fn request(&self, paths: Paths) -> Plain {
        plain(Method::DELETE, &self.conference, paths).segment(self.call.as_str())
    }

    fn read(&self, _: &[u8]) -> Option<()> {
        Some(())
    }
}

/// `DELETE /calling/v1/conferences/id/{conferenceId}`: everybody leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KickAll {
    /// The id of the conference.
    pub conference: String,
}

impl ApiMethod for KickAll {
    type Answer = ();

    fn request(&self, paths: Paths) -> Plain {
        plain(Method::DELETE, &self.conference, paths)
    }

    fn read(&self, _: &[u8]) -> Option<()> {
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_participant_is_named_by_id_or_call_id() {
        let get = GetConference {
            conference: "c".into(),
        };
        let body =
            br#"{"participants":[{"cli":"+1","id":"a","duration":35,"muted":true,"onhold":true},
            {"cli":"+2","callId":"b","duration":"6","muted":"false"}]}"#;
        let read = get.read(body).unwrap();
        assert_eq!(read[0].id.as_deref(), Some("a"));
        assert_eq!((read[0].muted, read[0].onhold), (Some(true), Some(true)));
        assert_eq!(read[1].id.as_deref(), Some("b"));
        assert_eq!(
            (read[1].duration_s, read[1].muted, read[1].onhold),
            (Some(6), Some(false), None)
        );
        assert_eq!(get.read(b"{}"), Some(Vec::new()));
        assert_eq!(get.read(br#"{"participants":{}}"#), None);
    }
}
