//! One TOML table while it is read: typed access by key, with a fault for what does not fit.
//!
//! Reading a table notes faults in the [`SourceFile`] and goes on with `None`, so that one pass
//! finds them all. Which keys a table may have is said once, in [`Table::new`].

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{listed, nearest};
use super::place::{Place, SourceFile};

/// A table of the campaign file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'s, 'f> {
    /// The file it stands in.
    pub(super) file: &'s SourceFile<'f>,
    /// How faults call it: `[callout.tts]`.
    pub(super) title: &'s str,
    entries: &'s DeTable<'s>,
    span: (usize, usize),
}

/// A string with its place.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    /// The value.
    pub(super) value: T,
    /// Where it stands.
    pub(super) place: Place,
}

impl<'s, 'f> Table<'s, 'f> {
    /// A table whose unknown keys are faults at once.
    pub(super) fn new(
        file: &'s SourceFile<'f>,
        title: &'s str,
        span: Range<usize>,
        entries: &'s DeTable<'s>,
        known: &[&str],
    ) -> Self {
        let table = Self {
            file,
            title,
            entries,
            span: (span.start, span.end),
        };
        for key in entries.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                table.unknown(key, known);
            }
        }
        table
    }

    fn unknown(&self, key: &Spanned<std::borrow::Cow<'_, str>>, known: &[&str]) {
        let name = key.get_ref();
        let help = nearest(name, known.iter().copied()).map_or_else(
            || format!("{} knows {}", self.title, listed(known.iter().copied())),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("unknown key `{name}` in {}", self.title);
        self.file.fault(&Place::of(key.span()), message, help);
    }

    /// Where the table itself stands: its header.
    pub(super) fn place(&self) -> Place {
        Place::of(self.span.0..self.span.1)
    }

    /// Where a key stands; the table's header where it is absent.
    pub(super) fn key_place(&self, name: &str) -> Place {
        self.entries
            .keys()
            .find(|key| key.get_ref() == name)
            .map_or_else(|| self.place(), |key| Place::of(key.span()))
    }

    /// Whether the key is there, whatever its value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// The entries in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'s str, &'s Spanned<DeValue<'s>>)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.get_ref().as_ref(), value))
    }

    /// The raw value under a key.
    pub(super) fn entry(&self, name: &str) -> Option<&'s Spanned<DeValue<'s>>> {
        self.entries
            .iter()
            .find(|(key, _)| key.get_ref() == name)
            .map(|(_, value)| value)
    }

    /// A table below this one, by the keys that lead to it, as it stands in the file.
    pub(super) fn below(&self, way: &[&str]) -> Option<&'s DeTable<'s>> {
        let mut table = self.entries;
        for name in way {
            let mut entries = table.iter();
            let (_, value) = entries.find(|(key, _)| key.get_ref() == *name)?;
            table = value.get_ref().as_table()?;
        }
        Some(table)
    }

    /// The fault that a required key is not there.
    pub(super) fn missing(&self, name: &str, help: &str) {
        let message = format!("{} needs `{name}`", self.title);
        self.file.fault(&self.place(), message, help);
    }

    /// A string.
    pub(super) fn string(&self, name: &str) -> Option<Placed<&'s str>> {
        let value = self.entry(name)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(name, value, "a string in quotes");
            return None;
        };
        Some(Placed {
            value: text,
            place: Place::of_string(value.span(), self.file.text, text),
        })
    }

    /// A string that must be there.
    pub(super) fn required_string(&self, name: &str, help: &str) -> Option<Placed<&'s str>> {
        if !self.has(name) {
            self.missing(name, help);
        }
        self.string(name)
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, name: &str) -> Option<bool> {
        let value = self.entry(name)?;
        let read = value.get_ref().as_bool();
        if read.is_none() {
            self.wrong_type(name, value, "`true` or `false`, without quotes");
        }
        read
    }

    /// A whole number within bounds.
    pub(super) fn integer(&self, name: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let value = self.entry(name)?;
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(name, value, "a whole number, without quotes");
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| bounds.contains(number));
        if number.is_none() {
            let help = if *bounds.end() == u32::MAX {
                format!("a whole number from {}", bounds.start())
            } else {
                format!("a whole number from {} to {}", bounds.start(), bounds.end())
            };
            let message = format!("`{name}` is out of range");
            self.file.fault(&Place::of(value.span()), message, help);
        }
        number
    }

    /// A number, whole or not.
    pub(super) fn number(&self, name: &str) -> Option<Placed<f64>> {
        let value = self.entry(name)?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
                .ok()
                .and_then(|whole| whole.to_string().parse().ok()),
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => {
                self.wrong_type(name, value, "a number, without quotes");
                return None;
            }
        };
        // An integer beyond i64 is out of every range we have.
        Some(Placed {
            value: number.unwrap_or(f64::INFINITY),
            place: Place::of(value.span()),
        })
    }

    /// A table below this one.
    pub(super) fn table(&self, name: &str, title: &'s str, known: &[&str]) -> Option<Self> {
        let value = self.entry(name)?;
        let DeValue::Table(entries) = value.get_ref() else {
            self.wrong_type(name, value, &format!("a table: {title}"));
            return None;
        };
        Some(Self::new(self.file, title, value.span(), entries, known))
    }

    /// The fault that a value has the wrong type.
    pub(super) fn wrong_type(&self, name: &str, value: &Spanned<DeValue<'_>>, right: &str) {
        let message = format!("`{name}` is {}", type_name(value.get_ref()));
        let help = format!("`{name}` must be {right}");
        self.file.fault(&Place::of(value.span()), message, help);
    }
}

/// What a value is, in words for a message.
pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
