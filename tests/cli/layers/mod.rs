//! Rules that clippy cannot check: which layer may import which (docs/design.md section 2), file sizes, etc.

mod cycles;
mod entries;
mod library;
mod pages;
mod source;
mod wording;

use std::fs;
use std::path::{Path, PathBuf};

use source::{code, paths, without_tests};

/// One rule: none of these paths may be used in these files.
struct Rule {
    /// Paths of modules below `src/`, as in [`is_in`]. A path after `!` is excluded.
    files: &'static [&'static str],
    /// Rust paths that must not be used. Each stands for the path and everything below it.
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
        never: &["swarmctl::api"],
        reason: "main calls swarmctl::main and returns its exit code",
    },
    Rule {
        files: &["api", "output"],
        never: &["clap", "anyhow"],
        reason: "clap and anyhow stop at cli: below it flags are data and errors are types that can be asked",
    },
    Rule {
        files: &["main.rs", "lib.rs", "cli", "output"],
        never: &["ureq"],
        reason: "one place speaks HTTP: nobody goes round its time limits, its escaping and its one way to decode",
    },
    Rule {
        files: &["api", "!api/transport"],
        never: &["ureq::unversioned"],
        reason: "it is outside semver: when ureq changes it, one directory changes",
    },
    Rule {
        files: &["main.rs", "lib.rs", "cli", "api"],
        never: &["tabled", "console"],
        reason: "there is one printer, and tables and terminals are its affair",
    },
    Rule {
        files: &[
            "api/spec",
            "api/rollout",
            "api/forecast",
            "api/lint",
            "api/records",
            "api/registry/image_ref",
            "api/registry/protocol",
            "api/registry/tags",
            "api/config/endpoint",
            "api/config/proxy",
            "api/config/settings",
            "api/config/headers",
            "api/deploy/gates/verdict",
            "api/deploy/steps",
            "api/deploy/update/lost_post",
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
        files: &["api", "output", "cli", "!cli/app"],
        never: &["std::env::var", "std::env::var_os", "std::env::vars", "std::env::vars_os"],
        reason: "the environment is read once, in cli/app, so that there is one list of what is heeded",
    },
];

/// The maximum number of lines of a file in src and tests, because longer files usually have more than one subject.
const LINES: usize = 400;

/// The maximum number of lines of a file of a command. This is enough for its flags and a few steps that read like a
/// summary.
const COMMAND_LINES: usize = 150;

/// Paths on a developer's machine must not be in the program.
const MACHINE: &[&str] = &["/home/", "/root/", "/Users/", "/work/", "/tmp/h"];

#[test]
fn no_layer_uses_paths_that_its_rule_forbids() {
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
fn no_source_file_is_too_long() {
    let mut long = Vec::new();
    for directory in ["src", "tests", "benches"] {
        let files = below(directory);
        assert!(!files.is_empty(), "there is nothing in {directory}/");
        for (name, text) in files {
            let is_command = directory == "src" && name.starts_with("cli/commands/") && !is_test(&name);
            let most = if is_command { COMMAND_LINES } else { LINES };
            let lines = text.lines().count();
            if lines > most {
                long.push(format!("{directory}/{name}: {lines} lines, {most} at most"));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn there_is_no_unsafe_and_no_way_to_allow_it() {
    let manifest = include_str!("../../../Cargo.toml");
    assert!(manifest.contains("unsafe_code = \"forbid\""), "Cargo.toml forbids unsafe code");
    for (name, text) in sources() {
        let code = code(&text);
        let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert!(!words.into_iter().any(|word| word == "unsafe"), "src/{name} has an unsafe block");
    }
}

#[test]
fn no_source_file_contains_a_path_of_a_machine() {
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

/// Environment variables for tests must have no effect on the program that users run.
#[test]
fn variables_of_tests_are_read_in_builds_with_debug_assertions_only() {
    let mut seen = 0;
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test(name)) {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let text = lines.collect::<Vec<_>>().join("\n");
        seen += text.matches("SWARMCTL_TEST_").count();
        let released = without_tests(&text.replace("#[cfg(debug_assertions)]", "#[cfg(test)]"));
        assert!(
            !released.contains("SWARMCTL_TEST_"),
            "src/{name} reads a variable of tests in release builds"
        );
    }
    assert!(seen > 0, "no variable of tests is left: remove this test");
}

/// Comments refer to sections of docs/design.md, which must exist.
#[test]
fn every_section_of_the_design_that_is_referred_to_exists() {
    let design = include_str!("../../../docs/design.md");
    let pages = [("ARCHITECTURE.md".to_owned(), include_str!("../../../ARCHITECTURE.md").to_owned())];
    let mut count = 0;
    for (name, text) in sources().into_iter().chain(below("tests")).chain(pages) {
        for (_, rest) in
            text.match_indices("docs/design.md section ").map(|(at, found)| text[at..].split_at(found.len()))
        {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            // The search text in this test is not followed by a number.
            if !number.is_empty() {
                assert!(
                    design.contains(&format!("\n## {number}. ")),
                    "{name}: docs/design.md has no section {number}"
                );
                count += 1;
            }
        }
    }
    assert!(count > 4, "{count} references to docs/design.md: has their form changed?");
}

/// A rule about a layer that does not exist would apply to no file, and pass.
#[test]
fn every_layer_of_the_rules_has_files() {
    let names: Vec<String> = sources().into_iter().map(|(name, _)| name).collect();
    for layer in ["main.rs", "lib.rs", "cli", "api", "output", "api/spec", "api/transport", "cli/app"] {
        assert!(names.iter().any(|name| is_in(name, layer)), "there is no src/{layer}, but rules about it");
    }
}

impl Rule {
    fn is_about(&self, name: &str) -> bool {
        let (out, within): (Vec<&str>, Vec<&str>) =
            self.files.iter().partition(|prefix| prefix.starts_with('!'));
        within.iter().any(|prefix| is_in(name, prefix)) && !out.iter().any(|prefix| is_in(name, &prefix[1..]))
    }
}

/// Whether a file belongs to the module of that path: `api/spec` is `api/spec.rs` and all of `api/spec/`.
fn is_in(name: &str, prefix: &str) -> bool {
    name == prefix || name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// Whether the file contains only tests of its neighbor.
fn is_test(name: &str) -> bool {
    let is_tests = |part: &str| part == "tests" || part.ends_with("_tests");
    name.trim_end_matches(".rs").split('/').any(is_tests)
}

fn is_or_is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The path of every Rust file below `src/`, with its text.
fn sources() -> Vec<(String, String)> {
    below("src")
}

/// The path of every Rust file below a directory of the repository, with its text.
fn below(directory: &str) -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut files = Vec::new();
    walk(&directory, &mut files);
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let name = file
                .strip_prefix(&directory)
                .expect("below the directory")
                .to_string_lossy()
                .replace('\\', "/");
            (name, fs::read_to_string(&file).expect("a source file is text"))
        })
        .collect()
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}
