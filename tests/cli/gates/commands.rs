//! Commands as gates: their environment, exit status and output, and how their processes are ended.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{gate, step, swarm, update, wait_for_end, wait_for_file};
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::swarmctl;

#[test]
fn a_gate_that_passes_lets_the_update_succeed() {
    let swarm = swarm(&["web"]);
    let run = update(&swarm, &["--gate", "true", "--json"]).run().succeeds();
    assert_eq!(run.json()["services"][0]["outcome"], "converged");
    let step = step(&run);
    let expected = json!({"gate": 1, "kind": "command", "runs": 1, "failures": 0, "errors": 0, "result": "passed", "output": []});
    assert_eq!((&step["result"], &step["gates"]), (&json!("passed"), &json!([expected])));
    assert_eq!((&step["target"], &step["of"], &step["new"]), (&json!(1), &json!(1), &json!(1)));
    swarm.expect("web").applied(1).image(NEW);
}

#[test]
fn the_service_and_its_tasks_are_in_the_environment() {
    let swarm = swarm(&["web"]);
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let command = format!("cat; env | grep SWARMCTL_ | sort >{}; echo $SHARED >>{0}", log.display());
    update(&swarm, &["--gate", &command]).env("SHARED", "inherited").run().succeeds();
    let id = swarm.service("web").id;
    let expected = [
        format!("SWARMCTL_IMAGE={NEW}"),
        "SWARMCTL_JOURNAL=off".to_owned(),
        "SWARMCTL_NEW_ADDRESSES=".to_owned(),
        format!("SWARMCTL_NEW_TASKS=t1{}", &id[..20]),
        "SWARMCTL_NODES=node-1".to_owned(),
        format!("SWARMCTL_PREVIOUS_IMAGE={OLD}"),
        "SWARMCTL_SERVICE=web".to_owned(),
        format!("SWARMCTL_SERVICE_ID={id}"),
        "SWARMCTL_STEP=1".to_owned(),
        "SWARMCTL_STEPS=1".to_owned(),
        "inherited".to_owned(),
    ];
    let seen = fs::read_to_string(&log).unwrap();
    let seen: Vec<&str> = seen.lines().filter(|line| !line.starts_with("SWARMCTL_TEST_")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_gate_that_fails_is_a_failed_rollout() {
    let swarm = swarm(&["web"]);
    let command = "echo first; echo too slow >&2; exit 3";
    let run = update(&swarm, &["--gate", command, "--json"]).run().fails_with(Exit::RolloutFailed);
    let service = &run.json()["services"][0];
    assert_eq!((&service["outcome"], &service["rollout"]["state"]), (&json!("failed"), &json!("converged")));
    assert_eq!(gate(&run)["output"], json!(["first", "too slow"]));
    let run = run.says(&[
        "error: the rollout of service `web` failed",
        "gate 1 failed: exit status 3",
        "its output ends with:",
        "  too slow",
        "`swarmctl rollback web`",
        &format!("now: 1 of 1 task running {NEW}"),
    ]);
    assert_eq!(step(&run)["result"], "failed");
    swarm.expect("web").applied(1).image(NEW);
}

#[test]
fn a_gate_that_fails_rolls_back_if_this_is_requested() {
    let swarm = swarm(&["web"]);
    let run = update(&swarm, &["--gate", "exit 1", "--rollback-on-failure", "--json"])
        .run()
        .fails_with(Exit::RolledBack);
    let service = &run.json()["services"][0];
    assert_eq!((&service["outcome"], &gate(&run)["result"]), (&json!("rolled_back"), &json!("failed")));
    run.says(&["failed and was rolled back", "gate 1 failed: exit status 1"]);
    swarm.expect("web").image(OLD);
}

#[test]
fn an_inconclusive_gate_never_rolls_back() {
    let directory = tempfile::tempdir().unwrap();
    for (exit, why) in [
        ("exit 75", "exit status 75"),
        ("kill -9 $$", "killed by signal 9"),
        ("./no-such-command", "exit status 127"),
        ("/dev/null", "exit status 126"),
    ] {
        let swarm = swarm(&["web"]);
        let log = directory.path().join("runs");
        let command = format!("echo run >>{}; echo unknown; {exit}", log.display());
        let run = update(&swarm, &["--gate", &command, "--rollback-on-failure", "--json"])
            .run()
            .answers(Exit::Different);
        let service = &run.json()["services"][0];
        assert_eq!((&service["outcome"], &service["exit_code"]), (&json!("converged"), &json!(10)));
        let gate = gate(&run);
        assert_eq!((&gate["errors"], &gate["runs"]), (&json!(5), &json!(0)));
        assert_eq!(
            (&gate["result"], &step(&run)["result"]),
            (&json!("inconclusive"), &json!("inconclusive"))
        );
        let run = run.says(&[
            "gate 1 was inconclusive: 5 errors in a row",
            why,
            "nothing is rolled back",
            "  unknown",
        ]);
        run.never_says(&["error:"]);
        assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 5);
        fs::remove_file(&log).unwrap();
        swarm.expect("web").applied(1).posted(1).image(NEW);
    }
    let swarm = swarm(&["web"]);
    update(&swarm, &["--gate", "exit 75"]).run().answers(Exit::Different).prints(&["web: updated"]);
}

#[test]
fn errors_are_repeated_and_runs_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("n");
    // The results of the five runs: error, failure, error, success, success.
    let command = format!(
        "n=$(cat {0} 2>/dev/null || echo 0); n=$((n + 1)); echo $n >{0}; case $n in 1|3) exit 75;; 2) exit 1;; esac",
        file.display()
    );
    let flags = ["--gate", &command, "--gate-count", "3", "--gate-failures", "1", "--json"];
    let swarm = swarm(&["web"]);
    let run = update(&swarm, &flags).run().succeeds();
    let gate = gate(&run);
    assert_eq!((&gate["runs"], &gate["failures"], &gate["errors"]), (&json!(3), &json!(1), &json!(2)));
    assert_eq!(fs::read_to_string(&file).unwrap(), "5\n");
}

#[test]
fn gates_run_one_after_the_other_and_end_at_the_first_that_fails() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let echo = |text: &str, exit: u8| format!("echo {text} >>{}; exit {exit}", log.display());
    let (first, second, third) = (echo("first", 0), echo("second", 1), echo("third", 0));
    let swarm = swarm(&["web"]);
    let run = update(&swarm, &["--gate", &first, "--gate", &second, "--gate", &third, "--json"])
        .run()
        .fails_with(Exit::RolloutFailed)
        .says(&["gate 2 failed: exit status 1"]);
    assert_eq!(fs::read_to_string(&log).unwrap(), "first\nsecond\n");
    assert_eq!(step(&run)["gates"].as_array().unwrap().len(), 2);
}

#[test]
fn a_service_that_is_as_requested_must_pass_too() {
    let swarm = swarm(&["web"]);
    update(&swarm, &["--gate", "true"]).run().succeeds();
    update(&swarm, &["--gate", "true"]).run().succeeds().prints(&["already runs"]);
    let run = update(&swarm, &["--gate", "exit 1", "--rollback-on-failure", "--json"]).run();
    let run = run.fails_with(Exit::RolloutFailed).says(&["gate 1 failed: exit status 1"]);
    assert_eq!(run.json()["services"][0]["posted"], json!(false));
    swarm.expect("web").posted(1).image(NEW);
}

#[test]
fn update_and_restart_have_gates_too() {
    let swarm = swarm(&["web"]);
    for line in [
        &["restart", "--gate", "exit 1", "web"][..],
        &["update", "--gate", "exit 1", "--env-add", "A=1", "web"],
    ] {
        swarmctl(line.iter().copied())
            .host(swarm.host())
            .run()
            .fails_with(Exit::RolloutFailed)
            .says(&["gate 1 failed"]);
    }
}

#[test]
fn a_gate_that_hangs_is_an_error_and_its_processes_are_ended() {
    let directory = tempfile::tempdir().unwrap();
    let pids = directory.path().join("pids");
    // The process in the background ignores SIGTERM.
    let command =
        format!("(trap '' TERM; exec sleep 1000) & echo $! >>{0}; echo $$ >>{0}; wait", pids.display());
    let swarm = swarm(&["web"]);
    let run = update(&swarm, &["--gate", &command, "--json"])
        .timeouts("gate_run=300,gate_stop=300")
        .run()
        .answers(Exit::Different)
        .says(&["did not exit within 1 s"]);
    assert_eq!(gate(&run)["errors"], json!(5));
    let pids = fs::read_to_string(&pids).unwrap();
    assert_eq!(pids.lines().count(), 10);
    pids.lines().for_each(wait_for_end);
}

#[test]
fn a_gate_that_prints_without_end_uses_little_memory_and_shows_its_last_lines() {
    let swarm = swarm(&["web"]);
    let run = update(
        &swarm,
        &[
            "--gate",
            "yes 'a long line of text' & sleep 0.3; kill $!; wait; echo; echo last; exit 1",
            "--json",
        ],
    )
    .run()
    .fails_with(Exit::RolloutFailed);
    let output = gate(&run)["output"].as_array().unwrap().clone();
    assert_eq!((output.len(), &output[19]), (20, &json!("last")));
    // Output without any line feed is limited too.
    let run = update(&swarm, &["--gate", "head -c 3000000 /dev/zero | tr '\\0' x; exit 1", "--json"]).run();
    let length: usize =
        gate(&run)["output"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().len()).sum();
    assert!((30_000..=65_536).contains(&length), "{length}");
}

#[test]
fn a_process_in_the_background_does_not_delay_the_gate() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let swarm = swarm(&["web"]);
    let began = Instant::now();
    let command = format!("sleep 60 & echo $! >{}; echo done; exit 1", pid.display());
    let run = update(&swarm, &["--gate", &command, "--json"]).run().fails_with(Exit::RolloutFailed);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(gate(&run)["output"], json!(["done"]));
    let pid = wait_for_file(&pid);
    let _ = std::process::Command::new("kill").arg(pid.trim()).status();
}

#[test]
fn if_the_tasks_cannot_be_read_the_gate_is_inconclusive() {
    use crate::support::server::Answer;
    let swarm = swarm(&["web"]);
    swarm.forbids("GET", "/nodes", Answer::error(403, "forbidden by the proxy"));
    update(&swarm, &["--gate", "test \"$SWARMCTL_NODES\" = n1o2d3e4n1o2d3e4n1o2d3e4n"]).run().succeeds();
}

#[test]
fn a_gate_runs_for_a_service_that_the_engine_has_rolled_back_to_the_requested_spec() {
    let swarm = swarm(&["web"]);
    swarm.world().service("web").status = Some(json!({
        "State": "rollback_completed", "StartedAt": "2026-11-21T09:00:00.5Z",
        "CompletedAt": "2026-11-21T09:00:09.5Z", "Message": "rollback completed",
    }));
    let line = |gate: &str| {
        swarmctl(["update-image", "--no-resolve-image", "--gate", gate, "web", OLD]).host(swarm.host()).run()
    };
    line("exit 1").fails_with(Exit::RolloutFailed);
    line("true").succeeds().says(&["gate 1: passed"]);
    swarm.expect("web").posted(0);
}
