//! A campaign file, read and checked: [`Campaign::load`] is the way in.
//!
//! The TOML tree is walked by hand, because a derived reader stops at the first fault and a person
//! wants them all. What is played is read in [`super::callout`]; what a list must have is checked in
//! [`Campaign::bind`](super::Script), once its header is known.

use std::cell::RefCell;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

use crate::domain::svaml::{CALL_S_MAX, SPEECH_CHARS_MAX};
use crate::domain::window::{Window, WindowZone};
use crate::domain::{CallFlow, DestinationKind, RetryPolicy, Schedule, Spend};

use super::blackout::{self, ReadFile};
use super::call_flow;
use super::call_flow_check;
use super::callout;
use super::fault::{FAULTS_MAX, Fault, Faults};
use super::file::{self, Unfit};
use super::form::{Body, Form};
use super::limits::{Rule, e164};
use super::list_spec::{self, ListSpec, Recipients};
use super::place::{Place, SourceFile};
use super::retry;
use super::schedule;
use super::spend;
use super::table::{Placed, Table};
use super::template::{Text, TextId};
use super::window;

/// Longest name of a campaign; it becomes part of file names.
const NAME_CHARS_MAX: usize = 64;
/// Lowest rate that can be asked for: about one call a day.
const CALLS_PER_SECOND_MIN: f64 = 0.000_01;
/// Highest rate that can be asked for.
const CALLS_PER_SECOND_MAX: f64 = 1_000_000.0;
/// Largest campaign file; a real one has a few kilobytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

const TOP: [&str; 11] = [
    "name",
    "recipients",
    "callout",
    "pacing",
    "window",
    "retry",
    "spend",
    "schedule",
    "menu",
    "machine",
    "reached",
];

/// How fast: `run` needs a rate, the other commands do not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pacing {
    /// Callouts per second.
    pub calls_per_second: Option<f64>,
    /// Most callouts in flight and calls not known to be over.
    pub concurrent_calls: Option<u32>,
}

/// A checked campaign file.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// The campaign's name.
    pub name: String,
    /// Whom to call.
    pub recipients: ListSpec,
    /// How fast.
    pub pacing: Pacing,
    /// Who is called again, and when.
    pub retry: RetryPolicy,
    /// When people may be called; none: at any time.
    pub window: Option<Window>,
    /// The file of `blackout_file`, as it was read.
    pub blackout_file: Option<Vec<u8>>,
    /// When; none where a person decides.
    pub schedule: Option<Schedule>,
    /// What a run may cost; none: no cap of ours.
    pub spend: Option<Spend>,
    pub(super) source: String,
    pub(super) path: PathBuf,
    pub(super) form: Form,
    pub(super) texts: Vec<Text>,
    /// Where the file names the columns `number`, `time_zone` and `id`.
    pub(super) columns: Vec<Placed<String>>,
    pub(super) region: Place,
    warnings: Vec<Fault>,
}

impl Campaign {
    /// Whether the application's callback URL can be told of the ends of calls: that was not ruled out, and the
    /// platform tells of calls to users of an app never (`FACTS` §3).
    pub fn may_be_told(&self) -> bool {
        let dice = match &self.form.body {
            Body::Tts(tts) => tts.enable.dice,
            Body::Flow(flow) => flow.enable_dice,
            Body::Conference(conference) => conference.enable.dice,
            Body::Custom(custom) if custom.dice.is_some() => Some(false),
            Body::Custom(custom) => custom.enable_dice,
        };
        dice != Some(false) && self.recipients.destination_kind != DestinationKind::Username
    }

    /// What happens in its calls, without the words; none where they ask nothing.
    pub fn outline(&self) -> Option<CallFlow<()>> {
        match &self.form.body {
            Body::Flow(form) => Some(form.flow.outline()),
            Body::Tts(_) | Body::Conference(_) | Body::Custom(_) => None,
        }
    }

    /// How long one of its calls lasts at most in which somebody is asked something; none where nobody is.
    pub fn talks_at_most(&self) -> Option<Duration> {
        let flow = self.outline().filter(CallFlow::needs_receiver)?;
        let said = self.spend.as_ref().and_then(|spend| spend.longest_call_s);
        // As if every text were as long as a text may be.
        let Ok(longest) = flow.try_map(|()| Ok::<_, Infallible>("x".repeat(SPEECH_CHARS_MAX)));
        let longest_s = said.or(longest.way().most_s).unwrap_or(CALL_S_MAX);
        Some(Duration::from_secs(longest_s.min(CALL_S_MAX).into()))
    }

    /// What happens in its calls, in the words of the file; none where they ask nothing.
    pub fn flow_as_written(&self) -> Option<CallFlow<String>> {
        let Body::Flow(form) = &self.form.body else {
            return None;
        };
        let written = |id: &TextId| {
            self.texts
                .get(id.0)
                .map(|text| text.source.clone())
                .ok_or(())
        };
        form.flow.try_map(written).ok()
    }

    /// The numbers that calls can be connected to whatever the row, each with its place in the file.
    pub fn connects(&self) -> impl Iterator<Item = Connect<'_>> {
        let fixed = |text: &&Text| text.rule == Rule::Connect && !text.is_template();
        self.texts.iter().filter(fixed).map(|text| Connect {
            campaign: self,
            place: &text.place,
            number: e164(&text.source),
        })
    }

    /// Reads and checks a campaign file.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let refuse =
            |message: String, help: &str| Faults::from(Fault::new(path, (1, 1), message, help));
        let unreadable = |error: std::io::Error| {
            let help = match error.kind() {
                std::io::ErrorKind::NotFound => {
                    "check the path; it is relative to the current folder"
                }
                std::io::ErrorKind::PermissionDenied => "let your user read the file",
                _ => "name a campaign file (TOML)",
            };
            refuse(format!("cannot read the campaign file: {error}"), help)
        };
        let bytes = match file::read(path, FILE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(Unfit::NotAFile) => {
                return Err(refuse(
                    "this is not a file".into(),
                    "name a campaign file (TOML)",
                ));
            }
            Err(Unfit::TooLong(bytes)) => {
                return Err(refuse(
                    format!("the file has {bytes} bytes, a campaign has at most 1 MiB"),
                    "is this the list? name the campaign file (TOML)",
                ));
            }
            Err(Unfit::Unreadable(error)) => return Err(unreadable(error)),
        };
        if let Some(kind) = file::foreign_kind(&bytes) {
            let help = "name the campaign file (TOML), which names the list";
            return Err(refuse(format!("this is {kind}, not a campaign file"), help));
        }
        if file::looks_like_list(path, &bytes) {
            let help =
                "name the campaign file (TOML), which names the list: file = \"…\" in [recipients]";
            return Err(refuse("this is a list, not a campaign file".into(), help));
        }
        let source = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
            let message = format!("byte 0x{:02x} is not UTF-8", error.as_bytes()[valid]);
            Faults::from(Fault::new(
                path,
                (line, column),
                message,
                "save the file as UTF-8",
            ))
        })?;
        Self::parse(&source, path)
    }

    /// Checks the text of a campaign file; `path` is where faults say they are, and what the list's
    /// path is relative to.
    pub fn parse(source: &str, path: &Path) -> Result<Self, Faults> {
        Self::parse_with(source, SourceFile::new, path, &blackout::read_file)
    }

    /// As [`parse`](Self::parse), for a run that goes on: its dates are those it began with, whatever
    /// became of their file, and what no campaign may begin with any more is not held against it.
    pub fn parse_kept(source: &str, path: &Path, dates: Option<&[u8]>) -> Result<Self, Faults> {
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        Self::parse_with(source, SourceFile::kept, path, &|_| {
            dates.map(<[u8]>::to_vec).ok_or_else(missing)
        })
    }

    fn parse_with<'s>(
        source: &'s str,
        open: fn(&'s str, &'s Path) -> SourceFile<'s>,
        path: &'s Path,
        dates: ReadFile<'_>,
    ) -> Result<Self, Faults> {
        let kept = RefCell::new(None);
        let reading = |path: &Path| {
            let bytes = dates(path)?;
            kept.replace(Some(bytes.clone()));
            Ok(bytes)
        };
        // Editors that write a byte order mark write it first; TOML has no room for it.
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        let (root, errors) = DeTable::parse_recoverable(source);
        let file = open(source, path);
        let table = Table::new(&file, "the campaign", 0..0, root.get_ref(), &TOP);
        let parts = read(&table, &reading);
        let syntax: Vec<Fault> = errors
            .iter()
            .take(FAULTS_MAX)
            .map(|error| {
                let span = error.span().unwrap_or(0..0);
                let help =
                    bare_key(&file, &span).unwrap_or("see https://toml.io for how TOML is written");
                file.at(&Place::of(span), error.message(), help)
            })
            .collect();
        let (found, warnings) = file.into_findings();
        let faults = after_syntax(syntax, found);
        match (Faults::collect(faults), parts) {
            (None, Some(parts)) => Ok(Self {
                blackout_file: kept.into_inner(),
                ..parts.into_campaign(source, path, warnings)
            }),
            (Some(faults), _) => Err(faults),
            (None, None) => {
                // Every reader that gives up has noted why; this keeps the type honest.
                let help = "please report this file as a fault of callout";
                Err(Fault::new(path, (1, 1), "the campaign could not be read", help).into())
            }
        }
    }

    /// Whether the time zones of recipients matter.
    pub fn asks_for_zones(&self) -> bool {
        self.window
            .as_ref()
            .is_some_and(|window| *window.zone() == WindowZone::Recipient)
    }

    /// The file's text, as it was checked.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The file's path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is doubtful but stops nobody, in file order.
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }

    /// A fault at `region` in `[recipients]`, for whoever knows which regions there are.
    pub fn region_fault(&self, message: &str, help: &str) -> Fault {
        SourceFile::new(&self.source, &self.path).at(&self.region, message, help)
    }
}

/// A number that calls can be connected to.
#[derive(Debug)]
pub struct Connect<'a> {
    campaign: &'a Campaign,
    place: &'a Place,
    /// The number, without the spaces and signs between its digits.
    pub number: String,
}

impl Connect<'_> {
    /// A fault at the number, for whoever knows which can be called.
    pub fn fault(&self, message: &str, help: &str) -> Fault {
        SourceFile::new(&self.campaign.source, &self.campaign.path).at(self.place, message, help)
    }
}

/// Syntax errors, and those faults that are not likely to follow from them: a broken line makes
/// keys go missing and gives values odd types.
fn after_syntax(syntax: Vec<Fault>, found: Vec<Fault>) -> Vec<Fault> {
    if syntax.is_empty() {
        return found;
    }
    let follows = |fault: &Fault| {
        fault.message.contains(" needs `") || syntax.iter().any(|error| error.line == fault.line)
    };
    let others: Vec<Fault> = found.into_iter().filter(|fault| !follows(fault)).collect();
    syntax.into_iter().chain(others).collect()
}

/// What to do about a key of a telephone that stands without quotes, where it has another meaning.
fn bare_key(file: &SourceFile<'_>, span: &std::ops::Range<usize>) -> Option<&'static str> {
    let before = file.text.get(..span.start.min(file.text.len()))?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = file.text.get(start..)?.lines().next()?;
    let name: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    if name.contains("key.#") {
        Some("`#` begins a comment: write the key in quotes, [menu.main.key.\"#\"]")
    } else if name.contains("key.*") {
        Some("write the key in quotes: [menu.main.key.\"*\"]")
    } else {
        None
    }
}

/// What a file says, before it is known to be without faults.
struct Parts {
    name: String,
    recipients: Recipients,
    pacing: Pacing,
    retry: RetryPolicy,
    window: Option<Window>,
    schedule: Option<Schedule>,
    spend: Option<Spend>,
    form: Form,
    texts: Vec<Text>,
}

impl Parts {
    fn into_campaign(self, source: &str, path: &Path, mut warnings: Vec<Fault>) -> Campaign {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut list = self.recipients.spec;
        list.file = folder.join(list.file);
        warnings.sort_by_key(|warning| (warning.line, warning.column));
        Campaign {
            name: self.name,
            recipients: list,
            pacing: self.pacing,
            retry: self.retry,
            window: self.window,
            blackout_file: None,
            schedule: self.schedule,
            spend: self.spend,
            source: source.to_owned(),
            path: path.to_owned(),
            form: self.form,
            texts: self.texts,
            columns: self.recipients.columns,
            region: self.recipients.region,
            warnings,
        }
    }
}

/// Reads all parts even when one of them fails, so that each fault is found.
fn read(root: &Table<'_, '_>, dates: ReadFile<'_>) -> Option<Parts> {
    let name = name(root);
    let recipients = list_spec::read(root);
    let kind = recipients
        .as_ref()
        .map_or(DestinationKind::Number, |r| r.spec.destination_kind);
    let played = callout::read(root, kind).and_then(|(form, mut texts)| {
        let (form, heard) = call_flow::read(root, kind, (form, &mut texts))?;
        Some((form, texts, heard))
    });
    let pacing = pacing(root);
    let heard = played.as_ref().map(|(_, _, heard)| *heard);
    let retry = retry::read(root, heard);
    let window = window::read(root, dates);
    let schedule = schedule::read(root);
    let played = played.map(|(form, texts, _)| (form, texts));
    let spend = spend::read(root, played.as_ref());
    let longest_call_s = spend.as_ref().and_then(|spend| spend.longest_call_s);
    if let (Some((form, _)), Some(longest_call_s)) = (&played, longest_call_s)
        && let Body::Flow(form) = &form.body
    {
        call_flow_check::longest_call(root, &form.flow, longest_call_s);
    }
    let (form, texts) = played?;
    Some(Parts {
        name: name?,
        recipients: recipients?,
        pacing,
        retry,
        window,
        schedule,
        spend,
        form,
        texts,
    })
}

fn name(root: &Table<'_, '_>) -> Option<String> {
    let name = root.required_string("name", "name = \"appointment-reminder\"")?;
    let refused = |c: char| c.is_control() || matches!(c, '/' | '\\');
    let chars = name.value.chars().count();
    let wrong = if name.value.trim().is_empty() {
        Some("the name is empty".to_owned())
    } else if chars > NAME_CHARS_MAX {
        Some(format!("the name has {chars} characters"))
    } else if name.value.starts_with('.') || name.value.contains(refused) {
        Some("the name cannot be part of a file name".to_owned())
    } else {
        None
    };
    if let Some(message) = wrong {
        let help = "at most 64 characters, no slashes or control characters, no point in front";
        root.file.fault(&name.place, message, help);
    }
    Some(name.value.to_owned())
}

fn pacing(root: &Table<'_, '_>) -> Pacing {
    let none = Pacing {
        calls_per_second: None,
        concurrent_calls: None,
    };
    let known = ["calls_per_second", "concurrent_calls"];
    let Some(table) = root.table("pacing", "[pacing]", &known) else {
        return none;
    };
    let rate = table.number("calls_per_second");
    if let Some(rate) = rate
        .as_ref()
        .filter(|rate| !(CALLS_PER_SECOND_MIN..=CALLS_PER_SECOND_MAX).contains(&rate.value))
    {
        let help = "from 0.00001 (about one a day) to 1000000; fractions are allowed";
        table
            .file
            .fault(&rate.place, "`calls_per_second` is out of range", help);
    }
    Pacing {
        calls_per_second: rate.map(|rate| rate.value),
        concurrent_calls: table.integer("concurrent_calls", 1..=u32::MAX),
    }
}
