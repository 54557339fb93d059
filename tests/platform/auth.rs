//! Signing against the published vectors, and what a receiver refuses.

use std::time::Duration;

use callout::sinch::auth::{
    AuthError, Credentials, CredentialsError, ReceivedHeaders, Request, Scheme, string_to_sign,
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

const KEY: &str = "669E367E-6BBA-48AB-AF15-266871C28135";
const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";
const TOLERANCE: Duration = Duration::from_mins(5);

fn vectors() -> Value {
    serde_json::from_str(include_str!("../fixtures/auth_vectors.json")).unwrap()
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap()
}

fn credentials_of(vector: &Value) -> Credentials {
    Credentials::new(
        text(vector, "application_key"),
        text(vector, "application_secret_base64"),
    )
    .unwrap()
}

fn request_of(vector: &Value) -> Request<'_> {
    Request {
        method: text(vector, "method"),
        path: text(vector, "path"),
        content_type: text(vector, "content_type"),
        body: text(vector, "body").as_bytes(),
    }
}

fn ours() -> Credentials {
    Credentials::new(KEY, SECRET).unwrap()
}

const REQUEST: Request<'static> = Request {
    method: "POST",
    path: "/calling/v1/callouts",
    content_type: "application/json",
    body: b"{}",
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn every_published_vector_is_reproduced() {
    let vectors = vectors();
    for vector in vectors["vectors"].as_array().unwrap() {
        let id = text(vector, "id");
        let signed = request_of(vector).string_to_sign(text(vector, "x_timestamp"));
        assert_eq!(signed, text(vector, "string_to_sign"), "{id}");
        let signature = credentials_of(vector).sign(&signed).unwrap();
        assert_eq!(signature, text(vector, "expected_signature"), "{id}");
    }
}

#[test]
fn signatures_that_the_documents_print_wrongly_are_made_rightly() {
    let vectors = vectors();
    for vector in vectors["broken_in_docs_do_not_use"].as_array().unwrap() {
        let signed = request_of(vector).string_to_sign(text(vector, "x_timestamp"));
        let signature = credentials_of(vector).sign(&signed).unwrap();
        assert_eq!(signature, text(vector, "correct_signature"));
        assert_ne!(signature, text(vector, "printed_signature"));
    }
}

#[test]
fn every_published_vector_verifies_in_either_case_of_the_scheme() {
    let vectors = vectors();
    for vector in vectors["vectors"].as_array().unwrap() {
        let stamp = text(vector, "x_timestamp");
        let header = text(vector, "authorization_header");
        for header in [header.to_owned(), header.replace("Appl", "appl")] {
            let headers = ReceivedHeaders {
                authorization: Some(&header),
                x_timestamp: Some(stamp),
            };
            let verdict =
                credentials_of(vector).verify(&request_of(vector), &headers, at(stamp), TOLERANCE);
            assert_eq!(verdict, Ok(()), "{}", text(vector, "id"));
        }
    }
}

#[test]
fn every_negative_vector_is_refused_for_its_own_reason() {
    let vectors = vectors();
    for vector in vectors["negative"].as_array().unwrap() {
        let stamp = text(vector, "x_timestamp");
        let headers = ReceivedHeaders {
            authorization: vector["authorization"].as_str(),
            x_timestamp: Some(stamp),
        };
        let verdict =
            credentials_of(vector).verify(&request_of(vector), &headers, at(stamp), TOLERANCE);
        let expected = match text(vector, "id") {
            "N2" => AuthError::MissingAuthorization,
            "N8" => AuthError::WrongScheme,
            "N9" => AuthError::UnknownKey,
            _ => AuthError::BadSignature,
        };
        assert_eq!(verdict, Err(expected), "{}", text(vector, "id"));
    }
}

#[test]
fn basic_authorisation_sends_the_secret_as_printed() {
    let basic = &vectors()["basic"];
    let credentials = Credentials::new(text(basic, "key"), text(basic, "secret")).unwrap();
    let made = credentials
        .authorization(Scheme::Basic, &REQUEST, Timestamp::UNIX_EPOCH)
        .unwrap();
    assert_eq!(made.authorization, text(basic, "header"));
    assert_eq!(made.x_timestamp, None);
    assert_eq!(credentials.verify_basic(Some(&made.authorization)), Ok(()));
    for (header, error) in [
        (None, AuthError::MissingAuthorization),
        (Some("Application a:b"), AuthError::WrongScheme),
        (Some("Basic"), AuthError::WrongScheme),
        (Some("Basic %%%"), AuthError::Malformed),
        (Some("Basic bXkta2V5LWlk"), AuthError::Malformed),
        (
            Some("Basic bXkta2V5LWlkOnNlY3JldA=="),
            AuthError::BadSignature,
        ),
        (Some("Basic b3RoZXI6c2VjcmV0"), AuthError::UnknownKey),
        (
            Some("Basic my-key-id:bXkta2V5LXNlY3JldA=="),
            AuthError::Malformed,
        ),
    ] {
        assert_eq!(credentials.verify_basic(header), Err(error), "{header:?}");
    }
}

#[test]
fn the_timestamp_is_utc_with_milliseconds() {
    let made = ours()
        .authorization(
            Scheme::Signed,
            &REQUEST,
            at("2026-11-21T06:07:08.009999+01:00"),
        )
        .unwrap();
    let stamp = made.x_timestamp.unwrap();
    assert_eq!(stamp, "2026-11-21T05:07:08.009Z");
    let whole = ours().authorization(Scheme::Signed, &REQUEST, at("2026-11-21T05:07:08Z"));
    assert_eq!(
        whole.unwrap().x_timestamp.unwrap(),
        "2026-11-21T05:07:08.000Z"
    );
    let signed = string_to_sign("POST", b"{}", "application/json", &stamp, REQUEST.path);
    assert_eq!(
        made.authorization,
        format!("Application {KEY}:{}", ours().sign(&signed).unwrap())
    );
}

#[test]
fn a_timestamp_outside_the_tolerance_is_refused_to_both_sides() {
    let sent = at("2026-11-21T05:00:00Z");
    let made = ours()
        .authorization(Scheme::Signed, &REQUEST, sent)
        .unwrap();
    let headers = ReceivedHeaders {
        authorization: Some(&made.authorization),
        x_timestamp: made.x_timestamp.as_deref(),
    };
    let verdict = |now: &str| ours().verify(&REQUEST, &headers, at(now), TOLERANCE);
    assert_eq!(verdict("2026-11-21T05:05:00Z"), Ok(()));
    assert_eq!(verdict("2026-11-21T04:55:00Z"), Ok(()));
    assert_eq!(verdict("2026-11-21T05:05:00.1Z"), Err(AuthError::TooOld));
    assert_eq!(verdict("2026-11-21T04:54:59Z"), Err(AuthError::TooNew));
}

#[test]
fn a_timestamp_that_is_missing_or_no_time_is_refused() {
    let made = ours()
        .authorization(Scheme::Signed, &REQUEST, Timestamp::UNIX_EPOCH)
        .unwrap();
    for (stamp, error) in [
        (None, AuthError::MissingTimestamp),
        (Some("soon"), AuthError::BadTimestamp),
        (Some(""), AuthError::BadTimestamp),
    ] {
        let headers = ReceivedHeaders {
            authorization: Some(&made.authorization),
            x_timestamp: stamp,
        };
        let verdict = ours().verify(&REQUEST, &headers, Timestamp::UNIX_EPOCH, TOLERANCE);
        assert_eq!(verdict, Err(error));
    }
}

#[test]
fn credentials_that_cannot_work_are_refused_with_a_reason() {
    let made = |key: &str, secret: &str| Credentials::new(key, secret).map(|_| ());
    assert_eq!(made("", SECRET), Err(CredentialsError::EmptyKey));
    assert_eq!(made("a:b", SECRET), Err(CredentialsError::UnusableKey));
    assert_eq!(made("a\n", SECRET), Err(CredentialsError::UnusableKey));
    assert_eq!(made(KEY, ""), Err(CredentialsError::EmptySecret));
    assert_eq!(made(KEY, "AAAA\n"), Err(CredentialsError::UnusableSecret));
    let words = Credentials::new(KEY, "not*base64").unwrap();
    assert_eq!(words.check(Scheme::Basic), Ok(()));
    assert_eq!(
        words.check(Scheme::Signed),
        Err(CredentialsError::SecretNotBase64)
    );
    assert_eq!("basic".parse(), Ok(Scheme::Basic));
    assert_eq!("signed".parse(), Ok(Scheme::Signed));
    assert!("Signed?".parse::<Scheme>().is_err());
}

#[test]
fn a_secret_without_padding_or_in_the_url_alphabet_is_the_same_secret() {
    let sign = |secret: &str| Credentials::new(KEY, secret).unwrap().sign("x").unwrap();
    assert_eq!(sign(SECRET), sign(SECRET.trim_end_matches('=')));
    assert_eq!(sign("-_-_"), sign("+/+/"));
}

#[test]
fn a_secret_is_never_printed() {
    let made = ours()
        .authorization(Scheme::Basic, &REQUEST, Timestamp::UNIX_EPOCH)
        .unwrap();
    let headers = ReceivedHeaders {
        authorization: Some(&made.authorization),
        x_timestamp: None,
    };
    let shown = format!("{:?} {made:?} {headers:?}", ours());
    assert!(!shown.contains(SECRET));
    assert!(!shown.contains(made.authorization.trim_start_matches("Basic ")));
}

proptest! {
    #[test]
    fn one_flipped_bit_anywhere_breaks_the_signature(
        body in proptest::collection::vec(any::<u8>(), 1..64), bit in any::<prop::sample::Index>(),
    ) {
        let request = Request { body: &body, ..REQUEST };
        let now = at("2026-11-21T05:00:00Z");
        let made = ours().authorization(Scheme::Signed, &request, now).unwrap();
        let headers = ReceivedHeaders {
            authorization: Some(&made.authorization),
            x_timestamp: made.x_timestamp.as_deref(),
        };
        prop_assert_eq!(ours().verify(&request, &headers, now, TOLERANCE), Ok(()));
        let mut flipped = body.clone();
        let bit = bit.index(body.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        let verdict = ours().verify(&Request { body: &flipped, ..REQUEST }, &headers, now, TOLERANCE);
        prop_assert_eq!(verdict, Err(AuthError::BadSignature));
    }

    #[test]
    fn no_authorization_header_panics(header in ".{0,80}", stamp in ".{0,40}") {
        let headers = ReceivedHeaders { authorization: Some(&header), x_timestamp: Some(&stamp) };
        prop_assert!(ours().verify(&REQUEST, &headers, Timestamp::UNIX_EPOCH, TOLERANCE).is_err());
        prop_assert!(ours().verify_basic(Some(&header)).is_err());
    }
}
