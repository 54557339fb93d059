//! Shapes that the official SDKs' own samples show and our fixtures do not: what a stranger may send
//! within the documents is read whole, and what we send is what the SDKs send.
//!
//! Each sample is written by hand, after the peculiarity that its comment names.

use std::sync::Arc;

use callout::clock::SystemClock;
use callout::domain::CallId;
use callout::sinch::auth::{Credentials, Scheme};
use callout::sinch::callback_urls::{CallbackUrls, GetCallbackUrls, SetCallbackUrls};
use callout::sinch::callouts::{CalloutFields, CalloutRequest, Detection};
use callout::sinch::calls::{CallInfo, GetCall, Leg, ManageCall};
use callout::sinch::conferences::{ConferenceCommand, GetConference, ManageParticipant, Moh};
use callout::sinch::events::Event;
use callout::sinch::numbers::{AssignNumbers, Capability, ListNumbers, UnassignNumber};
use callout::sinch::query::QueryNumber;
use callout::sinch::svaml::{Action, Svaml};
use callout::sinch::{ApiMethod, Bases, Client, Paths, Region};
use serde_json::{Value, json};

fn request(json: &Value) -> CalloutRequest<'static> {
    serde_json::from_value(json.clone()).unwrap()
}

fn custom(fields: &Value) -> (Value, CalloutFields<'static>) {
    let json = json!({ "method": "customCallout", "customCallout": fields });
    let request = request(&json);
    assert_eq!(serde_json::to_value(&request).unwrap(), json);
    (json, request.custom.unwrap())
}

fn body(method: &impl ApiMethod) -> Value {
    serde_json::from_slice(&method.request(Paths::Current).body).unwrap()
}

fn call(id: &str) -> CallId {
    CallId::new(id).unwrap()
}

/// An answer about the call that was asked for.
fn info(json: &Value) -> Option<CallInfo> {
    let call = call(json["callId"].as_str().unwrap_or("c"));
    GetCall { call }.read(json.to_string().as_bytes())
}

fn event(json: &Value) -> Event {
    let text = json.to_string();
    let event = Event::parse(text.as_bytes()).unwrap();
    assert_eq!(event.raw().get(), text);
    event
}

#[test]
fn every_field_of_every_callout_is_typed_and_comes_out_as_it_went_in() {
    // The union of what the Java, node, .NET and Python SDKs have, seed 001's `dice`, and `pop` of
    // a sample of OAS 1.0.1.
    let all = json!({
        "cli": "+46700000001", "destination": {"type": "Username", "endpoint": "anna"},
        "domain": "mxp", "custom": "{\"a\":1}", "locale": "Kimberly", "text": "t",
        "prompts": "#tts[a];b", "greeting": "g", "conferenceId": "c",
        "conferenceDtmfOptions": {"mode": "forward", "maxDigits": 4, "timeoutMills": 300},
        "mohClass": "music3", "maxDuration": 60, "dtmf": "w9#", "enableAce": true,
        "enableDice": false, "enablePie": true, "ice": "{}", "ace": "https://a", "pie": "b",
        "dice": "", "amd": {"enabled": true, "async": false},
    });
    let json = json!({
        "method": "ttsCallout", "pop": "eu-central", "ttsCallout": all, "conferenceCallout": all,
        "customCallout": all,
    });
    let read = request(&json);
    assert_eq!(serde_json::to_value(&read).unwrap(), json);
    let shown = format!("{read:?}");
    let count = |word: &str| shown.matches(word).count();
    assert_eq!(count("extra: "), count("extra: {}"), "{shown}");
    assert!(!shown.contains("None"), "{shown}");
    assert_eq!(
        serde_json::from_value::<CalloutRequest<'_>>(json).unwrap(),
        read
    );
}

#[test]
fn answering_machines_are_looked_for_from_a_custom_callout_too() {
    // sinch-sdk-java, CalloutRequestCustomDto.json at 262d33c.
    let (_, fields) = custom(&json!({"amd": {"enabled": true, "async": true, "new": 1}}));
    let amd = fields.amd.unwrap();
    assert_eq!((amd.enabled, amd.asynchronous), (Some(true), Some(true)));
    assert_eq!(amd.extra["new"], 1);
    let ours = CalloutFields {
        amd: Some(Detection {
            enabled: Some(true),
            ..Detection::default()
        }),
        ..CalloutFields::default()
    };
    assert_eq!(
        serde_json::to_value(ours).unwrap(),
        json!({"amd": {"enabled": true}})
    );
}

#[test]
fn a_callout_of_other_types_or_none_is_kept_as_it_came() {
    // The Python and .NET SDKs send null for what is not set; other documents have SVAML as an
    // object, a number in quotes, a destination that lacks its type, or one with `number`.
    for fields in [
        json!({}),
        json!({"cli": null, "maxDuration": null, "destination": null, "amd": null}),
        json!({"ice": {"action": {"name": "hangup"}}, "maxDuration": "30", "enableAce": "true"}),
        json!({"destination": {"endpoint": "a@b"}, "conferenceDtmfOptions": {"maxDigits": null}}),
        json!({"destination": {"number": "+46700000001"}, "maxDuration": 1.5, "text": 7}),
        json!({"destination": {"type": "did", "endpoint": "+1", "new": [{}]}, "unknown": {"a": null}}),
        json!({"conferenceDtmfOptions": {"mode": "detect", "new": true}, "amd": []}),
    ] {
        custom(&fields);
    }
    for json in [
        json!({"method": "ttsCallout", "ttsCallout": null, "customCallout": null}),
        json!({"method": "newCallout", "newCallout": {"cli": "+1"}, "ttsCallout": "x"}),
    ] {
        assert_eq!(serde_json::to_value(request(&json)).unwrap(), json);
    }
    let (_, fields) = custom(&json!({"cli": "+46700000001", "maxDuration": "30"}));
    assert_eq!(fields.cli.as_deref(), Some("+46700000001"));
    assert_eq!(fields.extra["maxDuration"], "30");
    assert!(serde_json::from_value::<CalloutRequest<'_>>(json!({"ttsCallout": {}})).is_err());
    assert!(serde_json::from_value::<CalloutRequest<'_>>(json!([])).is_err());
}

#[test]
fn names_of_a_callout_are_read_in_any_case() {
    // Seed 001 and docs21 write `enabledice` in the example with prompts.
    let read = request(&json!({
        "Method": "ttsCallout",
        "TTSCallout": {
            "CLI": "+1", "Destination": {"Type": "number", "EndPoint": "+2"},
            "enabledice": true, "ENABLEACE": null,
        },
    }));
    let written = json!({
        "method": "ttsCallout",
        "ttsCallout": {
            "cli": "+1", "destination": {"type": "number", "endpoint": "+2"},
            "enableDice": true, "ENABLEACE": null,
        },
    });
    assert_eq!(serde_json::to_value(read).unwrap(), written);
    let (_, fields) = custom(&json!({"dtmf": "1", "DTMF": "2"}));
    assert_eq!(fields.dtmf.as_deref(), Some("1"));
}

#[test]
fn svaml_of_the_old_sdk_and_documents_is_typed() {
    let read = |action: Value| {
        let json = json!({ "action": action });
        let svaml = Svaml::from_json(json.clone()).unwrap();
        assert_eq!(svaml.to_json(), json);
        svaml.action.unwrap()
    };
    // nuget-serversdk has the cause as a number.
    let Action::Hangup(hangup) = read(json!({"name": "hangup", "hangupCause": 17})) else {
        panic!("it is hangup");
    };
    assert_eq!(hangup.hangup_cause, Some(17));
    // docs21, voice-rest-api-recording.md: the recording flag of connectConf and of any action.
    let options = json!({"destinationUrl": "s3://bucket", "notificationEvents": true});
    let conf = json!({"name": "connectConf", "conferenceId": "c", "record": true, "recordingOptions": options});
    let Action::ConnectConf(conf) = read(conf) else {
        panic!("it is connectConf");
    };
    assert!(conf.record == Some(true) && conf.extra.is_empty());
    assert!(conf.recording_options.unwrap().destination_url.is_some());
    let pstn =
        json!({"name": "connectPstn", "number": "+1", "record": true, "recordingOptions": options});
    let Action::ConnectPstn(pstn) = read(pstn) else {
        panic!("it is connectPstn");
    };
    assert!(pstn.record == Some(true) && pstn.extra.is_empty());
}

#[test]
fn a_call_is_read_without_a_status_and_with_an_id_of_several_words() {
    // sinch-sdk-node, calls-api.test.ts: no status. The Java and .NET fixtures' ids have spaces.
    let call = info(&json!({
        "callId": "a call UUID", "from": "46700000001", "to": "46700000002", "domain": "pstn",
        "duration": 30, "result": "ANSWERED", "reason": "CALLERHANGUP",
        "timestamp": "2024-06-06T17:36:00.1234567Z",
    }))
    .unwrap();
    assert_eq!((call.status.as_deref(), call.is_final()), (None, false));
    assert_eq!(call.call.unwrap().as_str(), "a call UUID");
    assert!(call.outcome.answered() && call.timestamp.is_some());
    // sinch-sdk-dotnet, e2e/Voice/CallsTests.cs: money is a bare number in quotes.
    let call = info(&json!({"status": "ONGOING", "userRate": "39", "debit": "138", "custom": {}}));
    let call = call.unwrap();
    assert_eq!(call.user_rate.unwrap().amount.to_string(), "39");
    assert_eq!(call.outcome.debit.unwrap().amount.to_string(), "138");
    assert_eq!(call.custom.as_deref(), Some("{}"));
    for none in [
        json!({}),
        json!({"status": null, "callId": null}),
        json!([]),
        json!({"a": 1}),
    ] {
        assert_eq!(info(&none), None, "{none}");
    }
}

#[test]
fn an_id_of_several_words_stays_one_segment_of_the_path() {
    let client = Client::new(
        Bases::new(Region::Global, None, None).unwrap(),
        Credentials::new("key", "c2VjcmV0").unwrap(),
        Scheme::Signed,
        Arc::new(SystemClock::start()),
    );
    let call = call("a call/id");
    let preview = client.unwrap().preview(&GetCall { call }).unwrap();
    let url = "https://calling.api.sinch.com/calling/v1/calls/id/a%20call%2Fid";
    assert_eq!(preview.url, url);
}

#[test]
fn every_event_may_say_where_its_call_is_managed_and_who_called() {
    // sinch/skills, references/callbacks.md: callResourceUrl in ACE and DiCE. docs21: `user` in all
    // but PIE, where nuget-serversdk's Example/pie.txt has it.
    for name in ["ice", "ace", "pie", "DiCE", "Notify", "somethingNew"] {
        let event = event(&json!({
            "event": name, "callId": "a call id", "callResourceUrl": "https://x/a", "user": "anna",
            "custom": {"a": [1.50]}, "version": "1", "duration": 0, "addToContext": [],
        }));
        let common = event.common();
        assert_eq!(common.call, CallId::new("a call id"), "{name}");
        assert_eq!(common.call_resource_url.as_deref(), Some("https://x/a"));
        assert_eq!(common.user.as_ref().unwrap().endpoint, "anna");
        assert_eq!(common.custom.as_deref(), Some(r#"{"a":[1.5]}"#));
        assert_eq!((common.version, event.attempt()), (Some(1), None));
    }
    // sinch-sdk-node, callbacks-webhook.test.ts: an unknown field in the menu's result, no custom.
    let Event::Pie(pie) = event(&json!({
        "event": "pie", "menuResult": {"addToContext": [], "type": "Sequence", "value": 6789, "user": ""},
    })) else {
        panic!("it is pie");
    };
    assert_eq!(pie.menu.unwrap().value.as_deref(), Some("6789"));
    assert!(pie.common.user.is_none() && pie.common.custom.is_none());
}

#[test]
fn what_is_sent_is_what_the_sdks_send() {
    // sinch-sdk-java, UpdateNumbersRequestDto.json; node has no capability in places.
    let assign = AssignNumbers {
        numbers: vec!["+46700000001".into()],
        application_key: Some("key".into()),
        capability: Some(Capability::Voice),
    };
    let json = json!({"numbers": ["+46700000001"], "applicationkey": "key", "capability": "voice"});
    assert_eq!(body(&assign), json);
    let unassign = UnassignNumber {
        number: "+46700000001".into(),
        application_key: Some("key".into()),
        capability: None,
    };
    let json = json!({"number": "+46700000001", "applicationkey": "key"});
    assert_eq!(body(&unassign), json);
    let set = SetCallbackUrls {
        application_key: "key".into(),
        urls: CallbackUrls {
            primary: Some("https://a".into()),
            fallback: Some("https://b".into()),
        },
    };
    let json = json!({"url": {"primary": "https://a", "fallback": "https://b"}});
    assert_eq!(body(&set), json);
    // The Java, node and .NET samples all name music with a command that is not `onhold`.
    for (command, moh, json) in [
        (
            ConferenceCommand::Unmute,
            Some(Moh::Ring),
            json!({"command": "unmute", "moh": "ring"}),
        ),
        (
            ConferenceCommand::Mute,
            Some(Moh::Music2),
            json!({"command": "mute", "moh": "music2"}),
        ),
        (
            ConferenceCommand::OnHold,
            Some(Moh::Music1),
            json!({"command": "onhold", "moh": "music1"}),
        ),
        (
            ConferenceCommand::Resume,
            None,
            json!({"command": "resume"}),
        ),
    ] {
        let conference = "c".to_owned();
        let manage = ManageParticipant {
            conference,
            call: call("x"),
            command,
            moh,
        };
        assert_eq!(body(&manage), json);
    }
    let manage = ManageCall {
        call: call("x"),
        leg: Some(Leg::Callee),
        svaml: Svaml::play(vec!["https://example.com/a.mp3".into()], None),
    };
    let json = json!({
        "instructions": [{"name": "playFiles", "ids": ["https://example.com/a.mp3"]}],
        "action": {"name": "continue"},
    });
    assert_eq!(body(&manage), json);
    assert_eq!(
        manage.request(Paths::Current).segments,
        ["x", "leg", "callee"]
    );
}

#[test]
fn what_is_not_said_is_none_and_what_is_new_is_no_harm() {
    // sinch-sdk-node, applications-api.test.ts: an empty `method`, no rate, no plus.
    let query = QueryNumber { number: "1".into() };
    let number = json!({"method": "", "numberItem": {
        "numberType": "Unknown", "countryId": "SE", "normalizedNumber": "46700000001",
        "rate": null, "restricted": null, "new": {},
    }});
    let number = query.read(number.to_string().as_bytes()).unwrap();
    assert_eq!(number.normalized_number.as_deref(), Some("46700000001"));
    assert!(number.rate.is_none() && number.restricted.is_none());
    let conference = GetConference {
        conference: "c".into(),
    };
    let body = br#"{"participants":[{"cli":"myUserName","id":"a b","duration":null,"Muted":true,"new":[]},{}],"new":1}"#;
    let people = conference.read(body).unwrap();
    assert_eq!((people.len(), people[0].muted), (2, Some(true)));
    assert_eq!(people[0].id.as_deref(), Some("a b"));
    let body = br#"{"numbers":[{"number":46700000001,"applicationkey":null,"new":1}],"new":null}"#;
    assert_eq!(ListNumbers.read(body).unwrap()[0].number, "46700000001");
    let urls = GetCallbackUrls {
        application_key: "k".into(),
    };
    let body = br#"{"url":{"primary":null,"fallback":"https://b","new":1}}"#;
    assert_eq!(
        urls.read(body).unwrap().fallback.as_deref(),
        Some("https://b")
    );
}
