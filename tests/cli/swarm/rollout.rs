//! Rollouts on a real engine: how each one ends, what is printed, and the exit code.

use std::time::{Duration, Instant};

use super::engine::{Engine, Removed, engine};
use crate::support::exit::Exit;
use crate::support::run::Run;

const GOOD: &str = "opera443399/whoami:0.7";
const BETTER: &str = "opera443399/whoami:0.6";
const BAD: &str = "opera443399/whoami:bad";

/// Runs `create` with these flags and the image at the end of the line. `--name` is required.
#[track_caller]
fn create(line: &str) -> (Run, Removed) {
    let engine = engine();
    let name = line.split_whitespace().skip_while(|word| *word != "--name").nth(1).unwrap().to_owned();
    let service = Removed::new(engine, format!("/services/{name}"));
    (swarmctl(&format!("create {line}")), service)
}

fn swarmctl(line: &str) -> Run {
    let args: Vec<&str> = line.split_whitespace().collect();
    engine().swarmctl(&args).limit(Duration::from_secs(120)).run()
}

/// Creates a service with two good tasks, short periods and the flags in `more`.
#[track_caller]
fn running(name: &str, more: &str) -> Removed {
    let line = format!("--name {name} --replicas 2 --update-monitor 2s --stop-grace-period 1s {more} {GOOD}");
    let (run, service) = create(&line);
    run.succeeds();
    service
}

fn image(engine: &Engine, name: &str) -> String {
    engine.service(name)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap().to_owned()
}

#[test]
fn a_good_image_converges_and_waiting_again_ends_immediately() {
    let _service = running("ro-good", "");
    swarmctl(&format!("update-image ro-good {BETTER}")).succeeds().prints(&["ro-good: updated"]);
    // According to the timestamps of the tasks, they have already run for the monitor period.
    let began = Instant::now();
    swarmctl("wait ro-good").succeeds();
    swarmctl("update --label-add a=b ro-good").succeeds();
    swarmctl("status ro-good").succeeds();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    swarmctl("scale ro-good=0").succeeds();
    swarmctl("restart ro-good").succeeds();
}

#[test]
fn waits_for_a_service_that_is_already_as_requested_if_its_rollout_is_in_progress() {
    let service = running("ro-again", "--update-delay 2s");
    let version = |run: Run| run.json()["services"][0]["version_index"].clone();
    swarmctl(&format!("update-image --detach ro-again {BETTER}")).succeeds();
    let again = swarmctl(&format!("update-image --exit-code ro-again {BETTER}")).succeeds();
    again.prints(&["ro-again: converged; nothing was posted"]);
    let posted = version(swarmctl("wait --json ro-again").succeeds());
    let again = swarmctl(&format!("update-image --json ro-again {BETTER}")).succeeds();
    assert_eq!(again.json()["services"][0]["reason"], "same_image", "{}", again.report());
    assert_eq!(version(again), posted);
    // If a failed update is repeated, it must not succeed.
    swarmctl(&format!("update-image --detach ro-again {BAD}")).succeeds();
    swarmctl(&format!("update-image --rollback-on-failure ro-again {BAD}"))
        .fails_with(Exit::RolloutFailed)
        .says(&["exit code 1"]);
    let again = swarmctl(&format!("update-image --json ro-again {BAD}"))
        .fails_with(Exit::RolloutFailed)
        .says(&["exit code 1"]);
    let again = &again.json()["services"][0];
    assert_eq!((&again["outcome"], &again["posted"]), (&"failed".into(), &false.into()));
    for line in [
        format!("update-image --detach ro-again {BAD}"),
        "update --label-add a=b --dry-run ro-again".to_owned(),
    ] {
        swarmctl(&line).fails_with(Exit::RolloutFailed).says(&["its rollout is paused"]);
    }
    swarmctl(&format!("update-image --dry-run ro-again {BAD}")).succeeds();
    assert_eq!(engine().service(service.id())["UpdateStatus"]["State"], "paused");
}

#[test]
fn a_broken_image_with_pause_has_a_reason_and_a_hint_and_refuses_a_restart() {
    // On a busy machine, a task that fails immediately may appear to have run for some seconds. With a shorter monitor
    // period, its spec would not count as failed.
    let service = running("ro-pause", "--update-monitor 10s");
    let run =
        swarmctl(&format!("update-image --json ro-pause {BAD}")).fails_with(Exit::RolloutFailed).says(&[
            "the rollout of service `ro-pause` failed",
            "paused",
            "exit code 1",
            "its log ends with:",
            "whoami: cannot open /etc/whoami.conf",
            "`swarmctl ps ro-pause`",
            "`swarmctl rollback ro-pause`",
        ]);
    let json = run.json();
    let failure = &json["services"][0]["failures"][0];
    assert_eq!((&json["exit_code"], &failure["exit_code"]), (&5.into(), &1.into()), "{}", run.report());
    assert_eq!(failure["log"][0], "whoami: cannot open /etc/whoami.conf");
    swarmctl("status ro-pause").fails_with(Exit::RolloutFailed);
    for command in ["restart ro-pause", "scale ro-pause=3", "update --env-add A=1 ro-pause"] {
        swarmctl(command).fails_with(Exit::RolloutFailed).says(&[
            "paused",
            "update-image",
            "rollback",
            "--resume",
        ]);
    }
    // After a change of a label, the previous spec has the broken image too.
    swarmctl("update --resume --detach --label-add a=b ro-pause").succeeds();
    swarmctl("rollback ro-pause")
        .fails_with(Exit::RolloutFailed)
        .says(&["Labels.a", &format!("`swarmctl update-image ro-pause {GOOD}`")]);
    swarmctl(&format!("update-image ro-pause {GOOD}")).succeeds();
    assert_eq!(engine().running_tasks(service.id()), 2);
}

#[test]
fn a_broken_image_with_continue_is_a_failed_rollout_though_the_engine_says_completed() {
    let _service = running("ro-continue", "--update-failure-action continue --restart-delay 1s");
    swarmctl(&format!("update-image ro-continue {BAD}"))
        .fails_with(Exit::RolloutFailed)
        .says(&["whoami: cannot open /etc/whoami.conf"]);
}

#[test]
fn a_broken_image_with_rollback_is_reported_as_rolled_back_and_leaves_no_previous_spec() {
    let _service = running("ro-back", "--update-failure-action rollback");
    swarmctl(&format!("update-image ro-back {BAD}")).fails_with(Exit::RolledBack).says(&[
        "rolled back",
        "exit code 1",
        "whoami: cannot open /etc/whoami.conf",
    ]);
    assert_eq!(image(engine(), "ro-back"), GOOD);
    swarmctl("rollback ro-back").fails_with(Exit::Failed).says(&["previous spec"]);
    swarmctl("status ro-back").fails_with(Exit::RolledBack);
}

#[test]
fn images_that_fail_late_or_never_become_healthy_fail() {
    let _late = running("ro-late", "--update-monitor 8s --update-parallelism 0");
    let _sick = running("ro-sick", "--update-parallelism 0 --update-failure-action rollback");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            swarmctl("update-image ro-late opera443399/whoami:late")
                .fails_with(Exit::RolloutFailed)
                .says(&["exit code 3", "will give up"]);
        });
        scope.spawn(|| {
            swarmctl("update-image ro-sick opera443399/whoami:sick")
                .fails_with(Exit::RolledBack)
                .says(&["unhealthy"]);
        });
    });
    assert_eq!(image(engine(), "ro-sick"), GOOD);
}

#[test]
fn an_image_that_does_not_exist_is_a_failed_rollout() {
    let _service = running("ro-none", "");
    swarmctl("update-image ro-none opera443399/whoami:9.9")
        .fails_with(Exit::RolloutFailed)
        .says(&["No such image", "opera443399/whoami:9.9"]);
}

#[test]
fn creates_that_cannot_work_end_early_with_the_reason() {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (run, _service) = create(&format!("--name ro-c1 --restart-delay 1s {BAD}"));
            run.fails_with(Exit::RolloutFailed)
                .says(&["whoami: cannot open /etc/whoami.conf", "`swarmctl rm ro-c1`"]);
        });
        scope.spawn(|| {
            let (run, _service) = create(&format!("--name ro-c2 --constraint node.labels.x==y {GOOD}"));
            run.fails_with(Exit::RolloutFailed).says(&["no node meets the constraints"]);
        });
        scope.spawn(|| {
            let (run, _service) =
                create(&format!("--name ro-c3 --mode global --constraint node.labels.x==y {GOOD}"));
            run.fails_with(Exit::RolloutFailed).says(&["no node may run it"]);
        });
        scope.spawn(|| {
            let (run, _service) = create(&format!("--name ro-c4 --mode global {GOOD}"));
            run.succeeds();
        });
    });
}

#[test]
fn a_network_without_enough_addresses_is_named_with_its_numbers() {
    let engine = engine();
    let body = serde_json::json!({
        "Name": "ro-small", "Driver": "overlay", "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.77.0.0/29"}]}
    });
    engine.ask("POST", "/networks/create", Some(&body));
    let _network = Removed::new(engine, "/networks/ro-small".to_owned());
    let (run, _service) = create(&format!("--name ro-full --network ro-small --replicas 8 {GOOD}"));
    let run = run
        .fails_with(Exit::RolloutFailed)
        .says(&["network `ro-small` (10.77.0.0/29)", "of 6 addresses are in use"]);
    // The error must not have lines about unrelated facts, such as the leader.
    run.never_says(&["leader"]);
}

#[test]
fn a_host_port_that_comes_free_late_is_waited_for() {
    let line = "--name ro-port --publish published=22701,target=80,mode=host --stop-grace-period 12s --update-monitor 1s";
    let (run, _service) = create(&format!("{line} opera443399/whoami:slow-stop"));
    run.succeeds();
    let began = Instant::now();
    swarmctl(&format!("update-image ro-port {BETTER}")).succeeds();
    assert!(began.elapsed() > Duration::from_secs(8), "the old task used its stop grace period");
}

#[test]
fn a_job_that_ends_and_one_that_fails() {
    let job = "--mode replicated-job --replicas 2 --restart-condition none";
    let (run, _ended) = create(&format!("--name ro-job {job} opera443399/whoami:once"));
    run.succeeds();
    let (run, _failed) = create(&format!("--name ro-job-bad {job} {BAD}"));
    run.fails_with(Exit::RolloutFailed).says(&["exit code 1", "whoami: cannot open /etc/whoami.conf"]);
    swarmctl("restart ro-job").succeeds().says(&["it is a job: it runs again"]);
}

#[test]
fn a_rollback_reports_its_target_and_a_second_one_returns() {
    let _service = running("ro-hand", "");
    swarmctl(&format!("update-image ro-hand {BETTER}")).succeeds();
    swarmctl("rollback ro-hand").succeeds().says(&[GOOD, BETTER, "second rollback returns"]);
    assert_eq!(image(engine(), "ro-hand"), GOOD);
    swarmctl("status ro-hand").succeeds();
    swarmctl("rollback ro-hand").succeeds();
    assert_eq!(image(engine(), "ro-hand"), BETTER);
}

#[test]
fn a_second_rollback_to_a_spec_that_failed_is_refused() {
    // A spec has failed only if none of its tasks ran for the monitor period. On a busy machine, a container that exits
    // immediately can appear to run for some seconds.
    let _service = running("ro-twice", "--restart-delay 1s --rollback-monitor 2s");
    swarmctl("update --detach --update-monitor 10s ro-twice").succeeds();
    for bad in [BAD, "opera443399/whoami:9.9"] {
        swarmctl(&format!("update-image --no-resolve-image ro-twice {bad}")).fails_with(Exit::RolloutFailed);
        swarmctl("rollback ro-twice").succeeds();
        for command in ["rollback ro-twice", "update --rollback ro-twice"] {
            swarmctl(command).fails_with(Exit::RolloutFailed).says(&[
                bad,
                "has failed",
                "`swarmctl rollback --to-failed ro-twice`",
            ]);
        }
        assert_eq!(image(engine(), "ro-twice"), GOOD);
    }
    swarmctl("rollback --detach --to-failed ro-twice").succeeds();
    assert_eq!(image(engine(), "ro-twice"), "opera443399/whoami:9.9");
}

#[test]
fn a_rollback_to_a_spec_with_a_removed_config_and_network_is_refused() {
    let engine = engine();
    let config = serde_json::json!({ "Name": "ro-gone", "Data": "YQ==" });
    engine.ask("POST", "/configs/create", Some(&config));
    let config = Removed::new(engine, "/configs/ro-gone".to_owned());
    let body = serde_json::json!({ "Name": "ro-gone", "Driver": "overlay" });
    engine.ask("POST", "/networks/create", Some(&body));
    let network = Removed::new(engine, "/networks/ro-gone".to_owned());
    let service = running("ro-refs", "--config ro-gone --network ro-gone");
    swarmctl("update --config-rm ro-gone --network-rm ro-gone ro-refs").succeeds();
    swarmctl("rollback --dry-run ro-refs").succeeds();
    drop((config, network));
    swarmctl("rollback ro-refs")
        .fails_with(Exit::Failed)
        .says(&["config `ro-gone`, network `", "no longer exist"]);
    assert_eq!(engine.running_tasks(service.id()), 2);
}

#[test]
fn a_signal_after_the_rollback_reports_that_it_was_sent() {
    let _service = running("ro-sent", "--rollback-delay 20s --restart-delay 1s");
    let args = ["update-image", "--no-resolve-image", "--rollback-on-failure", "ro-sent", BAD];
    let mut run = engine().swarmctl(&args).limit(Duration::from_secs(90)).spawn();
    engine().wait_until("a rollback is sent", |engine| {
        engine.service("ro-sent")["UpdateStatus"]["State"] == "rollback_started"
    });
    run.signal("INT");
    run.wait().fails_with(Exit::Interrupted).says(&[
        "exit code 1",
        "a rollback was sent",
        "`swarmctl wait ro-sent`",
    ]);
    assert_eq!(image(engine(), "ro-sent"), GOOD);
}

#[test]
fn rollback_on_failure_restores_the_spec_even_after_a_change_of_another_writer() {
    let _service = running("ro-undo", "");
    swarmctl(&format!("update-image --rollback-on-failure ro-undo {BAD}")).fails_with(Exit::RolledBack);
    assert_eq!(image(engine(), "ro-undo"), GOOD);

    let _other = running("ro-undo2", "");
    let args = ["update-image", "--rollback-on-failure", "ro-undo2", BAD];
    let mut run = engine().swarmctl(&args).limit(Duration::from_secs(90)).spawn();
    engine().wait_until("the image is posted", |engine| image(engine, "ro-undo2") == BAD);
    engine().change("ro-undo2", |spec| spec["Labels"]["other"] = "writer".into());
    run.wait().fails_with(Exit::RolledBack);
    let spec = &engine().service("ro-undo2")["Spec"];
    assert_eq!(spec["TaskTemplate"]["ContainerSpec"]["Image"], GOOD);
    assert_eq!(spec["Labels"]["other"], "writer", "the other writer's change stays");
}

#[test]
fn a_label_during_a_rollback_makes_the_engine_roll_back_to_the_broken_image() {
    let _service =
        running("ro-label", "--update-failure-action rollback --update-monitor 5s --restart-delay 3s");
    let args = ["update-image", "ro-label", "opera443399/whoami:late"];
    let mut run = engine().swarmctl(&args).limit(Duration::from_secs(90)).spawn();
    engine().wait_until("the image is posted", |engine| image(engine, "ro-label").ends_with("late"));
    engine().change("ro-label", |spec| spec["Labels"]["other"] = "writer".into());
    run.wait().fails_with(Exit::RolloutFailed);
}

#[test]
fn a_timeout_a_signal_and_a_removal_end_the_watch_and_are_reported() {
    let _slow = running("ro-t1", "--update-delay 30s");
    let run = swarmctl(&format!("update-image --timeout 3s ro-t1 {BETTER}"));
    run.fails_with(Exit::StoppedWaiting).says(&["hint: the rollout continues; ", "`swarmctl wait ro-t1`"]);
    swarmctl("status ro-t1").answers(Exit::Different);

    let mut run = engine().swarmctl(&["wait", "ro-t1"]).spawn();
    std::thread::sleep(Duration::from_millis(700));
    let began = Instant::now();
    run.signal("INT");
    run.wait().fails_with(Exit::Interrupted);
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());

    let other = running("ro-t2", "--update-monitor 4s");
    let gone = running("ro-t3", "--update-delay 30s");
    swarmctl(&format!("update-image -d ro-t2 {BETTER}")).succeeds();
    swarmctl(&format!("update-image -d ro-t3 {BETTER}")).succeeds();
    let mut run =
        engine().swarmctl(&["wait", "--json", "ro-t2", "ro-t3"]).limit(Duration::from_secs(60)).spawn();
    std::thread::sleep(Duration::from_millis(500));
    swarmctl("rm ro-t3").succeeds();
    let run = run.wait().fails_with(Exit::NotFound);
    assert_eq!(run.json()["services"][0]["outcome"], "converged", "{}", run.report());
    drop((other, gone));
}

/// The number of containers of a service on the only node.
fn containers(name: &str) -> usize {
    let filters = format!("%7B%22label%22%3A%5B%22com.docker.swarm.service.name%3D{name}%22%5D%7D");
    let list = engine().ask("GET", &format!("/containers/json?filters={filters}"), None);
    list.as_array().map_or(0, Vec::len)
}

#[test]
fn fewer_tasks_have_converged_when_the_surplus_containers_have_ended() {
    // Containers of this image end only on SIGKILL.
    let line = "--name ro-fewer --replicas 2 --update-monitor 2s --stop-grace-period 3s";
    let (run, _service) = create(&format!("{line} opera443399/whoami:slow-stop"));
    run.succeeds();
    swarmctl("scale --detach ro-fewer=0").succeeds();
    swarmctl("status ro-fewer").answers(Exit::Different).prints(&[
        "in progress",
        "2/0",
        "waiting for 2 surplus tasks to end",
    ]);
    assert_eq!(containers("ro-fewer"), 2);
    swarmctl("wait ro-fewer").succeeds();
    assert_eq!(containers("ro-fewer"), 0);
    // After a rollback, the engine no longer lists the surplus tasks, although their containers have not ended.
    swarmctl("scale ro-fewer=2").succeeds();
    swarmctl("rollback ro-fewer").succeeds();
    assert_eq!(containers("ro-fewer"), 0);
}
