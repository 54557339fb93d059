//! A row as templates see it, and whom to blame when one fails.
//!
//! Only the columns that a campaign uses are copied. An empty cell is undefined; the engine's errors
//! do not say which name they are about, so reads are noted here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Enumerator, Object};
use minijinja::{Error, ErrorKind, Value};

use super::guard::Refused;
use super::row_fault::RowFault;

/// The name under which a template finds all columns: `row["Column name"]`.
pub(super) const ROW: &str = "row";

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
    pub(super) fn blame(&self, key: &str, error: &Error) -> RowFault {
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
