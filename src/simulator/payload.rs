//! The body of an answer: all of it, or less than was announced.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// The bytes missing from a body that is cut short.
const MISSING: u64 = 64;

/// The body of one answer.
#[derive(Debug)]
pub(super) struct Payload {
    bytes: Option<Bytes>,
    ending: Ending,
}

#[derive(Debug)]
enum Ending {
    /// All bytes that were announced are there.
    Whole,
    /// More were announced; what there is goes out first, then the connection breaks.
    Cut { flushed: bool },
}

/// The simulator broke the connection on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the simulator was told to break this connection")]
pub(super) struct Broken;

impl Payload {
    pub(super) fn whole(body: Vec<u8>) -> Self {
        Self {
            bytes: Some(Bytes::from(body)),
            ending: Ending::Whole,
        }
    }

    pub(super) fn cut(body: Vec<u8>) -> Self {
        Self {
            bytes: Some(Bytes::from(body)),
            ending: Ending::Cut { flushed: false },
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &mut self.ending {
            Ending::Whole => Poll::Ready(None),
            Ending::Cut { flushed: true } => Poll::Ready(Some(Err(Broken))),
            Ending::Cut { flushed } => {
                // One idle turn, in which hyper writes out what it was given.
                *flushed = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && matches!(self.ending, Ending::Whole)
    }

    fn size_hint(&self) -> SizeHint {
        let there = self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        match self.ending {
            Ending::Whole => SizeHint::with_exact(there),
            Ending::Cut { .. } => SizeHint::with_exact(there + MISSING),
        }
    }
}
