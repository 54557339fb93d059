//! A request as it would leave, for people and without its secrets.

use std::fmt;

use reqwest::header::AUTHORIZATION;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Keys whose values never print: where recordings are stored takes an account's secret.
const SECRET_KEY: &str = "credentials";
/// What stands in their place.
const REMOVED: &str = "(removed)";

/// What would be sent.
#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    /// The HTTP method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Headers in their order; `authorization` without signature or secret.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte unless it has a secret; none where there is none.
    pub body: Option<Box<RawValue>>,
}

impl Preview {
    pub(super) fn of(request: &reqwest::Request) -> Self {
        let header = |(name, value): (&reqwest::header::HeaderName, &_)| {
            let value: &reqwest::header::HeaderValue = value;
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let value = if name == AUTHORIZATION {
                without_secret(&value)
            } else {
                value
            };
            (name.to_string(), value)
        };
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let body = body.and_then(|bytes| std::str::from_utf8(bytes).ok());
        Self {
            method: request.method().to_string(),
            url: request.url().to_string(),
            headers: request.headers().iter().map(header).collect(),
            body: body.and_then(|text| RawValue::from_string(shown(text)).ok()),
        }
    }
}

/// The scheme and, where it stands there in plain, the key.
fn without_secret(authorization: &str) -> String {
    let (scheme, rest) = authorization.split_once(' ').unwrap_or_default();
    match rest.split_once(':') {
        Some((key, _)) => format!("{scheme} {key}:(signature)"),
        None => format!("{scheme} (key and secret)"),
    }
}

/// A body as it stands, unless a secret must be taken out.
fn shown(text: &str) -> String {
    let mut value = serde_json::from_str(text).unwrap_or_default();
    if take_secrets(&mut value) {
        value.to_string()
    } else {
        text.to_owned()
    }
}

/// Takes secrets out of a document, and out of documents in its strings. Returns whether there were any.
fn take_secrets(value: &mut Value) -> bool {
    match value {
        Value::Object(entries) => {
            let mut found = false;
            for (key, value) in entries {
                if key.eq_ignore_ascii_case(SECRET_KEY) && !value.is_null() {
                    *value = REMOVED.into();
                    found = true;
                } else {
                    found |= take_secrets(value);
                }
            }
            found
        }
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |found, i| take_secrets(i) | found),
        Value::String(text) if text.starts_with('{') => {
            let shown = shown(text);
            let found = shown != *text;
            *text = shown;
            found
        }
        _ => false,
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)?;
        for (name, value) in &self.headers {
            write!(f, "\n{name}: {value}")?;
        }
        if let Some(body) = &self.body {
            write!(f, "\n\n{body}")?;
        }
        Ok(())
    }
}
