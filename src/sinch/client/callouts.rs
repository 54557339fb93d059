//! A campaign's callout, `POSTed` once, and what it means when no answer came.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};

use super::{Client, words};
use crate::domain::{AttemptId, Callout, NotSent, Reaction, Side, Uncertainty, Verdict};
use crate::sinch::callouts::CalloutRequest;
use crate::sinch::method::ANSWER_BYTES_MAX;
use crate::sinch::preview::Preview;

impl Client {
    /// POSTs one callout, once. Never cancel it half-way: a request that was cut off may have made
    /// a phone ring.
    pub async fn post_callout(&self, callout: &Callout, attempt: AttemptId) -> Verdict {
        let request = match self.callout(callout, attempt) {
            Ok(request) => request,
            Err(why) => {
                let reaction = Reaction::Configuration;
                return Verdict::NotSent(NotSent {
                    side: Side::Ours,
                    why,
                    reaction,
                });
            }
        };
        match self.http.execute(request).await {
            Ok(response) => self.read(response, ANSWER_BYTES_MAX).await.verdict(),
            Err(error) => lost(&error),
        }
    }

    /// What [`Client::post_callout`] would send now, with the secret taken out.
    pub fn preview_callout(
        &self,
        callout: &Callout,
        attempt: AttemptId,
    ) -> Result<Preview, String> {
        let request = self.callout(callout, attempt)?;
        Ok(Preview::of(&request))
    }

    fn callout(&self, callout: &Callout, attempt: AttemptId) -> Result<reqwest::Request, String> {
        let body = serde_json::to_vec(&CalloutRequest::new(callout, attempt))
            .expect("strings, numbers and maps serialise");
        let mut request = self.signed(self.scheme, Method::POST, self.callouts.clone(), body)?;
        for header in &callout.headers {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            let value = HeaderValue::from_str(&header.value);
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(format!("the header {} cannot be sent", header.name));
            };
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }
}

/// What a callout without an answer means: only a connection that never came about proves that
/// nothing was sent.
fn lost(error: &reqwest::Error) -> Verdict {
    let why = words(error);
    if error.is_builder() {
        let reaction = Reaction::Configuration;
        Verdict::NotSent(NotSent {
            side: Side::Ours,
            why,
            reaction,
        })
    } else if error.is_connect() {
        let reaction = Reaction::BackOff;
        Verdict::NotSent(NotSent {
            side: Side::Network,
            why,
            reaction,
        })
    } else {
        Verdict::Uncertain(Uncertainty {
            side: Side::Network,
            why,
            accepted: false,
        })
    }
}
