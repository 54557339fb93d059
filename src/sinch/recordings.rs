//! Recordings in the platform's own storage: list, download, delete (seeds 000 and 001, "List
//! Recordings", "Download Recording", "Delete Recording"; `FACTS` §5).
//!
//! Only the two oldest documents have these methods; an account whose recordings go to S3 or Azure
//! has none of them (`FACTS` §12, row 44).

use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;
use serde_json::value::RawValue;

use super::lenient::Object;
use super::method::{ApiMethod, Host, LIST_BYTES_MAX, Plain};
use super::region::Paths;

const PATH: &str = "/calling/v1/recording";

/// `GET /calling/v1/recording?from=&to=&page=&pageSize=`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRecordings {
    /// Made from here on.
    pub from: Option<Timestamp>,
    /// Made before this moment.
    pub to: Option<Timestamp>,
    /// Page, from 1.
    pub page: Option<u32>,
    /// Recordings on a page.
    pub page_size: Option<u32>,
}

/// A recording (seed 001, `RecordingFileInfo`).
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Its name, for download and deletion.
    pub key: String,
    /// Where it can be had directly.
    pub url: Option<String>,
    /// When it was stored, as the platform writes it.
    pub created_on: Option<String>,
    /// When the platform deletes it, as the platform writes it.
    pub expires_on: Option<String>,
    /// What else is stored with it.
    pub headers: Value,
}

impl ApiMethod for ListRecordings {
    type Answer = Vec<Recording>;

    fn request(&self, _: Paths) -> Plain {
        let mut plain = Plain::new(Method::GET, Host::Calling, PATH);
        let time = |time: Option<Timestamp>| time.map(|t| t.to_string());
        let number = |number: Option<u32>| number.map(|n| n.to_string());
        let parameters = [
            ("from", time(self.from)),
            ("to", time(self.to)),
            ("page", number(self.page)),
            ("pageSize", number(self.page_size)),
        ];
        let given = parameters
            .into_iter()
            .filter_map(|(name, v)| Some((name, v?)));
        plain.query = given.collect();
        plain
    }

    /// The documents show a bare list.
    fn read(&self, body: &[u8]) -> Option<Vec<Recording>> {
        let items: Vec<&RawValue> = serde_json::from_slice(body).ok()?;
        items.into_iter().map(recording).collect()
    }

    fn answer_bytes_max(&self) -> usize {
        LIST_BYTES_MAX
    }
}

fn recording(item: &RawValue) -> Option<Recording> {
    let item = Object::parse(item.get().as_bytes())?;
    let headers = item.raw(&["headers"]).map(RawValue::get);
    Some(Recording {
        key: item.text(&["key"])?,
        url: item.text(&["url"]),
        created_on: item.text(&["createdOn"]),
        expires_on: item.text(&["expiresOn"]),
        headers: headers
            .and_then(|raw| serde_json::from_str(raw).ok())
            .unwrap_or_default(),
    })
}

/// `GET /calling/v1/recording/{key}`: see [`super::Client::download`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadRecording {
    /// The recording's key.
    pub key: String,
}

impl ApiMethod for DownloadRecording {
    type Answer = Vec<u8>;

    fn request(&self, _: Paths) -> Plain {
        Plain::new(Method::GET, Host::Calling, PATH).segment(&self.key)
    }

    fn read(&self, body: &[u8]) -> Option<Vec<u8>> {
        Some(body.to_vec())
    }

    fn answer_bytes_max(&self) -> usize {
        LIST_BYTES_MAX
    }
}

/// `DELETE /calling/v1/recording/{key}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteRecording {
    /// The recording's key.
    pub key: String,
}

impl ApiMethod for DeleteRecording {
    type Answer = ();

    fn request(&self, _: Paths) -> Plain {
        Plain::new(Method::DELETE, Host::Calling, PATH).segment(&self.key)
    }

    fn read(&self, _: &[u8]) -> Option<()> {
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_bare_and_what_is_not_given_is_not_asked() {
        let list = ListRecordings {
            page: Some(2),
            from: "2026-11-01T00:00:00Z".parse().ok(),
            ..ListRecordings::default()
        };
        let query = list.request(Paths::Current).query;
        assert_eq!(
            query,
            [
                ("from", "2026-11-01T00:00:00Z".to_owned()),
                ("page", "2".to_owned())
            ]
        );
        let body = br#"[{"key":"k","url":"https://x","createdOn":"2026-11-01","headers":{"a":1}},{"key":"l"}]"#;
        let read = list.read(body).unwrap();
        assert_eq!(read[0].headers["a"], 1);
        assert_eq!((read[1].key.as_str(), read[1].url.as_deref()), ("l", None));
        assert_eq!(list.read(b"[]"), Some(Vec::new()));
        assert_eq!(list.read(b"{}"), None);
    }
}
