//! A platform, a desk with a receiver, and what is sent to it as the platform sends it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use callout::clock::{Clock as _, SystemClock};
use callout::sinch::auth::{Credentials, Request, Scheme};
use jiff::SignedDuration;

use crate::support::audit::Audit;
use crate::support::{Desk, KEY, Out, Platform, Running, SECRET, wait_for};

/// A platform, a desk, and the address at which the platform finds the desk's receiver.
pub(crate) struct Office {
    pub(crate) platform: Platform,
    pub(crate) desk: Desk,
    pub(crate) address: String,
}

impl Office {
    /// A platform that tells a receiver which is there already.
    pub(crate) fn open(options: &[&str]) -> (Self, Running) {
        let platform = Platform::start(options);
        let desk = Desk::at(&platform);
        let receiver = desk.start(&["serve", "--no-dial", "--listen", "127.0.0.1:0"]);
        let address = listens(&receiver);
        let office = Self {
            platform,
            desk,
            address,
        };
        let url = format!("http://{}", office.address);
        let set = ["callback", "set", "--public-url", &url, "--yes"];
        office.desk.run(&set).ends(0);
        (office, receiver)
    }

    pub(crate) fn list(&self, rows: usize) {
        let row = |n: usize| format!("Ada,+46701740{n:03}\n");
        let list: String = (0..rows).map(row).collect();
        let list = format!("name,phone\n{list}");
        self.desk.tts(&list, "calls_per_second = 200");
    }

    pub(crate) fn run(&self, more: &[&str]) -> Out {
        let words = ["run", "c.toml", "--yes", "--output", "results.csv"];
        self.desk.run(&[&words[..], more].concat())
    }

    /// How often calls were asked about.
    pub(crate) fn gets(&self) -> usize {
        let ledger = self.platform.ledger();
        let gets = ledger.column("gets").into_iter();
        gets.map(|gets| gets.parse::<usize>().unwrap()).sum()
    }

    /// Sends an event that is signed as the platform signs, at a moment so long ago. Returns the status and the body of the answer.
    pub(crate) fn tell(&self, event: &serde_json::Value, ago: SignedDuration) -> (String, String) {
        let public = format!("http://{}", self.address);
        let get = ["callback", "get", "--show", "--public-url", &public];
        let url = self.desk.run(&get).ends(0).stdout;
        let path = url.trim().strip_prefix(&public).unwrap();
        let body = event.to_string();
        let request = Request {
            method: "POST",
            path,
            content_type: "application/json",
            body: body.as_bytes(),
        };
        let now = SystemClock::start().wall();
        let credentials = Credentials::new(KEY, SECRET.to_owned()).unwrap();
        let signed = credentials.authorization(Scheme::Signed, &request, now - ago);
        let signed = signed.unwrap();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
             authorization: {}\r\nx-timestamp: {}\r\ncontent-length: {}\r\n\r\n{body}",
            signed.authorization,
            signed.x_timestamp.unwrap(),
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
    }

    pub(crate) fn status(&self) -> serde_json::Value {
        self.desk.run(&["status", "--json"]).ends(0).json()
    }

    /// Nobody was called twice, every row has its end, and every call stands in the attempts as in the ledger.
    pub(crate) fn agrees(&self) {
        let audit = Audit::of(&self.desk, &self.platform);
        assert_eq!(audit.violations, Vec::<String>::new());
        self.agrees_so_far();
    }

    /// Every call of the ledger stands in the attempts with its end and its price.
    pub(crate) fn agrees_so_far(&self) {
        let (ledger, attempts) = (self.platform.ledger(), self.desk.export("attempts"));
        for row in &ledger.rows {
            let id = ledger.cell(row, "call_id");
            let ours = attempts
                .rows
                .iter()
                .find(|row| attempts.cell(row, "call_id") == id)
                .unwrap_or_else(|| panic!("{id} is unknown"));
            for (theirs, column) in [("result", "result"), ("debit", "debit")] {
                let (theirs, ours) = (ledger.cell(row, theirs), attempts.cell(ours, column));
                assert_eq!(ours, theirs, "{column} of {id}");
            }
        }
    }
}

pub(crate) fn listens(receiver: &Running) -> String {
    wait_for("the receiver", || {
        let said = receiver.said();
        let (_, rest) = said.split_once("events are received at ")?;
        let (address, _) = rest.split_once('\n')?;
        Some(address.split(',').next()?.to_owned())
    })
}
