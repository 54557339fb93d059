//! A recording, fetched as a stream.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;

use super::{Client, words};
use crate::sinch::method::{ANSWER_BYTES_MAX, ApiMethod};
use crate::sinch::problem::ApiError;
use crate::sinch::recordings::DownloadRecording;

/// A recording may take this long; each part of it [`PART_MAX`] at most.
const DOWNLOAD_MAX: Duration = Duration::from_hours(6);
/// Longest wait for the next bytes of a recording.
const PART_MAX: Duration = Duration::from_mins(1);

/// A recording on its way.
#[derive(Debug)]
pub struct Download {
    response: reqwest::Response,
    /// Bytes in all, where the platform says so.
    pub length: Option<u64>,
    /// What kind of sound it is.
    pub content_type: Option<String>,
}

impl Download {
    /// The next bytes; none at the end. A connection that breaks before the announced length is an
    /// error.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        let lost = |why: String| ApiError::Lost { why };
        match tokio::time::timeout(PART_MAX, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk.map(Into::into)),
            Ok(Err(error)) => Err(lost(words(&error))),
            Err(_) => Err(lost("the recording stopped arriving".into())),
        }
    }
}

impl Client {
    /// Fetches a recording as a stream, whatever its size.
    pub async fn download(&self, method: &DownloadRecording) -> Result<Download, ApiError> {
        let mut request = self.request(method.request(self.paths()))?;
        *request.timeout_mut() = Some(DOWNLOAD_MAX);
        let response = self.execute(request).await?;
        if !response.status().is_success() {
            return Err(ApiError::Refused(
                self.read(response, ANSWER_BYTES_MAX).await.problem(),
            ));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        let page = content_type
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.trim_start().starts_with("text/html"));
        if page || response.status() == StatusCode::NO_CONTENT {
            let status = response.status().as_u16();
            let why = "a page or nothing, and no recording".into();
            return Err(ApiError::Unreadable { status, why });
        }
        Ok(Download {
            length: response.content_length(),
            content_type: content_type.and_then(|v| Some(v.to_str().ok()?.to_owned())),
            response,
        })
    }
}
