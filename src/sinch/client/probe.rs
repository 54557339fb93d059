//! An event of our own, sent to a callback URL as the platform would send it, to see whether one arrives there.

use reqwest::{Method, Url};

use super::{Client, words};
use crate::sinch::auth::Scheme;

/// A notification that says nothing of any call.
const BODY: &str = r#"{"event":"notify","type":"callout_doctor"}"#;

impl Client {
    /// Sends a signed event to a callback URL. Returns the status of the answer.
    ///
    /// # Errors
    /// In words, why there was none; the URL is not in them.
    pub async fn probe(&self, url: &str) -> Result<u16, String> {
        let url = Url::parse(url).map_err(|why| why.to_string())?;
        let body = BODY.as_bytes().to_vec();
        let request = self.signed(Scheme::Signed, Method::POST, url, body)?;
        let answer = self.http.execute(request).await;
        answer.map_or_else(
            |why| Err(words(&why)),
            |answer| Ok(answer.status().as_u16()),
        )
    }
}
