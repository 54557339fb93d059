//! A simulator with a clock that the test owns, and clients for it: reqwest, and a bare socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use callout::simulator::{Clock, Mix, Options, Simulator};
use callout::sinch::auth::{Credentials, Request, Scheme};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const KEY: &str = "669E367E-6BBA-48AB-AF15-266871C28135";
pub(crate) const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";
pub(crate) const CALLOUTS: &str = "/calling/v1/callouts";
pub(crate) const NUMBER: &str = "+46701740605";

/// The moment at which every test begins: 2026-11-21T05:00:00Z.
const BEGIN_US: i64 = 1_795_237_200_000_000;

pub(crate) struct Peer {
    pub(crate) simulator: Simulator,
    pub(crate) client: reqwest::Client,
    now_us: Arc<AtomicI64>,
}

pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) headers: reqwest::header::HeaderMap,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn code(&self) -> u64 {
        self.json()["errorCode"].as_u64().unwrap_or(0)
    }

    pub(crate) fn call_id(&self) -> String {
        self.json()["callId"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new(KEY, SECRET).unwrap()
}

/// Everybody answers, after exactly 10 s, and talks for exactly 30 s.
pub(crate) fn steady() -> Options {
    Options {
        mix: Mix::ANSWERED,
        ring_s: 10..=10,
        talk_s: 30..=30,
        ..Options::default()
    }
}

/// A conference callout: its talking time is not that of a text.
pub(crate) fn conference(number: &str, custom: &str) -> Value {
    json!({"method": "conferenceCallout", "conferenceCallout": {
        "cli": "+46100000000",
        "destination": {"type": "number", "endpoint": number},
        "conferenceId": "room", "custom": custom,
    }})
}

pub(crate) fn tts(number: &str, custom: &str) -> Value {
    json!({"method": "ttsCallout", "ttsCallout": {
        "cli": "+46100000000",
        "destination": {"type": "number", "endpoint": number},
        "locale": "en-US", "text": "Hello.", "custom": custom,
    }})
}

pub(crate) fn client() -> reqwest::Client {
    // A second installation is refused, which is fine: the first one stands.
    drop(rustls::crypto::ring::default_provider().install_default());
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|root| reqwest::Certificate::from_der(root).unwrap());
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .tls_certs_only(roots)
        .build()
        .unwrap()
}

impl Peer {
    pub(crate) fn start(options: Options) -> Self {
        let now_us = Arc::new(AtomicI64::new(BEGIN_US));
        let clock: Clock = {
            let now_us = Arc::clone(&now_us);
            Arc::new(move || Timestamp::from_microsecond(now_us.load(Ordering::SeqCst)).unwrap())
        };
        let address = "127.0.0.1:0".parse().unwrap();
        Self {
            simulator: Simulator::start(options, credentials(), address, clock).unwrap(),
            client: client(),
            now_us,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.now_us.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap();
        self.now_us.fetch_add(by, Ordering::SeqCst);
    }

    /// A signed request, ready to be changed and sent.
    pub(crate) fn signed(&self, method: Method, path: &str, body: &str) -> reqwest::RequestBuilder {
        // The query is sent and not signed.
        let request = Request {
            method: method.as_str(),
            path: path.split('?').next().unwrap(),
            content_type: "application/json",
            body: body.as_bytes(),
        };
        let made = credentials()
            .authorization(Scheme::Signed, &request, self.now())
            .unwrap();
        self.client
            .request(method, format!("{}{path}", self.simulator.url()))
            .header("content-type", "application/json")
            .header("authorization", made.authorization)
            .header("x-timestamp", made.x_timestamp.unwrap())
            .body(body.to_owned())
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Got {
        let response = request.send().await.unwrap();
        Got {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) async fn post(&self, body: &Value) -> Got {
        self.send(self.signed(Method::POST, CALLOUTS, &body.to_string()))
            .await
    }

    /// The POST as a client meets it that may get no answer.
    pub(crate) async fn try_post(&self, body: &Value) -> reqwest::Result<(u16, Option<String>)> {
        let response = self
            .signed(Method::POST, CALLOUTS, &body.to_string())
            .send()
            .await?;
        Ok((response.status().as_u16(), response.text().await.ok()))
    }

    /// A signed request with a JSON body; `null` is no body.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> Got {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(self.signed(method, path, &body)).await
    }

    /// Asserts a refusal in the API's own words.
    #[track_caller]
    pub(crate) fn assert_refused(got: &Got, code: u64, message: &str) {
        let told = got.json();
        assert_eq!(u64::from(got.status), code / 100, "{told}");
        assert_eq!((got.code(), &told["message"]), (code, &json!(message)));
        assert!(told["reference"].is_string(), "{told}");
    }

    /// What the platform notes against the latest request.
    pub(crate) fn against(&self) -> String {
        self.simulator.requests().pop().unwrap().against
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(self.signed(Method::GET, path, "")).await
    }

    pub(crate) async fn get_call(&self, id: &str) -> Got {
        self.get(&format!("/calling/v1/calls/id/{id}")).await
    }

    /// The bytes of a signed POST, for a bare socket.
    pub(crate) fn raw_post(&self, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        let built = self.signed(Method::POST, CALLOUTS, &body).build().unwrap();
        let mut raw = format!(
            "POST {CALLOUTS} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in built.headers() {
            raw.extend([name.as_str(), ": ", value.to_str().unwrap(), "\r\n"]);
        }
        raw.push_str("\r\n");
        raw.push_str(&body);
        raw.into_bytes()
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.simulator.address()).await.unwrap()
    }

    /// Sends bytes on a fresh connection and reads until the peer closes it.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(answer)
    }
}
