//! Pages for contributors name files and items that exist.

use std::collections::HashSet;
use std::path::Path;

use super::{below, sources};

const PAGES: [(&str, &str); 2] = [
    ("ARCHITECTURE.md", include_str!("../../../ARCHITECTURE.md")),
    ("CONTRIBUTING.md", include_str!("../../../CONTRIBUTING.md")),
];

/// The parts of a page between backticks, outside of code blocks.
fn quoted(page: &str) -> Vec<String> {
    let lines = page.lines().filter(|line| !line.starts_with("    "));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether this is the path of a file or directory of the repository, and not a pattern such as `fuzz/corpus/TARGET`.
fn is_path(word: &str) -> bool {
    let directories = ["src/", "tests/", "docs/", "scripts/", "benches/", "fuzz/", "completions/"];
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
    directories.iter().any(|directory| word.starts_with(directory)) && word.chars().all(is_plain)
}

/// Whether this is the name of a Rust type or of an item in a type, such as `Selected::run`.
fn is_item(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
        && word.chars().any(|c| c.is_ascii_lowercase())
}

#[test]
fn pages_for_contributors_name_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for (page, text) in PAGES {
        let paths: Vec<String> = quoted(text).into_iter().filter(|word| is_path(word)).collect();
        assert!(paths.len() > 10, "{page}: {paths:?}");
        missing.extend(
            paths.iter().filter(|path| !root.join(path).exists()).map(|path| format!("{page}: {path}")),
        );
    }
    assert!(missing.is_empty(), "no such file:\n  {}", missing.join("\n  "));
}

#[test]
fn pages_for_contributors_name_items_that_exist() {
    let sources = sources().into_iter().chain(below("tests"));
    let words: HashSet<String> = sources
        .flat_map(|(_, text)| {
            text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let mut missing = Vec::new();
    for (page, text) in PAGES {
        for item in quoted(text).into_iter().filter(|word| is_item(word)) {
            if item.split("::").any(|part| !words.contains(part)) {
                missing.push(format!("{page}: {item}"));
            }
        }
    }
    assert!(missing.is_empty(), "no such item in src or tests:\n  {}", missing.join("\n  "));
}
