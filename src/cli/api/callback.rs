//! `callout callback get|set`.

use serde_json::json;

use super::{App, Desk, Exit, Failure};
use crate::app::by_hand::name;
use crate::cli::args::CallbackCommand;
use crate::output;
use crate::sinch::callback_urls::{CallbackUrls, GetCallbackUrls, SetCallbackUrls};

pub(super) async fn callback(command: CallbackCommand, app: &App) -> Result<Exit, Failure> {
    match command {
        CallbackCommand::Get(args) => {
            let desk = Desk::open(args.api, app)?;
            let method = GetCallbackUrls {
                application_key: key(args.application, &desk)?,
            };
            if let Some(urls) = desk.ask(&method).await? {
                desk.say(
                    || text(&urls),
                    || json!({ "primary": urls.primary, "fallback": urls.fallback }),
                );
            }
            Ok(Exit::Done)
        }
        CallbackCommand::Set(args) => {
            let desk = Desk::open(args.api, app)?;
            let fallback = args.fallback.as_deref().map(url).transpose()?;
            let method = SetCallbackUrls {
                application_key: key(args.application, &desk)?,
                urls: CallbackUrls {
                    primary: Some(url(&args.primary)?),
                    fallback,
                },
            };
            let done = format!(
                "callbacks of application {} go to {}",
                method.application_key, args.primary
            );
            desk.change(&method, &done, "callout callback get").await
        }
    }
}

fn key(given: Option<String>, desk: &Desk) -> Result<String, Failure> {
    match given {
        Some(key) => Ok(name(&key, "an application's key")?),
        None => Ok(desk.client.application_key().to_owned()),
    }
}

fn url(text: &str) -> Result<String, Failure> {
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.to_owned())
        }
        _ => Err(Failure::usage(format!(
            "`{text}` is no address that the platform could call: give the whole URL, such as \
             https://example.com/callbacks"
        ))),
    }
}

fn text(urls: &CallbackUrls) -> String {
    match (&urls.primary, &urls.fallback) {
        (None, None) => "no callback URL is set: the platform calls nobody back".into(),
        (primary, fallback) => format!(
            "primary   {}\nfallback  {}",
            output::printable(super::or_dash(primary.as_deref())),
            output::printable(super::or_dash(fallback.as_deref()))
        ),
    }
}
