//! DOCKER_API_VERSION: if it is older than the engine's own version, the engine drops newer fields from every post.

use serde_json::{Value, json};

use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{ID, NEW, OLD, spec, t001};
use crate::support::run::{Run, Swarmctl, swarmctl};
use crate::support::server::Answer;

const WARNING: &str = "warning: DOCKER_API_VERSION=1.40 is older than the engine's 1.41";

/// A spec with fields that were added in API 1.41, and one that was added in 1.40.
fn newer(name: &str) -> Value {
    let mut spec = spec(name, OLD);
    let container = &mut spec["TaskTemplate"]["ContainerSpec"];
    container["Sysctls"] = json!({ "net.ipv4.ip_forward": "1" });
    container["Ulimits"] = json!([{ "Name": "nofile", "Soft": 100, "Hard": 200 }]);
    spec["TaskTemplate"]["Resources"]["Limits"]["Pids"] = 50.into();
    spec
}

fn at(swarm: &FakeSwarm, version: &str, args: &[&str]) -> Swarmctl {
    swarmctl(args.iter().copied()).host(swarm.host()).env("DOCKER_API_VERSION", version)
}

fn stored(swarm: &FakeSwarm, field: &str) -> Value {
    let container = swarm.world().service("t001").spec["TaskTemplate"]["ContainerSpec"].clone();
    container.get(field).cloned().unwrap_or_default()
}

#[track_caller]
fn refused(run: Run) {
    run.fails_with(Exit::Failed).says(&[
        WARNING,
        "caused by: DOCKER_API_VERSION=1.40 is older than the engine's 1.41, so the engine would drop \
         TaskTemplate.ContainerSpec.Ulimits, TaskTemplate.Resources.Limits.Pids",
        "--allow-field-loss",
    ]);
}

#[test]
fn every_request_uses_the_requested_api_version() {
    for (given, wanted) in [("1.40", "/v1.40/"), ("v1.40", "/v1.40/"), ("1.41", "/v1.41/"), ("", "/v1.41/")] {
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        let run = at(&swarm, given, &["ls"]).run().succeeds();
        assert_eq!(run.stderr, "", "a list loses nothing");
        let requests = swarm.requests();
        assert!(requests.iter().all(|it| it.path == "/_ping" || it.path.starts_with(wanted)), "{given}");
    }
}

#[test]
fn an_update_that_would_drop_a_field_is_refused_and_nothing_is_posted() {
    for args in [
        &["update", "-d", "t001", "--env-add", "A=1"][..],
        &["update-image", "-d", "--no-resolve-image", "t001", NEW],
        &["scale", "-d", "t001=5"],
        &["restart", "-d", "t001"],
        &["update", "--dry-run", "t001", "--env-add", "A=1"],
    ] {
        let swarm = FakeSwarm::with([newer("t001")]);
        refused(at(&swarm, "1.40", args).run());
        assert!(swarm.posts().is_empty());
        // With the engine's own version, nothing is reported.
        at(&swarm, "1.41", args).run().succeeds().never_says(&["DOCKER_API_VERSION"]);
    }
}

#[test]
fn a_batch_that_would_drop_a_field_is_refused_before_the_first_post() {
    for args in [
        &["update-image", "-d", "--no-resolve-image", "a=x:1", "t001=x:1", "b=x:1"][..],
        &["update", "-d", "--env-add", "A=1", "a", "t001", "b"],
        &["restart", "-d", "a", "t001", "b"],
        &["scale", "-d", "a=5", "t001=5", "b=5"],
    ] {
        let swarm = FakeSwarm::with([spec("a", OLD), newer("t001"), spec("b", OLD)]);
        refused(at(&swarm, "1.40", args).run());
        assert!(swarm.posts().is_empty(), "{args:?}");
    }
}

#[test]
fn json_has_the_refusal_with_the_field() {
    let swarm = FakeSwarm::with([newer("t001")]);
    let run = at(&swarm, "1.40", &["scale", "-d", "--json", "t001=5"]).run().fails_with(Exit::Failed);
    let service = run.json()["services"][0].clone();
    assert_eq!(&service["outcome"], &json!("refused"));
    assert_eq!(&service["posted"], &json!(false));
    assert!(service["error"].as_str().unwrap().contains("Ulimits"), "{service}");
}

#[test]
fn an_update_that_drops_no_field_is_applied_with_a_warning() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let run = at(&swarm, "1.40", &["update-image", "-d", "--no-resolve-image", "t001", NEW]).run().succeeds();
    assert_eq!(run.stderr.matches(WARNING).count(), 1, "{}", run.report());
    assert_eq!(swarm.world().service("t001").image(), NEW);
    // If nothing has to change, nothing is posted, so nothing is lost.
    let swarm = FakeSwarm::with([newer("t001")]);
    at(&swarm, "1.40", &["update-image", "-d", "--no-resolve-image", "t001", OLD]).run().succeeds();
    assert!(swarm.posts().is_empty());
    // Fields that are removed on purpose are not lost.
    let line = ["update", "-d", "t001", "--ulimit-rm", "nofile", "--limit-pids", "0"];
    at(&swarm, "1.40", &line).run().succeeds();
    assert_eq!((stored(&swarm, "Ulimits"), stored(&swarm, "Sysctls").is_object()), (Value::Null, true));
}

#[test]
fn a_flag_accepts_the_loss_of_fields_which_is_reported() {
    let swarm = FakeSwarm::with([newer("t001")]);
    let line = ["update", "-d", "--allow-field-loss", "t001", "--env-add", "A=1"];
    let plan = at(&swarm, "1.40", &[&line[..], &["--dry-run"]].concat()).run().succeeds();
    let change = "ulimit nofile=100:200 removed";
    plan.prints(&["would be updated", change]);
    assert!(swarm.posts().is_empty());
    let run = at(&swarm, "1.40", &line).run().succeeds();
    run.prints(&["t001: updated", change, "env A=1 added"])
        .says(&["with API 1.40 the engine drops TaskTemplate.ContainerSpec.Ulimits"]);
    assert_eq!((stored(&swarm, "Ulimits"), stored(&swarm, "Env")), (Value::Null, json!(["A=1"])));
    assert!(stored(&swarm, "Sysctls").is_object(), "that is as old as 1.40");
    let posted = swarm.posts()[0].json();
    assert_eq!(
        posted["TaskTemplate"]["ContainerSpec"].get("Ulimits"),
        None,
        "what is posted is what will be"
    );
}

#[test]
fn a_rollback_drops_nothing_and_is_not_refused() {
    let swarm = FakeSwarm::with([newer("t001")]);
    swarm.world().write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    at(&swarm, "1.40", &["rollback", "-d", "t001"]).run().succeeds().says(&[WARNING]);
    assert_eq!(swarm.world().service("t001").image(), OLD);
    assert!(stored(&swarm, "Ulimits").is_array());
}

#[test]
fn a_flag_that_needs_a_newer_version_is_refused() {
    for args in
        [&["create", "--ulimit", "nofile=1", OLD][..], &["update", "t001", "--ulimit-add", "nofile=1"]]
    {
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        let run = at(&swarm, "1.40", args).run().fails_with(Exit::Failed);
        run.says(&["Ulimits needs API 1.41, and DOCKER_API_VERSION is 1.40"]);
        assert!(swarm.posts().is_empty());
    }
    // Engines keep `--init` with every API version.
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    at(&swarm, "1.30", &["update", "-d", "t001", "--init"]).run().succeeds();
}

#[test]
fn a_job_is_never_posted_with_a_version_without_jobs() {
    let mut job = spec("t001", OLD);
    job["Mode"] = json!({ "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": 1 } });
    let swarm = FakeSwarm::with([job]);
    let line = ["update", "-d", "--allow-field-loss", "t001", "--env-add", "A=1"];
    at(&swarm, "1.40", &line).run().fails_with(Exit::Failed).says(&["drop Mode.ReplicatedJob; unset it\n"]);
    assert!(swarm.posts().is_empty());
}

#[test]
fn fields_that_only_the_engines_own_version_shows_would_be_lost_too() {
    let mut whole = serde_json::from_str::<Value>(&t001(OLD, 11)).unwrap();
    let shown = Answer::json(200, whole.to_string());
    whole["Spec"]["TaskTemplate"]["ContainerSpec"]["FieldOfTomorrow"] = 1.into();
    let engine = Engine::ordered([
        get("/v1.40/services/t001").answers(shown),
        get(&format!("/v1.41/services/{ID}")).answers(Answer::json(200, whole.to_string())),
    ]);
    let run = swarmctl(["scale", "-d", "t001=5"]).host(engine.host()).env("DOCKER_API_VERSION", "1.40").run();
    run.fails_with(Exit::Failed).says(&["would drop TaskTemplate.ContainerSpec.FieldOfTomorrow"]);
}

#[test]
fn an_unsupported_version_is_refused_with_the_engines_message() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    for (version, words) in [
        ("1.99", "client version 1.99 is too new. Maximum supported API version is 1.41"),
        ("1.11", "client version 1.11 is too old. Minimum supported API version is 1.12"),
    ] {
        let run = at(&swarm, version, &["scale", "-d", "t001=5"]).run().fails_with(Exit::Failed);
        run.says(&[words, "hint: ", "unset DOCKER_API_VERSION"]);
    }
    assert!(swarm.posts().is_empty());
    at(&swarm, "1.4x", &["scale", "-d", "t001=5"])
        .run()
        .fails_with(Exit::Usage)
        .says(&["DOCKER_API_VERSION: `1.4x`"]);
}

#[test]
fn a_flag_for_a_field_that_an_old_engine_drops_is_refused() {
    for (api, args, why) in [
        ("1.25", &["update", "--update-order", "start-first", "t001"][..], "--update-order needs API 1.29"),
        (
            "1.28",
            &["update", "--read-only", "--rollback-order", "start-first", "t001"],
            "--rollback-order needs API",
        ),
        ("1.25", &["update", "--config-add", "app", "t001"], "--config-add needs API 1.30"),
        (
            "1.27",
            &["create", "--detach", "--no-resolve-image", "--read-only", OLD],
            "--read-only needs API 1.28",
        ),
    ] {
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        swarm.world().api_version = Some(api);
        let run = swarmctl(args.iter().copied()).host(swarm.host()).run().fails_with(Exit::Failed);
        run.says(&[why, &format!("this engine supports {api}")]);
        assert!(swarm.posts().is_empty());
    }
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    swarm.world().api_version = Some("1.29");
    let args = ["update", "--detach", "--update-order", "start-first", "--env-add", "A=1", "t001"];
    swarmctl(args).host(swarm.host()).run().succeeds();
}
