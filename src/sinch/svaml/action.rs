//! What becomes of a call: the one action of a document (`FACTS` §6).

use super::object::{named, object};
use super::parts::{
    Amd, CallHeader, ConferenceDtmfOptions, Endpoint, Menu, RecordingOptions, StreamingOptions,
};

named! {
    /// An action.
    Action, crate::domain::svaml::action {
        /// Hang up.
        Hangup = "hangup",
        /// Go on as if nobody had asked.
        Continue = "continue",
        /// Call a telephone number.
        ConnectPstn = "connectPstn",
        /// Call a user of the application.
        ConnectMxp = "connectMxp",
        /// Join a conference.
        ConnectConf = "connectConf",
        /// Call a SIP address.
        ConnectSip = "connectSip",
        /// Send the call's sound to a web socket.
        ConnectStream = "connectStream",
        /// Ask for keys or words.
        RunMenu = "runMenu",
        /// Let the caller wait.
        Park = "park",
        /// Begin to record, as seeds 000 and 001 write it for a call that is managed.
        StartRecording = "startRecording",
        /// End the recording, likewise.
        StopRecording = "stopRecording",
    }
}

object! {
    /// `hangup`.
    Hangup {
        /// Why, as a number; known to an old SDK only.
        hangup_cause: Option<u32> = "hangupCause",
    }

    /// `continue`.
    Continue {
        /// Begin to record, as seed 002 writes it.
        record: Option<bool> = "record",
        /// How, in the same old form.
        recording_options: Option<RecordingOptions> = "recordingOptions",
    }

    /// `connectPstn`.
    ConnectPstn {
        /// The number to call, E.164.
        number: Option<String> = "number",
        /// Language of the platform's own messages.
        locale: Option<String> = "locale",
        /// Longest time in seconds, at most 14,400.
        max_duration_s: Option<u32> = "maxDuration",
        /// How long it may ring, in seconds.
        dial_timeout_s: Option<u32> = "dialTimeout",
        /// Number shown, E.164 or `private`.
        cli: Option<String> = "cli",
        /// Ask for no ACE and no DiCE.
        suppress_callbacks: Option<bool> = "suppressCallbacks",
        /// Keys played after the answer.
        dtmf: Option<String> = "dtmf",
        /// Country whose ringing tone is heard.
        indications: Option<String> = "indications",
        /// Whether to find out if a machine has answered.
        amd: Option<Amd> = "amd",
        /// Begin to record, in an old form.
        record: Option<bool> = "record",
        /// How, in the same old form.
        recording_options: Option<RecordingOptions> = "recordingOptions",
    }

    /// `connectMxp`.
    ConnectMxp {
        /// The user.
        destination: Option<Endpoint> = "destination",
        /// Headers that go with the call.
        call_headers: Vec<CallHeader> = "callHeaders",
    }

    /// `connectConf`.
    ConnectConf {
        /// The conference, at most 64 characters.
        conference_id: Option<String> = "conferenceId",
        /// What happens to keys.
        conference_dtmf_options: Option<ConferenceDtmfOptions> = "conferenceDtmfOptions",
        /// Music for who is alone.
        moh: Option<String> = "moh",
        /// Begin to record the conference, as old documents write it.
        record: Option<bool> = "record",
        /// How, in the same old form.
        recording_options: Option<RecordingOptions> = "recordingOptions",
    }

    /// `connectSip`.
    ConnectSip {
        /// The address.
        destination: Option<Endpoint> = "destination",
        /// Longest time in seconds.
        max_duration_s: Option<u32> = "maxDuration",
        /// Number shown.
        cli: Option<String> = "cli",
        /// `UDP`, `TCP` or `TLS`.
        transport: Option<String> = "transport",
        /// Ask for no ACE and no DiCE.
        suppress_callbacks: Option<bool> = "suppressCallbacks",
        /// Headers that go with the call.
        call_headers: Vec<CallHeader> = "callHeaders",
        /// Music while it rings.
        moh: Option<String> = "moh",
    }

    /// `connectStream`; a closed beta.
    ConnectStream {
        /// The web socket.
        destination: Option<Endpoint> = "destination",
        /// How the sound is sent.
        streaming_options: Option<StreamingOptions> = "streamingOptions",
        /// Longest time in seconds.
        max_duration_s: Option<u32> = "maxDuration",
        /// Headers that go with the call.
        call_headers: Vec<CallHeader> = "callHeaders",
    }

    /// `runMenu`.
    RunMenu {
        /// Whether input ends the prompt.
        barge: Option<bool> = "barge",
        /// Language of the prompts.
        locale: Option<String> = "locale",
        /// The menu to begin with; `main` where nothing is said.
        main_menu: Option<String> = "mainMenu",
        /// Whether words are taken as well as keys.
        enable_voice: Option<bool> = "enableVoice",
        /// The menus.
        menus: Vec<Menu> = "menus",
    }

    /// `park`.
    Park {
        /// Language of the prompts.
        locale: Option<String> = "locale",
        /// What is played first.
        intro_prompt: Option<String> = "introPrompt",
        /// What is played over and over.
        hold_prompt: Option<String> = "holdPrompt",
        /// Longest time in seconds, at most 600.
        max_duration_s: Option<u32> = "maxDuration",
    }

    /// `startRecording` (seed 001, "Manage Call").
    StartRecording {
        /// How to record.
        recording_options: Option<RecordingOptions> = "recordingOptions",
    }

    /// `stopRecording` (seed 001, "Manage Call").
    StopRecording {}
}
