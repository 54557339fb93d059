//! An application that the simulated platform calls back over HTTP.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Long enough for any machine; without it a test whose event never comes would not end.
pub(crate) async fn in_time<T>(wait: impl Future<Output = T>) -> T {
    let wait = tokio::time::timeout(Duration::from_mins(1), wait);
    wait.await.expect("it comes within a minute")
}

/// What came in at the application.
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What an event is answered with.
type Answer = Arc<dyn Fn(&Value) -> (u16, String) + Send + Sync>;

/// An application that answers events.
pub(crate) struct Application {
    pub(crate) url: String,
    received: mpsc::UnboundedReceiver<Received>,
}

impl Application {
    /// Answers every event alike.
    pub(crate) async fn start(status: u16, answer: &'static str) -> Self {
        Self::answering(move |_| (status, answer.to_owned())).await
    }

    pub(crate) async fn answering(
        answer: impl Fn(&Value) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let answer: Answer = Arc::new(answer);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/told/here", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(listen(stream, Arc::clone(&answer), sender.clone()));
            }
        });
        Self { url, received }
    }

    pub(crate) async fn next(&mut self) -> Received {
        in_time(self.received.recv()).await.unwrap()
    }
}

/// Serves one connection for as long as the peer keeps it.
async fn listen(mut stream: TcpStream, answer: Answer, sender: mpsc::UnboundedSender<Received>) {
    let mut bytes = Vec::new();
    while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let mut received = Received {
            head: head.to_owned(),
            body: Vec::new(),
        };
        let length: usize = received.header("content-length").unwrap().parse().unwrap();
        if bytes.len() < head.len() + 4 + length {
            continue;
        }
        received.body = bytes.split_off(head.len() + 4);
        bytes = received.body.split_off(length);
        let (status, answer) = answer(&received.json());
        sender.send(received).unwrap();
        let length = answer.len();
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n\r\n{answer}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}
