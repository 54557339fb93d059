//! What a cell may bring into a text: nothing that would change the text around it.
//!
//! The engine asks the guard of a template for every value that is written into it, whatever
//! filters it went through. The template's own words are the author's and are not asked about.

use std::fmt;

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
    pub(super) fn letter(self) -> char {
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

    /// The guard a template's name carries.
    pub(super) fn of_template(name: &str) -> Self {
        let letter = name.chars().next();
        Self::ALL
            .into_iter()
            .find(|guard| Some(guard.letter()) == letter)
            // The strictest one, should a template ever be named otherwise.
            .unwrap_or(Self::Markup {
                single_quotes: true,
            })
    }

    /// Whether a value with this character is refused.
    pub(super) fn refuses(self, c: char) -> bool {
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
pub(super) struct Refused {
    pub(super) guard: Guard,
    pub(super) c: char,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.guard.reason(self.c))
    }
}

impl std::error::Error for Refused {}
