//! Every way in which a callout can get no proper answer, over real sockets: what the client makes
//! of it, and that it never sends a POST twice. A dependency that begins to resend, to follow
//! redirects, to obey proxy variables or to speak HTTP/2 fails here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use callout::clock::SystemClock;
use callout::domain::{
    AttemptId, Callout, CalloutBody, Destination, NotSent, Reaction, TtsCallout, Uncertainty,
    Verdict,
};
use callout::sinch::auth::{Credentials, Scheme};
use callout::sinch::{Bases, Client, Region};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the peer does once it has read a POST.
#[derive(Debug, Clone)]
enum Act {
    /// Sends these bytes and keeps the connection.
    Say(String),
    /// Sends these bytes and closes it.
    SayAndClose(String),
    /// Resets it.
    Reset,
}

/// A peer that counts what it reads, and answers by script: one act a POST, the last one for ever.
struct Peer {
    url: String,
    posts: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    /// Whether anything began with the HTTP/2 preface.
    http2: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    async fn start(script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let [posts, connections, http2, closed] =
            std::array::from_fn(|_| Arc::new(AtomicUsize::new(0)));
        let counters = (
            Arc::clone(&posts),
            Arc::clone(&connections),
            Arc::clone(&http2),
        );
        let farewells = Arc::clone(&closed);
        let task = tokio::spawn(async move {
            let (posts, connections, http2) = counters;
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (posts, http2) = (Arc::clone(&posts), Arc::clone(&http2));
                let (script, closed) = (script.clone(), Arc::clone(&farewells));
                tokio::spawn(async move {
                    serve(stream, script, posts, http2).await;
                    closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            url,
            posts,
            connections,
            http2,
            closed,
            task,
        }
    }

    fn posts(&self) -> usize {
        self.posts.load(Ordering::SeqCst)
    }

    /// One POST by a fresh client, and how many the peer read.
    async fn post(&self) -> (Verdict, usize) {
        let verdict = client(&self.url).post_callout(&hello(), attempt(1)).await;
        (verdict, self.posts())
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Vec<Act>,
    posts: Arc<AtomicUsize>,
    http2: Arc<AtomicUsize>,
) {
    while let Some(head) = read_request(&mut stream).await {
        http2.fetch_add(usize::from(head.starts_with("PRI ")), Ordering::SeqCst);
        let nth = posts.fetch_add(1, Ordering::SeqCst);
        match script.get(nth).or(script.last()).unwrap() {
            Act::Say(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap(),
            Act::SayAndClose(bytes) => {
                stream.write_all(bytes.as_bytes()).await.unwrap();
                return;
            }
            Act::Reset => {
                stream.set_zero_linger().unwrap();
                return;
            }
        }
    }
}

/// One request with its body; none when the client has left.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length
                .split("content-length: ")
                .nth(1)?
                .lines()
                .next()?
                .to_owned();
            if body.len() >= length.trim().parse().unwrap() {
                return Some(head.to_owned());
            }
        }
    }
}

fn client(url: &str) -> Client {
    let bases = Bases::new(Region::Global, Some(url), Some("http://127.0.0.1:1")).unwrap();
    let credentials = Credentials::new("key", "c2VjcmV0").unwrap();
    Client::new(
        bases,
        credentials,
        Scheme::Signed,
        Arc::new(SystemClock::start()),
    )
    .unwrap()
}

fn hello() -> Callout {
    let tts = TtsCallout {
        cli: "+46100000000".into(),
        destination: Destination::number("+46701740605"),
        domain: None,
        locale: None,
        text: Some("Hello.".into()),
        prompts: None,
        dtmf: None,
        enable_ace: None,
        enable_dice: None,
        enable_pie: None,
    };
    Callout {
        body: CalloutBody::Tts(tts),
        custom: None,
        headers: Vec::new(),
    }
}

fn attempt(nth: u8) -> AttemptId {
    AttemptId::from_bytes([nth; 16])
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

const ACCEPTED: &str = r#"{"callId":"call-1"}"#;

#[track_caller]
fn assert_uncertain(verdict: &Verdict, accepted: bool) {
    let right =
        matches!(verdict, Verdict::Uncertain(Uncertainty { accepted: a, .. }) if *a == accepted);
    assert!(right, "{verdict:?}");
}

#[track_caller]
fn assert_not_sent(verdict: &Verdict, wanted: &Reaction) {
    let right = matches!(verdict, Verdict::NotSent(NotSent { reaction, .. }) if reaction == wanted);
    assert!(right, "{verdict:?}");
}

#[tokio::test]
async fn a_connection_that_never_came_about_proves_that_nothing_was_sent() {
    let post = async |url: &str| client(url).post_callout(&hello(), attempt(1)).await;
    // No such name, nobody listening.
    assert_not_sent(&post("https://callout.invalid").await, &Reaction::BackOff);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    assert_not_sent(&post(&refused).await, &Reaction::BackOff);
}

#[tokio::test]
async fn a_tls_handshake_that_fails_proves_that_nothing_was_sent() {
    // One peer answers the handshake in plain text, the other one leaves.
    for leaves in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut first = [0; 64];
            assert!(stream.read(&mut first).await.unwrap() > 0);
            if !leaves {
                stream
                    .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    .await
                    .unwrap();
            }
            first
        });
        let verdict = client(&url).post_callout(&hello(), attempt(1)).await;
        assert_not_sent(&verdict, &Reaction::BackOff);
        // What was sent begins a handshake and is no request.
        assert_eq!(task.await.unwrap()[0], 0x16);
    }
}

#[tokio::test]
async fn a_peer_that_closes_without_reading_leaves_it_uncertain() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accepts = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&accepts);
    let task = tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    let verdict = client(&url).post_callout(&hello(), attempt(1)).await;
    task.abort();
    assert_uncertain(&verdict, false);
    assert_eq!(accepts.load(Ordering::SeqCst), 1, "it was tried once");
}

#[tokio::test]
async fn an_answer_that_never_came_whole_leaves_it_uncertain_and_is_not_asked_for_again() {
    let close = |bytes: &str| Act::SayAndClose(bytes.to_owned());
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"callId\":\"ca";
    let cases = [
        (close(""), false),
        (Act::Reset, false),
        (close("HTTP/1.1 200 OK\r\ncontent-le"), false),
        (close("HTTP/1.1 100 Continue\r\n\r\n"), false),
        (close("gibberish\r\n\r\n"), false),
        // The head says that the callout was accepted; the id is what is missing.
        (close(cut), true),
        (Act::Say(answer("200 OK", "{}")), true),
        (Act::Say(answer("200 OK", "<html>OK</html>")), true),
        (Act::Say(answer("204 No Content", "")), true),
    ];
    for (act, accepted) in cases {
        let peer = Peer::start(vec![act.clone()]).await;
        let (verdict, posts) = peer.post().await;
        assert_uncertain(&verdict, accepted);
        assert_eq!(posts, 1, "{act:?}");
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_costs_nothing() {
    let peer = Peer::start(vec![Act::SayAndClose(answer("200 OK", ACCEPTED))]).await;
    let client = client(&peer.url);
    for nth in 1..=5_u8 {
        let verdict = client.post_callout(&hello(), attempt(nth)).await;
        assert!(matches!(verdict, Verdict::Accepted(_)), "{verdict:?}");
        // The peer has closed, and this runtime has had time to read its farewell.
        while peer.closed.load(Ordering::SeqCst) < usize::from(nth) {
            tokio::task::yield_now().await;
        }
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(peer.posts(), usize::from(nth));
    }
}

#[tokio::test]
async fn a_reused_connection_that_breaks_after_the_second_post_is_not_sent_again() {
    for last in [Act::SayAndClose(String::new()), Act::Reset] {
        let peer = Peer::start(vec![Act::Say(answer("200 OK", ACCEPTED)), last]).await;
        let client = client(&peer.url);
        let first = client.post_callout(&hello(), attempt(1)).await;
        assert!(matches!(first, Verdict::Accepted(_)), "{first:?}");
        let second = client.post_callout(&hello(), attempt(2)).await;
        assert_uncertain(&second, false);
        let connections = peer.connections.load(Ordering::SeqCst);
        assert_eq!(
            (peer.posts(), connections),
            (2, 1),
            "the connection was kept"
        );
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Peer::start(vec![Act::Say(answer("200 OK", ACCEPTED))]).await;
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let location = format!("{}/calling/v1/callouts", elsewhere.url);
        let text =
            format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let peer = Peer::start(vec![Act::Say(text)]).await;
        let (verdict, posts) = peer.post().await;
        assert_not_sent(&verdict, &Reaction::Configuration);
        assert_eq!(
            (posts, elsewhere.connections.load(Ordering::SeqCst)),
            (1, 0),
            "{status}"
        );
    }
}

#[tokio::test]
async fn http_2_is_never_spoken() {
    // A peer that speaks HTTP/2 alone sends its preface, which is no answer to HTTP/1.1.
    let settings = "\0\0\0\u{4}\0\0\0\0\0";
    let peer = Peer::start(vec![Act::SayAndClose(settings.into())]).await;
    let (verdict, posts) = peer.post().await;
    assert_uncertain(&verdict, false);
    assert_eq!((posts, peer.http2.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn every_status_means_what_the_table_says() {
    let refused = [400, 403, 406, 412, 416, 418, 422, 424, 428, 451, 499];
    let configuration = [
        300, 304, 404, 405, 407, 410, 411, 413, 414, 415, 417, 421, 426, 431, 501, 505,
    ];
    let uncertain = [
        408, 409, 500, 502, 503, 504, 506, 507, 508, 511, 520, 522, 524, 599,
    ];
    let body = r#"{"errorCode":1,"message":"no"}"#;
    let verdict = async |status: u16, body: &str| {
        let peer = Peer::start(vec![Act::Say(answer(&format!("{status} X"), body))]).await;
        let (verdict, posts) = peer.post().await;
        assert_eq!(posts, 1, "{status}");
        verdict
    };
    for status in refused {
        let got = verdict(status, body).await;
        assert!(matches!(got, Verdict::Refused(_)), "{status}: {got:?}");
    }
    for status in configuration {
        let body = if status == 304 { "" } else { body };
        assert_not_sent(&verdict(status, body).await, &Reaction::Configuration);
    }
    for status in uncertain {
        assert_uncertain(&verdict(status, body).await, false);
    }
    for status in [200, 201, 202, 206, 299] {
        assert_uncertain(&verdict(status, body).await, true);
    }
    assert_not_sent(&verdict(401, body).await, &Reaction::Credentials);
    assert_not_sent(&verdict(402, body).await, &Reaction::EmptyAccount);
    assert_not_sent(&verdict(429, body).await, &Reaction::SlowDown(None));
    let early = verdict(425, body).await;
    assert!(matches!(&early, Verdict::NotSent(n) if matches!(n.reaction, Reaction::Later(_))));
    // Whatever the status: a body with a call id means that the call exists.
    for status in [
        200, 201, 307, 400, 401, 402, 404, 408, 409, 429, 500, 502, 503, 504,
    ] {
        let got = verdict(status, ACCEPTED).await;
        assert!(matches!(got, Verdict::Accepted(_)), "{status}: {got:?}");
    }
}
