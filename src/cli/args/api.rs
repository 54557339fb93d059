//! The grammar of the commands that use the rest of the Calling API by hand.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::ReadingArgs;
use super::backup::AcceptArgs;
use super::receive::{PublicArgs, ReceiveArgs};

/// What every command that asks the platform takes.
#[derive(Debug, Clone, Copy, Args)]
pub(in crate::cli) struct ApiArgs {
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print the exact request, with the secret removed, and send nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

/// What every command takes that cannot be taken back.
#[derive(Debug, Clone, Copy, Args)]
pub(in crate::cli) struct SureArgs {
    /// Do not ask
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum NumberCommand {
    /// The numbers that you own, and where they are assigned
    List(ApiArgs),
    /// Assign 1 to 100 numbers to an application
    Assign(AssignArgs),
    /// Take a number from an application; asks unless --yes
    Unassign(UnassignArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AssignArgs {
    /// The numbers, as + and digits
    #[arg(required = true, value_name = "NUMBER")]
    pub(in crate::cli) numbers: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) to: AssignmentArgs,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct UnassignArgs {
    /// The number, as + and digits
    pub(in crate::cli) number: String,
    #[command(flatten)]
    pub(in crate::cli) from: AssignmentArgs,
    #[command(flatten)]
    pub(in crate::cli) sure: SureArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AssignmentArgs {
    /// The application; without it, the one whose key is set
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) application: Option<String>,
    /// What the number is used for; without it, the platform decides
    #[arg(long, value_enum)]
    pub(in crate::cli) capability: Option<CapabilityName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CapabilityName {
    Voice,
    Sms,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CallbackCommand {
    /// Where an application's callbacks go
    Get(CallbackGetArgs),
    /// Set where they go: what is not given is no longer there
    Set(CallbackSetArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CallbackGetArgs {
    /// The application; without it, the one whose key is set
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) application: Option<String>,
    /// Print this database's own URL, with the secret in it; needs --public-url
    #[arg(long, requires = "public_url")]
    pub(in crate::cli) show: bool,
    #[command(flatten)]
    pub(in crate::cli) public: PublicArgs,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CallbackSetArgs {
    /// Where callbacks go; without it, to this database: to --public-url. What is replaced is shown first
    #[arg(required_unless_present = "public_url")]
    pub(in crate::cli) primary: Option<String>,
    /// Change the secret in this database's URL first; the one before is taken for a day
    #[arg(long, requires = "public_url", conflicts_with = "primary")]
    pub(in crate::cli) new: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
    #[command(flatten)]
    pub(in crate::cli) public: PublicArgs,
    /// Used when the primary does not answer, or answers with an error
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) fallback: Option<String>,
    /// The application; without it, the one whose key is set
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) application: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LookupArgs {
    /// The numbers, as you know them
    #[arg(required = true, value_name = "NUMBER")]
    pub(in crate::cli) numbers: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) reading: ReadingArgs,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CallCommand {
    /// Place one callout, and show it until it is over
    Place(Box<PlaceArgs>),
    /// How a call stands
    Show(CallShowArgs),
    /// Say a text in a call that goes on
    Say(CallSayArgs),
    /// Play sounds in a call that goes on
    Play(CallPlayArgs),
    /// End a call; asks unless --yes
    Hangup(CallHangupArgs),
    /// Begin to record a call
    Record(CallRecordArgs),
    /// Stop recording a call
    StopRecording(CallStopArgs),
    /// Send any SVAML to a call, to unpark it for example; asks if it hangs up, unless --yes
    Manage(CallManageArgs),
}

/// What makes a callout another than a custom one.
const NOT_CUSTOM: [&str; 4] = ["text", "prompts", "conference", "campaign"];

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("callout").required(true).args(["text", "prompts", "conference", "ice", "ace", "campaign"]).multiple(true),
    after_help = "The callout goes through the database like every other: written down before it \
                  is dialled, never dialled twice. It is a run of one row, which `callout status`, \
                  `resume`, `reconcile` and `export` know."
)]
pub(in crate::cli) struct PlaceArgs {
    /// Whom to call: + and digits, or with --type a user's name or a SIP address
    pub(in crate::cli) number: String,
    /// What that is: number, username or sip; without it a number
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "campaign")]
    pub(in crate::cli) kind: Option<crate::domain::DestinationKind>,
    #[command(flatten)]
    pub(in crate::cli) receive: ReceiveArgs,
    #[command(flatten)]
    pub(in crate::cli) clock: super::ClockArgs,
    /// The number that is shown
    #[arg(long, value_name = "NUMBER", conflicts_with = "campaign")]
    pub(in crate::cli) cli: Option<String>,
    /// Text-to-speech: the text
    #[arg(long, conflicts_with_all = ["prompts", "conference", "ice", "ace", "campaign"])]
    pub(in crate::cli) text: Option<String>,
    /// Text-to-speech: prompts with `;` between them
    #[arg(long, conflicts_with_all = ["conference", "ice", "ace", "campaign"])]
    pub(in crate::cli) prompts: Option<String>,
    /// Conference: its id
    #[arg(long, value_name = "ID", conflicts_with_all = ["ice", "ace", "campaign"])]
    pub(in crate::cli) conference: Option<String>,
    /// Conference: the text spoken before it
    #[arg(long, requires = "conference")]
    pub(in crate::cli) greeting: Option<String>,
    /// Custom: a URL, or SVAML as JSON
    #[arg(long, value_name = "SVAML", conflicts_with = "campaign")]
    pub(in crate::cli) ice: Option<String>,
    /// Custom: a URL, or SVAML as JSON
    #[arg(long, value_name = "SVAML", conflicts_with = "campaign")]
    pub(in crate::cli) ace: Option<String>,
    /// Conference: what is heard while nobody else is there: ring, music1, music2 or music3
    #[arg(long, value_name = "MUSIC", requires = "conference")]
    pub(in crate::cli) moh: Option<String>,
    /// Conference: what becomes of keys that are pressed: ignore, forward or detect
    #[arg(long, value_name = "MODE", requires = "conference")]
    pub(in crate::cli) dtmf_mode: Option<String>,
    /// Conference: so many keys make a sequence that is detected
    #[arg(long, value_name = "KEYS", requires = "conference")]
    pub(in crate::cli) dtmf_digits: Option<u32>,
    /// Conference: the pause that ends a sequence, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", requires = "conference")]
    pub(in crate::cli) dtmf_timeout: Option<u32>,
    /// Custom: a URL, or SVAML as JSON
    #[arg(long, value_name = "SVAML", conflicts_with_all = NOT_CUSTOM)]
    pub(in crate::cli) pie: Option<String>,
    /// Custom: a URL, or SVAML as JSON
    #[arg(long, value_name = "SVAML", conflicts_with_all = NOT_CUSTOM)]
    pub(in crate::cli) dice: Option<String>,
    /// Custom: the place of the platform's that makes the call, such as eu-central
    #[arg(long, value_name = "PLACE", conflicts_with_all = NOT_CUSTOM)]
    pub(in crate::cli) pop: Option<String>,
    /// Text-to-speech and conference: pstn, or mxp for users of an app
    #[arg(long, conflicts_with_all = ["campaign", "ice", "ace"])]
    pub(in crate::cli) domain: Option<String>,
    /// Language or voice
    #[arg(long, conflicts_with = "campaign")]
    pub(in crate::cli) locale: Option<String>,
    /// Longest call in seconds; conference and custom
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["campaign", "text", "prompts"])]
    pub(in crate::cli) max_duration: Option<u32>,
    /// Keys played after the answer
    #[arg(long, value_name = "KEYS", conflicts_with = "campaign")]
    pub(in crate::cli) dtmf: Option<String>,
    /// A text of your own, which comes back with the result, behind the attempt's id and a space
    #[arg(long, conflicts_with = "campaign")]
    pub(in crate::cli) custom: Option<String>,
    /// Ask for an ACE callback
    #[arg(long, conflicts_with = "campaign")]
    pub(in crate::cli) enable_ace: bool,
    /// Ask for a DiCE callback
    #[arg(long, conflicts_with = "campaign")]
    pub(in crate::cli) enable_dice: bool,
    /// Ask for PIE callbacks; text-to-speech and conference
    #[arg(long, conflicts_with_all = ["campaign", "ice", "ace"])]
    pub(in crate::cli) enable_pie: bool,
    /// A header for whoever receives the callbacks, up to five
    #[arg(
        long = "header",
        value_name = "X-CB-NAME=VALUE",
        conflicts_with = "campaign"
    )]
    pub(in crate::cli) headers: Vec<String>,
    /// The callout of this campaign file, instead of the options above
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) campaign: Option<PathBuf>,
    /// With --campaign: what a column of its list would have
    #[arg(long = "set", value_name = "COLUMN=VALUE", requires = "campaign")]
    pub(in crate::cli) columns: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) accept: AcceptArgs,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CallShowArgs {
    /// The call's id
    pub(in crate::cli) call: String,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

/// The call, and who in it hears what is played.
#[derive(Debug, Args)]
pub(in crate::cli) struct LegArgs {
    /// The call's id
    pub(in crate::cli) call: String,
    /// Who hears what is played: caller, callee or both. The platform ignores it for conferences and
    /// for calls that began as callouts
    #[arg(long, value_parser = clap::value_parser!(crate::sinch::calls::Leg))]
    pub(in crate::cli) leg: Option<crate::sinch::calls::Leg>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CallSayArgs {
    #[command(flatten)]
    pub(in crate::cli) to: LegArgs,
    /// The text, at most 600 characters
    pub(in crate::cli) text: String,
    /// Language or voice
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) locale: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CallPlayArgs {
    #[command(flatten)]
    pub(in crate::cli) to: LegArgs,
    /// The sounds: ids of stored files, URLs, `#tts[…]`, `#ssml[…]` or `#href[…]`
    #[arg(required = true, value_name = "SOUND")]
    pub(in crate::cli) sounds: Vec<String>,
    /// Language or voice of `#tts[…]`
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) locale: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CallHangupArgs {
    #[command(flatten)]
    pub(in crate::cli) to: LegArgs,
    /// Say this text first
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) say: Option<String>,
    /// Language or voice of --say
    #[arg(long, requires = "say")]
    pub(in crate::cli) locale: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) sure: SureArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CallRecordArgs {
    #[command(flatten)]
    pub(in crate::cli) to: LegArgs,
    /// Where the recording goes: s3://…, azure://… or sdrive://…; without it, where the account says
    #[arg(long = "to", value_name = "URL")]
    pub(in crate::cli) destination: Option<String>,
    /// The storage's credentials, as the platform wants them; better in the environment, where other
    /// users of this machine do not see them
    #[arg(
        long,
        env = "CALLOUT_RECORDING_CREDENTIALS",
        hide_env_values = true,
        requires = "destination"
    )]
    pub(in crate::cli) credentials: Option<String>,
    /// The format; without it, mp3
    #[arg(long)]
    pub(in crate::cli) format: Option<String>,
    /// Ask for no notifications about the recording
    #[arg(long)]
    pub(in crate::cli) quiet: bool,
    /// Also transcribe what is said, in this language
    #[arg(long, value_name = "LOCALE", value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) transcribe: Option<String>,
    /// Send `startRecording` as an action, as the oldest documents have it, not as an instruction
    #[arg(long)]
    pub(in crate::cli) as_action: bool,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CallStopArgs {
    #[command(flatten)]
    pub(in crate::cli) to: LegArgs,
    /// Send `stopRecording` as an action, as the oldest documents have it, not as an instruction
    #[arg(long)]
    pub(in crate::cli) as_action: bool,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CallManageArgs {
    #[command(flatten)]
    pub(in crate::cli) to: LegArgs,
    /// A file with SVAML as JSON; `-` reads standard input
    pub(in crate::cli) svaml: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) sure: SureArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConferenceCommand {
    /// Who is in a conference
    Show(ConferenceArgs),
    /// Nobody hears a participant any more
    Mute(ParticipantArgs),
    /// A participant is heard again
    Unmute(ParticipantArgs),
    /// A participant hears music, or nothing
    Hold(HoldArgs),
    /// A participant is back from hold
    Resume(ParticipantArgs),
    /// A participant leaves; asks unless --yes
    Kick(KickArgs),
    /// Everybody leaves; asks unless --yes
    KickAll(KickAllArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ConferenceArgs {
    /// The conference's id
    pub(in crate::cli) conference: String,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

/// Who in which conference.
#[derive(Debug, Args)]
pub(in crate::cli) struct WhoArgs {
    /// The conference's id
    pub(in crate::cli) conference: String,
    /// The participant's call, as `conference show` names it
    pub(in crate::cli) call: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ParticipantArgs {
    #[command(flatten)]
    pub(in crate::cli) who: WhoArgs,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct HoldArgs {
    #[command(flatten)]
    pub(in crate::cli) who: WhoArgs,
    /// What they hear: ring, music1, music2 or music3
    #[arg(long)]
    pub(in crate::cli) music: Option<crate::sinch::conferences::Moh>,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KickArgs {
    #[command(flatten)]
    pub(in crate::cli) who: WhoArgs,
    #[command(flatten)]
    pub(in crate::cli) sure: SureArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KickAllArgs {
    /// The conference's id
    pub(in crate::cli) conference: String,
    #[command(flatten)]
    pub(in crate::cli) sure: SureArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RecordingCommand {
    /// The recordings in the platform's own storage
    List(RecordingListArgs),
    /// Fetch a recording into a file
    Download(DownloadArgs),
    /// Delete a recording; asks unless --yes
    Delete(RecordingDeleteArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RecordingListArgs {
    /// Made from here on: a date (UTC) or a moment, such as 2026-11-21T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) from: Option<String>,
    /// Made before
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) to: Option<String>,
    /// Which page, from 1
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) page: Option<u32>,
    /// Recordings on a page
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) page_size: Option<u32>,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DownloadArgs {
    /// The recording's key
    pub(in crate::cli) key: String,
    /// Where it goes; without it, a file named after the key in this folder
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) api: ApiArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RecordingDeleteArgs {
    /// The recording's key
    pub(in crate::cli) key: String,
    #[command(flatten)]
    pub(in crate::cli) sure: SureArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DoctorArgs {
    /// A campaign file, to see whether it fits the account
    pub(in crate::cli) file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) public: PublicArgs,
}
