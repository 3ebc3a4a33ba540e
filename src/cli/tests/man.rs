//! Generates the man pages in `man/` from the help of the commands.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};

use crate::cli::{Cli, grammar};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man")
}

/// Returns file names and contents.
fn pages() -> Vec<(String, String)> {
    let mut root = grammar::docker(Cli::command());
    root.build();
    let mut pages = Vec::new();
    add(&root, "swarmctl", &mut pages);
    pages
}

fn add(command: &Command, name: &str, pages: &mut Vec<(String, String)>) {
    // The page has the name `swarmctl-auth-refresh`, but the synopsis has the words to type.
    let usage = command.clone().render_usage().to_string().replacen("Usage: ", "", 1);
    let titled = command.clone().name(name.to_owned()).display_name(name.to_owned()).override_usage(usage);
    let mut text = Vec::new();
    let man = clap_mangen::Man::new(titled).title(name.to_uppercase()).section("1").manual("swarmctl");
    man.render(&mut text).unwrap();
    let mut text = String::from_utf8(text).unwrap();
    match name.rsplit_once('-') {
        None => text += &exit_status(),
        Some(_) => {
            text += ".SH \"SEE ALSO\"\n\\fBswarmctl\\fR(1), which has the exit codes and the flags of all commands\n"
        }
    }
    pages.push((format!("{name}.1"), text));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        add(below, &format!("{name}-{}", below.get_name()), pages);
    }
}

/// README's table of exit codes, which another test checks.
fn exit_status() -> String {
    let readme = include_str!("../../../README.md");
    let (_, table) = readme.split_once("## Exit codes\n").unwrap();
    let rows = table.trim_start().lines().take_while(|line| line.starts_with('|')).skip(2);
    let entry = |row: &str| {
        let (code, meaning) = row.trim_matches('|').split_once('|').unwrap();
        let meaning = meaning.trim().replace('`', "").replace('-', "\\-");
        format!(".TP\n\\fB{}\\fR\n{meaning}\n", code.trim())
    };
    format!(".SH \"EXIT STATUS\"\n{}", rows.map(entry).collect::<String>())
}

#[test]
fn the_man_pages_are_those_of_the_program() {
    let mut left: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for (name, text) in pages() {
        let stored = fs::read_to_string(folder().join(&name)).unwrap_or_default();
        assert!(stored == text, "man/{name} is stale: run scripts/generate");
        left.retain(|other| *other != name);
    }
    assert!(left.is_empty(), "nothing makes man/{left:?} any more");
}

#[test]
#[ignore = "it writes man/: scripts/generate calls it"]
fn write_the_man_pages() {
    // Pages of removed commands must go.
    let _ = fs::remove_dir_all(folder());
    fs::create_dir_all(folder()).unwrap();
    for (name, text) in pages() {
        fs::write(folder().join(name), text).unwrap();
    }
}
