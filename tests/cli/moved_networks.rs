//! Docker 29 with services of an older engine: any update moves their networks, which restarts their tasks.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NETWORK, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::secrets::{PASSWORD, basic};

const IMAGE: &str = "127.0.0.1:5000/whoami:0.6";
const WHY: &str = "move the service's networks";

fn service(name: &str) -> Value {
    let mut spec = spec(name, IMAGE);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec["Mode"]["Replicated"]["Replicas"] = 2.into();
    spec["TaskTemplate"]["Networks"] = json!([{ "Target": NETWORK }]);
    spec
}

/// A Docker 29 that has stored the networks of `old` outside of its TaskTemplate, and those of `new` inside.
fn swarm() -> FakeSwarm {
    let swarm = FakeSwarm::with([service("old"), service("new")]);
    swarm.world().networks.push((NETWORK.into(), "backend".into()));
    swarm.world().api_version = Some("1.52");
    swarm.world().service("old").moves_networks = true;
    swarm
}

fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let config = json!({ "auths": { "127.0.0.1:5000": { "auth": basic(PASSWORD) } } });
    std::fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    home
}

fn on(swarm: &FakeSwarm, line: &str) -> Run {
    let home = home();
    let command = swarmctl(line.split(' ')).host(swarm.host());
    command.env("DOCKER_CONFIG", &home.path().display().to_string()).run()
}

#[test]
fn refreshed_credentials_restart_no_task_so_a_named_service_is_refused() {
    for more in ["", " --dry-run"] {
        let swarm = swarm();
        let run =
            on(&swarm, &format!("auth refresh{more} old")).fails_with(Exit::RolloutFailed).tells_an_error();
        run.says(&[
            "it would restart 2 of 2 tasks",
            WHY,
            "`swarmctl update --with-registry-auth --force old`",
        ]);
        assert_eq!(swarm.posts().len(), 0, "{more}");
        let run = on(&swarm, &format!("auth refresh --json{more} old new")).fails_with(Exit::RolloutFailed);
        let services = run.json()["services"].clone();
        assert_eq!(&services[0]["outcome"], &json!("skipped"));
        assert_eq!(&services[0]["exit_code"], &json!(5));
        assert_eq!(&services[0]["posted"], &json!(false));
        assert_eq!(&services[1]["exit_code"], &json!(0));
        assert!(services[0]["error"].as_str().unwrap().contains(WHY));
        assert_eq!(swarm.posts().len(), usize::from(more.is_empty()), "the other one is refreshed");
    }
}

#[test]
fn a_selected_service_is_skipped_with_the_reason_and_the_command() {
    let swarm = swarm();
    let run = on(&swarm, "auth refresh --all").succeeds();
    run.prints(&[
        "new: given new credentials",
        "old: skipped: it would restart 2 of 2 tasks",
        WHY,
        "swarmctl update --with-registry-auth --force old",
    ]);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn credentials_are_refreshed_after_the_first_update() {
    let swarm = swarm();
    on(&swarm, "update -d --with-registry-auth --force old").succeeds();
    on(&swarm, "auth refresh old").succeeds();
    assert_eq!(swarm.posts().len(), 2);
}

#[test]
fn a_service_without_tasks_or_of_an_older_engine_is_refreshed() {
    let swarm = swarm();
    swarm.world().service("old").spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    on(&swarm, "auth refresh old").succeeds();
    for api in ["1.41", "1.51"] {
        let swarm = self::swarm();
        swarm.world().api_version = Some(api);
        swarm.world().service("old").moves_networks = false;
        on(&swarm, "auth refresh old").succeeds();
        on(&swarm, "update -d --label-add a=b old").succeeds().never_says(&[WHY]);
        let tasks = swarm.requests().iter().filter(|request| request.endpoint() == "/tasks").count();
        assert_eq!(tasks, 1, "only auth refresh reads them");
    }
}

#[test]
fn tasks_of_another_spec_are_a_reason_on_any_engine() {
    let swarm = FakeSwarm::with([spec("web", IMAGE)]);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["A=1"]));
    swarm.world().service("web").rollout = vec![crate::support::fake_swarm::Step::Updating; 9];
    on(&swarm, "update -d --label-add a=b web").succeeds();
    swarm.world().service("web").previous.as_mut().unwrap()["TaskTemplate"]["ForceUpdate"] = 7.into();
    swarm.world().service("web").status = None;
    on(&swarm, "auth refresh web").fails_with(Exit::RolloutFailed);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn edits_that_restart_nothing_by_themselves_say_why_tasks_restart() {
    for line in [
        "update -d --label-add a=b old",
        "update -d --update-parallelism 2 old",
        "update -d --with-registry-auth old",
        "scale -d old=3",
        "update -d --constraint-add node.role==manager old",
    ] {
        let swarm = swarm();
        on(&swarm, line).succeeds().says(&[WHY]);
        let run = on(&swarm, &line.replace("old", "new")).succeeds();
        assert!(!run.stderr.contains(WHY), "{}", run.report());
        let swarm = self::swarm();
        on(&swarm, &line.replace("-d", "--dry-run"))
            .succeeds()
            .says(&[WHY])
            .prints(&["2 of 2 tasks will be restarted"]);
        let run = on(&swarm, &line.replace("-d", "--dry-run").replace("old", "new")).succeeds();
        assert!(!run.stderr.contains(WHY), "{}", run.report());
    }
    let swarm = swarm();
    let run = on(&swarm, "update -d --json --label-add a=b old").succeeds();
    assert!(run.json()["services"][0]["warnings"][0].as_str().unwrap().contains(WHY));
}

#[test]
fn edits_that_restart_tasks_anyway_have_no_explanation() {
    for line in [
        "update-image -d --no-resolve-image old shop/web:2",
        "restart -d old",
        "update -d --env-add A=1 old",
        "update -d --force --label-add a=b old",
        "update -d --publish-add 8080:80 old",
    ] {
        let swarm = swarm();
        let run = on(&swarm, line).succeeds();
        assert!(!run.stderr.contains(WHY), "{}", run.report());
        let run = on(&swarm, &line.replace("-d", "--dry-run")).succeeds();
        assert!(!run.stderr.contains(WHY), "{}", run.report());
    }
}

#[test]
fn a_version_that_is_stale_repeats_the_reason_once() {
    let swarm = swarm();
    swarm.before(crate::support::fake_swarm::RequestKind::Post, 1, |world| {
        world.write("old", |spec| spec["Labels"]["theirs"] = "1".into());
    });
    let run = on(&swarm, "update -d --label-add a=b old").succeeds();
    assert_eq!(run.stderr.matches(WHY).count(), 1, "{}", run.report());
}
