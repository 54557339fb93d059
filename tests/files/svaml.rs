//! SVAML in campaign files: what the platform would not take is found where it stands, for new runs.

use std::path::Path;

use callout::campaign::Campaign;

fn source(hooks: &str) -> String {
    format!(
        "name = \"t\"\n[recipients]\nfile = \"l.csv\"\nnumber = \"phone\"\n[callout.custom]\n{hooks}\n"
    )
}

/// Each fault as `line:column text: message`.
fn faults(hooks: &str) -> Vec<String> {
    match Campaign::parse(&source(hooks), Path::new("c.toml")) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .into_iter()
            .map(|f| format!("{}:{} {}: {}", f.line, f.column, f.text, f.message))
            .collect(),
    }
}

/// A custom callout whose call has this action once it is answered.
fn ace(action: &str) -> String {
    format!(
        "ice = '''{{\"action\":{{\"name\":\"connectPstn\",\"number\":\"{{{{ phone }}}}\",\"cli\":\"private\"}}}}'''\n\
         ace = '''{{\"action\":{action}}}'''"
    )
}

const HANGUP: &str = r#"{"name":"hangup"}"#;

#[test]
fn what_the_platform_would_refuse_is_found_where_it_stands() {
    let told = [
        ace(r#"{"name":"runMenu"}"#),
        ace(r#"{"name":"runMenu","menus":[]}"#),
        ace(r#"{"name":"runMenu","menus":[{"id":"a"}]}"#),
        ace(r#"{"name":"runMenu","menus":[{"id":"main","options":[{"dtmf":"1","action":"menu(nowhere)"}]}]}"#),
        ace(r#"{"name":"runMenu","menus":[{"id":"main","options":[{"dtmf":"1","action":"goto(x)"},{"action":"return(a)"}]}]}"#),
        ace(r#"{"name":"runMenu","enableVoice":true,"menus":[{"id":"main"}]}"#),
        ace(r##"{"name":"runMenu","menus":[{"id":"main","mainPrompt":"#tts[Hi {{ name }}]"}]}"##),
        ace(r#"{"name":"runMenu","barge":"yes","menus":[{"id":"main","repeats":"2"}]}"#),
        ace(r#"{"name":"connectConf"}"#),
        ace(&format!(r#"{{"name":"connectConf","conferenceId":"{}"}}"#, "c".repeat(65))),
        ace(&format!(r##"{HANGUP},"instructions":[{{"name":"playFiles"}},{{"name":"playFiles","ids":["#tts[Hi]"]}},{{"name":"say"}}]"##)),
        ace(&format!(r#"{HANGUP},"instructions":[{{"name":"setCookie","key":"k"}}]"#)),
        r#"ice = '''{"action":{"name":"connectPstn","number":"{{ phone }}","dialTimeout":"30","indications":"xx","maxDuration":20000}}'''"#.to_owned(),
        "[callout.custom.ice.action]\nname = \"connectPstn\"\nnumber = \"{{ phone }}\"\ndialTimeout = \"30\"\nindications = \"xx\"\nsuppressCallbacks = 1".to_owned(),
        "[callout.custom.pie.action]\nname = \"connectSip\"\nmaxDuration = 0\n[callout.custom.dice]\ninstructions = [{ name = \"reportCallStatus\", value = \"maybe\" }]\naction = { name = \"hangup\" }".to_owned(),
    ];
    let told: Vec<String> = told.iter().map(|hooks| faults(hooks).join("\n")).collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn what_a_row_will_fill_is_judged_when_it_has() {
    for right in [
        ace(
            r##"{"name":"runMenu","locale":"{{ lang }}","menus":[{"id":"main","mainPrompt":"#tts[Hi]","options":[{"dtmf":1,"action":"return({{ code }})"}]}]}"##,
        ),
        ace(r#"{"name":"connectConf","conferenceId":"{{ room }}"}"#),
        ace(&format!(
            r#"{HANGUP},"instructions":[{{"name":"sendDTMF2","value":"x"}},{{"name":"say","text":"{{{{ words }}}}"}}]"#
        )),
    ] {
        assert_eq!(faults(&right), Vec::<String>::new(), "{right}");
    }
}

#[test]
fn a_run_that_began_with_it_goes_on() {
    let old: [(String, &str); 3] = [
        (ace(r#"{"name":"runMenu"}"#), "x"),
        (ace(r#"{"name":"connectConf"}"#), "y"),
        ("[callout.custom.ice.action]\nname = \"connectPstn\"\nnumber = \"{{ phone }}\"\ndialTimeout = \"30\"".to_owned(), "z"),
    ];
    for (old, which) in old {
        assert!(!faults(&old).is_empty(), "{which}");
        Campaign::parse_kept(&source(&old), Path::new("c.toml"), None).unwrap();
    }
}
