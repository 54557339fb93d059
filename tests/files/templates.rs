//! Templates that would fill the machine, and those that only look like it. A row whose text would take
//! too much is refused; nothing hangs, and nothing grows, whatever stands in a cell.

use std::path::Path;

use callout::campaign::{Campaign, Faults, RowFault, Script};
use callout::domain::{CalloutBody, Destination};
use proptest::prelude::*;

const PLACE: &str = "c.toml";

fn source(text: &str) -> String {
    format!(
        "name = \"t\"\n[recipients]\nfile = \"l.csv\"\n[callout.tts]\ncli = \"+46100000000\"\n\
         text = '''{text}'''\n"
    )
}

fn bind(campaign: &Campaign) -> Result<Script, String> {
    let header = ["number", "n", "s"].map(String::from);
    let bound = campaign.bind(&header, Path::new("l.csv"));
    bound.map_err(|faults| faults.to_string())
}

/// The text for a row with `n` and `s`.
fn render(script: &Script, n: &str, s: &str) -> Result<String, RowFault> {
    let to = Destination::number("+46701740605");
    match script.callout(&to, &["+46701740605", n, s])?.body {
        CalloutBody::Tts(tts) => Ok(tts.text.unwrap()),
        other => panic!("{other:?}"),
    }
}

fn new(text: &str) -> Result<Campaign, Faults> {
    Campaign::parse(&source(text), Path::new(PLACE))
}

/// What a new campaign says, or why its file or its row is refused.
fn said(text: &str, n: &str, s: &str) -> Result<String, String> {
    let campaign = new(text).map_err(|faults| faults.to_string())?;
    render(&bind(&campaign)?, n, s).map_err(|fault| fault.reason)
}

/// The same for a run that goes on.
fn kept(text: &str, n: &str, s: &str) -> Result<String, String> {
    let campaign = Campaign::parse_kept(&source(text), Path::new(PLACE), None).unwrap();
    render(&bind(&campaign)?, n, s).map_err(|fault| fault.reason)
}

/// Grow without bound as they are written, or with what stands in `n` and `s`.
const HOSTILE: [&str; 35] = [
    "{% set x = s %}{% for i in range(60) %}{% set x = x ~ x %}{% endfor %}{{ x }}",
    "{% set ns = namespace(x=s) %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}ok",
    "{% set ns = namespace(x=s) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}ok",
    "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}ok",
    "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=1) %}{% for i in range(3000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=1) %}{% for i in range(3000) %}{% set ns.x = {\"a\": ns.x} %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=1) %}{% for i in range(3000) %}{% set ns.x = (ns.x,) %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
    "{% set ns = namespace() %}{% set ns.x = ns %}{{ [ns] == [ns, ns] }}",
    "{{ s * (n | int) }}",
    "{{ (n | int) * s }}",
    "{{ ([s] * (n | int)) | join }}",
    "{{ [s] * (n | int) }}",
    "{% for i in [s] * (n | int) %}{{ i }}{% endfor %}",
    "{{ s | indent(n | int) }}",
    "{{ s | indent(width=n | int, first=true) }}",
    "{{ \"%*d\" | format(n | int, 1) }}",
    "{{ (\"%\" ~ n ~ \"d\") | format(1) }}",
    "{{ \"%99999999d\" | format(1) }}",
    "{{ \"%.99999999f\" | format(1.5) }}",
    "{{ [1] | batch(n | int, s) }}",
    "{{ [1] | slice(n | int, s) | list }}",
    "{{ range(n | int) | list }}",
    "{{ range(90000) | join(s) }}",
    "{{ range(90000) | join(d=s) }}",
    "{{ (s * 1000) | replace(\"a\", s * 1000) }}",
    "{{ s | replace(\"\", s * 100) | replace(\"\", s * 100) | replace(\"\", s * 100) }}",
    "{% set a = s ~ s ~ s ~ s %}{% set b = a ~ a ~ a ~ a %}{% set c = b ~ b ~ b ~ b %}{% set d = c ~ c ~ c ~ c %}{% set e = d ~ d ~ d ~ d %}{% set f = e ~ e ~ e ~ e %}{% set g = f ~ f ~ f ~ f %}{% set h = g ~ g ~ g ~ g %}{{ h ~ h ~ h }}",
    "{% set a %}{% for i in range(2000) %}{{ s }}{{ s }}{{ s }}{% endfor %}{% endset %}{% for i in range(900) %}{{ a }}{% endfor %}",
    "{% filter upper %}{% for i in range(9000) %}{{ s }}{{ s }}{% endfor %}{% endfilter %}{% filter upper %}{% for i in range(9000) %}{{ s }}{{ s }}{% endfor %}{% endfilter %}",
    "{{ \"x\" * 100000000 }}",
    "{{ (\"x\" * 90000000) ~ (\"x\" * 90000000) ~ s }}",
    "{% for x in [s ~ s ~ s ~ s] %}{% for x in [x ~ x ~ x ~ x] %}{% for x in [x ~ x ~ x ~ x] %}{% for x in [x ~ x ~ x ~ x] %}{% for x in [x ~ x ~ x ~ x] %}{% for x in [x ~ x ~ x ~ x] %}{{ x ~ x }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in s recursive %}{{ loop(s ~ s) }}{% endfor %}",
];

#[test]
fn what_would_fill_the_machine_refuses_its_row_for_new_runs_and_for_old_ones() {
    let long = "a".repeat(900);
    for text in HOSTILE {
        for (n, s) in [
            ("999999999", &*long),
            ("9223372036854775807", "ab c"),
            ("-1", "x"),
        ] {
            // Where the figures are small it may come out; what counts is that it ends.
            let ends = |said: Result<String, String>| said.is_ok_and(|said| said.len() > 600);
            assert!(!ends(said(text, n, s)), "{text}");
            assert!(!ends(kept(text, n, s)), "{text}");
        }
        let refused = kept(text, "999999999", &long);
        assert!(refused.is_err(), "{text}: {refused:?}");
    }
}

#[test]
fn what_a_text_needs_comes_out_as_ever() {
    for (text, expected) in [
        ("{{ s ~ \" \" ~ n }}", "Anna B 12"),
        ("{{ s | upper | replace(\"ANNA\", \"Bo\") }}", "Bo B"),
        ("{{ (s | split(\" \"))[0] }}", "Anna"),
        (
            "{{ (s | split)[-1] }} {{ s | split | join(\", \") }}",
            "B Anna, B",
        ),
        ("{{ (n | int) * 2 + 1 }}", "25"),
        (
            "{{ (n | int) // 5 }} {{ (n | int) % 5 }} {{ 2 ** 3 }}",
            "2 2 8",
        ),
        ("{{ \"%05.1f\" | format(n | float) }}", "012.0"),
        ("{{ \"-\" * 3 }}{{ s[:4] }}{{ s[::-1] }}", "---AnnaB annA"),
        (
            "{{ [s, n] }} {{ (1, 2) }} {{ {\"a\": n} }}",
            "['Anna B', '12'] (1, 2) {'a': '12'}",
        ),
        (
            "{% if n == \"12\" and \"nn\" in s and n != s %}yes{% endif %}",
            "yes",
        ),
        ("{% if 1 < (n | int) <= 12 %}in{% endif %}", "in"),
        ("{% for i in range(3) %}{{ i }}{% endfor %}", "012"),
        (
            "{{ [3, 1, 2] | sort | map(\"string\") | join(\"-\") }}",
            "1-2-3",
        ),
        (
            "{{ ([1] + [2]) | length }} {{ [1, 2, 3] | sum }} {{ [1, 1] | unique | list }}",
            "2 6 [1]",
        ),
        (
            "{{ s | default(\"you\") }} {{ \"\" | default(\"x\", true) }}",
            "Anna B x",
        ),
        ("{% filter upper %}{{ s }}{% endfilter %}", "ANNA B"),
        ("{% set x %}<{{ s }}>{% endset %}{{ x | length }}", "8"),
        ("{{ dict(a=n).a }} {{ row[\"s\"] }}", "12 Anna B"),
        (
            "{{ n | int if n else 0 }} {{ 42.55 | round(1) }}",
            "12 42.5",
        ),
    ] {
        assert_eq!(
            said(text, "12", "Anna B").as_deref(),
            Ok(expected),
            "{text}"
        );
        assert_eq!(
            kept(text, "12", "Anna B").as_deref(),
            Ok(expected),
            "{text}"
        );
    }
}

#[test]
fn an_unknown_filter_names_the_nearest_and_old_runs_keep_theirs() {
    let told = |text: &str| new(text).unwrap_err().to_string();
    let uper = told("{% if n %}{{ s | uper }}{% endif %}");
    assert!(
        uper.contains("c.toml:6:28: template of `text`: filter uper is unknown"),
        "{uper}"
    );
    assert!(uper.contains("did you mean `upper`?"), "{uper}");
    for withdrawn in [
        "{{ s | indent(2) }}",
        "{% for x in [1, 2] | batch(2) %}{{ x | join }}{% endfor %}",
        "{% for x in [1, 2] | slice(1) %}{{ x | join }}{% endfor %}",
        "{% set ns = namespace(a=s) %}{{ ns.a }}",
    ] {
        assert!(told(withdrawn).contains(" is unknown"), "{withdrawn}");
        kept(withdrawn, "1", "s").unwrap();
    }
    // A column that is only cut is a column too.
    assert_eq!(said("{{ s[:2] }}", "", "abc").as_deref(), Ok("ab"));
    let cut = said("{{ surname[:2] }}", "", "").unwrap_err();
    assert!(cut.contains("no column `surname`"), "{cut}");
    let endless = "{{ s".to_owned() + &" ~ s".repeat(3000) + " }}";
    assert!(told(&endless).contains("too long"), "{}", told(&endless));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is written as a template, and whatever stands in the cells, ends.
    #[test]
    fn no_template_fells_us(
        parts in proptest::collection::vec(prop_oneof![
            Just("{{"), Just("}}"), Just("{%"), Just("%}"), Just(" s "), Just(" n "), Just("~"), Just("|"),
            Just("*"), Just("+"), Just("join"), Just("int"), Just("list"), Just("[s,n]"), Just("[::-1]"),
            Just("[1:0:-1]"), Just("for x in s"), Just("endfor"), Just("set x ="), Just("(n|int)"), Just("2"),
            Just("-"), Just("99999999999999999999"), Just("'a'"), Just("("), Just(")"), Just("row"), Just("**"),
            Just("round"), Just("'%s'"), Just("format"), Just("range"), Just("replace('a',s)"), Just("x"),
        ], 0..24),
        n in "-?[0-9]{0,22}|[a-zå1.e]{0,6}",
        s in "[a-c é\u{61c}]{0,40}",
    ) {
        let text = parts.concat();
        drop(said(&text, &n, &s));
        drop(said(&format!("{{{{ {text} }}}}"), &n, &s));
    }
}
