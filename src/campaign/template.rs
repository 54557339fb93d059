//! Templates: a text of the campaign file that may use the row's columns, and the engine behind it.
//!
//! An empty cell is *undefined*, so that `{{ name }}` refuses a row that has no name while
//! `{{ name | default("you") }}` and `{% if name %}` work. What a cell may bring into a text is
//! limited by a [`Guard`]; the engine applies it to every value that is written, not to the
//! template's own words. There is no loader, no include, no macro, and a bound on the work.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Enumerator, Object};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::limits::{Problem, Rule};
use super::place::{Place, SourceFile};
use super::script::RowFault;
use super::tokens::{Token, is_template, tokens};

/// Instructions one rendering may take: hundreds of times what a call's text needs, and still
/// under a millisecond.
const FUEL: u64 = 20_000;

/// The name under which a template finds all columns: `row["Column name"]`.
const ROW: &str = "row";

/// What a merged value may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Spoken text: no control characters but line breaks and tabs.
    Spoken,
    /// A field of one line.
    Line,
    /// Part of an address: nothing that could begin another part of it.
    Address,
    /// A prompt: nothing that could end it or begin another.
    Prompt,
    /// A prompt with markup: as above, and nothing that could be markup.
    Markup {
        /// Whether the template quotes an attribute with `'`.
        single_quotes: bool,
    },
}

impl Guard {
    const ALL: [Self; 6] = [
        Self::Spoken,
        Self::Line,
        Self::Address,
        Self::Prompt,
        Self::Markup {
            single_quotes: false,
        },
        Self::Markup {
            single_quotes: true,
        },
    ];

    /// The letter that carries the guard in a template's name, where the formatter finds it.
    fn letter(self) -> char {
        match self {
            Self::Spoken => 's',
            Self::Line => 'l',
            Self::Address => 'a',
            Self::Prompt => 'p',
            Self::Markup {
                single_quotes: false,
            } => 'm',
            Self::Markup {
                single_quotes: true,
            } => 'q',
        }
    }

    fn of_template(name: &str) -> Self {
        let letter = name.chars().next();
        Self::ALL
            .into_iter()
            .find(|guard| Some(guard.letter()) == letter)
            // The strictest one, should a template ever be named otherwise.
            .unwrap_or(Self::Markup {
                single_quotes: true,
            })
    }

    fn refuses(self, c: char) -> bool {
        let control = c.is_control();
        match self {
            Self::Spoken => control && !matches!(c, '\n' | '\r' | '\t'),
            Self::Line => control,
            Self::Address => !(c.is_ascii_alphanumeric() || "-._~+".contains(c)),
            Self::Prompt => control || "[];#".contains(c),
            Self::Markup { single_quotes } => {
                control || "[];#<>&\"".contains(c) || (single_quotes && c == '\'')
            }
        }
    }

    fn reason(self, c: char) -> String {
        let shown = c.escape_debug();
        if c.is_control() {
            return format!("the value has the control character `{shown}`");
        }
        match self {
            Self::Address => format!("the value has `{shown}`, which would change the address"),
            _ => format!("the value has `{shown}`, which would change the prompt around it"),
        }
    }
}

/// Why the formatter refused a value; travels as the source of a `minijinja` error.
#[derive(Debug)]
struct Refused {
    guard: Guard,
    c: char,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.guard.reason(self.c))
    }
}

impl std::error::Error for Refused {}

/// One text of the campaign file: a literal or a template, with its place, rule and guard.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// How messages call it: `text`, `prompts item 2`, `ice action.number`.
    pub(super) key: String,
    /// The text as written.
    pub(super) source: String,
    /// Where it stands.
    pub(super) place: Place,
    /// What it must be once rendered.
    pub(super) rule: Rule,
    /// What a cell may bring into it.
    pub(super) guard: Guard,
}

/// Which of the texts of a campaign: an index into its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextId(pub(super) usize);

impl Text {
    /// Whether rows change it.
    pub(super) fn is_template(&self) -> bool {
        is_template(&self.source)
    }

    /// Checks what can be known without a list: a literal's value, a template's syntax.
    pub(super) fn check(&self, file: &SourceFile<'_>) {
        if self.is_template() {
            let env = environment();
            if let Err(error) = env.template_from_str(&self.source) {
                self.syntax_fault(file, &error);
            }
        } else if let Err(Problem { message, help }) = self.rule.check(&self.key, &self.source) {
            file.fault(&self.place, message, help);
        } else if self.rule == Rule::Locale
            && let Some(help) = super::locale::doubt(&self.source)
        {
            let message = format!("no document of the platform names `{}`", self.source);
            file.warn(&self.place, message, help);
        }
    }

    fn syntax_fault(&self, file: &SourceFile<'_>, error: &Error) {
        let range = error.range().filter(|range| range.end <= self.source.len());
        let place = range.map_or_else(|| self.place.clone(), |range| self.place.within(range));
        let detail = error
            .detail()
            .map_or_else(|| error.kind().to_string(), str::to_owned);
        let help = if self.source.is_ascii() || !detail.contains("unexpected character") {
            "a column is written {{ name }}, or {{ row[\"Column name\"] }}"
        } else {
            "a column whose name is more than a-z, 0-9 and _ is written {{ row[\"Läkare\"] }}"
        };
        file.fault(
            &place,
            format!("template of `{}`: {detail}", self.key),
            help,
        );
    }

    /// The columns it names, each with its place; and whether it picks columns at run time.
    pub(super) fn references(&self) -> (Vec<(String, Place)>, bool) {
        let env = environment();
        let Ok(template) = env.template_from_str(&self.source) else {
            return (Vec::new(), false);
        };
        let globals: BTreeSet<&str> = env.globals().map(|(name, _)| name).collect();
        let tokens = tokens(&self.source);
        let mut found = Vec::new();
        for name in template.undeclared_variables(false) {
            if name == ROW || globals.contains(name.as_str()) {
                continue;
            }
            let place = plain_place(&tokens, &name)
                .map_or_else(|| self.place.clone(), |range| self.place.within(range));
            found.push((name, place));
        }
        let dynamic = row_references(&tokens, |name, range| {
            found.push((name.to_owned(), self.place.within(range)));
        });
        (found, dynamic)
    }
}

/// Where a variable first stands: not behind a `.` (an attribute) or a `|` (a filter).
fn plain_place(
    tokens: &[(Token<'_>, std::ops::Range<usize>)],
    name: &str,
) -> Option<std::ops::Range<usize>> {
    let behind = |i: usize| i.checked_sub(1).map(|before| &tokens[before].0);
    tokens
        .iter()
        .enumerate()
        .find(|(i, (token, _))| {
            *token == Token::Word(name) && !matches!(behind(*i), Some(Token::Other('.' | '|')))
        })
        .map(|(_, (_, range))| range.clone())
}

/// Reports each `row.name` and `row["name"]`; true where `row` is used in another way.
fn row_references(
    tokens: &[(Token<'_>, std::ops::Range<usize>)],
    mut report: impl FnMut(&str, std::ops::Range<usize>),
) -> bool {
    let mut dynamic = false;
    for (i, (token, _)) in tokens.iter().enumerate() {
        if *token != Token::Word(ROW) {
            continue;
        }
        match &tokens[i + 1..] {
            [(Token::Other('.'), _), (Token::Word(name), range), ..] => report(name, range.clone()),
            [
                (Token::Other('['), _),
                (Token::Quoted(name), range),
                (Token::Other(']'), _),
                ..,
            ] if !name.contains('\\') => {
                report(name, range.start + 1..range.end - 1);
            }
            _ => dynamic = true,
        }
    }
    dynamic
}

/// The engine without templates: the same for the check of a file and for a script.
fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_fuel(Some(FUEL));
    env.set_debug(false);
    env.remove_global("debug");
    let syntax = minijinja::syntax::SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .build()
        .expect("the delimiters are minijinja's own");
    env.set_syntax(syntax);
    env.set_formatter(|out, state, value| {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        let owned;
        let text = if let Some(text) = value.as_str() {
            text
        } else {
            owned = value.to_string();
            &owned
        };
        let guard = Guard::of_template(state.name());
        if let Some(c) = text.chars().find(|&c| guard.refuses(c)) {
            let error = Error::new(ErrorKind::InvalidOperation, "refused value");
            return Err(error.with_source(Refused { guard, c }));
        }
        out.write_str(text).map_err(Error::from)
    });
    env
}

/// The cells of one row that the templates use, as they see them.
#[derive(Debug)]
pub(super) struct Cells {
    columns: Arc<[Column]>,
    values: Vec<Option<Value>>,
    /// The column read last, and the last one found empty: whom to blame when a rendering fails.
    /// `usize::MAX` stands for none. One row is rendered by one thread; the atomics are there
    /// because the engine wants its objects `Sync`.
    read: AtomicUsize,
    blank: AtomicUsize,
}

/// A column that templates use: its name and its place in the header.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) index: usize,
}

impl Cells {
    /// The used cells of a row. A cell of white space alone counts as empty.
    pub(super) fn of<S: AsRef<str>>(columns: &Arc<[Column]>, row: &[S]) -> Arc<Self> {
        let cell = |column: &Column| {
            let text = row.get(column.index).map_or("", AsRef::as_ref);
            (!text.trim().is_empty()).then(|| Value::from(text))
        };
        Arc::new(Self {
            columns: Arc::clone(columns),
            values: columns.iter().map(cell).collect(),
            read: AtomicUsize::new(usize::MAX),
            blank: AtomicUsize::new(usize::MAX),
        })
    }

    fn find(&self, name: &str) -> Option<Value> {
        let at = self.columns.iter().position(|column| column.name == name)?;
        let value = self.values[at].clone();
        self.read.store(at, Ordering::Relaxed);
        if value.is_none() {
            self.blank.store(at, Ordering::Relaxed);
        }
        value
    }

    fn column(&self, marker: &AtomicUsize) -> Option<usize> {
        let at = marker.load(Ordering::Relaxed);
        (at < self.columns.len()).then_some(at)
    }

    /// What to tell about a row whose rendering failed.
    fn blame(&self, key: &str, error: &Error) -> RowFault {
        if let Some(refused) = refused(error) {
            let holds = |value: &Option<Value>| {
                let text = value.as_ref().and_then(|value| value.as_str());
                text.is_some_and(|text| text.contains(refused.c))
            };
            let at = self
                .column(&self.read)
                .filter(|&at| holds(&self.values[at]));
            let at = at.or_else(|| self.values.iter().position(holds));
            return self.fault(at, format!("{refused} (`{key}`)"));
        }
        match error.kind() {
            ErrorKind::UndefinedError => {
                let at = self.column(&self.blank);
                let name = at.map_or(ROW, |at| &self.columns[at].name);
                self.fault(at, format!("column `{name}` is empty, `{key}` needs it"))
            }
            ErrorKind::OutOfFuel => self.fault(None, format!("`{key}` takes too long to render")),
            kind => {
                let detail = error
                    .detail()
                    .map_or_else(|| kind.to_string(), str::to_owned);
                self.fault(self.column(&self.read), format!("`{key}`: {detail}"))
            }
        }
    }

    fn fault(&self, at: Option<usize>, reason: String) -> RowFault {
        let value = at.and_then(|at| self.values[at].as_ref());
        RowFault {
            column: at.map(|at| self.columns[at].name.clone()),
            value: value.and_then(|value| value.as_str()).map(str::to_owned),
            reason,
        }
    }
}

fn refused(error: &Error) -> Option<&Refused> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(refused) = error.downcast_ref() {
            return Some(refused);
        }
        source = error.source();
    }
    None
}

impl Object for Cells {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == ROW {
            return Some(Value::from_object(Row(Arc::clone(self))));
        }
        self.find(key)
    }
}

/// What `row` is inside a template.
#[derive(Debug)]
struct Row(Arc<Cells>);

impl Object for Row {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.find(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.find(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.0.columns.iter().map(|c| Value::from(c.name.as_str()));
        Enumerator::Values(names.collect())
    }
}

/// The compiled templates of a campaign, by the number of their text.
#[derive(Debug)]
pub(super) struct Engine {
    env: Environment<'static>,
    names: Vec<Option<String>>,
}

impl Engine {
    /// Compiles the templates among `texts`, whose syntax [`Text::check`] has already seen.
    pub(super) fn new(texts: &[Text]) -> Self {
        let mut env = environment();
        let names = texts
            .iter()
            .enumerate()
            .map(|(i, text)| {
                let name = format!("{}{i}", text.guard.letter());
                let added = text.is_template()
                    && env
                        .add_template_owned(name.clone(), text.source.clone())
                        .is_ok();
                added.then_some(name)
            })
            .collect();
        Self { env, names }
    }

    /// Whether rows change a text.
    pub(super) fn is_template(&self, id: TextId) -> bool {
        self.names[id.0].is_some()
    }

    /// The text for a row; the second is the row as [`Cells::of`] makes it, wrapped once.
    pub(super) fn render(
        &self,
        id: TextId,
        text: &Text,
        cells: &Arc<Cells>,
        root: &Value,
    ) -> Result<String, RowFault> {
        let Some(name) = &self.names[id.0] else {
            return Ok(text.source.clone());
        };
        self.env
            .get_template(name)
            .and_then(|template| template.render(root.clone()))
            .map_err(|error| cells.blame(&text.key, &error))
    }
}
