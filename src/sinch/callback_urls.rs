//! Where an application's callbacks go (seed 001, "Get Callbacks", "Update Callbacks"; seed 004;
//! `FACTS` §5).

use reqwest::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use super::lenient::Object;
use super::method::{ApiMethod, Host, Plain};
use super::region::Paths;

const PATH: &str = "/v1/configuration/callbacks/applications";

/// The callback URLs of an application (seed 001, `UrlItem`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CallbackUrls {
    /// Where callbacks go; none: the platform calls nobody back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// Used when the primary does not answer, or answers with an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// `GET /v1/configuration/callbacks/applications/{applicationkey}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetCallbackUrls {
    /// The key of the application that is asked about.
    pub application_key: String,
}

impl ApiMethod for GetCallbackUrls {
    type Answer = CallbackUrls;

    fn request(&self, _: Paths) -> Plain {
        Plain::new(Method::GET, Host::Configuration, PATH).segment(&self.application_key)
    }

    /// The URLs stand under `url`, as an object or as a list of them, or there are none (`FACTS`
    /// §12, row 27).
    fn read(&self, body: &[u8]) -> Option<CallbackUrls> {
        let object = Object::parse(body)?;
        let Some(raw) = object.raw(&["url"]) else {
            return Some(urls(&object));
        };
        if !raw.get().starts_with('[') {
            return Object::parse(raw.get().as_bytes()).map(|o| urls(&o));
        }
        let list: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
        let mut all = CallbackUrls::default();
        for item in list {
            let one = urls(&Object::parse(item.get().as_bytes())?);
            all.primary = all.primary.or(one.primary);
            all.fallback = all.fallback.or(one.fallback);
        }
        Some(all)
    }
}

fn urls(object: &Object<'_>) -> CallbackUrls {
    let url = |name| object.text(&[name]).filter(|url| !url.is_empty());
    CallbackUrls {
        primary: url("primary"),
        fallback: url("fallback"),
    }
}

/// `POST /v1/configuration/callbacks/applications/{applicationkey}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCallbackUrls {
    /// The key of the application whose URLs change.
    pub application_key: String,
    /// Its callback URLs from now on.
    pub urls: CallbackUrls,
}

impl ApiMethod for SetCallbackUrls {
    type Answer = ();

    fn request(&self, _: Paths) -> Plain {
        #[derive(Serialize)]
        struct Body<'a> {
            url: &'a CallbackUrls,
        }
        Plain::new(Method::POST, Host::Configuration, PATH)
            .segment(&self.application_key)
            .json(&Body { url: &self.urls })
    }

    fn read(&self, _: &[u8]) -> Option<()> {
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_from_an_object_a_list_or_nothing() {
        let get = GetCallbackUrls {
            application_key: "k".into(),
        };
        let read = |body: &str| {
            let urls = get.read(body.as_bytes())?;
            Some((
                urls.primary.unwrap_or_default(),
                urls.fallback.unwrap_or_default(),
            ))
        };
        let both = Some(("https://a".to_owned(), "https://b".to_owned()));
        assert_eq!(
            read(r#"{"url":{"primary":"https://a","fallback":"https://b"}}"#),
            both
        );
        assert_eq!(
            read(r#"{"url":[{"primary":"https://a"},{"fallback":"https://b"}]}"#),
            both
        );
        let none = Some((String::new(), String::new()));
        for body in ["{}", r#"{"url":{}}"#, r#"{"url":null}"#, r#"{"url":[]}"#] {
            assert_eq!(read(body), none, "{body}");
        }
        assert_eq!(read("[]"), None);
    }
}
