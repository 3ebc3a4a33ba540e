//! Hostile text: it is always escaped on a terminal, and printed commands are harmless.

use std::process::Command;
use std::time::Duration;

use super::{HostileEngine, TASK, is_harmless, run};
use crate::support::fixtures::ID;
use crate::support::run::swarmctl_by;

/// A name that sets the window title, forges a message, reverses the text direction, hides text, and contains a
/// command.
const EVIL: &str = "w\u{1b}]0;owned\u{7}\u{1b}[2J\nerror: forged\r\n\u{202e}\u{200b}\u{9b}1m\u{2066}\u{fe0f}\u{feff}'$(reboot)`reboot`; reboot\u{0}";

/// Commands that print text of the engine. Some of them fail with a hostile engine, and print its text in errors.
const COMMANDS: &[&[&str]] = &[
    &["ls"],
    &["ls", "-q"],
    &["ps", ID],
    &["ps", "--no-trunc", ID],
    &["ps", "--all"],
    &["inspect", "--pretty", ID],
    &["logs", "--since", "1h", ID],
    &["logs", "--details", "--no-trunc", ID],
    &["logs", TASK],
    &["status", ID],
    &["status", "--all"],
    &["wait", "--timeout", "1s", ID],
    &["wait", "--timeout", "1s", "--all", "--progress", "plain"],
    &["wait", "--timeout", "1s", "--progress", "json", ID],
    &["update-image", "--timeout", "1s", ID, "shop/web:1.8"],
    &["update-image", "--timeout", "1s", "--all", "--tag", "1.8"],
    &["update-image", "--dry-run", "--no-resolve-image", ID, "shop/web:1.8"],
    &["update", "--timeout", "1s", "--env-add", "B=1", "--label-rm", "x", ID],
    &["update", "--dry-run", "--mode", "global", ID],
    &["update", "--name", "other", ID],
    &["scale", "--timeout", "1s", "--detach", "lvmkw77uhqcxjfzgtls48aen1=3"],
    &["restart", "--timeout", "1s", "--detach", ID],
    &["restart", "--timeout", "1s", "--all"],
    &["rollback", "--timeout", "1s", ID],
    &["lint", "--level", "info"],
    &["outdated"],
    &["outdated", ID],
    &["images"],
    &["images", "--converged", "--pinned", ID],
    &["auth", "refresh", ID],
    &["rm", ID],
    &["create", "--network", "x", "--secret", "y", "shop/web:1.8"],
];

#[test]
fn no_command_shows_hostile_text_raw() {
    let server = HostileEngine::start(EVIL);
    for args in COMMANDS {
        let mut run = run(&server, args);
        // In a pipe, log lines are copied unchanged. Only the prefixes of the lines are checked.
        if args[0] == "logs" {
            for text in [&mut run.stdout, &mut run.stderr] {
                *text = text.replace(EVIL, "LINE").replace(&EVIL[..EVIL.find('\n').unwrap()], "FIRST");
            }
            assert!(run.stdout.contains("LINE"), "{}", run.report());
        }
        is_harmless(&run);
        assert!(!(run.stdout.is_empty() && run.stderr.is_empty()), "{}", run.report());
    }
}

#[test]
fn debug_lines_and_json_lines_are_harmless_too() {
    let server = HostileEngine::start(EVIL);
    for args in [
        &["-D", "update-image", "--timeout", "1s", "--progress", "json", ID, "shop/web:1.8"][..],
        &["-D", "ps", EVIL.trim_end_matches('\0')],
        &["-D", "logs", TASK, "--no-resolve"],
    ] {
        let mut run = run(&server, args);
        run.stdout = run.stdout.replace(EVIL, "LINE");
        run.stderr = run.stderr.replace(EVIL, "LINE");
        // In a pipe, strings in JSON are not escaped further than JSON requires, so JSON lines are not checked.
        run.stderr = run.stderr.lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n");
        is_harmless(&run);
        assert!(run.stderr.contains("debug: GET /v1.41/"), "{}", run.report());
    }
}

#[test]
fn output_on_a_terminal_is_escaped_as_well() {
    let server = HostileEngine::start(EVIL);
    for args in [
        &["logs", ID][..],
        &["inspect", ID],
        &["ls", "--json"],
        &["ps", ID],
        &["wait", "--timeout", "1s", ID],
        &["update-image", "--timeout", "1s", ID, "shop/web:1.8"],
        &["update-image", ID, EVIL.trim_end_matches('\0')],
        &["ls", "--filter", EVIL.trim_end_matches('\0')],
        &[EVIL.trim_end_matches('\0')],
        &["ls", "--no\u{1b}]0;owned\u{7}"],
    ] {
        let mut script = Command::new("script");
        let words: Vec<String> =
            args.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        let line = format!("{} {}", env!("CARGO_BIN_EXE_swarmctl"), words.join(" "));
        script.args(["-qec", &line, "/dev/null"]);
        let run = swarmctl_by(script).env("TERM", "xterm").host(server.host()).run();
        let text = run.stdout.clone();
        for evil in [
            "\u{1b}]0;",
            "\u{7}",
            "\u{202e}",
            "\u{200b}",
            "\u{2066}",
            "\u{feff}",
            "\u{9b}",
            "\u{1b}[2J\n",
            "\u{0}",
        ] {
            assert!(!text.contains(evil), "{evil:?} reaches the terminal\n{}\n{text:?}", run.report());
        }
        assert!(!text.contains("\nerror: forged"), "{text:?}");
        assert!(text.contains("forged") || text.contains("owned"), "{text:?}");
    }
}

#[test]
fn tables_stay_aligned() {
    let server = HostileEngine::start(EVIL);
    for args in [&["ls"][..], &["ps", ID], &["ps", "--no-trunc", ID], &["outdated"]] {
        let run = run(&server, args);
        let mut lines = run.stdout.lines();
        let header = lines.next().unwrap();
        let second = header.split("  ").map(str::trim).filter(|word| !word.is_empty()).nth(1).unwrap();
        let at = header.find(second).unwrap();
        for line in lines {
            let before: String = line.chars().take(at).collect();
            assert!(before.ends_with("  "), "column {second} is not where its header is\n{}", run.report());
        }
        assert!(run.stdout.lines().count() <= 3, "a row is a line\n{}", run.report());
    }
}

#[test]
fn json_stays_json() {
    let server = HostileEngine::start(EVIL);
    for args in [
        &["ls", "--json"][..],
        &["ps", "--json", ID],
        &["inspect", ID],
        &["status", "--json", ID],
        &["outdated", "--json"],
        &["images", "--json"],
        &["wait", "--json", "--timeout", "1s", ID],
        &["update-image", "--json", "--timeout", "1s", ID, "shop/web:1.8"],
        &["rm", "--json", ID],
        &["auth", "refresh", "--json", ID],
    ] {
        let run = run(&server, args);
        let json = run.json();
        assert!(json.to_string().contains("forged"), "{}", run.report());
    }
}

#[test]
fn what_can_be_pasted_is_one_harmless_word() {
    let server = HostileEngine::start("web; touch pasted #");
    for args in [
        &["wait", "--timeout", "1s", ID][..],
        &["update", "--timeout", "1s", "--env-add", "B=1", ID],
        &["restart", "--timeout", "1s", ID],
    ] {
        let run = run(&server, args);
        let hints = run.stderr.lines().filter(|line| line.starts_with("hint: ")).collect::<String>();
        let mut commands =
            hints.split('`').skip(1).step_by(2).filter(|part| part.starts_with("swarmctl")).peekable();
        assert!(commands.peek().is_some(), "{}", run.report());
        for command in commands {
            assert!(command.contains("'web; touch pasted #'"), "{command}\n{}", run.report());
        }
    }
}

#[test]
fn a_megabyte_of_text_is_cut_with_a_note() {
    let server = HostileEngine::start(&"漢字\u{1b}[1m".repeat(100_000));
    for args in [
        &["ls"][..],
        &["ps", "--no-trunc", ID],
        &["inspect", "--pretty", ID],
        &["wait", "--timeout", "1s", ID],
        &["rm", ID],
        &["outdated", ID],
    ] {
        let run = run(&server, args);
        is_harmless(&run);
        let length = run.stdout.len() + run.stderr.len();
        assert!(length < 1_000_000, "{length} bytes of {args:?}: {:.2000}", run.stderr);
        assert!(run.took < Duration::from_secs(60));
    }
}

#[test]
fn words_of_the_command_line_are_made_visible() {
    let server = HostileEngine::start(EVIL);
    let evil = EVIL.trim_end_matches('\0');
    for args in [
        &[evil][..],
        &["ls", &format!("--{evil}")],
        &["ls", "--filter", evil],
        &["wait", "--timeout", evil, "web"],
        &["logs", "--since", evil, "web"],
        &["update-image", "web", evil],
        &["scale", &format!("web={evil}")],
        &["create", "--publish", evil, "x"],
        &["-H", evil, "ls"],
        &["inspect", evil],
        &["update", "--spec", evil, "web"],
        &["update-image", "--from", evil],
        &["create", "--env-file", evil, "x"],
        &["--config", evil, "create", "x"],
    ] {
        let run = run(&server, args);
        is_harmless(&run);
        assert_ne!(run.code, Some(0), "{}", run.report());
    }
}
