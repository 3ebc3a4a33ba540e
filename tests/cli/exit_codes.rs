//! The exit codes, a contract with scripts: each one is shown, and README's table is the program's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::engine::{Engine, delete, get};
use crate::support::fake_swarm::{Break, FakeSwarm, Step, When};
use crate::support::fixtures::{ID, NEW, OLD, OTHER, spec, t001};
use crate::support::run::{Run, quiet, swarmctl};
use crate::support::server::{Answer, Door, Fault};

fn swarm() -> FakeSwarm {
    FakeSwarm::with([spec("t001", OLD)])
}

fn update(swarm: &FakeSwarm, args: &[&str]) -> Run {
    let args = [&["update-image", "--no-resolve-image", "t001", NEW], args].concat();
    swarmctl(args).host(swarm.host()).run()
}

#[test]
fn zero_is_done_and_nothing_to_change() {
    let swarm = swarm();
    update(&swarm, &["--detach"]).exits(0);
    update(&swarm, &["--detach"]).exits(0);
    assert_eq!(swarm.service("t001").taken.len(), 1);
}

#[test]
fn one_is_a_refusal() {
    let swarm = swarm();
    swarm.breaks(Break::instead(3, Answer::error(400, "no")).unhandled());
    update(&swarm, &["--detach"]).exits(1);
}

#[test]
fn two_is_a_wrong_command_line_and_nothing_is_sent() {
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
        let run = swarmctl(args.iter().copied()).host(swarm.host()).run().exits(2);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{}", run.report());
    }
    assert!(swarm.requests().is_empty());
}

#[test]
fn three_is_no_such_service() {
    let swarm = FakeSwarm::start();
    for args in [&["update-image", "t001", NEW][..], &["rm", "t001"], &["inspect", "t001"]] {
        swarmctl(args.iter().copied()).host(swarm.host()).run().exits(3);
    }
}

#[test]
fn four_is_a_version_conflict() {
    let swarm = swarm();
    swarm.before(When::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    });
    update(&swarm, &["--detach"]).exits(4);
    update(&swarm, &["--detach", "--if-version", "1"]).exits(4);
}

#[test]
fn five_is_a_failed_rollout_and_six_one_that_was_rolled_back() {
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
fn eight_is_an_engine_that_is_not_there() {
    for args in [
        &["update-image", "t001", NEW][..],
        &["create", "img"],
        &["ls"],
        &["ls", "--json"],
        &["inspect", "t001"],
        &["rm", "t001"],
    ] {
        swarmctl(args.iter().copied()).host("unix:///nonexistent/docker.sock").run().exits(8);
    }
}

#[test]
fn nine_is_a_lost_answer_that_could_not_be_looked_up() {
    let swarm = swarm();
    swarm.breaks(Break::lost(3).then(Door::Closing));
    update(&swarm, &["--detach"]).exits(9);
}

#[test]
fn ten_is_still_under_way() {
    let swarm = swarm();
    swarm.world().step("t001", Step::Updating);
    swarmctl(["status", "t001"]).host(swarm.host()).run().exits(10);
}

#[test]
fn a_hundred_and_thirty_and_a_hundred_and_forty_three_are_signals() {
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
            swarm.breaks(Break::by(2, Fault::Stall(10)));
            let mut running = swarmctl(args.iter().copied()).host(swarm.host()).spawn();
            swarm.wait_for_requests(2);
            let sent = std::time::Instant::now();
            running.signal(signal);
            let run = running.wait().exits(code);
            assert!(sent.elapsed().as_millis() < 500, "{}", run.report());
        }
    }
}

#[test]
fn of_several_services_the_first_in_the_documented_order_counts() {
    // 3 before 1 before 0, 9 before 3, whatever the order on the command line.
    let refused = |engine_args: &[&str]| {
        let engine = Engine::unordered([
            get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11))),
            delete(&format!("/v1.41/services/{ID}")).answers(Answer::error(400, "refused")),
            get("/v1.41/services/nosuch").answers(Answer::error(404, "service nosuch not found")),
        ]);
        swarmctl(engine_args.iter().copied()).host(engine.host()).run()
    };
    refused(&["rm", "t001", "nosuch"]).exits(3);
    refused(&["rm", "nosuch", "t001"]).exits(3);

    let swarm = swarm();
    // Requests: 1 ping, 2 and 3 reads, 4 the delete.
    swarm.breaks(Break::lost(4).then(Door::Closing));
    swarmctl(["rm", "nosuch", "t001"]).host(swarm.host()).run().exits(9);
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
