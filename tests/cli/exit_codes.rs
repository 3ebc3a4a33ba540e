//! The exit codes are a contract with scripts: each one occurs here, and README's table matches the program.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::engine::{Engine, delete, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault, RequestKind, Step};
use crate::support::fixtures::{ID, NEW, OLD, OTHER, spec, t001};
use crate::support::run::{Run, quiet, swarmctl};
use crate::support::server::{Answer, Listener, ResponseFault};

fn swarm() -> FakeSwarm {
    FakeSwarm::with([spec("t001", OLD)])
}

fn update(swarm: &FakeSwarm, args: &[&str]) -> Run {
    let args = [&["update-image", "--no-resolve-image", "t001", NEW], args].concat();
    swarmctl(args).host(swarm.host()).run()
}

#[test]
fn succeeds_if_the_service_converges_or_nothing_has_to_change() {
    let swarm = swarm();
    update(&swarm, &["--detach"]).succeeds();
    update(&swarm, &["--detach"]).succeeds();
    swarm.expect("t001").applied(1);
}

#[test]
fn a_refusal_of_the_engine_is_a_failure() {
    let swarm = swarm();
    swarm.breaks(InjectedFault::instead(4, Answer::error(400, "no")).unhandled());
    update(&swarm, &["--detach"]).fails_with(Exit::Failed);
}

#[test]
fn a_wrong_command_line_is_a_usage_error_and_nothing_is_sent() {
    let swarm = swarm();
    for args in [
        &["update-image"][..],
        &["update-image", "t001"],
        &["update-image", "t001", NEW, "more"],
        &["update-image", "t001", "Not A Ref!"],
        &["update-image", "--nosuch", "t001", NEW],
        &["update-image", "t001", NEW, "--if-version"],
        &["create"],
        &["rm"],
        &["inspect"],
        &["ls", "more"],
        &["nosuch"],
        &[],
        &["--nosuch"],
        &["-H"],
        &["-H", "nonsense:x", "ls"],
        &["-H", "nosuch://x", "ls"],
    ] {
        let run = swarmctl(args.iter().copied()).host(swarm.host()).run().fails_with(Exit::Usage);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{}", run.report());
    }
    for line in ["restart --max-failures -1 t001", "rm --if-version -1 t001", "history -n -1"] {
        let run = swarmctl(line.split(' ')).host(swarm.host()).run().fails_with(Exit::Usage);
        run.says(&["`-1` is not a number from 0 to "]);
    }
    for line in ["restart t001", "restart --dry-run t001"] {
        let command = swarmctl(line.split(' ')).host(swarm.host()).env("SWARMCTL_JOURNAL", "bogus");
        command.run().fails_with(Exit::Usage).says(&["`bogus` is not swarm, file, file:DIR or off"]);
    }
    assert!(swarm.requests().is_empty());
}

#[test]
fn an_unknown_service_is_not_found() {
    let swarm = FakeSwarm::start();
    for args in [&["update-image", "t001", NEW][..], &["rm", "t001"], &["inspect", "t001"]] {
        swarmctl(args.iter().copied()).host(swarm.host()).run().fails_with(Exit::NotFound);
    }
    swarm.world().add(spec("t001", OLD));
    for command in ["tags", "status", "restart"] {
        let run = swarmctl([command, "t01"]).host(swarm.host()).run().fails_with(Exit::NotFound);
        run.says(&["error: cannot ", " service `t01`\n", "did you mean `t001`?"]);
    }
}

#[test]
fn after_a_failed_request_the_other_services_have_headlines_of_their_own() {
    for (line, headline) in [
        ("status web db", "cannot show the status of service `db`"),
        ("wait web db", "cannot wait for service `db`"),
        ("restart web db", "service `db` was not restarted"),
    ] {
        let run = swarmctl(line.split(' ')).host("unix:///nonexistent").run().fails_with(Exit::Unreachable);
        run.says(&[&format!("error: {headline}\ncaused by: the request for another service failed\n")]);
    }
}

#[test]
fn another_writer_at_the_same_place_is_a_conflict() {
    let swarm = swarm();
    swarm.before(RequestKind::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    });
    update(&swarm, &["--detach"]).fails_with(Exit::Conflict);
    update(&swarm, &["--detach", "--if-version", "1"]).fails_with(Exit::Conflict);
}

#[test]
fn a_failed_rollout_and_one_that_was_rolled_back_have_their_exit_codes() {
    for (end, code) in [(Step::Paused, 5), (Step::RolledBack, 6)] {
        let swarm = swarm();
        swarm.world().service("t001").rollout = vec![Step::Updating, end];
        let run = update(&swarm, &[]).exits(code).says(&["the rollout of service `t001` failed"]);
        if code == 5 {
            run.says(&[
                "its log ends with:\n    whoami: cannot open /etc/whoami.conf\n",
                "`swarmctl rollback t001`",
            ]);
        }
    }
}

#[test]
fn a_missing_engine_is_unreachable() {
    for args in [
        &["update-image", "t001", NEW][..],
        &["create", "img"],
        &["ls"],
        &["ls", "--json"],
        &["inspect", "t001"],
        &["rm", "t001"],
    ] {
        swarmctl(args.iter().copied())
            .host("unix:///nonexistent/docker.sock")
            .run()
            .fails_with(Exit::Unreachable);
    }
}

#[test]
fn a_lost_response_that_cannot_be_looked_up_is_unknown() {
    let swarm = swarm();
    swarm.breaks(InjectedFault::lost(4).then(Listener::Closing));
    update(&swarm, &["--detach"]).fails_with(Exit::Unknown);
}

#[test]
fn a_rollout_in_progress_has_exit_codes_of_its_own() {
    let swarm = swarm();
    swarm.world().step("t001", Step::Updating);
    swarmctl(["status", "t001"]).host(swarm.host()).run().answers(Exit::Different);
    swarmctl(["wait", "t001", "--timeout", "300ms"])
        .host(swarm.host())
        .run()
        .fails_with(Exit::StoppedWaiting);
}

#[test]
fn signals_end_commands_with_130_and_143() {
    let _quiet = quiet();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        for args in [
            &["update-image", "t001", NEW][..],
            &["ls"],
            &["ls", "--json"],
            &["inspect", "t001"],
            &["rm", "t001"],
        ] {
            let swarm = swarm();
            // The first request after the ping stalls. `inspect` sends no ping.
            let stalled = if args[0] == "inspect" { 1 } else { 2 };
            swarm.breaks(InjectedFault::by(stalled, ResponseFault::Stall(10)));
            let mut running = swarmctl(args.iter().copied()).host(swarm.host()).spawn();
            swarm.wait_for_requests(stalled);
            let sent = std::time::Instant::now();
            running.signal(signal);
            let run = running.wait().exits(code);
            assert!(sent.elapsed().as_millis() < 500, "{}", run.report());
        }
    }
}

#[test]
fn the_exit_code_is_the_first_in_the_documented_order() {
    // Code 3 takes precedence over 1, and 9 over 3, whatever the order on the command line.
    let refused = |engine_args: &[&str]| {
        let engine = Engine::unordered([
            get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11))),
            delete(&format!("/v1.41/services/{ID}")).answers(Answer::error(400, "refused")),
            get("/v1.41/services/nosuch").answers(Answer::error(404, "service nosuch not found")),
            // The list is for the suggestion of a similar name.
            get("/v1.41/services").answers(Answer::json(200, "[]")),
        ]);
        swarmctl(engine_args.iter().copied()).host(engine.host()).run()
    };
    refused(&["rm", "t001", "nosuch"]).fails_with(Exit::NotFound);
    refused(&["rm", "nosuch", "t001"]).fails_with(Exit::NotFound);

    let swarm = swarm();
    // Requests: 1 ping, 2 to 4 reads (the last one for similar names), 5 the delete.
    swarm.breaks(InjectedFault::lost(5).then(Listener::Closing));
    swarmctl(["rm", "nosuch", "t001"]).host(swarm.host()).run().fails_with(Exit::Unknown);
}

#[test]
fn readmes_table_has_the_programs_codes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let section = readme.split("## Exit codes").nth(1).expect("README has a section Exit codes");
    let section = section.split("\n## ").next().unwrap_or_default();
    let documented: BTreeSet<u8> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .flat_map(|cell| cell.split(", ").map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|code| code.trim().parse().ok())
        .collect();
    let code = fs::read_to_string(root.join("src/cli/exit.rs")).unwrap();
    let known: BTreeSet<u8> = code
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = ")?.1.parse().ok())
        .collect();
    assert!(known.len() > 10, "{known:?}");
    assert_eq!(documented, known);
}

#[test]
fn every_command_names_what_it_cannot_do_without_an_engine() {
    let worker = FakeSwarm::start();
    worker.world().is_no_manager = true;
    for line in [
        "create img",
        "create --json img",
        "history",
        "history web",
        "images",
        "inspect web",
        "journal enable",
        "journal prune",
        "lint",
        "logs web",
        "ls",
        "outdated",
        "ps web",
        "rm web",
        "rollback --to 3 web",
        "scale web=2",
        "status web",
        "tags nginx",
        "tags web",
        "undo 1",
        "update --env-add A=1 web",
        "wait web",
    ] {
        for (host, why) in [
            ("unix:///nonexistent", "cannot connect to the engine at `unix:///nonexistent`"),
            (&worker.host(), "the engine answered 503: This node is not a swarm manager"),
        ] {
            let command = swarmctl(line.split(' ')).env("SWARMCTL_JOURNAL", "swarm").host(host);
            let run = command.run().fails_with(Exit::Unreachable);
            let text = if run.stderr.is_empty() { &run.stdout } else { &run.stderr };
            let (first, rest) = text.split_once('\n').unwrap();
            assert!(first.starts_with("error: cannot ") && !first.contains("connect"), "{}", run.report());
            assert!(rest.starts_with(&format!("caused by: {why}")), "{}", run.report());
        }
    }
}
