//! Names that belong to one room: concrete stores to the store, a command's words to `cli`.

use crate::{Source, sources};

/// Commands that advice names most.
const COMMANDS: [&str; 8] = [
    "cancel",
    "check",
    "export",
    "pause",
    "plan",
    "reconcile",
    "resume",
    "suppress",
];

#[test]
fn the_concrete_store_is_named_in_the_store() {
    let naming = sources("src")
        .into_iter()
        .filter(|s| !s.path.starts_with("src/store/") && s.text.contains("SqliteStore"));
    let paths: Vec<String> = naming.map(|s| s.path).collect();
    assert!(paths.is_empty(), "{paths:#?}");
}

#[test]
fn commands_are_spoken_of_in_cli_alone() {
    let mut spoken = Vec::new();
    for Source { path, text } in sources("src") {
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        if path.starts_with("src/cli/") {
            continue;
        }
        for (nth, line) in code.lines().enumerate() {
            let line = line.trim_start();
            let names = COMMANDS
                .iter()
                .any(|name| line.contains(&format!("callout {name}")));
            let options = ["`callout ", "\"--", " --", "(--"];
            let speaks = names || options.iter().any(|words| line.contains(words));
            if !line.starts_with("//") && speaks && !line.contains("-- ") {
                spoken.push(format!("{path}:{}: {line}", nth + 1));
            }
        }
    }
    assert!(spoken.is_empty(), "{spoken:#?}");
}

/// What `cli` may grow to: what is no argument, no word and no exit code is the application's. A new command
/// with its options is some hundred lines; `serve`, what `callback` learned and
/// the simulator's events and people were the last.
const CLI_LINES: usize = 6_000;

#[test]
fn the_command_line_is_no_application() {
    let lines: usize = sources("src/cli")
        .iter()
        .map(|s| s.text.lines().count())
        .sum();
    assert!(lines <= CLI_LINES, "cli has {lines} lines");
}
