//! Two stages between a list's file and the CSV reader: one hashes what is read, one keeps count of
//! lines and bounds the length of a record.
//!
//! The CSV reader's own line numbers are off after CRLF and blank lines, and it would take a
//! gigabyte into one record behind a quote left open; [`LineTap`] mends both.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// Longest record. A spreadsheet's cell holds 32 kilobytes; beyond a megabyte it is nearly always
/// a quote that was never closed.
pub(super) const RECORD_BYTES_MAX: usize = 1 << 20;

/// A digest that can be asked for while the reader that feeds it is buried under others.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedDigest(Arc<Mutex<Sha256>>);

impl SharedDigest {
    fn update(&self, bytes: &[u8]) {
        let mut digest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        digest.update(bytes);
    }

    /// The digest of what has been read so far, in hexadecimal.
    pub(super) fn hex(&self) -> String {
        let digest = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let bytes = digest.finalize();
        bytes
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }
}

/// Hashes the bytes that pass.
#[derive(Debug)]
pub(super) struct Hashing<R> {
    pub(super) inner: R,
    pub(super) digest: SharedDigest,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.digest.update(&buf[..read]);
        Ok(read)
    }
}

/// Why [`LineTap`] stopped.
#[derive(Debug, thiserror::Error)]
#[error("a record is longer than {RECORD_BYTES_MAX} bytes")]
pub(super) struct RecordTooLong;

/// The beginning of a line that is not blank.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineStart {
    /// The offset of its first byte.
    pub(super) offset: u64,
    /// Its number, from 1.
    pub(super) line: u64,
    /// Quotation marks before it.
    pub(super) quotes: u64,
}

/// Notes where lines begin, and refuses to serve more than a record's worth in one go.
#[derive(Debug)]
pub(super) struct LineTap<R> {
    inner: R,
    offset: u64,
    line: u64,
    quotes: u64,
    fresh: bool,
    after_cr: bool,
    starts: VecDeque<LineStart>,
    allowance: usize,
    ended: bool,
}

impl<R> LineTap<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            offset: 0,
            line: 1,
            quotes: 0,
            fresh: true,
            after_cr: false,
            starts: VecDeque::new(),
            allowance: RECORD_BYTES_MAX,
            ended: false,
        }
    }

    /// Lets the next record be served: to be called between records.
    pub(super) fn allow_record(&mut self) {
        self.allowance = RECORD_BYTES_MAX;
    }

    /// The first line at or after an offset; forgets all before it.
    pub(super) fn line_at(&mut self, offset: u64) -> Option<LineStart> {
        while self
            .starts
            .front()
            .is_some_and(|start| start.offset < offset)
        {
            self.starts.pop_front();
        }
        self.starts.front().copied()
    }

    /// The line being served.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether the end of the list has been met: a record that returns afterwards was ended by it.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// All quotation marks served so far.
    pub(super) fn quotes(&self) -> u64 {
        self.quotes
    }

    fn note(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                // The second half of CRLF ends no line of its own.
                b'\n' if self.after_cr => self.fresh = true,
                b'\n' | b'\r' => {
                    self.line += 1;
                    self.fresh = true;
                }
                _ => {
                    if self.fresh {
                        self.starts.push_back(LineStart {
                            offset: self.offset,
                            line: self.line,
                            quotes: self.quotes,
                        });
                        self.fresh = false;
                    }
                    self.quotes += u64::from(byte == b'"');
                }
            }
            self.after_cr = byte == b'\r';
            self.offset += 1;
        }
    }
}

impl<R: Read> Read for LineTap<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.allowance == 0 {
            return Err(io::Error::other(RecordTooLong));
        }
        let room = buf.len().min(self.allowance);
        let read = self.inner.read(&mut buf[..room])?;
        self.ended = read == 0 && room > 0;
        self.allowance -= read;
        self.note(&buf[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_however_they_end() {
        let mut tap = LineTap::new(&b"a\r\nb\n\n\rc\r\n\r\nd"[..]);
        let mut all = Vec::new();
        tap.read_to_end(&mut all).unwrap();
        let lines: Vec<_> = tap.starts.iter().map(|s| (s.offset, s.line)).collect();
        assert_eq!(lines, [(0, 1), (3, 2), (7, 5), (12, 7)]);
    }

    #[test]
    fn a_record_is_served_up_to_its_limit_and_no_further() {
        let mut tap = LineTap::new(io::repeat(b'"'));
        let mut all = Vec::new();
        assert!(tap.read_to_end(&mut all).is_err());
        assert_eq!(all.len(), RECORD_BYTES_MAX);
    }

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let digest = SharedDigest::default();
        let inner = &b"abc"[..];
        let mut hashing = Hashing {
            inner,
            digest: digest.clone(),
        };
        io::copy(&mut hashing, &mut io::sink()).unwrap();
        assert!(digest.hex().starts_with("ba7816bf8f01cfea"));
    }
}
