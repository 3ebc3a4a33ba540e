//! Comments, messages and man pages use the usual words of technical English.

use std::fs;
use std::path::{Path, PathBuf};

/// Phrases that disturb readers. `tests/cli/readme.rs` has more of them, for pages.
const UNUSUAL: [(&str, &str); 14] = [
    ("so many", "at most N, the number of"),
    ("shall", "must, should, will"),
    ("mend", "fix"),
    ("anew", "again"),
    ("is told", "is reported"),
    ("by the way", "as a side effect"),
    ("farewell", "exit"),
    ("is to be", "must be, will be"),
    ("without a word", "silently"),
    ("any more", "no longer"),
    ("any longer", "no longer"),
    ("goes on", "continues"),
    ("of today", "current"),
    ("died of", "failed because of"),
];

/// Files that are not checked: the two lists of such phrases, and output of programs.
const LEFT_OUT: [&str; 4] = ["cli/layers/wording.rs", "cli/readme.rs", "tests/data", "snapshots"];

fn files_below(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if LEFT_OUT.iter().any(|part| path.ends_with(part)) {
            continue;
        }
        if path.is_dir() {
            files_below(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn comments_and_man_pages_are_in_plain_english() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for directory in
        ["src", "tests", "benches", "scripts", "completions", "man", "fuzz/fuzz_targets", ".github"]
    {
        files_below(&root.join(directory), &mut files);
    }
    assert!(files.len() > 300, "{} files", files.len());
    let mut found = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|it| !it.is_empty()).collect();
        let text = format!(" {} ", words.join(" ").to_lowercase());
        for (phrase, usual) in UNUSUAL.iter().filter(|(phrase, _)| text.contains(&format!(" {phrase} "))) {
            found.push(format!("{}: `{phrase}` instead of `{usual}`", file.display()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
