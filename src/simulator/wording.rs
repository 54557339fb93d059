//! How the methods around callouts are answered: the generations of the documents, and their mix.
//!
//! `FACTS` §12 lists where the documents disagree (rows 13, 23 to 28, 34). `new` is what the SDKs
//! read, `old` the rendered pages of seeds 003 and 004; `mixed` draws each deviation by itself.

use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::answer::{Answer, ApiError};
use super::call_id::CallId;
use super::shape::Shape;

/// How one answer is worded, drawn for it.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a deviation of its own, drawn by itself"
)]
pub(super) struct Wording {
    /// The status of a success that has nothing to tell.
    done: u16,
    /// How what is done to somebody is confirmed.
    confirms: Confirmation,
    error: ErrorForm,
    /// What support would ask for.
    reference: String,
    /// `number`, or `numberItem` with or without `method` beside it.
    pub(super) number_key: &'static str,
    pub(super) number_method: bool,
    pub(super) normalized_key: &'static str,
    pub(super) application_key: &'static str,
    /// Callback URLs stand in a list, and nothing is `{}`.
    pub(super) url_list: bool,
    pub(super) participant_id: &'static str,
    pub(super) tells_hold: bool,
    /// Timestamps have a zone.
    pub(super) zone: bool,
}

/// How a change of a call or a participant is confirmed. OAS 1.0.1 answers a leg and a participant
/// with an object, a whole call with nothing; the OAS before it has a text, and the SDKs read neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Confirmation {
    Object,
    Text,
    Nothing,
}

#[derive(Debug, Clone, Copy)]
enum ErrorForm {
    /// `errorCode` is a number.
    Number,
    /// `errorCode` is text.
    Text,
    /// The error stands in `{"response":{"error":…}}`.
    Wrapped,
    /// So it does, and its code is called `code`.
    WrappedCode,
}

impl Wording {
    pub(super) fn draw(shape: Shape, rng: &mut StdRng) -> Self {
        let reference = CallId(rng.random()).to_string();
        let new = Self {
            done: 204,
            confirms: Confirmation::Object,
            error: ErrorForm::Number,
            reference,
            number_key: "number",
            number_method: false,
            normalized_key: "normalizedNumber",
            application_key: "applicationkey",
            url_list: false,
            participant_id: "id",
            tells_hold: true,
            zone: true,
        };
        let old = || Self {
            done: 200,
            confirms: Confirmation::Text,
            error: ErrorForm::Text,
            number_key: "numberItem",
            number_method: true,
            normalized_key: "normalizednumber",
            url_list: true,
            tells_hold: false,
            ..new.clone()
        };
        match shape {
            Shape::New => new,
            Shape::Old => old(),
            Shape::Mixed => {
                let mut either = |first, second| if rng.random() { first } else { second };
                let number_key = either("number", "numberItem");
                let normalized_key = either("normalizedNumber", "normalizednumber");
                let application_key = either("applicationkey", "applicationKey");
                let participant_id = either("id", "callId");
                let errors = [
                    ErrorForm::Number,
                    ErrorForm::Text,
                    ErrorForm::Wrapped,
                    ErrorForm::WrappedCode,
                ];
                let confirmations = [
                    Confirmation::Object,
                    Confirmation::Text,
                    Confirmation::Nothing,
                ];
                Self {
                    done: if rng.random() { 204 } else { 200 },
                    confirms: confirmations[rng.random_range(0..confirmations.len())],
                    error: errors[rng.random_range(0..errors.len())],
                    number_key,
                    number_method: rng.random(),
                    normalized_key,
                    application_key,
                    url_list: rng.random(),
                    participant_id,
                    tells_hold: rng.random(),
                    zone: rng.random(),
                    ..new
                }
            }
        }
    }

    /// Done, and nothing to tell.
    pub(super) fn done(&self) -> Answer {
        Answer::empty(self.done)
    }

    /// A call was managed.
    pub(super) fn managed(&self, leg: bool) -> Answer {
        match self.confirms {
            Confirmation::Object if !leg => self.done(),
            _ => self.confirmed("200 Successful response"),
        }
    }

    /// Something was done to a participant.
    pub(super) fn commanded(&self) -> Answer {
        match self.confirms {
            Confirmation::Text => self.done(),
            _ => self.confirmed("Successful response"),
        }
    }

    /// A participant was kicked.
    pub(super) fn kicked(&self) -> Answer {
        match self.confirms {
            Confirmation::Text => self.done(),
            _ => self.confirmed("200 Successful response"),
        }
    }

    fn confirmed(&self, words: &str) -> Answer {
        match self.confirms {
            Confirmation::Object => Answer::json(200, json!({ "content": words }).to_string()),
            Confirmation::Text => Answer::new(200, "text/plain; charset=utf-8", words),
            Confirmation::Nothing => self.done(),
        }
    }

    pub(super) fn error(&self, error: &ApiError) -> Answer {
        let reference = &self.reference;
        let body = |key: &str, code: Value| json!({ key: code, "message": error.message, "reference": reference });
        let number = Value::from(error.code);
        let body = match self.error {
            ErrorForm::Number => body("errorCode", number),
            ErrorForm::Text => body("errorCode", number.to_string().into()),
            ErrorForm::Wrapped => json!({"response": {"error": body("errorCode", number)}}),
            ErrorForm::WrappedCode => json!({"response": {"error": body("code", number)}}),
        };
        Answer::json(error.status(), body.to_string())
    }
}
