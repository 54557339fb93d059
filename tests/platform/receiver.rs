//! The receiver over real sockets: whoever is not the platform gets nothing in, and what was acknowledged is
//! there afterwards.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use callout::clock::{Clock, SystemClock, VirtualClock};
use callout::domain::EventNumber;
use callout::serve::{Answers, Doors, Headers, Reason, Receiver, Setup};
use callout::sinch::auth::{Credentials, ReceivedHeaders, Request, Scheme};
use callout::store::{self, Access, Inbox, LATE, Received, Store};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::answers::Always;
use crate::harness::{KEY, SECRET, credentials};

const PUBLIC: &str = "/behind/a/proxy";
const JSON: &str = "application/json";
const ICE: &str = r#"{"event":"ice","callid":"c-ice","cli":"46700000001"}"#;
const ACE: &str = r#"{"event":"ace","callid":"c-ace"}"#;
pub(crate) const PIE: &str = r#"{"event":"pie","callid":"c-pie","menuResult":{"value":"1"}}"#;
const DICE: &str = r#"{"event":"dice","callid":"c-dice","result":"ANSWERED"}"#;
const NOTIFY: &str = r#"{"event":"notify","callid":"c-notify","type":"amd"}"#;
const HANG_UP: &str = r#"{"action":{"name":"hangup"}}"#;

fn begin() -> Timestamp {
    "2026-11-21T05:00:00Z".parse().unwrap()
}

/// A receiver on a database of its own, and a clock that stands still.
pub(crate) struct House {
    receiver: Receiver,
    store: Arc<dyn Store>,
    secret: String,
    folder: tempfile::TempDir,
}

/// What is sent, field by field.
#[derive(Clone)]
pub(crate) struct Sent {
    method: &'static str,
    path: String,
    content_type: &'static str,
    authorization: Option<String>,
    timestamp: Option<String>,
    body: Vec<u8>,
}

impl Sent {
    /// Signed over the public path, sent to what a proxy made of it.
    fn good(secret: &str, body: &str, at: Timestamp, by: &Credentials) -> Self {
        let signed = Request {
            method: "POST",
            path: &format!("{PUBLIC}/sinch/{secret}"),
            content_type: JSON,
            body: body.as_bytes(),
        };
        let made = by.authorization(Scheme::Signed, &signed, at).unwrap();
        Self {
            method: "POST",
            path: format!("/sinch/{secret}"),
            content_type: JSON,
            authorization: Some(made.authorization),
            timestamp: made.x_timestamp,
            body: body.into(),
        }
    }

    fn head(&self, length: usize) -> String {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\ncontent-type: {}\r\n",
            self.method, self.path, self.content_type
        );
        for (name, value) in [
            ("authorization", &self.authorization),
            ("x-timestamp", &self.timestamp),
        ] {
            if let Some(value) = value {
                head.extend([name, ": ", value, "\r\n"]);
            }
        }
        head + "\r\n"
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(self.body.len()).into_bytes();
        bytes.extend(&self.body);
        bytes
    }
}

impl House {
    async fn open() -> Self {
        Self::answering(Always::plain()).await
    }

    pub(crate) async fn answering(answers: Arc<dyn Answers>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite:{}", folder.path().join("callout.db").display());
        let store = store::open(&address, Access::BesideOrNew, None)
            .await
            .unwrap();
        let secret = store.callback_secrets(begin()).await.unwrap().remove(0);
        let inbox: Arc<dyn Inbox> = Arc::<dyn Store>::clone(&store);
        let receiver = Receiver::start(Setup {
            address: "127.0.0.1:0".parse().unwrap(),
            credentials: credentials(),
            public_path: PUBLIC.into(),
            inbox,
            answers,
            clock: Arc::new(VirtualClock::at(begin())),
        });
        Self {
            receiver: receiver.await.unwrap(),
            store,
            secret,
            folder,
        }
    }

    /// Somebody else writes the inbox for as long as what is returned is there.
    pub(crate) async fn lock_inbox(&self) -> SqliteConnection {
        let file = self.folder.path().join("callout.db-inbox");
        let options = SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.unwrap();
        let begin = sqlx::query("begin immediate");
        begin.execute(&mut connection).await.unwrap();
        connection
    }

    /// Which events were kept, in order.
    pub(crate) async fn kinds(&self) -> Vec<String> {
        let kept = self.kept().await.into_iter();
        kept.map(|kept| kept.arrival.kind).collect()
    }

    pub(crate) fn good(&self, body: &str) -> Sent {
        Sent::good(&self.secret, body, begin(), &credentials())
    }

    fn signed_after(&self, seconds: i64) -> Sent {
        let at = begin() + SignedDuration::from_secs(seconds);
        Sent::good(&self.secret, DICE, at, &credentials())
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.receiver.address()).await.unwrap()
    }

    /// Sends and gives the status with the body.
    pub(crate) async fn send(&self, sent: &Sent) -> (u16, String) {
        let mut stream = self.connect().await;
        // One whose body is not wanted is cut off while it speaks.
        drop(stream.write_all(&sent.bytes()).await);
        answer(&mut stream).await
    }

    async fn kept(&self) -> Vec<Received> {
        self.store.pending(EventNumber(0), 1000).await.unwrap()
    }
}

/// Reads one answer; status 0 where the connection was closed without any.
async fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut read = Vec::new();
    let mut some = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            let length = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |l| l.parse().unwrap()) {
                return (status, body.to_owned());
            }
        }
        match stream.read(&mut some).await {
            Ok(0) | Err(_) => return (0, String::new()),
            Ok(n) => read.extend(&some[..n]),
        }
    }
}

#[tokio::test]
async fn each_event_has_its_answer_and_a_repeat_the_same_again() {
    let house = House::open().await;
    for (body, says) in [
        (ICE, HANG_UP),
        (ACE, r#"{"action":{"name":"continue"}}"#),
        (PIE, HANG_UP),
        (DICE, ""),
        (NOTIFY, ""),
    ] {
        for _ in 0..3 {
            assert_eq!(house.send(&house.good(body)).await, (200, says.to_owned()));
        }
    }
    assert_eq!(house.kinds().await, ["ice", "ace", "pie", "dice", "notify"]);
}

#[tokio::test]
async fn whatever_a_proxy_made_of_the_path_the_public_one_is_signed() {
    let house = House::open().await;
    let mut sent = house.good(DICE);
    for before in ["", PUBLIC, "/elsewhere"] {
        sent.path = format!("{before}/sinch/{}", house.secret);
        assert_eq!(house.send(&sent).await.0, 200, "{before}");
    }
    let mut lower = sent.clone();
    lower.authorization = Some(
        sent.authorization
            .unwrap()
            .replace("Application", "application"),
    );
    assert_eq!(house.send(&lower).await.0, 200);
    // Signed over the path that arrives instead.
    let request = Request {
        method: "POST",
        path: &lower.path,
        content_type: JSON,
        body: &lower.body,
    };
    let made = credentials()
        .authorization(Scheme::Signed, &request, begin())
        .unwrap();
    lower.authorization = Some(made.authorization);
    assert_eq!(house.send(&lower).await.0, 403);
}

/// Requests that nobody may get in with, and what each is answered.
fn hostile(house: &House) -> Vec<(&'static str, Sent, u16)> {
    let with = |change: &dyn Fn(&mut Sent)| {
        let mut sent = house.good(DICE);
        change(&mut sent);
        sent
    };
    let header = |value: &str| {
        let value = value.to_owned();
        with(&|sent| sent.authorization = Some(value.clone()))
    };
    let secret = &house.secret;
    let stranger = Credentials::new("another", SECRET).unwrap();
    let thief = Credentials::new(KEY, "AAAAAAAAAAAAAAAAAAAAAA==").unwrap();
    let basic = credentials();
    let basic = basic.authorization(
        Scheme::Basic,
        &Request {
            method: "POST",
            path: "/",
            content_type: "",
            body: b"",
        },
        begin(),
    );
    vec![
        ("unsigned", with(&|sent| sent.authorization = None), 401),
        ("empty", header(""), 401),
        ("no signature", header(&format!("Application {KEY}:")), 403),
        ("no key", header("Application x"), 401),
        ("basic", header(&basic.unwrap().authorization), 401),
        (
            "another key",
            Sent::good(secret, DICE, begin(), &stranger),
            401,
        ),
        (
            "another secret",
            Sent::good(secret, DICE, begin(), &thief),
            403,
        ),
        ("no timestamp", with(&|sent| sent.timestamp = None), 401),
        (
            "no time",
            with(&|sent| sent.timestamp = Some("soon".into())),
            401,
        ),
        (
            "another time",
            with(&|sent| sent.timestamp = Some("2026-11-21T05:00:01.000Z".into())),
            403,
        ),
        ("old", house.signed_after(-360), 403),
        ("of the future", house.signed_after(360), 403),
        (
            "another type",
            with(&|sent| sent.content_type = "text/plain"),
            403,
        ),
        ("another body", with(&|sent| sent.body = ACE.into()), 403),
        ("another method", with(&|sent| sent.method = "GET"), 405),
        ("a query", with(&|sent| sent.path += "?a=b"), 400),
        ("a longer path", with(&|sent| sent.path += "/"), 404),
        ("another path", with(&|sent| sent.path = "/".into()), 404),
        (
            "another secret's path",
            with(&|sent| sent.path = format!("/sinch/{}", "0".repeat(32))),
            404,
        ),
        ("no event", house.good("{}"), 400),
        ("no JSON", house.good("\u{1}garbage"), 400),
        ("nothing", house.good(""), 400),
        ("10 MB", house.good(&" ".repeat(10_000_000)), 413),
    ]
}

#[tokio::test]
async fn nobody_but_the_platform_gets_anything_in() {
    let house = House::open().await;
    for (what, sent, status) in hostile(&house) {
        let got = house.send(&sent).await;
        // One that is cut off in the middle of 10 MB may not hear why.
        let unheard = status == 413 && got.0 == 0;
        assert!(unheard || got == (status, String::new()), "{what}: {got:?}");
    }
    let kept = house.kept().await;
    let late = kept.iter().filter(|kept| kept.arrival.kind == LATE);
    assert_eq!(late.count(), 2, "old and of the future");
    assert_eq!(kept.len(), 2, "to ask about their calls, and nothing else");
    let House {
        receiver, store, ..
    } = house;
    receiver.stop().await;
    let refused = store.standing().await.unwrap().refused;
    let counted: u64 = refused.iter().map(|(_, n)| n).sum();
    assert_eq!(counted, 23, "{refused:?}");
}

#[tokio::test]
async fn what_is_signed_and_strange_is_an_event_or_none_and_never_a_fault() {
    let house = House::open().await;
    let deep = format!(
        r#"{{"event":"dice","x":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let twice = r#"{"event":"dice","event":"ace","callid":"a","callid":"b"}"#;
    for body in [deep.as_str(), twice, r#"{"event":"never heard of"}"#] {
        let (status, _) = house.send(&house.good(body)).await;
        assert!(matches!(status, 200 | 400), "{status}");
    }
    assert_eq!(house.send(&house.good(DICE)).await.0, 200);
}

#[tokio::test]
async fn half_requests_and_slow_senders_do_not_keep_others_out() {
    let house = House::open().await;
    let whole = house.good(DICE).bytes();
    let mut slow = Vec::new();
    for nth in 0..1500_usize {
        let mut stream = house.connect().await;
        drop(stream.write_all(&whole[..nth % whole.len()]).await);
        slow.push(stream);
    }
    assert_eq!(house.send(&house.good(ACE)).await.0, 200);
    let mut endless = house.connect().await;
    let head = house
        .good(DICE)
        .head(0)
        .replace("content-length: 0", "transfer-encoding: chunked");
    endless.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    for _ in 0..1000 {
        if endless.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    assert!(matches!(answer(&mut endless).await.0, 413 | 0));
    for garbage in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[0; 16_000],
    ] {
        let mut stream = house.connect().await;
        drop(stream.write_all(garbage).await);
        drop(stream.shutdown().await);
        assert_ne!(answer(&mut stream).await.0, 200);
    }
    assert_eq!(house.kinds().await, ["ace"]);
}

#[tokio::test]
async fn requests_behind_each_other_on_one_connection_are_each_answered() {
    let house = House::open().await;
    let mut stream = house.connect().await;
    let both = [house.good(DICE).bytes(), house.good(ACE).bytes()].concat();
    stream.write_all(&both).await.unwrap();
    let (mut read, mut some) = (String::new(), [0; 4096]);
    while read.matches("HTTP/1.1 200").count() < 2 {
        let n = stream.read(&mut some).await.unwrap();
        assert_ne!(n, 0, "{read}");
        read += std::str::from_utf8(&some[..n]).unwrap();
    }
    assert_eq!(house.kept().await.len(), 2);
}

#[tokio::test]
async fn an_address_that_is_taken_is_refused() {
    let house = House::open().await;
    let second = Receiver::start(Setup {
        address: house.receiver.address(),
        credentials: credentials(),
        public_path: String::new(),
        inbox: Arc::<dyn Store>::clone(&house.store),
        answers: Always::plain(),
        clock: Arc::new(VirtualClock::at(begin())),
    });
    assert!(second.await.is_err());
}

#[test]
fn of_a_hundred_thousand_changed_requests_none_is_taken() {
    let secret = "0123456789abcdef0123456789abcdef".to_owned();
    let doors = Doors::new(&credentials(), PUBLIC, std::slice::from_ref(&secret)).unwrap();
    let good = Sent::good(&secret, DICE, begin(), &credentials());
    let judge = |fields: &[Vec<u8>; 5]| {
        let text = |nth: usize| std::str::from_utf8(&fields[nth]).ok();
        let (path, kind, authorization, stamp) = (text(0)?, text(1)?, text(2)?, text(3)?);
        let door = doors.find("POST", path, None).ok()?;
        let signed = ReceivedHeaders {
            authorization: Some(authorization),
            x_timestamp: Some(stamp),
        };
        let headers = Headers {
            content_type: kind,
            signed,
        };
        door.judge(&headers, &fields[4], begin()).ok()
    };
    let fields = [
        good.path.into_bytes(),
        good.content_type.into(),
        good.authorization.unwrap().into_bytes(),
        good.timestamp.unwrap().into_bytes(),
        good.body,
    ];
    assert!(judge(&fields).is_some());
    let mut rng = StdRng::seed_from_u64(11);
    for nth in 0..100_000 {
        let mut changed = fields.clone();
        for _ in 0..rng.random_range(1..4) {
            let field = &mut changed[rng.random_range(0..5)];
            let at = rng.random_range(0..=field.len());
            match rng.random_range(0..4) {
                0 if at < field.len() => field[at] ^= 1 << rng.random_range(0..7),
                1 if at < field.len() => drop(field.remove(at)),
                2 => field.truncate(at),
                _ => field.insert(at, rng.random_range(b'!'..=b'~')),
            }
        }
        // What means the same is no forgery: a proxy's path, the scheme's case.
        let same = changed[1..] == fields[1..]
            || (changed[2].eq_ignore_ascii_case(&fields[2])
                && changed[2][12..] == fields[2][12..]
                && [1, 3, 4].iter().all(|n| changed[*n] == fields[*n]));
        assert!(same || judge(&changed).is_none(), "{nth}");
    }
    assert_eq!(
        doors.find("POST", "/sinch/", None).err(),
        Some(Reason::Path)
    );
}

/// `callout serve --no-dial` on a database, and where it listens.
fn serve(db: &std::path::Path) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_callout"))
        .args(["serve", "--no-dial", "--listen", "127.0.0.1:0"])
        .args(["--public-url", &format!("https://example.com{PUBLIC}")])
        .arg("--db")
        .arg(db)
        .env("SINCH_APPLICATION_KEY", KEY)
        .env("SINCH_APPLICATION_SECRET", SECRET)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let mut lines = said.lines().map(Result::unwrap);
    let line = lines
        .find(|line| line.starts_with("events are received at"))
        .unwrap();
    let address = line
        .split(' ')
        .nth(4)
        .unwrap()
        .trim_end_matches(',')
        .to_owned();
    (child, address)
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("callout.db");
    let (mut child, listens) = serve(&db);
    let address = format!("sqlite:{}", db.display());
    let store = store::open(&address, Access::Beside, None).await.unwrap();
    let clock = SystemClock::start();
    let secret = store
        .callback_secrets(clock.wall())
        .await
        .unwrap()
        .remove(0);
    let (acknowledged, mut heard) = tokio::sync::mpsc::unbounded_channel();
    for sender in 0..8 {
        let (listens, secret, acknowledged) =
            (listens.clone(), secret.clone(), acknowledged.clone());
        let now = clock.wall();
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(listens).await.unwrap();
            for nth in 0.. {
                let call = format!("call-{sender}-{nth}");
                let body = format!(r#"{{"event":"dice","callid":"{call}"}}"#);
                let sent = Sent::good(&secret, &body, now, &credentials());
                if stream.write_all(&sent.bytes()).await.is_err() {
                    return;
                }
                if answer(&mut stream).await.0 != 200 || acknowledged.send(call).is_err() {
                    return;
                }
            }
        });
    }
    drop(acknowledged);
    let mut calls = Vec::new();
    while calls.len() < 300 {
        let next = tokio::time::timeout(Duration::from_mins(1), heard.recv());
        calls.push(next.await.unwrap().unwrap());
    }
    // SIGKILL, while the senders go on.
    child.kill().unwrap();
    child.wait().unwrap();
    while let Some(call) = heard.recv().await {
        calls.push(call);
    }
    let kept = store.pending(EventNumber(0), 1_000_000).await.unwrap();
    let kept: std::collections::HashSet<String> = kept
        .into_iter()
        .filter_map(|event| Some(event.arrival.call?.as_str().to_owned()))
        .collect();
    let lost: Vec<&String> = calls.iter().filter(|call| !kept.contains(*call)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}
