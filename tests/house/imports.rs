//! Which file names what of which other file: `use` trees and paths, re-exports followed to where a
//! thing is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::sources;

/// The files of `src`, each with the files that it names.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

/// A module: its path below the crate, such as `["engine", "core"]`.
type Module = Vec<String>;

/// Reads every file's imports. A child that names what its own parent's file defines is not counted: a
/// type whose `impl` is spread over a folder is one thing. Unit tests are left out.
pub(crate) fn imports() -> Imports {
    let files: HashMap<Module, (String, String)> = sources("src")
        .into_iter()
        .map(|source| {
            let code = source.text.split("#[cfg(test)]").next().unwrap_or("");
            let code = without_comments(code);
            (module_of(&source.path), (source.path, code))
        })
        .collect();
    let mut imports = Imports::new();
    for (module, (path, code)) in &files {
        let named = imports.entry(path.clone()).or_default();
        for thing in paths(code) {
            let Some(thing) = absolute(&thing, module) else {
                continue;
            };
            let home = home_of(&thing, &files, 0);
            let own_parent = module.len() > home.len() && module.starts_with(&home);
            if home != *module && !own_parent && !home.is_empty() {
                named.insert(files[&home].0.clone());
            }
        }
    }
    imports
}

fn module_of(path: &str) -> Module {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Module = path.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod")) || module == ["lib"] {
        module.pop();
    }
    module
}

fn without_comments(code: &str) -> String {
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// Every path that begins with `crate`, `super` or `self`, braces spelled out.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                tree(&code[at..], &mut Vec::new(), &mut found);
            }
        }
    }
    found
}

/// Reads `a::b::{c, d::e}` off the beginning of `text`, each leaf behind `before`. Returns what is left.
fn tree<'a>(text: &'a str, before: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    let depth = before.len();
    let mut rest = text.trim_start();
    loop {
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            loop {
                rest = rest.trim_start_matches([' ', '\n', ',']);
                if let Some(behind) = rest.strip_prefix('}') {
                    before.truncate(depth);
                    return behind;
                }
                let left = tree(rest, before, found);
                if left.len() == rest.len() {
                    before.truncate(depth);
                    return rest;
                }
                rest = left;
            }
        }
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*')
            .unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        before.push(rest[..end].to_owned());
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(more) => rest = more,
            None => break,
        }
    }
    found.push(before.clone());
    before.truncate(depth);
    match rest.trim_start().strip_prefix("as ") {
        Some(name) => name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
        None => rest,
    }
}

fn absolute(path: &[String], module: &Module) -> Option<Vec<String>> {
    let mut base = module.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        _ => {
            while rest.first().is_some_and(|part| part == "super") {
                base.pop()?;
                rest = &rest[1..];
            }
        }
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// The module in whose file a thing is, re-exports followed.
fn home_of(thing: &[String], files: &HashMap<Module, (String, String)>, depth: usize) -> Module {
    let at = (0..=thing.len())
        .rev()
        .find(|at| files.contains_key(&thing[..*at]))
        .unwrap();
    let module = thing[..at].to_vec();
    let Some(name) = thing.get(at) else {
        return module;
    };
    let code = &files[&module].1;
    for line in code.match_indices(" use ").map(|(at, _)| at) {
        let public = code[..line].trim_end().ends_with(['b', ')']);
        if !public || depth > 8 {
            continue;
        }
        let mut found = Vec::new();
        tree(&code[line + 5..], &mut Vec::new(), &mut found);
        for path in found.iter().filter(|path| path.last() == Some(name)) {
            let from_here = !matches!(path[0].as_str(), "crate" | "super" | "self");
            let full = if from_here {
                [module.clone(), path.clone()].concat()
            } else {
                absolute(path, &module).unwrap_or_default()
            };
            if full != thing {
                return home_of(&full, files, depth + 1);
            }
        }
    }
    module
}
