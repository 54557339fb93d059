//! From a row to a callout: a campaign bound to the header of a list.
//!
//! [`Campaign::bind`] checks every column that the campaign names and compiles its templates;
//! [`Script::callout`] then renders one row after another, on any thread. Everything the platform
//! would refuse is refused here, as a [`RowFault`], before anything is dialled.

use std::path::Path;
use std::sync::Arc;

use minijinja::Value;

use crate::domain::{
    CallFlow, Callout, CalloutBody, ConferenceCallout, ConferenceDtmf, CustomCallout, Destination,
    DestinationKind, FlowCallout, HttpHeader, Speech, TtsCallout,
};

use super::cells::{Cells, Column};
use super::definition::Campaign;
use super::fault::{Fault, Faults, listed, nearest};
use super::form::{Body, Conference, Custom, FlowForm, Form, Hook, Tts};
use super::limits::{Problem, Rule, e164};
use super::place::{Place, SourceFile};
use super::row_fault::RowFault;
use super::svaml_tree::Document;
use super::template::{Templates, Text, TextId};

/// Most columns that a help text lists.
const COLUMNS_LISTED_MAX: usize = 20;

/// A campaign bound to a header; a clone shares everything.
#[derive(Debug, Clone)]
pub struct Script(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    form: Form,
    texts: Vec<Text>,
    templates: Templates,
    columns: Arc<[Column]>,
    /// Where the row's number stands, as the list writes it.
    number: usize,
    /// Seconds after which the platform is to end a call, where it can.
    longest_call_s: Option<u32>,
}

impl Campaign {
    /// Binds the campaign to the header of the list at `list`; every column that is named and not
    /// there is a fault in the campaign file.
    pub fn bind(&self, header: &[String], list: &Path) -> Result<Script, Faults> {
        let file = SourceFile::new(&self.source, &self.path);
        let missing = |name: &str, place: &Place| -> Option<Fault> {
            let there = header.iter().any(|column| column == name);
            (!there).then(|| missing_column(&file, name, place, header, list))
        };
        let mut faults: Vec<Fault> = self
            .columns
            .iter()
            .filter_map(|column| missing(&column.value, &column.place))
            .collect();
        let (mut used, mut all) = (Vec::new(), false);
        for text in self.texts.iter().filter(|text| text.is_template()) {
            let (references, dynamic) = text.references();
            all |= dynamic;
            for (name, place) in references {
                faults.extend(missing(&name, &place));
                used.push(name);
            }
        }
        if let Some(faults) = Faults::collect(faults) {
            return Err(faults);
        }
        let columns = header
            .iter()
            .enumerate()
            .filter(|(_, name)| all || used.contains(name))
            .map(|(index, name)| Column {
                name: name.clone(),
                index,
            })
            .collect();
        let number = header
            .iter()
            .position(|name| *name == self.recipients.number);
        Ok(Script(Arc::new(Inner {
            form: self.form.clone(),
            templates: Templates::new(&self.texts),
            texts: self.texts.clone(),
            columns,
            number: number.unwrap_or(usize::MAX),
            longest_call_s: self.spend.as_ref().and_then(|spend| spend.longest_call_s),
        })))
    }
}

fn missing_column(
    file: &SourceFile<'_>,
    name: &str,
    place: &Place,
    header: &[String],
    list: &Path,
) -> Fault {
    let near = nearest(name, header.iter().map(String::as_str));
    let shown = header.iter().map(String::as_str).take(COLUMNS_LISTED_MAX);
    let more = if header.len() > COLUMNS_LISTED_MAX {
        ", …"
    } else {
        ""
    };
    let has = format!("the list has {}{more}", listed(shown));
    let help = near.map_or_else(
        || has.clone(),
        |near| format!("did you mean `{near}`? {has}"),
    );
    let message = format!("`{}` has no column `{name}`", list.display());
    file.at(place, message, help)
}

impl Script {
    /// The columns that its texts use: their names, and where they stand in the header.
    pub fn columns(&self) -> impl Iterator<Item = (&str, usize)> {
        let columns = self.0.columns.iter();
        columns.map(|column| (column.name.as_str(), column.index))
    }

    /// The callout for one row; `cells` are in the order of the header.
    pub fn callout<S: AsRef<str>>(
        &self,
        destination: &Destination,
        cells: &[S],
    ) -> Result<Callout, RowFault> {
        self.rendering(destination, cells).callout()
    }

    /// What happens in the call of one row, for whoever answers while it goes on; none where it asks nothing.
    pub fn flow<S: AsRef<str>>(
        &self,
        destination: &Destination,
        cells: &[S],
    ) -> Result<Option<FlowCallout>, RowFault> {
        match &self.0.form.body {
            Body::Flow(form) => self.rendering(destination, cells).flow(form).map(Some),
            Body::Tts(_) | Body::Conference(_) | Body::Custom(_) => Ok(None),
        }
    }

    fn rendering<'a, S: AsRef<str>>(
        &'a self,
        destination: &'a Destination,
        cells: &'a [S],
    ) -> Rendering<'a> {
        let inner = &*self.0;
        let row = Cells::of(&inner.columns, cells);
        Rendering {
            inner,
            destination,
            raw_number: cells.get(inner.number).map_or("", AsRef::as_ref),
            root: Value::from_dyn_object(Arc::clone(&row)),
            row,
        }
    }
}

/// Checks a rendered text against its rule.
fn check(text: &Text, value: &str) -> Result<(), RowFault> {
    let fault = |problem: Problem| RowFault {
        column: None,
        value: None,
        reason: problem.message,
    };
    text.rule.check(&text.key, value).map_err(fault)
}

/// One row while it is rendered.
struct Rendering<'a> {
    inner: &'a Inner,
    destination: &'a Destination,
    raw_number: &'a str,
    row: Arc<Cells>,
    root: Value,
}

impl Rendering<'_> {
    fn callout(&self) -> Result<Callout, RowFault> {
        let form = &self.inner.form;
        let body = match &form.body {
            Body::Tts(tts) => CalloutBody::Tts(self.tts(tts)?),
            Body::Flow(form) => CalloutBody::Flow(self.flow(form)?),
            Body::Conference(conference) => CalloutBody::Conference(self.conference(conference)?),
            Body::Custom(custom) => CalloutBody::Custom(self.custom(custom)?),
        };
        let header = |(name, id): &(String, TextId)| {
            let name = name.clone();
            self.text(*id).map(|value| HttpHeader { name, value })
        };
        let mut callout = Callout {
            body,
            custom: self.optional(form.custom)?,
            headers: form.headers.iter().map(header).collect::<Result<_, _>>()?,
        };
        if let Some(longest_s) = self.inner.longest_call_s {
            callout.end_after(longest_s);
        }
        Ok(callout)
    }

    /// A text of this row, checked against its rule.
    fn text(&self, id: TextId) -> Result<String, RowFault> {
        let text = &self.inner.texts[id.0];
        let value = self
            .inner
            .templates
            .render(id, text, &self.row, &self.root)?;
        if self.inner.templates.is_template(id) {
            check(text, &value)?;
        }
        Ok(value)
    }

    fn optional(&self, id: Option<TextId>) -> Result<Option<String>, RowFault> {
        id.map(|id| self.text(id)).transpose()
    }

    fn tts(&self, tts: &Tts) -> Result<TtsCallout, RowFault> {
        let (text, prompts) = match &tts.speech {
            Speech::Text(id) => (Some(self.text(*id)?), None),
            Speech::Prompts(ids) => (None, Some(self.prompts(ids)?)),
        };
        Ok(TtsCallout {
            cli: self.text(tts.cli)?,
            destination: self.destination.clone(),
            domain: self.optional(tts.domain)?,
            locale: self.optional(tts.locale)?,
            text,
            prompts,
            dtmf: self.optional(tts.dtmf)?,
            enable_ace: tts.enable.ace,
            enable_dice: tts.enable.dice,
            enable_pie: tts.enable.pie,
        })
    }

    /// A call that asks. Whatever a row may change is text; what follows on what is the same for all.
    fn flow(&self, form: &FlowForm) -> Result<FlowCallout, RowFault> {
        let greeting = match &form.flow.greeting {
            Speech::Text(id) => Speech::Text(self.text(*id)?),
            Speech::Prompts(ids) => Speech::Prompts(self.prompt_items(ids)?),
        };
        let without = CallFlow {
            greeting: Speech::Prompts(Vec::new()),
            ..form.flow.clone()
        };
        let rendered = without.try_map(|id| {
            let value = self.text(*id)?;
            let connects = self.inner.texts[id.0].rule == Rule::Connect;
            Ok(if connects { e164(&value) } else { value })
        })?;
        let cli = self.text(form.cli)?;
        let flow = CallFlow {
            greeting,
            ..rendered
        };
        Ok(FlowCallout {
            dtmf: self.optional(form.dtmf)?,
            enable_dice: form.enable_dice,
            ..FlowCallout::new(cli, self.destination.clone(), flow)
        })
    }

    fn prompts(&self, ids: &[TextId]) -> Result<String, RowFault> {
        Ok(self.prompt_items(ids)?.join(";"))
    }

    /// The prompts of this row. An item that a condition leaves out is left out.
    fn prompt_items(&self, ids: &[TextId]) -> Result<Vec<String>, RowFault> {
        let mut items = Vec::with_capacity(ids.len());
        for &id in ids {
            let text = &self.inner.texts[id.0];
            let item = self
                .inner
                .templates
                .render(id, text, &self.row, &self.root)?;
            if text.source.contains("{%") && item.trim().is_empty() {
                continue;
            }
            check(text, &item)?;
            items.push(item.trim().to_owned());
        }
        if items.is_empty() {
            return Err(RowFault {
                column: None,
                value: None,
                reason: "`prompts` has nothing left to play".to_owned(),
            });
        }
        Ok(items)
    }

    fn conference(&self, form: &Conference) -> Result<ConferenceCallout, RowFault> {
        let keys = form.keys.as_ref().map(|keys| -> Result<_, RowFault> {
            Ok(ConferenceDtmf {
                mode: self.optional(keys.mode)?,
                ..keys.fixed.clone()
            })
        });
        Ok(ConferenceCallout {
            cli: self.text(form.cli)?,
            destination: self.destination.clone(),
            conference_id: self.text(form.id)?,
            domain: self.optional(form.domain)?,
            locale: self.optional(form.locale)?,
            greeting: self.optional(form.greeting)?,
            conference_dtmf_options: keys.transpose()?,
            moh_class: self.optional(form.moh_class)?,
            max_duration_s: form.max_duration_s,
            dtmf: self.optional(form.dtmf)?,
            enable_ace: form.enable.ace,
            enable_dice: form.enable.dice,
            enable_pie: form.enable.pie,
        })
    }

    fn custom(&self, form: &Custom) -> Result<CustomCallout, RowFault> {
        let destination = (!form.has_inline_ice()).then(|| self.destination.clone());
        Ok(CustomCallout {
            cli: self.optional(form.cli)?,
            destination,
            max_duration_s: form.max_duration_s,
            dtmf: self.optional(form.dtmf)?,
            ice: self.hook(form.ice.as_ref())?,
            ace: self.hook(form.ace.as_ref())?,
            pie: self.hook(form.pie.as_ref())?,
            dice: self.hook(form.dice.as_ref())?,
            enable_ace: form.enable_ace,
            enable_dice: form.enable_dice,
            pop: self.optional(form.pop)?,
        })
    }

    fn hook(&self, hook: Option<&Hook>) -> Result<Option<String>, RowFault> {
        match hook {
            None => Ok(None),
            Some(Hook::Url(id)) => self.text(*id).map(Some),
            Some(Hook::Svaml(document)) => self.svaml(document).map(Some),
        }
    }

    fn svaml(&self, document: &Document) -> Result<String, RowFault> {
        let leaf = |id: &TextId| {
            let value = self.text(*id)?;
            if self.inner.texts[id.0].rule == Rule::OwnNumber {
                return self.own_number(&value);
            }
            Ok(value)
        };
        let texts: Vec<String> = document.leaves.iter().map(leaf).collect::<Result<_, _>>()?;
        Ok(document.json(&texts))
    }

    /// The row's own number in E.164, where `value` is a spelling of it: the cell as the list has
    /// it, or the same digits. Anything else would ring another phone than the one reported.
    fn own_number(&self, value: &str) -> Result<String, RowFault> {
        let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
        let punctuation = |c: char| c.is_ascii_digit() || "+-(). ".contains(c);
        let (given, own) = (value.trim(), &self.destination.endpoint);
        let spelled = given.chars().all(punctuation) && digits(given) == digits(own);
        let own_cell = !given.is_empty() && given == self.raw_number.trim();
        if self.destination.kind == DestinationKind::Number && (spelled || own_cell) {
            return Ok(own.clone());
        }
        Err(RowFault {
            column: None,
            value: Some(given.to_owned()),
            reason: "`ice` would connect to another number than the row's own".to_owned(),
        })
    }
}
