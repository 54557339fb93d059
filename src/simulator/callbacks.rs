//! Where an application is called back. The URLs are kept and told here; `events` says when they are called.
//!
//! Seed 004, "Get Callback URLs" and "Update Callback URLs"; the other seeds have the same.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::ApiError;
use super::fields::Fields;
use super::numbers::Holder;
use super::requests::Notes;
use super::wording::Wording;

/// The URLs of each application that has any.
#[derive(Debug, Default)]
pub(super) struct Callbacks(HashMap<Holder, Urls>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Urls {
    primary: Option<Arc<str>>,
    fallback: Option<Arc<str>>,
}

impl Callbacks {
    /// Those of an account where the application that signs has this URL, or none.
    pub(super) fn new(ours: Option<&str>) -> Self {
        let urls = |url: &str| Urls {
            primary: Some(url.into()),
            fallback: None,
        };
        Self(
            ours.map(|url| (Holder::Ours, urls(url)))
                .into_iter()
                .collect(),
        )
    }

    /// Where the application that signs is called back: the fallback where there is nothing else.
    pub(super) fn url(&self) -> Option<&Arc<str>> {
        let urls = self.0.get(&Holder::Ours)?;
        urls.primary.as_ref().or(urls.fallback.as_ref())
    }

    /// `GET /v1/configuration/callbacks/applications/{applicationkey}`.
    pub(super) fn get(&self, application: &Holder, wording: &Wording) -> Value {
        let Some(urls) = self.0.get(application) else {
            return if wording.url_list {
                json!({})
            } else {
                json!({ "url": {} })
            };
        };
        let mut told = Map::new();
        for (name, url) in [("primary", &urls.primary), ("fallback", &urls.fallback)] {
            if let Some(url) = url {
                told.insert(name.to_owned(), (**url).into());
            }
        }
        if wording.url_list {
            json!({ "url": [told] })
        } else {
            json!({ "url": told })
        }
    }

    /// `POST` there: both URLs are replaced, and one that is not sent is gone.
    pub(super) fn set(
        &mut self,
        application: Holder,
        body: &Map<String, Value>,
        notes: &mut Notes,
    ) -> Result<(), ApiError> {
        notes.strays(body, &["url"]);
        let urls = match body.get("url") {
            Some(Value::Object(urls)) => read(urls, notes)?,
            Some(Value::Array(list)) => {
                notes.add("`url` is a list, not an object");
                match list.as_slice() {
                    [] => Urls::default(),
                    [Value::Object(urls)] => read(urls, notes)?,
                    _ => return Err(ApiError::illegal("url")),
                }
            }
            None | Some(Value::Null) => {
                notes.add("there is no `url`");
                Urls::default()
            }
            Some(_) => return Err(ApiError::illegal("url")),
        };
        if urls == Urls::default() {
            self.0.remove(&application);
        } else {
            self.0.insert(application, urls);
        }
        Ok(())
    }
}

fn read(urls: &Map<String, Value>, notes: &mut Notes) -> Result<Urls, ApiError> {
    notes.strays(urls, &["primary", "fallback"]);
    let url = |name: &str| match Fields(urls).text(name)? {
        None | Some("") => Ok(None),
        Some(url) if is_url(url) => Ok(Some(url.into())),
        Some(_) => Err(ApiError::illegal(&format!("url.{name}"))),
    };
    Ok(Urls {
        primary: url("primary")?,
        fallback: url("fallback")?,
    })
}

/// Whether this is a URL that can be called: HTTP, printable, with a host.
pub(super) fn is_url(text: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        text.strip_prefix(scheme)
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_alphanumeric()))
    }) && text.bytes().all(|b| b.is_ascii_graphic())
}
