//! What is asked of the platform, as a campaign says it: fixed values, and texts yet to be rendered.
//!
//! The shape of `domain::callout` with a [`TextId`] wherever a row may have a say. `callout` reads
//! these from the file, `script` renders them.

use crate::domain::{CallFlow, ConferenceDtmf, Speech};

use super::svaml_tree::Document;
use super::template::TextId;

/// What is asked of the platform, before any row.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) body: Body,
    pub(super) custom: Option<TextId>,
    pub(super) headers: Vec<(String, TextId)>,
}

/// The kinds of callout.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Tts(Tts),
    Flow(FlowForm),
    Conference(Conference),
    Custom(Custom),
}

#[derive(Debug, Clone)]
pub(super) struct Tts {
    pub(super) cli: TextId,
    pub(super) domain: Option<TextId>,
    pub(super) locale: Option<TextId>,
    pub(super) speech: Speech<TextId>,
    pub(super) dtmf: Option<TextId>,
    pub(super) enable: Enable,
}

/// A call that asks: `[callout.tts]` with a table of what happens in it.
#[derive(Debug, Clone)]
pub(super) struct FlowForm {
    pub(super) cli: TextId,
    pub(super) dtmf: Option<TextId>,
    pub(super) enable_dice: Option<bool>,
    pub(super) flow: CallFlow<TextId>,
}

#[derive(Debug, Clone)]
pub(super) struct Conference {
    pub(super) cli: TextId,
    pub(super) id: TextId,
    pub(super) domain: Option<TextId>,
    pub(super) locale: Option<TextId>,
    pub(super) greeting: Option<TextId>,
    pub(super) keys: Option<Keys>,
    pub(super) moh_class: Option<TextId>,
    pub(super) max_duration_s: Option<u32>,
    pub(super) dtmf: Option<TextId>,
    pub(super) enable: Enable,
}

/// `conference_dtmf_options`; the mode is rendered, the rest is fixed.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) mode: Option<TextId>,
    pub(super) fixed: ConferenceDtmf,
}

/// Which callbacks are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Enable {
    pub(super) ace: Option<bool>,
    pub(super) dice: Option<bool>,
    pub(super) pie: Option<bool>,
}

#[derive(Debug, Clone)]
pub(super) struct Custom {
    pub(super) cli: Option<TextId>,
    pub(super) max_duration_s: Option<u32>,
    pub(super) dtmf: Option<TextId>,
    pub(super) ice: Option<Hook>,
    pub(super) ace: Option<Hook>,
    pub(super) pie: Option<Hook>,
    pub(super) dice: Option<Hook>,
    pub(super) enable_ace: Option<bool>,
    pub(super) enable_dice: Option<bool>,
    pub(super) pop: Option<TextId>,
}

impl Custom {
    /// Whether the call is described here, number and all, so that no destination is sent.
    pub(super) fn has_inline_ice(&self) -> bool {
        matches!(self.ice, Some(Hook::Svaml(_)))
    }
}

/// How an event of a custom callout is answered.
#[derive(Debug, Clone)]
pub(super) enum Hook {
    Url(TextId),
    Svaml(Box<Document>),
}
