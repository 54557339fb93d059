//! Messages that are left after the beep of a machine. The platform tells of both as notifications, while the call
//! goes on; the message is spoken into it from here.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tracing::warn;

use crate::domain::{CallFlow, CallId, MachineDoes, Step};
use crate::sinch::Client;
use crate::sinch::calls::{GetCall, ManageCall};
use crate::sinch::svaml::compile::svaml;
use crate::sinch::svaml::{Park, Svaml};

/// So long a beep is waited for.
pub(crate) const BEEP_WAIT_MAX: Duration = Duration::from_secs(30);
/// So long a machine is put on hold, at most, in seconds: the platform hangs up then.
const PARKED_S: u32 = 60;
/// So long it is remembered that a message was left: notifications may come twice.
const REMEMBERED: Duration = Duration::from_mins(2);

/// A call that goes on, as somebody can speak into it.
#[async_trait]
pub(super) trait Line: Debug + Send + Sync {
    /// Has a call go on with something else.
    ///
    /// # Errors
    /// In words.
    async fn manage(&self, call: &CallId, svaml: Svaml) -> Result<(), String>;

    /// Whom a call was for; none where the platform does not say.
    async fn number_of(&self, call: &CallId) -> Option<String>;
}

#[async_trait]
impl Line for Client {
    async fn manage(&self, call: &CallId, svaml: Svaml) -> Result<(), String> {
        let method = ManageCall {
            call: call.clone(),
            leg: None,
            svaml,
        };
        self.send(&method).await.map_err(|e| e.to_string())
    }

    async fn number_of(&self, call: &CallId) -> Option<String> {
        let info = self.send(&GetCall { call: call.clone() }).await.ok()?;
        let to = info.to?;
        let digits = to.endpoint.trim_start_matches('+');
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| format!("+{digits}"))
    }
}

/// Machines whose beep is waited for.
#[derive(Debug, Clone, Default)]
pub(super) struct Beeps {
    line: Arc<OnceLock<Arc<dyn Line>>>,
    waiting: Arc<Mutex<HashMap<CallId, Arc<Notify>>>>,
}

/// What a machine is told to do until its beep: nothing is said.
pub(crate) fn hold() -> Svaml {
    Svaml::with_action(Park {
        max_duration_s: Some(PARKED_S),
        ..Park::default()
    })
}

/// What is said after the beep; none where the campaign leaves no message then.
pub(crate) fn message(flow: &CallFlow<String>) -> Option<Svaml> {
    let MachineDoes::LeaveAfterBeep(say) = &flow.machine.as_ref()?.does else {
        return None;
    };
    let step = Step {
        say: Some(say),
        ..Step::hang_up()
    };
    Some(svaml(flow, &step, ""))
}

impl Beeps {
    /// Speaks into calls through this from now on.
    pub(super) fn through(&self, line: Arc<dyn Line>) {
        drop(self.line.set(line));
    }

    /// The line; none where there is none yet.
    pub(super) fn line(&self) -> Option<Arc<dyn Line>> {
        self.line.get().cloned()
    }

    /// Whether a call's beep is waited for, or its message is being spoken.
    pub(super) fn waits(&self, call: &CallId) -> bool {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.contains_key(call)
    }

    /// A machine answered, and its menu is left until its beep; or it beeped.
    pub(super) fn follow(&self, call: CallId, flow: &CallFlow<String>, beeped: bool) {
        let (Some(line), Some(message)) = (self.line(), message(flow)) else {
            return;
        };
        let beep = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(beep) = waiting.get(&call) {
                if beeped {
                    beep.notify_one();
                }
                return;
            }
            let beep = Arc::new(Notify::new());
            waiting.insert(call.clone(), Arc::clone(&beep));
            beep
        };
        let waiting = Arc::clone(&self.waiting);
        tokio::spawn(async move {
            if !beeped {
                tell(line.as_ref(), &call, hold()).await;
                drop(tokio::time::timeout(BEEP_WAIT_MAX, beep.notified()).await);
            }
            tell(line.as_ref(), &call, message).await;
            tokio::time::sleep(REMEMBERED).await;
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.remove(&call);
        });
    }
}

async fn tell(line: &dyn Line, call: &CallId, svaml: Svaml) {
    if let Err(error) = line.manage(call, svaml).await {
        warn!(call.id = %call, "a machine could not be spoken to: {error}");
    }
}
