//! Calls that ask, as `check` and `plan` show them: the tree, the numbers that calls are connected to, what a call
//! takes and what it may cost.

use crate::support::{Desk, Platform};

/// A campaign of two people whose calls are asked this. The list has a column `desk`.
fn asking(desk: &Desk, desks: [&str; 2], rest: &str) {
    let rows = [("Bo", "+46701740605"), ("Eva", "+46701740606")];
    let rows = rows.iter().zip(desks);
    let rows = rows.map(|((name, phone), desk)| format!("{name},{phone},{desk}\n"));
    desk.write(
        "list.csv",
        &format!("name,phone,desk\n{}", rows.collect::<String>()),
    );
    desk.write(
        "c.toml",
        &format!(
            "name = \"c\"\n[recipients]\nfile = \"list.csv\"\nnumber = \"phone\"\n\
             [callout.tts]\ncli = \"+46100000000\"\ntext = \"Hello {{{{ name }}}}.\"\n\
             [pacing]\ncalls_per_second = 10\n{rest}"
        ),
    );
}

const MENU: &str = r#"
[menu.main]
say = "Press 1 to confirm, {{ name }}."
[menu.main.key.1]
response = "confirmed"
say = "Thank you."
[menu.main.key.2]
menu = "more"
[menu.main.key."*"]
menu = "main"
[menu.main.key.9]
suppress = "opted-out"
[menu.more]
say = "Your pin, please."
digits = 4
repeat = 0
[menu.more.otherwise]
say = "Goodbye."
[machine]
do = "leave after beep"
say = "Call us, {{ name }}."
not_sure = "machine"
[reached]
responses = ["confirmed"]
"#;

/// The first menu leads to somebody else.
fn connecting(number: &str) -> String {
    format!(
        "[menu.main]\nsay = \"Press 1.\"\n[menu.main.key.1]\nconnect = \"{number}\"\nlongest = \"601s\"\n"
    )
}

#[test]
fn check_shows_the_call_as_a_tree() {
    let desk = Desk::empty();
    asking(&desk, ["", ""], MENU);
    let out = desk.run(&["check", "c.toml"]).ends(0);
    let tree = r#"in the call:
  says "Hello {{ name }}."
  asks menu main: "Press 1 to confirm, {{ name }}.", 2 times at most, 5 s for a key
    1: "confirmed", counts as reached, says "Thank you.", hangs up
    2: goes to menu more
      asks menu more: "Your pin, please.", 1 time at most, 5 s for a key
        4 digits: hangs up
        otherwise: says "Goodbye.", hangs up
    *: asks menu main again
    9: puts the number on suppression list "opted-out", hangs up
    otherwise: hangs up
  a machine is left "Call us, {{ name }}." after its beep; whoever may be one is taken for one; it counts as not reached
  reached is whose response is "confirmed"
"#;
    assert!(out.stdout.contains(tree), "{}", out.stdout);
    let json = desk.run(&["check", "c.toml", "--json"]).ends(0).json();
    let flow = &json["call_flow"];
    assert_eq!(flow["menus"][0]["keys"]["1"]["counts_as_reached"], true);
    assert_eq!(flow["menus"][0]["keys"]["2"]["menu"], "more");
    assert_eq!(flow["menus"][1]["digits"], 4);
    assert_eq!(flow["machine"]["not_sure"], "machine");
    assert_eq!(flow["callbacks"], serde_json::json!(["pie", "notify"]));
}

#[test]
fn plan_says_what_a_call_takes_and_what_it_needs() {
    let desk = Desk::empty();
    asking(&desk, ["", ""], MENU);
    let plan = desk.run(&["plan", "c.toml"]).ends(0).stdout;
    for told in [
        "  says \"Hello Eva.\"\n  asks menu main: \"Press 1 to confirm, Eva.\"",
        // The greeting 1, the first question 2, and a key after which nothing is said.
        "a call: about 3 s on the shortest way, ",
        "callbacks: PIE (each key decides what follows); Notify (a machine and its beep",
        "(PATCH with `say`): that the platform takes this is documented nowhere",
    ] {
        assert!(plan.contains(told), "{told}\n{plan}");
    }
    let call = desk.run(&["plan", "c.toml", "--json"]).ends(0).json()["call"].clone();
    assert_eq!(call["callbacks"], serde_json::json!(["pie", "notify"]));
    // Ringing and the end 60, the greeting 2, ten times the first menu (twice 4 + 5 s), thanks 2.
    assert_eq!(call["seconds_most"], 60 + 2 + 10 * 2 * (4 + 5) + 2);
}

#[test]
fn whom_a_call_is_connected_to_is_somebody_who_can_and_may_be_called() {
    let desk = Desk::empty();
    asking(&desk, ["", ""], &connecting("+46000000000"));
    let out = desk.run(&["check", "c.toml"]).ends(2);
    let told = "c.toml:13:11: `connect` cannot be dialled: ";
    assert!(out.stdout.contains(told), "{}", out.stdout);

    asking(
        &desk,
        ["+46 8-123 456 78", "+46000000000"],
        &connecting("{{ desk }}"),
    );
    let out = desk.run(&["check", "c.toml"]).ends(2);
    assert!(
        out.stdout.contains("list.csv:3: `connect`: "),
        "{}",
        out.stdout
    );
    assert!(
        out.stdout.contains("2 rows = 1 valid + 1 invalid"),
        "{}",
        out.stdout
    );

    desk.run(&["suppress", "add", "+46812345678", "--list", "no"])
        .ends(0);
    let out = desk.run(&["check", "c.toml"]).ends(2);
    let told = "the first of them: `connect` must not be called: it is on list no since";
    assert!(out.stdout.contains(told), "{}", out.stdout);
    asking(&desk, ["", ""], &connecting("+46812345678"));
    let out = desk.run(&["check", "c.toml"]).ends(2);
    let told = "c.toml:13:11: `connect` must not be called: it is on list no since";
    assert!(out.stdout.contains(told), "{}", out.stdout);
}

#[test]
fn the_worst_case_has_the_dearest_of_those_whom_a_call_is_connected_to() {
    let desk = Desk::empty();
    let rates = |rates: &str| {
        format!(
            "[spend]\ncap = \"100 EUR\"\nlongest_call = \"3m\"\nrates = {{ {rates} }}\n{}\
             [menu.main.key.2]\nconnect = \"+4631390637\"\nlongest = \"1m\"\n",
            connecting("{{ desk }}")
        )
    };
    let desks = ["+46812345678", "+46812345678"];
    let known = "\"+467\" = \"0.1 EUR\", \"+468\" = \"0.2 EUR\", \"+4631\" = \"1 EUR\"";
    asking(&desk, desks, &rates(known));
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    let warned = plan["warnings"][0].as_str().unwrap();
    let told = "`longest_call` ends a call before the `longest` of menu `main` is over";
    assert!(warned.contains(told), "{warned}");
    // Three minutes of their own, and eleven started ones at 0.2 rather than one at 1.
    assert_eq!(plan["cost"]["worst"]["EUR"], "5.0", "{}", plan["cost"]);

    let unknown = "\"+467\" = \"0.1 EUR\", \"+468\" = \"0.2 EUR\"";
    asking(&desk, desks, &rates(unknown));
    let plan = desk.run(&["plan", "c.toml"]).ends(0).stdout;
    assert!(
        plan.contains("the price of 2 recipients is not known"),
        "{plan}"
    );
    let out = desk.run(&["rehearse", "c.toml", "--virtual"]).ends(2);
    let told = "nobody says what calling line 2 of the list costs (+46";
    assert!(out.stderr.contains(told), "{}", out.stderr);
}

#[test]
fn prices_are_asked_of_whom_calls_are_connected_to() {
    let platform = Platform::start(&["--price", "+468=0.5"]);
    let desk = Desk::at(&platform);
    let rest = format!("[spend]\ncap = \"100 EUR\"\n{}", connecting("+46812345678"));
    asking(&desk, ["", ""], &rest);
    let plan = desk.run(&["plan", "c.toml"]).ends(0).stdout;
    let group = plan.lines().find(|line| line.contains("only connected to"));
    assert!(
        group.is_some_and(|line| line.contains("SE fixed") && line.ends_with("0.50 EUR")),
        "{plan}"
    );
    assert!(plan.contains("by country: SE 2"), "{plan}");
}
