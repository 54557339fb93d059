//! `callout callback get|set`.

use serde_json::json;

use super::{App, Desk, Exit, Failure};
use crate::app::by_hand::name;
use crate::app::receive::{CallbackUrl, masked};
use crate::cli::args::{CallbackCommand, CallbackSetArgs};
use crate::cli::exit;
use crate::output;
use crate::sinch::callback_urls::{CallbackUrls, GetCallbackUrls, SetCallbackUrls};
use crate::store::Access;

pub(super) async fn callback(command: CallbackCommand, app: &App) -> Result<Exit, Failure> {
    match command {
        CallbackCommand::Get(args) => {
            if args.show {
                return show(app, args.api.json).await;
            }
            let desk = Desk::open(args.api, app)?;
            let method = GetCallbackUrls {
                application_key: key(args.application, &desk)?,
            };
            if let Some(urls) = desk.ask(&method).await? {
                desk.say(
                    || text(&urls),
                    || {
                        let shown = |url: Option<&str>| url.map(masked);
                        json!({ "primary": shown(urls.primary.as_deref()), "fallback": shown(urls.fallback.as_deref()) })
                    },
                );
            }
            Ok(Exit::Done)
        }
        CallbackCommand::Set(args) => set(args, app).await,
    }
}

/// Prints this database's own URL, secret and all.
async fn show(app: &App, as_json: bool) -> Result<Exit, Failure> {
    let url = ours(app, false).await?.shown();
    if as_json {
        output::say_json(&json!({ "url": url }));
    } else {
        output::say(&url);
    }
    Ok(Exit::Done)
}

/// Where the platform is to call back for this database, with another secret where `new` says so.
async fn ours(app: &App, new: bool) -> Result<CallbackUrl, Failure> {
    let store = app.open(Access::BesideOrNew).await?;
    if new {
        app.renew_callback_secret(store.as_ref()).await?;
    }
    let url = app.callback_url(store.as_ref()).await?;
    url.ok_or_else(|| {
        Failure::usage("say --public-url: the address by which the platform reaches us")
    })
}

/// Has the application's callbacks go elsewhere, once somebody has seen what that replaces.
async fn set(args: CallbackSetArgs, app: &App) -> Result<Exit, Failure> {
    let desk = Desk::open(args.api, app)?;
    let application_key = key(args.application, &desk)?;
    let theirs = args.primary.as_deref().map(url).transpose()?;
    let fallback = args.fallback.as_deref().map(url).transpose()?;
    let dry_run = args.api.dry_run;
    if !dry_run {
        replaces(&desk, &application_key, theirs.as_deref(), args.yes).await?;
    }
    let (primary, shown) = if let Some(url) = theirs {
        let shown = masked(&url);
        (url, shown)
    } else {
        let ours = ours(app, args.new && !dry_run).await?;
        let shown = ours.masked();
        (if dry_run { ours.masked() } else { ours.shown() }, shown)
    };
    let done = format!("callbacks of application {application_key} go to {shown}");
    let urls = CallbackUrls {
        primary: Some(primary),
        fallback,
    };
    let method = SetCallbackUrls {
        application_key,
        urls,
    };
    desk.change(&method, &done, "callout callback get").await
}

/// Shows what is replaced, and asks. `theirs` is what replaces it; none for this database's own URL.
async fn replaces(
    desk: &Desk,
    application_key: &str,
    theirs: Option<&str>,
    yes: bool,
) -> Result<(), Failure> {
    let asked = GetCallbackUrls {
        application_key: application_key.to_owned(),
    };
    let now = desk.client.send(&asked).await?;
    if theirs.is_some() && (now.primary.is_none() || now.primary.as_deref() == theirs) {
        return Ok(());
    }
    let (end, whither) = match theirs {
        None => (
            " Calls to the application's own numbers will end at once: nobody here answers them",
            "to this database",
        ),
        Some(_) => ("", "there"),
    };
    output::tell(&format!(
        "application {application_key} has now:\n{}\nThis replaces it.{end}",
        text(&now)
    ));
    if yes {
        return Ok(());
    }
    let question = format!("Have its callbacks go {whither}?");
    exit::sure(&question, "nothing was changed")
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
            output::printable(&masked(super::or_dash(primary.as_deref()))),
            output::printable(&masked(super::or_dash(fallback.as_deref())))
        ),
    }
}
