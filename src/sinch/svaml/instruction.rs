//! What is done before the action: the instructions of a document (`FACTS` §6).

use super::object::{named, object};
use super::parts::RecordingOptions;

named! {
    /// An instruction.
    #[expect(clippy::large_enum_variant, reason = "documents are short, and one at a time")]
    Instruction, crate::domain::svaml::instruction {
        /// Play prompts.
        PlayFiles = "playFiles",
        /// Speak a text.
        Say = "say",
        /// Play keys.
        SendDtmf = "sendDtmf",
        /// Keep something with the call.
        SetCookie = "setCookie",
        /// Answer the call, which begins to cost.
        Answer = "answer",
        /// Begin to record.
        StartRecording = "startRecording",
        /// End the recording.
        StopRecording = "stopRecording",
        /// Tell whether the call did what it was for.
        ReportCallStatus = "reportCallStatus",
    }
}

object! {
    /// `playFiles`.
    PlayFiles {
        /// File ids, addresses, `#tts[…]`, `#ssml[…]` and `#href[…]`.
        ids: Vec<String> = "ids",
        /// Language of the texts.
        locale: Option<String> = "locale",
    }

    /// `say`.
    Say {
        /// The text, at most 600 characters.
        text: Option<String> = "text",
        /// Its language.
        locale: Option<String> = "locale",
    }

    /// `sendDtmf`.
    SendDtmf {
        /// The keys: `0-9`, `#`, and `w` for half a second.
        value: Option<String> = "value",
    }

    /// `setCookie`; comes back in later events.
    SetCookie {
        /// Its name.
        key: Option<String> = "key",
        /// Its value.
        value: Option<String> = "value",
    }

    /// `answer`.
    Answer {}

    /// `startRecording`.
    StartRecording {
        /// How to record.
        options: Option<RecordingOptions> = "options",
    }

    /// `stopRecording`.
    StopRecording {}

    /// `reportCallStatus`; only in answers to DiCE.
    ReportCallStatus {
        /// `success` or `failure`.
        value: Option<String> = "value",
        /// Why, at most 64 characters.
        details: Option<String> = "details",
    }
}
