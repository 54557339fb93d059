//! The commands that use the rest of the Calling API by hand: one file a group of methods.
//!
//! [`Desk`] is what they share: the client, `--dry-run`, `--json`, and the question before what cannot
//! be taken back.

mod call;
mod callback;
mod conference;
mod lookup;
mod number;
mod place;
mod recording;

use serde_json::{Value, json};

use super::args::{ApiArgs, Command, Global, SureArgs};
use super::exit::{self, Exit, Failure};
use crate::app::{App, Error};
use crate::domain::CallId;
use crate::output;
use crate::sinch::problem::ApiError;
use crate::sinch::{ApiMethod, Client, Preview};

/// Carries out a command of the API; others are none of its business.
pub(super) async fn dispatch(
    command: Command,
    global: &Global,
    app: &App,
) -> Result<Exit, Failure> {
    match command {
        Command::Lookup(args) => lookup::lookup(&args, app).await,
        Command::Number(command) => number::number(command, app).await,
        Command::Callback(command) => callback::callback(command, app).await,
        Command::Call(command) => call::call(command, global, app).await,
        Command::Conference(command) => conference::conference(command, app).await,
        Command::Recording(command) => recording::recording(command, app).await,
        _ => Err(Failure::failed("not a command of the API")),
    }
}

/// Where requests by hand are made.
struct Desk {
    client: Client,
    api: ApiArgs,
}

impl Desk {
    fn open(api: ApiArgs, app: &App) -> Result<Self, Failure> {
        let client = app.client()?;
        Ok(Self { client, api })
    }

    /// Asks for facts; none with `--dry-run`, which prints the request instead.
    async fn ask<M: ApiMethod>(&self, method: &M) -> Result<Option<M::Answer>, Failure> {
        if self.api.dry_run {
            self.preview(method)?;
            return Ok(None);
        }
        Ok(Some(self.client.send(method).await?))
    }

    /// Changes something, and says what was done. `look` is the command that shows it, for when no
    /// answer came.
    async fn change<M: ApiMethod<Answer = ()>>(
        &self,
        method: &M,
        done: &str,
        look: &str,
    ) -> Result<Exit, Failure> {
        if self.api.dry_run {
            self.preview(method)?;
            return Ok(Exit::Done);
        }
        match self.client.send(method).await {
            Ok(()) => {
                if self.api.json {
                    output::say_json(&json!({ "done": done }));
                } else {
                    output::say(done);
                }
                Ok(Exit::Done)
            }
            Err(error @ (ApiError::Lost { .. } | ApiError::Unreadable { .. })) => {
                Err(Failure::failed(format!(
                    "{error}\nIt may have been done all the same: `{look}` shows it."
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn preview(&self, method: &impl ApiMethod) -> Result<(), Failure> {
        show(self.api, &self.client.preview(method)?);
        Ok(())
    }

    /// Prints facts: a text for people, or JSON.
    fn say(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        if self.api.json {
            output::say_json(&json());
        } else {
            output::say(&text());
        }
    }
}

/// Prints what would be sent.
fn show(api: ApiArgs, preview: &Preview) {
    if api.json {
        output::say_json(&serde_json::to_value(preview).unwrap_or_default());
    } else {
        output::say(&preview.to_string());
    }
}

/// Asks before what cannot be taken back, unless `--yes` was said or nothing is sent anyway.
fn sure(args: SureArgs, question: &str) -> Result<(), Failure> {
    if args.yes || args.api.dry_run {
        return Ok(());
    }
    exit::sure(question, "nothing was done")
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Error::from(error).into()
    }
}

fn call_id(text: &str) -> Result<CallId, Failure> {
    CallId::new(text).ok_or_else(|| {
        Failure::usage("that is no call's id: `call place` and results.csv (call_id) have them")
    })
}

/// What stands for a fact that the platform did not give.
fn or_dash(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}

fn yes_no(flag: Option<bool>) -> &'static str {
    match flag {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    }
}
