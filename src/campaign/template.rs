//! Templates: a text of the campaign file that may use the row's columns, and the engine behind it.
//!
//! An empty cell is *undefined*, so that `{{ name }}` refuses a row that has no name while
//! `{{ name | default("you") }}` and `{% if name %}` work. What a cell may bring into a text is
//! limited by a [`Guard`]; the engine applies it to every value that is written, not to the
//! template's own words. There is no loader, no include and no macro; what a rendering may handle is
//! bounded by `program` and `bounds`.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::bounds;
use super::cells::{Cells, ROW};
use super::fault::{listed, nearest};
use super::guard::{Guard, Refused};
use super::limits::{Problem, Rule};
use super::place::{Place, SourceFile};
use super::program::{Program, Used};
use super::row_fault::RowFault;
use super::tokens::{Token, is_template, tokens};

/// Most words, strings and signs in the code of one template; what is nested is compiled by recursion.
const TOKENS_MAX: usize = 2_000;

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
            self.check_template(file);
        } else if let Err(Problem { message, help }) = self.rule.check(&self.key, &self.source) {
            file.fault(&self.place, message, help);
        } else if self.rule == Rule::Locale
            && let Some(help) = super::locale::doubt(&self.source)
        {
            let message = format!("no document of the platform names `{}`", self.source);
            file.warn(&self.place, message, help);
        }
    }

    /// Compiles the template and renders it for a trial row, where a name that the engine does not know
    /// shows at its place rather than in every row of the list.
    fn check_template(&self, file: &SourceFile<'_>) {
        if file.is_new() && tokens(&self.source).len() > TOKENS_MAX {
            let message = format!("template of `{}` is too long", self.key);
            let help = format!("its code may have {TOKENS_MAX} words and signs");
            file.fault(&self.place, message, help);
            return;
        }
        let program = match self.program() {
            Ok(program) => program,
            Err(error) if file.is_new() => return self.syntax_fault(file, &error),
            // It compiled once, and is refused for what it would make: so are its rows, one by one.
            Err(_) => return,
        };
        if file.is_new() && self.refuse_unknown(file, &program) {
            return;
        }
        let env = environment(program.fuel());
        let Ok(template) = env.template_from_str(&self.source) else {
            return;
        };
        let names = template.undeclared_variables(false);
        let row = names.iter().map(|name| (name.clone(), TRIAL));
        if let Err(error) = program.render(&env, Value::from_pairs(row))
            && unknown_name(error.kind())
        {
            self.syntax_fault(file, &error);
        }
    }

    fn program(&self) -> Result<Program, Error> {
        let name = format!("{}{}", self.guard.letter(), self.key);
        Program::compile(name, self.source.clone(), &syntax())
    }

    /// Notes the filters and functions that no campaign may use; true where there are any.
    fn refuse_unknown(&self, file: &SourceFile<'_>, program: &Program) -> bool {
        let mut refused = BTreeSet::new();
        for used in program.uses() {
            match used {
                Used::Filter(name) if !bounds::filters().any(|known| known == name) => {
                    refused.insert(("filter", name));
                }
                Used::Function(name) if bounds::is_withdrawn_function(name) => {
                    refused.insert(("function", name));
                }
                Used::Filter(_) | Used::Function(_) => {}
            }
        }
        let tokens = tokens(&self.source);
        for (what, name) in &refused {
            let at = tokens.iter().find(|(token, _)| *token == Token::Word(name));
            let place = at.map_or_else(
                || self.place.clone(),
                |(_, range)| self.place.within(range.clone()),
            );
            let help = match (*what, nearest(name, bounds::filters())) {
                ("filter", Some(near)) => format!("did you mean `{near}`?"),
                ("filter", None) => format!("filters are {}", listed(bounds::filters())),
                _ => "a text is put together without it".to_owned(),
            };
            let message = format!("template of `{}`: {what} {name} is unknown", self.key);
            file.fault(&place, message, help);
        }
        !refused.is_empty()
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
        let Ok(program) = self.program() else {
            return (Vec::new(), false);
        };
        let env = environment(0);
        let Ok(template) = env.template_from_str(&self.source) else {
            return (Vec::new(), false);
        };
        let globals: BTreeSet<&str> = env.globals().map(|(name, _)| name).collect();
        let tokens = tokens(&self.source);
        let mut found = Vec::new();
        let mut names: BTreeSet<String> =
            template.undeclared_variables(false).into_iter().collect();
        names.extend(program.variables().into_iter().map(str::to_owned));
        for name in names {
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

/// How templates are written.
fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .build()
        .expect("the delimiters are minijinja's own")
}

/// The engine without templates: the same for the check of a file and for a script.
fn environment(fuel: u64) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_fuel(Some(fuel));
    env.set_debug(false);
    env.set_syntax(syntax());
    bounds::install(&mut env);
    env.set_formatter(|out, state, value| {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        bounds::charge(state, bounds::weigh(value)?)?;
        let owned;
        let text = if let Some(text) = value.as_str() {
            text
        } else {
            owned = value.to_string();
            bounds::charge(state, owned.len())?;
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
pub(super) struct Templates {
    env: Environment<'static>,
    texts: Vec<Ready>,
}

/// A text that is ready to be rendered.
#[derive(Debug)]
enum Ready {
    Literal,
    Template(Program),
    /// It was accepted once, and does not compile any more: no row can have it.
    Broken(Error),
}

impl Templates {
    /// Compiles the templates among `texts`, whose syntax [`Text::check`] has already seen.
    pub(super) fn new(texts: &[Text]) -> Self {
        let ready = |text: &Text| match text.is_template().then(|| text.program()) {
            None => Ready::Literal,
            Some(Ok(program)) => Ready::Template(program),
            Some(Err(error)) => Ready::Broken(error),
        };
        let texts: Vec<Ready> = texts.iter().map(ready).collect();
        let fuel = texts.iter().filter_map(|text| match text {
            Ready::Template(program) => Some(program.fuel()),
            Ready::Literal | Ready::Broken(_) => None,
        });
        Self {
            env: environment(fuel.min().unwrap_or(0)),
            texts,
        }
    }

    /// Whether rows change a text.
    pub(super) fn is_template(&self, id: TextId) -> bool {
        !matches!(self.texts[id.0], Ready::Literal)
    }

    /// The text for a row; the second is the row as [`Cells::of`] makes it, wrapped once.
    pub(super) fn render(
        &self,
        id: TextId,
        text: &Text,
        cells: &Arc<Cells>,
        root: &Value,
    ) -> Result<String, RowFault> {
        match &self.texts[id.0] {
            Ready::Literal => Ok(text.source.clone()),
            Ready::Template(program) => program
                .render(&self.env, root.clone())
                .map_err(|error| cells.blame(&text.key, &error)),
            Ready::Broken(error) => Err(cells.blame(&text.key, error)),
        }
    }
}
