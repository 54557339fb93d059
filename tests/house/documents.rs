//! What the documents and the heads of files say.

use crate::{read, sources};

#[test]
fn every_file_opens_with_what_it_is_for() {
    for source in sources("src") {
        let path = source.path;
        assert!(
            source.text.starts_with("//! "),
            "{path} opens without a `//!`"
        );
    }
}

#[test]
fn every_method_has_a_client_a_command_and_a_test() {
    let (table, tests) = (read("docs/calling-api.md"), read("tests/cli/api.rs"));
    let methods = table.lines().filter(|line| {
        ["GET", "POST", "PATCH", "DELETE"]
            .iter()
            .any(|verb| line.starts_with(&format!("| `{verb} ")))
    });
    let mut count = 0;
    for line in methods {
        count += 1;
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, client, command, test] = cells.as_slice() else {
            panic!("{line}");
        };
        assert!(!command.is_empty(), "{line}");
        let (module, name) = client.trim_matches('`').split_once("::").unwrap();
        let source = read(&format!("src/sinch/{module}.rs"));
        let there = ["struct", "enum"].map(|what| format!("pub {what} {name}"));
        assert!(there.iter().any(|there| source.contains(there)), "{line}");
        let test = format!("fn {}()", test.trim_matches('`'));
        assert!(tests.contains(&test), "{line}");
    }
    assert_eq!(count, 19, "methods in the seeds, the three callouts apart");
}
