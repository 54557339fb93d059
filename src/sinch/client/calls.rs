//! A call that an engine asks about or hangs up.

use super::Client;
use crate::domain::{CallId, Observation, Reaction};
use crate::sinch::calls::{GetCall, ManageCall};
use crate::sinch::problem::ApiError;
use crate::sinch::svaml::Svaml;

impl Client {
    /// Ends a call. Harmless to repeat.
    pub async fn hang_up_call(&self, call: &CallId) -> Result<(), ApiError> {
        let method = ManageCall {
            call: call.clone(),
            leg: None,
            svaml: Svaml::hangup(),
        };
        self.send(&method).await
    }

    /// Asks how a call stands, for an engine. Harmless to repeat.
    pub async fn get_call(&self, call: &CallId) -> Observation {
        let method = GetCall { call: call.clone() };
        let why = match self.ask(&method).await {
            Ok(answer) => match answer.cut {
                None => return answer.observation(call),
                Some(why) => why,
            },
            Err(ApiError::Refused(problem)) => {
                return Observation::Refused {
                    reaction: Reaction::Configuration,
                    why: problem.to_string(),
                };
            }
            Err(ApiError::NotSent { why } | ApiError::Lost { why }) => why,
            Err(error @ ApiError::Unreadable { .. }) => error.to_string(),
        };
        Observation::Again { why, wait: None }
    }
}
