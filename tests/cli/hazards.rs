//! Specs that crash an engine are never posted, wherever they come from.

use serde_json::{Value, json};

use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::secrets::{PASSWORD, basic};

/// A spec with this health check.
fn checked(name: &str, test: &Value) -> Value {
    let mut spec = spec(name, OLD);
    spec["TaskTemplate"]["ContainerSpec"]["Healthcheck"] = json!({ "Test": test, "Interval": 1_000_000_000 });
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec["Labels"]["com.docker.stack.namespace"] = "shop".into();
    spec
}

fn without_command(name: &str) -> Value {
    checked(name, &json!(["CMD"]))
}

fn on(swarm: &FakeSwarm, line: &str) -> Run {
    swarmctl(line.split(' ')).host(swarm.host()).run()
}

fn brought(swarm: &FakeSwarm, args: &[&str], spec: &Value) -> Run {
    swarmctl(args.iter().copied()).stdin(&spec.to_string()).host(swarm.host()).run()
}

#[test]
fn a_health_check_without_a_command_is_a_usage_error_of_create_before_anything_is_sent() {
    for more in [&[][..], &["--dry-run"], &["--health-interval", "3s"], &["--health-retries", "2"]] {
        let engine = Engine::silent();
        let args = [&["create", "-d", "--spec", "-"], more].concat();
        let run = swarmctl(args)
            .stdin(&without_command("web").to_string())
            .host(engine.host())
            .run()
            .fails_with(Exit::Usage);
        run.tells_an_error().says(&["[\"CMD\"]", "moby/moby#52330"]);
        assert!(engine.requests().is_empty());
    }
}

#[test]
fn flags_that_replace_the_health_check_of_a_file_are_sent() {
    for flags in [&["--no-healthcheck"][..], &["--health-cmd", "true"], &["--health-cmd", ""]] {
        let swarm = FakeSwarm::start();
        brought(
            &swarm,
            &[&["create", "-d", "--no-resolve-image", "--spec", "-"], flags].concat(),
            &without_command("web"),
        )
        .succeeds();
        assert_eq!(swarm.posts().len(), 1, "{flags:?}");
        let swarm = FakeSwarm::with([checked("web", &json!(["CMD", "true"]))]);
        brought(&swarm, &[&["update", "-d", "--spec", "-", "web"], flags].concat(), &without_command("web"))
            .succeeds();
    }
}

#[test]
fn a_file_for_an_update_is_a_usage_error_also_if_the_service_has_that_check() {
    for stored in [json!(["CMD", "true"]), json!(["NONE"]), json!([]), json!(["CMD"])] {
        let swarm = FakeSwarm::with([checked("web", &stored)]);
        for more in [&[][..], &["--dry-run"], &["--json"], &["--env-add", "A=1"]] {
            let args = [&["update", "-d", "--spec", "-", "web"], more].concat();
            brought(&swarm, &args, &without_command("web")).fails_with(Exit::Usage).says(&["[\"CMD\"]"]);
            let part = json!({"TaskTemplate": {"ContainerSpec": {"Healthcheck": {"Test": ["CMD"]}}}});
            brought(&swarm, &args, &part).fails_with(Exit::Usage);
        }
        assert_eq!(swarm.posts().len(), 0);
    }
}

#[test]
fn a_stored_check_without_a_command_is_not_sent_again() {
    for line in [
        "update -d --label-add a=b web",
        "update -d --env-add A=1 web",
        "update -d --health-interval 3s web",
        "update -d --dry-run --label-add a=b web",
        "update -d --force web",
        "update -d --resume --label-add a=b web",
        &format!("update-image -d --no-resolve-image web {NEW}"),
        &format!("update-image -d --json --no-resolve-image web {NEW}"),
        &format!("update-image -d --no-resolve-image --stack shop {NEW}"),
        "update-image -d --no-resolve-image --force --tag 0.7 web",
        "restart -d web",
        "restart -d --all",
        "scale -d web=3",
    ] {
        let swarm = FakeSwarm::with([without_command("web")]);
        let run = on(&swarm, line).fails_with(Exit::Failed);
        if line.contains("--json") {
            let service = &run.json()["services"][0];
            assert_eq!(&service["outcome"], &json!("refused"));
            assert_eq!(&service["posted"], &json!(false));
            assert!(service["error"].as_str().unwrap().contains("moby/moby#52330"));
        }
        run.says(&["[\"CMD\"]", "swarmctl update --health-cmd COMMAND web", "--no-healthcheck web"]);
        assert_eq!(swarm.posts().len(), 0, "{line}");
    }
}

#[test]
fn a_check_without_a_command_is_reported_before_other_services_are_updated() {
    for line in [
        &format!("update-image -d --no-resolve-image --all {NEW}"),
        "restart -d api web",
        "scale -d api=2 web=2",
    ] {
        let swarm = FakeSwarm::with([checked("api", &json!(["CMD", "true"])), without_command("web")]);
        on(&swarm, line).fails_with(Exit::Failed);
        assert_eq!(swarm.posts().len(), 0, "{line}");
    }
}

#[test]
fn updates_that_replace_the_check_or_post_nothing_are_allowed() {
    for line in [
        "update -d --health-cmd true web",
        "update -d --no-healthcheck web",
        "update -d --no-healthcheck --env-add A=1 --force web",
        "update -d --health-cmd= web",
    ] {
        let swarm = FakeSwarm::with([without_command("web")]);
        on(&swarm, line).succeeds();
        assert_eq!(swarm.posts().len(), 1, "{line}");
    }
    let swarm = FakeSwarm::with([without_command("web")]);
    let without = json!({"TaskTemplate": {"ContainerSpec": {"Healthcheck": null}}});
    on(&swarm, &format!("update-image -d --no-resolve-image web {OLD}")).succeeds().prints(&["already"]);
    on(&swarm, "scale -d web=1").succeeds().prints(&["nothing to change"]);
    assert_eq!(swarm.posts().len(), 0);
    brought(&swarm, &["update", "-d", "--spec", "-", "web"], &without).succeeds();
    on(&swarm, "rm web").succeeds();
}

#[test]
fn a_rollback_to_a_check_without_a_command_is_refused_and_one_from_it_is_not() {
    for line in
        ["rollback -d web", "rollback -d --dry-run web", "rollback -d --all", "update -d --rollback web"]
    {
        let swarm = FakeSwarm::with([without_command("web"), spec("other", OLD)]);
        swarm.world().write("web", |spec| *spec = checked("web", &json!(["CMD", "true"])));
        let run = on(&swarm, line).fails_with(Exit::Failed);
        run.says(&["the previous spec would crash the engine", "moby/moby#52330"]);
        assert_eq!(swarm.posts().len(), 0, "{line}");
    }
    let swarm = FakeSwarm::with([checked("web", &json!(["CMD", "true"]))]);
    swarm.world().write("web", |spec| *spec = without_command("web"));
    on(&swarm, "rollback -d web").succeeds();
    assert_eq!(swarm.service("web").rollbacks, 1);
}

#[test]
fn new_credentials_do_not_post_a_check_without_a_command() {
    let home = tempfile::tempdir().unwrap();
    let config = json!({ "auths": { "https://index.docker.io/v1/": { "auth": basic(PASSWORD) } } });
    std::fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    let swarm = FakeSwarm::with([without_command("web")]);
    let refresh = |args: &str| {
        let line = swarmctl(args.split(' ')).host(swarm.host());
        line.env("DOCKER_CONFIG", &home.path().display().to_string()).run()
    };
    refresh("auth refresh web").fails_with(Exit::Failed).says(&["moby/moby#52330"]);
    refresh("auth refresh --all").succeeds().prints(&["web: skipped: its health check"]);
    refresh("update -d --with-registry-auth web").fails_with(Exit::Failed);
    assert_eq!(swarm.posts().len(), 0);
}

#[test]
fn other_health_checks_are_sent() {
    for test in [
        json!(["CMD", ""]),
        json!(["CMD-SHELL"]),
        json!(["NONE"]),
        json!(["NONE", "x"]),
        json!([""]),
        json!(["cmd"]),
        json!([]),
    ] {
        let swarm = FakeSwarm::with([checked("web", &test)]);
        on(&swarm, "restart -d web").succeeds();
        let name = ["create", "-d", "--no-resolve-image", "--spec", "-", "--name", "b"];
        brought(&swarm, &name, &checked("a", &test)).succeeds();
        assert_eq!(swarm.posts().len(), 2, "{test}");
    }
}

/// Engines close the connection without a response to such a spec, so it would be unknown whether it was applied.
#[test]
fn lists_with_a_null_item_are_usage_errors() {
    let of_container = |list: &str| json!({"TaskTemplate": {"ContainerSpec": {list: [null]}}});
    let generic =
        |item: Value| json!({"TaskTemplate": {"Resources": {"Reservations": {"GenericResources": [item]}}}});
    for part in [
        of_container("Secrets"),
        of_container("Configs"),
        of_container("Ulimits"),
        generic(Value::Null),
        generic(json!({})),
    ] {
        let swarm = FakeSwarm::with([spec("web", OLD)]);
        brought(&swarm, &["update", "-d", "--spec", "-", "web"], &part)
            .fails_with(Exit::Usage)
            .tells_an_error();
        brought(&swarm, &["create", "-d", "--spec", "-", "--name", "new", OLD], &part)
            .fails_with(Exit::Usage)
            .tells_an_error();
        assert_eq!(swarm.posts().len(), 0, "{part}");
    }
}
