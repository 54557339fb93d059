//! Numbers, callbacks and number queries: what is set is told, and every refusal has its code.

use callout::simulator::{Capability, Holder, Options, OwnedNumber, Shape};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{KEY, Peer, steady};

const NUMBERS: &str = "/v1/configuration/numbers";
const OTHER: &str = "11983f76-12c8-1111-9515-4785c7b49ca8";
const CALLBACKS: &str = "/v1/configuration/callbacks/applications";

/// The entry of one number in the list.
async fn listed(peer: &Peer, number: &str) -> Value {
    let list = peer.get(NUMBERS).await;
    assert_eq!(list.status, 200);
    let numbers = list.json()["numbers"].clone();
    let mut found = numbers.as_array().unwrap().iter();
    found.find(|item| item["number"] == number).unwrap().clone()
}

fn voice(number: &str, key: Option<&str>) -> Value {
    match key {
        Some(key) => json!({"number": number, "applicationkey": key, "capability": "voice"}),
        None => json!({"number": number, "capability": "voice"}),
    }
}

#[tokio::test]
async fn numbers_are_assigned_listed_and_taken_away() {
    let peer = Peer::start(Options::default());
    let own = "+46100000000";
    let [free, other] = ["+46100000001", "+46100000002"];
    assert_eq!(listed(&peer, own).await, voice(own, Some(KEY)));
    assert_eq!(listed(&peer, free).await, voice(free, None));
    assert_eq!(listed(&peer, other).await, voice(other, Some(OTHER)));
    let sms = listed(&peer, "+46100000003").await;
    assert_eq!(sms["capability"], "sms");

    // Without a key, with an empty one, and with the one that signs: all mean the one that signs.
    for body in [
        json!({"numbers": [free]}),
        json!({"numbers": [free], "applicationkey": ""}),
        json!({"numbers": [free, own], "applicationkey": KEY, "capability": "voice"}),
    ] {
        let got = peer.ask(Method::POST, NUMBERS, &body).await;
        assert_eq!((got.status, got.text.as_str()), (204, ""), "{body}");
        assert!(!got.headers.contains_key("content-type"));
        assert_eq!(listed(&peer, free).await, voice(free, Some(KEY)), "{body}");
        let away = json!({"number": free});
        let got = peer.ask(Method::DELETE, NUMBERS, &away).await;
        assert_eq!((got.status, got.text.as_str()), (204, ""));
        assert_eq!(listed(&peer, free).await, voice(free, None), "{body}");
    }
    let rows = peer.simulator.requests();
    assert!(rows.iter().all(|row| row.against.is_empty()), "{rows:?}");

    let to_other = json!({"numbers": [free], "applicationkey": OTHER});
    assert_eq!(peer.ask(Method::POST, NUMBERS, &to_other).await.status, 204);
    assert_eq!(listed(&peer, free).await, voice(free, Some(OTHER)));
    let away = json!({"number": free, "applicationkey": OTHER, "capability": "voice"});
    assert_eq!(peer.ask(Method::DELETE, NUMBERS, &away).await.status, 204);
    assert_eq!(listed(&peer, free).await, voice(free, None));
}

#[tokio::test]
async fn other_spellings_of_the_documents_are_taken_and_noted() {
    let peer = Peer::start(Options::default());
    let free = "+46100000001";
    let cases = [
        (
            Method::POST,
            json!({"numbers": free, "applicationkey": KEY, "capability": "voice"}),
            "`numbers` is a text, not a list",
        ),
        (
            Method::DELETE,
            json!({"number": free, "applicationKey": KEY}),
            "`applicationKey` is spelled `applicationkey`",
        ),
        (
            Method::POST,
            json!({"numbers": [free], "applicationKey": KEY}),
            "`applicationKey` is spelled `applicationkey`",
        ),
        (
            Method::DELETE,
            json!({"numbers": free, "applicationkey": KEY}),
            "`numbers` is spelled `number`",
        ),
    ];
    for (method, body, against) in cases {
        let assigns = method == Method::POST;
        let got = peer.ask(method, NUMBERS, &body).await;
        assert_eq!(got.status, 204, "{body}: {}", got.text);
        assert_eq!(peer.against(), against);
        let key = assigns.then_some(KEY);
        assert_eq!(listed(&peer, free).await, voice(free, key), "{body}");
    }
}

#[tokio::test]
async fn a_number_that_cannot_be_updated_is_40001_and_an_unknown_application_40003() {
    let mut options = Options::default();
    options
        .numbers
        .extend((0..101).map(|n| OwnedNumber::voice(format!("+4670{n:07}"), Holder::Nobody)));
    let many = |count| {
        let numbers: Vec<_> = (0..count).map(|n| format!("+4670{n:07}")).collect();
        json!({ "numbers": numbers })
    };
    let peer = Peer::start(options);
    let before = peer.get(NUMBERS).await.json();
    let not_updated = "Unable to update numbers";
    for body in [
        json!({}),
        json!({"numbers": []}),
        json!({"numbers": null}),
        json!({"numbers": 46}),
        json!({"numbers": [46]}),
        json!({"numbers": ["+46100000001", "+46999999999"]}),
        json!({"numbers": ["+46100000001", "46100000001"]}),
        json!({"numbers": ["+46100000001"], "capability": "fax"}),
        json!({"numbers": ["+46100000001"], "capability": 1}),
        json!({"numbers": ["+46100000001"], "capability": "sms"}),
        json!({"numbers": ["+46100000003"], "capability": "voice"}),
        many(101),
    ] {
        let got = peer.ask(Method::POST, NUMBERS, &body).await;
        Peer::assert_refused(&got, 40001, not_updated);
    }
    for body in [
        json!({}),
        json!({"number": 46}),
        json!({"number": "+46999999999"}),
        json!({"number": "+46100000001"}),
        json!({"number": "+46100000002"}),
        json!({"number": "+46100000000", "capability": "sms"}),
        json!({"number": "+46100000000", "applicationkey": OTHER}),
    ] {
        let got = peer.ask(Method::DELETE, NUMBERS, &body).await;
        Peer::assert_refused(&got, 40001, not_updated);
    }
    for (method, body) in [
        (
            Method::POST,
            json!({"numbers": ["+46100000001"], "applicationkey": "x"}),
        ),
        (
            Method::POST,
            json!({"numbers": ["+46100000001"], "applicationKey": 7}),
        ),
        (
            Method::DELETE,
            json!({"number": "+46100000000", "applicationkey": "x"}),
        ),
    ] {
        let got = peer.ask(method, NUMBERS, &body).await;
        Peer::assert_refused(&got, 40003, "Invalid Application Key");
    }
    assert_eq!(peer.get(NUMBERS).await.json(), before, "all, or nothing");
    let got = peer.ask(Method::POST, NUMBERS, &many(100)).await;
    assert_eq!(got.status, 204, "{}", got.text);
}

#[tokio::test]
async fn the_account_is_the_one_of_the_options() {
    let peer = Peer::start(Options {
        numbers: vec![OwnedNumber {
            number: "+4612345678".to_owned(),
            capability: Capability::Sms,
            holder: Holder::Ours,
        }],
        ..Options::default()
    });
    let told = json!({"numbers": [
        {"number": "+4612345678", "applicationkey": KEY, "capability": "sms"},
    ]});
    assert_eq!(peer.get(NUMBERS).await.json(), told);
    let bad = Options {
        numbers: vec![OwnedNumber::voice("46", Holder::Nobody)],
        ..Options::default()
    };
    assert!(bad.check().is_err());
}

#[tokio::test]
async fn callbacks_are_set_told_and_taken_back() {
    let peer = Peer::start(Options::default());
    let path = format!("{CALLBACKS}/{KEY}");
    assert_eq!(peer.get(&path).await.json(), json!({"url": {}}));
    let urls =
        json!({"url": {"primary": "https://example.org/a", "fallback": "http://127.0.0.1:9/"}});
    let got = peer.ask(Method::POST, &path, &urls).await;
    assert_eq!((got.status, got.text.as_str()), (204, ""));
    assert_eq!(peer.get(&path).await.json(), urls);
    // Another application has its own.
    let other = format!("{CALLBACKS}/{OTHER}");
    assert_eq!(peer.get(&other).await.json(), json!({"url": {}}));
    let primary = json!({"url": {"primary": "https://example.org/b"}});
    assert_eq!(peer.ask(Method::POST, &path, &primary).await.status, 204);
    assert_eq!(peer.get(&path).await.json(), primary);
    let rows = peer.simulator.requests();
    assert!(rows.iter().all(|row| row.against.is_empty()), "{rows:?}");

    for (body, against) in [
        (
            json!({"url": [{"primary": "https://example.org/c"}]}),
            "`url` is a list, not an object",
        ),
        (json!({}), "there is no `url`"),
    ] {
        assert_eq!(peer.ask(Method::POST, &path, &body).await.status, 204);
        assert_eq!(peer.against(), against);
    }
    assert_eq!(peer.get(&path).await.json(), json!({"url": {}}));
}

#[tokio::test]
async fn callbacks_of_unknown_applications_and_no_urls_are_refused() {
    let peer = Peer::start(Options::default());
    let unknown = format!("{CALLBACKS}/94983f76-1161-6655-9515-4785c7b67dd8");
    let urls = json!({"url": {"primary": "https://example.org/a"}});
    let got = peer.get(&unknown).await;
    Peer::assert_refused(&got, 40003, "Invalid Application Key");
    let got = peer.ask(Method::POST, &unknown, &urls).await;
    Peer::assert_refused(&got, 40003, "Invalid Application Key");
    let path = format!("{CALLBACKS}/{KEY}");
    for body in [
        json!({"url": "https://example.org"}),
        json!({"url": {"primary": 1}}),
        json!({"url": {"primary": "ftp://example.org"}}),
        json!({"url": {"primary": "https://"}}),
        json!({"url": {"fallback": "https://example.org/a b"}}),
        json!({"url": [{}, {}]}),
    ] {
        let got = peer.ask(Method::POST, &path, &body).await;
        assert_eq!((got.status, got.code()), (400, 40001), "{body}");
    }
    let got = peer.ask(Method::POST, &path, &json!([])).await;
    assert_eq!((got.status, got.code()), (400, 40003));
    assert_eq!(peer.get(&path).await.json(), json!({"url": {}}));
}

#[tokio::test]
async fn a_number_is_told_with_its_country_kind_and_rate() {
    let peer = Peer::start(Options {
        forbidden_prefixes: vec!["+4470".to_owned()],
        ..steady()
    });
    let query = async |number: &str| {
        peer.get(&format!("/v1/calling/query/number/{number}"))
            .await
    };
    assert_eq!(
        query("+46730170101").await.json(),
        json!({"number": {"countryId": "SE", "numberType": "Mobile",
            "normalizedNumber": "+46730170101", "restricted": false,
            "rate": {"currencyId": "EUR", "amount": 0.0415}}})
    );
    assert_eq!(peer.against(), "");
    for sent in [
        "+46(0)73-017-0101",
        "%2B46(0)73-017-0101",
        "+46%20(0)73%20017%2001%2001",
    ] {
        let told = query(sent).await.json();
        assert_eq!(told["number"]["normalizedNumber"], "+46730170101", "{sent}");
        assert_eq!(peer.against(), "the number is not in E.164");
    }
    for (number, country, kind, restricted) in [
        ("+12025550100", "US", "Fixed", false),
        ("+18005550100", "US", "Other", false),
        ("+441134960000", "GB", "Fixed", false),
        ("+447012345678", "GB", "Mobile", true),
        ("+99912345678", "", "Unknown", false),
    ] {
        let told = query(number).await.json()["number"].clone();
        let found = (&told["countryId"], &told["numberType"], &told["restricted"]);
        assert_eq!(found, (&json!(country), &json!(kind), &json!(restricted)));
    }
    for sent in [
        "46730170101",
        "+",
        "+46",
        "+1234567890123456",
        "+46a30170101",
        "+0123456789",
        "%00",
    ] {
        let got = query(sent).await;
        Peer::assert_refused(&got, 40001, "Invalid number specified");
    }
}

#[tokio::test]
async fn the_old_shape_of_the_configuration_is_that_of_seed_004() {
    let peer = Peer::start(Options {
        shape: Shape::Old,
        ..steady()
    });
    let told = peer
        .get("/v1/calling/query/number/+46730170101")
        .await
        .json();
    assert_eq!(told["method"], "numberItem");
    assert_eq!(told["numberItem"]["normalizednumber"], "+46730170101");
    let path = format!("{CALLBACKS}/{KEY}");
    assert_eq!(peer.get(&path).await.json(), json!({}));
    let urls = json!({"url": {"primary": "https://example.org/a"}});
    assert_eq!(peer.ask(Method::POST, &path, &urls).await.status, 200);
    assert_eq!(
        peer.get(&path).await.json(),
        json!({"url": [{"primary": "https://example.org/a"}]})
    );
    let got = peer
        .ask(Method::POST, NUMBERS, &json!({"numbers": []}))
        .await;
    assert_eq!(
        (got.status, &got.json()["errorCode"]),
        (400, &json!("40001"))
    );
    assert!(peer.get(NUMBERS).await.json()["numbers"].is_array());
}
