//! Templates: a text of the campaign file that may use the row's columns, and the engine behind it.
//!
//! An empty cell is *undefined*, so that `{{ name }}` refuses a row that has no name while
//! `{{ name | default("you") }}` and `{% if name %}` work. What a cell may bring into a text is
//! limited by a [`Guard`]; the engine applies it to every value that is written, not to the
//! template's own words. There is no loader, no include, no macro, and a bound on the work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::cells::Cells;
use super::guard::{Guard, Refused};
use super::limits::{Problem, Rule};
use super::place::{Place, SourceFile};
use super::script::RowFault;
use super::tokens::{Token, is_template, tokens};

/// Instructions one rendering may take: hundreds of times what a call's text needs, and still
/// under a millisecond.
const FUEL: u64 = 20_000;

/// The name under which a template finds all columns: `row["Column name"]`.
pub(super) const ROW: &str = "row";
/// What every column of the trial row holds.
const TRIAL: &str = "1";

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
            match env.template_from_str(&self.source) {
                Err(error) => self.syntax_fault(file, &error),
                Ok(template) => {
                    // A name that the engine does not know shows only when it is used: a trial row
                    // shows it here, at its place, rather than in every row of the list.
                    let names = template.undeclared_variables(false);
                    let row: BTreeMap<&str, &str> =
                        names.iter().map(|name| (name.as_str(), TRIAL)).collect();
                    if let Err(error) = template.render(row)
                        && unknown_name(error.kind())
                    {
                        self.syntax_fault(file, &error);
                    }
                }
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
            "a column is written {{ name }}, or {{ row['Column name'] }}; filters are those of Jinja"
        } else {
            "a column whose name is more than a-z, 0-9 and _ is written {{ row['Läkare'] }}"
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

/// Whether an error is the template's own, whatever the row.
fn unknown_name(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod
    )
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
