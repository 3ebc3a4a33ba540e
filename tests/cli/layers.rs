//! The layers hold: who may import whom (DESIGN section 2), and a few rules of the house that no lint knows.

use std::fs;
use std::path::{Path, PathBuf};

/// One rule: in these files none of these paths may be used.
struct Rule {
    /// Prefixes of paths below `src/`; a `!` before one takes files out again.
    files: &'static [&'static str],
    /// Rust paths: the path itself and everything below it.
    never: &'static [&'static str],
    reason: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        files: &["api"],
        never: &["crate::cli", "crate::output"],
        reason: "api is a library of its own: whoever uses it decides what is said and with which exit code",
    },
    Rule {
        files: &["output"],
        never: &["crate::cli", "crate::api"],
        reason: "output prints what it is given; if it knew services, every format would have to know the engine",
    },
    Rule {
        files: &["main.rs"],
        never: &["crate::api", "crate::output"],
        reason: "main parses, runs, returns the exit code; what an error means is said in cli",
    },
    Rule {
        files: &["api", "output"],
        never: &["clap", "anyhow"],
        reason: "clap and anyhow stop at cli: below it flags are data and errors are types that can be asked",
    },
    Rule {
        files: &["main.rs", "cli", "output"],
        never: &["ureq"],
        reason: "one place speaks HTTP: nobody goes round its time limits, its escaping and its one way to decode",
    },
    Rule {
        files: &["api", "!api/transport"],
        never: &["ureq::unversioned"],
        reason: "it is outside semver: when ureq changes it, one folder changes",
    },
    Rule {
        files: &["main.rs", "cli", "api"],
        never: &["tabled", "indicatif", "console"],
        reason: "there is one printer, and tables and terminals are its affair",
    },
    Rule {
        files: &[
            "api/spec",
            "api/rollout",
            "api/forecast",
            "api/image",
            "api/endpoint",
            "api/proxy",
            "api/settings",
            "api/headers",
        ],
        never: &[
            "std::io",
            "std::net::TcpListener",
            "std::net::TcpStream",
            "std::net::ToSocketAddrs",
            "std::net::UdpSocket",
            "std::fs",
            "std::env",
            "std::process",
            "std::os",
            "std::thread",
            "std::time::SystemTime",
            "std::time::Instant::now",
            "Instant::now",
            "SystemTime::now",
            "jiff::Timestamp::now",
            "Timestamp::now",
            "Zoned::now",
        ],
        reason: "these judge and compute: pure code is tested with values, not with engines and clocks",
    },
    Rule {
        files: &["api", "output", "cli", "!cli/global"],
        never: &["std::env::var", "std::env::var_os", "std::env::vars", "std::env::vars_os"],
        reason: "the environment is read once, in cli/global.rs, so that there is one list of what is heeded",
    },
];

/// More in one file than a reader holds in mind.
const LINES: usize = 400;

/// Paths of somebody's machine; none belongs into the program.
const MACHINE: &[&str] = &["/home/", "/root/", "/Users/", "/work/", "/tmp/h"];

#[test]
fn nobody_imports_what_is_not_theirs() {
    let mut wrong = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test(name)) {
        for (line, path) in paths(&without_tests(&code(&text)), &name) {
            for rule in RULES.iter().filter(|rule| rule.is_about(&name)) {
                if rule.never.iter().any(|never| is_or_is_below(&path, never)) {
                    wrong.push(format!("src/{name}:{line}: `{path}`: {}", rule.reason));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the layers:\n  {}", wrong.join("\n  "));
}

#[test]
fn no_source_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES)
        .map(|(name, lines)| format!("src/{name}: {lines} lines, {LINES} at most"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn there_is_no_unsafe_and_no_way_to_allow_it() {
    let manifest = include_str!("../../Cargo.toml");
    assert!(manifest.contains("unsafe_code = \"forbid\""), "Cargo.toml forbids unsafe code");
    for (name, text) in sources() {
        let code = code(&text);
        let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert!(!words.into_iter().any(|word| word == "unsafe"), "src/{name} has an unsafe block");
    }
}

#[test]
fn no_source_file_knows_a_machine() {
    let mut wrong = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test(name)) {
        for (i, line) in text.lines().enumerate() {
            if MACHINE.iter().any(|path| line.contains(path)) {
                wrong.push(format!("src/{name}:{}: {}", i + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "paths of a machine:\n  {}", wrong.join("\n  "));
}

/// A rule whose files have all gone is a rule that nobody keeps.
#[test]
fn every_layer_is_there() {
    let names: Vec<String> = sources().into_iter().map(|(name, _)| name).collect();
    for layer in ["main.rs", "cli", "api", "output", "api/spec", "api/transport", "cli/global"] {
        assert!(names.iter().any(|name| is_in(name, layer)), "there is no src/{layer}, but rules about it");
    }
}

#[test]
fn the_checker_sees_imports_of_every_form() {
    let seen = |text: &str| -> Vec<String> {
        paths(&without_tests(&code(text)), "api/spec/x.rs").into_iter().map(|(_, path)| path).collect()
    };
    let has = |text: &str, path: &str| seen(text).iter().any(|seen| is_or_is_below(seen, path));
    assert!(has("use std::{fmt, fs::{self, File}};", "std::fs"));
    assert!(has("use std::fs as files;", "std::fs"));
    assert!(has("fn f() { let _ = std::env::var_os(\"X\"); }", "std::env"));
    assert!(has("pub(super) use crate::{\n    api::Client,\n    cli::Args,\n};", "crate::cli"));
    assert!(has("fn f(x: super::super::super::cli::Args) {}", "crate::cli"));
    assert!(has("fn f() { let now = Instant::now(); }", "Instant::now"));
    assert!(has("#[derive(clap::Args)] struct A;", "clap"));
    assert!(has("extern crate clap;", "clap"));
    assert!(!has("// use std::fs;\n/* std::fs */ const A: &str = \"std::fs::File\";", "std::fs"));
    assert!(!has("const A: &str = r#\"std::fs \" std::fs\"#; const B: char = '\"'; // std::fs", "std::fs"));
    assert!(!has("#[cfg(test)]\nmod tests { use std::fs; fn f() {} }\nfn g() {}", "std::fs"));
    assert!(has("#[cfg(test)]\nmod tests { fn f() {} }\nuse std::fs;", "std::fs"));
    assert!(!has("use clapper::A; fn f<'a>(x: &'a str) {}", "clap"));
}

impl Rule {
    fn is_about(&self, name: &str) -> bool {
        let (out, within): (Vec<&str>, Vec<&str>) =
            self.files.iter().partition(|prefix| prefix.starts_with('!'));
        within.iter().any(|prefix| is_in(name, prefix)) && !out.iter().any(|prefix| is_in(name, &prefix[1..]))
    }
}

/// Whether a file is the module of that path: `api/spec` is `api/spec.rs` and all of `api/spec/`.
fn is_in(name: &str, prefix: &str) -> bool {
    name == prefix || name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// Whether the file holds nothing but tests of its neighbour.
fn is_test(name: &str) -> bool {
    name.ends_with("_tests.rs") || name.ends_with("/tests.rs")
}

fn is_or_is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Every file of the program by its path below `src/`.
fn sources() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&src, &mut files);
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let name = file.strip_prefix(&src).expect("below src").to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(&file).expect("a source file is text"))
        })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// The text with comments and the insides of strings and characters blanked; lines stay.
fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    let blank = |out: &mut String, c: char| out.push(if c == '\n' { '\n' } else { ' ' });
    while i < chars.len() {
        let rest = &chars[i..];
        let end = match rest {
            ['/', '/', ..] => i + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => i + block_comment(rest),
            ['r', '"' | '#', ..] if !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                i + raw_string(rest)
            }
            ['"', ..] => i + string(rest),
            ['\'', '\\', ..] => {
                i + 3 + rest[3.min(rest.len())..].iter().take_while(|c| **c != '\'').count() + 1
            }
            ['\'', _, '\'', ..] => i + 3,
            _ => i,
        };
        if end == i {
            out.push(chars[i]);
            i += 1;
        }
        for c in &chars[i.min(end)..end.min(chars.len())] {
            blank(&mut out, *c);
        }
        i = i.max(end);
    }
    out
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut i) = (0, 0);
    while i < rest.len() {
        match rest[i..] {
            ['/', '*', ..] => (depth, i) = (depth + 1, i + 2),
            ['*', '/', ..] => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn string(rest: &[char]) -> usize {
    let mut i = 1;
    while i < rest.len() && rest[i] != '"' {
        i += if rest[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// The length of a raw string; 0 where the `r` begins something else.
fn raw_string(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = 2 + hashes;
    (body..rest.len()).find(|i| rest[*i..].starts_with(&close)).map_or(rest.len(), |i| i + close.len())
}

/// The code without what is compiled for tests only: those may do what they like.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(from) = out.find("#[cfg(test)]") {
        let (mut depth, mut to) = (0_i32, out.len());
        for (i, c) in out[from..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(c, '}' | ';') {
                to = from + i + 1;
                break;
            }
        }
        let blank: String = out[from..to].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(from..to, &blank);
    }
    out
}

/// Every path of at least one `::`, and every `use` and `extern crate`, with its line; groups are taken apart,
/// `super::` and `self::` are resolved.
fn paths(code: &str, name: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let bytes = code.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let c = code[i..].chars().next().expect("a character");
        if !(c.is_alphabetic() || c == '_') {
            i += c.len_utf8();
            continue;
        }
        let line = code[..i].matches('\n').count() + 1;
        let word = word_at(code, i);
        if matches!(word, "use" | "crate") {
            let tree_from = i + word.len();
            if word == "use" || code[..i].trim_end().ends_with("extern") {
                let tree = code[tree_from..].split(';').next().unwrap_or_default();
                for path in flatten(tree) {
                    found.push((line, resolve(&path, name)));
                }
                i = tree_from + tree.len();
                continue;
            }
        }
        let mut path = word.to_owned();
        i += word.len();
        while let Some(rest) = code[i..].strip_prefix("::") {
            let next = word_at(rest, 0);
            i += 2 + next.len();
            if next.is_empty() {
                break;
            }
            path.push_str("::");
            path.push_str(next);
        }
        if path.contains("::") {
            found.push((line, resolve(&path, name)));
        }
    }
    found
}

fn word_at(code: &str, from: usize) -> &str {
    let end =
        code[from..].find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(code.len(), |n| from + n);
    &code[from..end]
}

/// `a::{b, c::{self, D as E}}` as its paths.
fn flatten(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        let path = path.strip_suffix("::self").or_else(|| path.strip_suffix("::*")).unwrap_or(path);
        return vec![path.trim_start_matches("::").to_owned()];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_i32, 0);
    for (i, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[from..i]);
                from = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[from..]);
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts
        .flat_map(|part| flatten(part))
        .map(|part| flatten(&format!("{}{part}", head.trim())).remove(0))
        .collect()
}

/// A path from the crate's root where it begins with `super` or `self`.
fn resolve(path: &str, name: &str) -> String {
    let module = name.strip_suffix("/mod.rs").or_else(|| name.strip_suffix(".rs")).unwrap_or(name);
    let mut module: Vec<&str> = if module == "main" { Vec::new() } else { module.split('/').collect() };
    let mut words = path.split("::").peekable();
    if !matches!(words.peek(), Some(&("super" | "self"))) {
        // In main.rs the layers are in sight without `crate::`.
        let layer = matches!(words.peek(), Some(&("api" | "cli" | "output"))) && module.is_empty();
        return if layer { format!("crate::{path}") } else { path.to_owned() };
    }
    while let Some(word) = words.next_if(|word| matches!(*word, "super" | "self")) {
        if word == "super" {
            module.pop();
        }
    }
    std::iter::once("crate").chain(module).chain(words).collect::<Vec<_>>().join("::")
}
