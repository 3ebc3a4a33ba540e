//! Docker's grammar on the command line, and the shape of the help.

use std::collections::BTreeSet;

use crate::plan::any_plan;
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::swarmctl;

/// Every command with its minimum of arguments.
const COMMANDS: &[(&str, &[&str])] = &[
    ("apply", &["nosuch"]),
    ("auth", &["refresh", "nosuch"]),
    ("completion", &["bash"]),
    ("context", &["show"]),
    ("continue", &["nosuch"]),
    ("create", &["img"]),
    ("help", &[]),
    ("history", &["nosuch"]),
    ("images", &["nosuch"]),
    ("inspect", &["nosuch"]),
    ("journal", &["disable"]),
    ("lint", &["nosuch"]),
    ("logs", &["nosuch"]),
    ("ls", &[]),
    ("outdated", &["nosuch"]),
    ("plugin", &["install"]),
    ("ps", &["nosuch"]),
    ("restart", &["nosuch"]),
    ("rm", &["nosuch"]),
    ("rollback", &["nosuch"]),
    ("scale", &["nosuch=1"]),
    ("status", &["nosuch"]),
    ("tags", &["nosuch"]),
    ("undo", &["1", "nosuch"]),
    ("update", &["nosuch"]),
    ("update-image", &["nosuch", "img"]),
    ("version", &[]),
    ("wait", &["nosuch"]),
];

fn help(args: &[&str]) -> String {
    let run = swarmctl([args, &["--help"]].concat()).env("COLUMNS", "200").run().succeeds();
    assert_eq!(run.stderr, "", "{}", run.report());
    run.stdout
}

/// A flag as the help shows it.
#[derive(Debug)]
struct Flag {
    name: String,
    short: Option<char>,
    is_switch: bool,
}

/// The flags of a command, without `--help` and `--version`.
fn flags(command: &str) -> Vec<Flag> {
    let help = help(&[command]);
    let mut flags = Vec::new();
    for line in help.lines().map(str::trim_start).filter(|line| line.starts_with('-')) {
        let Some(at) = line.find("--") else { continue };
        let name: String = line[at + 2..].chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
        let after = &line[at + 2 + name.len()..];
        if name == "help" || name == "version" {
            continue;
        }
        let short = line.strip_prefix('-').and_then(|rest| rest.chars().next()).filter(|c| *c != '-');
        let is_switch = !after.starts_with(" <");
        flags.push(Flag { name, short, is_switch });
    }
    flags
}

#[test]
fn every_command_is_tested_here() {
    let help = help(&[]);
    let shown: BTreeSet<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let known: BTreeSet<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
    assert!(known.is_subset(&shown), "commands without a line in the help: {known:?} {shown:?}");
    let untested: Vec<_> = shown.difference(&known).collect();
    assert!(untested.is_empty(), "give these commands a line in COMMANDS: {untested:?}");
}

#[test]
fn help_begins_with_an_imperative_line_of_at_most_72_columns_without_a_full_stop() {
    for (command, _) in COMMANDS {
        let text = help(&[command]);
        let first = text.lines().next().unwrap_or_default();
        assert!((1..=72).contains(&first.chars().count()), "{command}: {first}");
        assert!(!first.ends_with('.'), "{command}: {first}");
        let short = swarmctl([command, "-h"]).run().succeeds().stdout;
        assert_eq!(short.lines().next(), Some(first));
    }
    // `--version` alone is handled without the parser, with the same output.
    for args in [&["--version"][..], &["-D", "--version"], &["-V"]] {
        let said = swarmctl(args.iter().copied()).run().succeeds().stdout;
        assert_eq!(said, format!("swarmctl {}\n", env!("CARGO_PKG_VERSION")), "{args:?}");
    }
}

#[test]
fn switches_take_true_and_false_and_the_last_counts() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("images.txt");
    std::fs::write(&list, "nosuch img\n").unwrap();
    let from_file = ["--from", list.to_str().unwrap()];
    let plan = directory.path().join("plan.json");
    std::fs::write(&plan, any_plan()).unwrap();
    let plan = [plan.to_str().unwrap()];
    let swarm = FakeSwarm::without_swarm();
    for (command, least) in COMMANDS {
        let least = if *command == "apply" { &plan[..] } else { *least };
        // `--confirm` requires a terminal.
        for flag in flags(command).iter().filter(|flag| flag.is_switch && flag.name != "confirm") {
            let name = format!("--{}", flag.name);
            // Flags that select services cannot be combined with names.
            let with = match (&flag.name[..], *command) {
                ("all", "scale" | "update-image") => &["1"][..],
                ("all", _) => &[],
                ("pre", "outdated" | "update-image") => &["--newest", "minor", "nosuch"],
                ("ignore-missing", _) => &from_file,
                ("resume" | "with-registry-auth" | "rollback-on-failure", "rollback") => {
                    &["--to", "1", "nosuch"]
                }
                _ => least,
            };
            // All in one command line, because each start of the program takes 20 ms.
            let values = ["=true", "=false", "=1", "=0", "=T", ""].map(|value| format!("{name}{value}"));
            let args = [&[*command], &values.each_ref().map(String::as_str)[..], with].concat();
            let run = swarmctl(args).host(swarm.host()).run();
            assert_ne!(run.code, Some(2), "{}", run.report());
            for value in ["=maybe", "=yes", "="] {
                let given = format!("{name}{value}");
                let args = [&[*command, &given], least].concat();
                swarmctl(args).host(swarm.host()).run().fails_with(Exit::Usage);
            }
        }
    }
}

#[test]
fn a_single_valued_flag_may_be_repeated_and_values_may_begin_with_a_dash() {
    let swarm = FakeSwarm::without_swarm();
    for (command, least) in COMMANDS {
        for flag in flags(command).iter().filter(|flag| !flag.is_switch) {
            let name = format!("--{}", flag.name);
            let joined = format!("{name}=-y");
            // The only exception is --stack: with two stacks, both may be meant.
            let values = [name.as_str(), "-x", &joined, &name, "--z"];
            let values = if flag.name == "stack" { &values[..2] } else { &values[..] };
            let args = [&[*command], values, *least].concat();
            let run = swarmctl(args).host(swarm.host()).run();
            let run = run.never_says(&[
                "cannot be used multiple times",
                "unexpected argument",
                "a value is required",
            ]);
            drop(run);
            if let Some(short) = flag.short {
                for args in [
                    vec![format!("-{short}1")],
                    vec![format!("-{short}"), "-1".into()],
                    vec![format!("-{short}=1")],
                ] {
                    let args: Vec<&str> = args.iter().map(String::as_str).collect();
                    let run = swarmctl([&[*command], &args[..], *least].concat()).host(swarm.host()).run();
                    drop(run.never_says(&["unexpected argument", "a value is required"]));
                }
            }
        }
    }
}

#[test]
fn no_flag_and_no_command_may_be_abbreviated() {
    let swarm = FakeSwarm::without_swarm();
    for (command, least) in COMMANDS {
        let flags = flags(command);
        for flag in &flags {
            let short = format!("--{}", &flag.name[..flag.name.len() - 1]);
            if flags.iter().any(|other| format!("--{}", other.name) == short) {
                continue;
            }
            let args = [&[*command, &short, "1"], *least].concat();
            swarmctl(args).host(swarm.host()).run().fails_with(Exit::Usage).says(&["unexpected argument"]);
        }
        let short = &command[..command.len() - 1];
        if !COMMANDS.iter().any(|(name, _)| name == &short) {
            swarmctl([&[short], *least].concat()).host(swarm.host()).run().fails_with(Exit::Usage);
        }
    }
}

#[test]
fn the_error_for_an_unknown_flag_suggests_an_equivalent_flag() {
    let suggested = |command: &str, flag: &str| -> Option<String> {
        let run = swarmctl([command, flag, "x", "web"]).run().fails_with(Exit::Usage);
        let tip = run.stderr.lines().find_map(|line| line.split_once("a similar argument exists: '--"));
        tip.map(|(_, flag)| flag.trim_end_matches('\'').to_owned())
    };
    let names =
        |command: &str| -> BTreeSet<String> { flags(command).into_iter().map(|flag| flag.name).collect() };
    let (create, update) = (names("create"), names("update"));
    let mut tried = 0;
    for name in create.difference(&update).filter(|name| update.contains(&format!("{name}-add"))) {
        assert_eq!(suggested("update", &format!("--{name}")), Some(format!("{name}-add")));
        assert_eq!(suggested("create", &format!("--{name}-add")).as_deref(), Some(name.as_str()));
        assert_eq!(suggested("create", &format!("--{name}-rm")), None, "{name}");
        tried += 1;
    }
    assert!(tried > 12, "{tried}");
    for (command, flag, expected) in [
        ("update", "-p", Some("publish-add")),
        ("update", "--port", Some("publish-add")),
        ("update", "--memory", Some("limit-memory")),
        ("create", "--memory", Some("limit-memory")),
        ("create", "-m", Some("limit-memory")),
        ("update", "--cpus", Some("limit-cpu")),
        ("create", "--volume", Some("mount")),
        ("update", "--volume", Some("mount-add")),
        ("update", "--restart", Some("restart-condition")),
        ("update", "--secrets", Some("secret-add")),
        ("update", "--labels", Some("label-add")),
        ("update", "--secret-remove", Some("secret-rm")),
        ("update", "--publis-rm", Some("publish-rm")),
        ("update", "--hostnam", Some("hostname")),
        ("update", "--zzzzzzzz", None),
        ("ls", "--formt", Some("format")),
    ] {
        assert_eq!(suggested(command, flag).as_deref(), expected, "{command} {flag}");
    }
}

#[test]
fn a_flag_whose_value_is_an_argument_is_explained() {
    for (command, flag, example) in [
        ("update-image", "--image", "swarmctl update-image web shop/web:1.8"),
        ("update-image", "--image=x", "swarmctl update-image web shop/web:1.8"),
        ("scale", "--replicas", "swarmctl scale web=3"),
        ("create", "--image", "swarmctl create --name web shop/web:1.8"),
        ("create", "--args", "swarmctl create --name web shop/web:1.8 --verbose"),
    ] {
        swarmctl([command, flag, "x", "web"])
            .run()
            .fails_with(Exit::Usage)
            .says(&[&format!("tip: the value is an argument: '{example}'")])
            .never_says(&["similar argument"]);
    }
}

#[test]
fn flags_may_follow_the_arguments() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    swarmctl(["update-image", "t001", NEW, "--detach", "--no-resolve-image=true"])
        .host(swarm.host())
        .run()
        .succeeds();
    swarmctl(["update-image", "t001", "-d", OLD]).host(swarm.host()).run().succeeds();
    swarmctl(["rm", "t001", "--wait=false"]).host(swarm.host()).run().succeeds();
}

#[test]
fn an_argument_that_is_not_utf8_is_a_usage_error() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let odd = OsString::from_vec(vec![b'a', 0xff, 0xfe]);
    let swarm = FakeSwarm::start();
    for args in [
        vec!["update-image".into(), odd.clone(), "img".into()],
        vec!["update-image".into(), "t001".into(), odd.clone()],
        vec!["rm".into(), odd.clone()],
        vec![odd.clone()],
    ] {
        let args: Vec<OsString> = args;
        swarmctl(args).host(swarm.host()).run().fails_with(Exit::Usage);
    }
    assert!(swarm.requests().is_empty());
}

#[test]
fn usage_errors_contain_no_control_sequences() {
    let odd = "a\u{1b}[2Jb\u{202e}c";
    for args in
        [&["rm", "--nosuch", odd][..], &["rm", &format!("--{odd}")], &[odd], &["update-image", "t001", odd]]
    {
        let run = swarmctl(args.iter().copied()).host("unix:///nonexistent").run().fails_with(Exit::Usage);
        assert!(!run.stderr.contains("\u{1b}[2J"), "{}", run.report());
    }
}
