//! What a list and a machine do not say by themselves: `check` and `doctor` do.

use crate::support::Desk;

#[test]
fn cells_that_would_be_spoken_or_keep_somebody_waiting_are_named() {
    let desk = Desk::empty();
    let list = "number,name,note,tz\n\
                +46701740601,NULL,NULL,Europe/Stockholm\n\
                +46701740602,Eva,\\N,Stockholm time\n\
                +46701740603,\\N,,EST\n\
                +46701740604,Nan,,\n";
    desk.write("list.csv", list);
    desk.write(
        "c.toml",
        "name = \"c\"\n[recipients]\nfile = \"list.csv\"\ntime_zone = \"tz\"\n\
         [window]\nfrom = \"09:00\"\nuntil = \"20:00\"\ntime_zone = \"recipient\"\n\
         [callout.tts]\ncli = \"+46101234567\"\ntext = \"Hello {{ name }}\"\n",
    );
    let said = desk.run(&["check", "c.toml"]).ends(0).stdout;
    assert!(
        said.contains("2 rows have a word for nothing (NULL, \\N, None) in column name"),
        "{said}"
    );
    assert!(
        said.contains("2 rows have a time zone that cannot be read"),
        "{said}"
    );
    // A column that no text uses is nobody's business.
    assert!(!said.contains("column note"), "{said}");
    let told = desk.run(&["check", "c.toml", "--json"]).ends(0).json();
    assert_eq!(told["remarks"].as_array().unwrap().len(), 2, "{told}");
}

#[test]
fn doctor_says_how_old_the_rules_of_the_time_zones_are() {
    let said = Desk::empty().run(&["doctor", "--json"]).json();
    let findings = said["findings"].as_array().unwrap();
    let zones = findings.iter().find(|f| f["what"] == "time zones").unwrap();
    let says = zones["says"].as_str().unwrap();
    let year = says
        .strip_prefix("rules of ")
        .and_then(|says| says.get(..4));
    assert!(
        year.is_some_and(|year| year.parse::<u16>().is_ok_and(|year| year > 2024)),
        "{says}"
    );
}
