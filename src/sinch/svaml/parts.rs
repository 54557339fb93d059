//! What stands inside actions and instructions: menus, recordings, headers and the like.

use std::fmt;

use serde_json::Value;

use super::object::{Leaf, object};

object! {
    /// What a call is connected to (seed 001, "Callback API"; `FACTS` §6): a user, a SIP address, a
    /// web socket.
    Endpoint {
        /// `username`, `sip` or `Websocket`.
        kind: Option<String> = "type",
        /// The name or address.
        endpoint: Option<String> = "endpoint",
    }

    /// A header that goes with a call to a user or a SIP address (`FACTS` §6).
    CallHeader {
        /// Its name.
        key: Option<String> = "key",
        /// Its value.
        value: Option<String> = "value",
    }

    /// Whether the platform should find out if a machine has answered (`FACTS` §6).
    Amd {
        /// Whether at all.
        enabled: Option<bool> = "enabled",
        /// Whether the call goes on meanwhile, and the result comes as a notification.
        asynchronous: Option<bool> = "async",
    }

    /// How a call is recorded (seed 001, "Manage Call"; `FACTS` §6).
    RecordingOptions {
        /// The folder to store in: `s3://…`, `azure://…`.
        destination_url: Option<String> = "destinationUrl",
        /// How one example spells the above.
        destination: Option<String> = "destination",
        /// What the platform needs to write there.
        credentials: Option<StorageCredentials> = "credentials",
        /// `mp3` where nothing is said.
        format: Option<String> = "format",
        /// Whether notifications tell when the recording is finished and available.
        notification_events: Option<bool> = "notificationEvents",
        /// Whether a transcript is made.
        transcription_options: Option<TranscriptionOptions> = "transcriptionOptions",
    }

    /// Whether a recording is written down as text (`FACTS` §6).
    TranscriptionOptions {
        /// Whether at all.
        enabled: Option<bool> = "enabled",
        /// The language spoken.
        locale: Option<String> = "locale",
    }

    /// What happens to keys pressed in a conference (`FACTS` §3, §6).
    ConferenceDtmfOptions {
        /// `ignore`, `forward` or `detect`.
        mode: Option<String> = "mode",
        /// How many keys make one input.
        max_digits: Option<u32> = "maxDigits",
        /// How long to wait for the next key, in milliseconds.
        timeout_ms: Option<u32> = "timeoutMills",
    }

    /// How a call's sound is sent over a web socket; a closed beta (`FACTS` §6).
    StreamingOptions {
        /// The protocol's version.
        version: Option<u32> = "version",
        /// Samples a second.
        sample_rate: Option<u32> = "sampleRate",
    }

    /// One menu of `runMenu` (`FACTS` §6).
    Menu {
        /// Its name; the first to be run is `main`.
        id: Option<String> = "id",
        /// What is played first.
        main_prompt: Option<String> = "mainPrompt",
        /// What is played when no input came.
        repeat_prompt: Option<String> = "repeatPrompt",
        /// How often it is played again.
        repeats: Option<u32> = "repeats",
        /// How many keys are collected.
        max_digits: Option<u32> = "maxDigits",
        /// How long to wait for input, in milliseconds.
        timeout_ms: Option<u32> = "timeoutMills",
        /// How long voice input may take in all, in milliseconds.
        max_timeout_ms: Option<u32> = "maxTimeoutMills",
        /// What each key does.
        options: Vec<MenuOption> = "options",
    }

    /// What a key does in a menu (`FACTS` §6).
    MenuOption {
        /// The key; one document writes it as a number, which is read and becomes a string.
        dtmf: Option<Dtmf> = "dtmf",
        /// `return(x)`, which ends the menu with the result `x`, or `menu(id)`, which runs another.
        action: Option<String> = "action",
    }
}

/// A key of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dtmf(pub String);

impl Leaf for Dtmf {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(key) => Some(Self(key.clone())),
            Value::Number(key) if key.is_u64() => Some(Self(key.to_string())),
            _ => None,
        }
    }

    fn print(&self) -> Value {
        Value::from(self.0.as_str())
    }
}

/// What opens a storage for recordings. `Debug` never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageCredentials(pub String);

impl fmt::Debug for StorageCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageCredentials(hidden)")
    }
}

impl Leaf for StorageCredentials {
    fn read(value: &Value) -> Option<Self> {
        String::read(value).map(Self)
    }

    fn print(&self) -> Value {
        self.0.print()
    }
}
