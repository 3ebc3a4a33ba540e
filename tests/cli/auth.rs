//! `auth refresh`: new credentials, the same spec, and no side effects.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault, RequestKind};
use crate::support::fixtures::{OLD, spec as spec_with_port};
use crate::support::run::{Run, swarmctl};
use crate::support::secrets::{PASSWORD, basic, header_json};
use crate::support::server::Answer;

const IMAGE: &str = "127.0.0.1:5000/whoami:0.6";

/// A spec without ports, because two services cannot publish the same one.
fn spec(name: &str, image: &str) -> Value {
    let mut spec = spec_with_port(name, image);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec
}

fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let config = json!({ "auths": { "127.0.0.1:5000": { "auth": basic(PASSWORD) } } });
    std::fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    home
}

fn refresh(swarm: &FakeSwarm, args: &[&str]) -> Run {
    let home = home();
    swarmctl([&["auth", "refresh"], args].concat())
        .host(swarm.host())
        .env("DOCKER_CONFIG", &home.path().display().to_string())
        .run()
}

/// A service whose last rollout is in this state.
fn in_state(name: &str, state: Option<&str>) -> FakeSwarm {
    let swarm = FakeSwarm::with([spec(name, IMAGE)]);
    if let Some(state) = state {
        let status = json!({ "State": state, "StartedAt": "2026-11-21T09:30:00Z", "Message": "" });
        swarm.world().service(name).status = Some(status);
    }
    swarm
}

#[test]
fn posts_the_unchanged_spec_with_the_current_credentials() {
    for state in [None, Some("completed"), Some("rollback_completed")] {
        let swarm = in_state("web", state);
        let before = swarm.service("web").spec;
        refresh(&swarm, &["web"]).succeeds().prints(&["web: given new credentials"]);
        let posts = swarm.posts();
        assert_eq!((posts.len(), &posts[0].json()), (1, &before));
        let header = header_json(posts[0].header("x-registry-auth").unwrap());
        assert!(header.contains(PASSWORD) && header.contains("127.0.0.1:5000"));
    }
}

#[test]
fn skips_services_that_a_post_would_disturb() {
    for state in ["updating", "paused", "rollback_started", "rollback_paused"] {
        let swarm = in_state("web", Some(state));
        refresh(&swarm, &["web"])
            .fails_with(Exit::RolloutFailed)
            .tells_an_error()
            .says(&["any update would"]);
        let run = refresh(&swarm, &["--filter", "name=web"]).succeeds().prints(&["web: skipped: "]);
        assert_eq!(run.stderr, "selected 1 service to refresh the credentials of: web\n");
        assert_eq!(swarm.posts().len(), 0, "{state}");
    }
    let mut job = spec("job", IMAGE);
    job["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1, "MaxConcurrent": 1 } });
    let swarm = FakeSwarm::with([job, spec("web", IMAGE)]);
    refresh(&swarm, &["job"]).fails_with(Exit::RolloutFailed).says(&["it is a job"]);
    let run = refresh(&swarm, &["--filter=name=job", "--filter=name=web"]).succeeds();
    assert_eq!(run.stdout, "web: given new credentials\n");
    run.says(&["skipped 1 job: an update would run it again: job", "selected 1 service"]);
    assert_eq!(swarm.posts().len(), 1);
    let run = refresh(&swarm, &["--json", "--all"]).succeeds();
    assert_eq!(run.json()["services"].as_array().unwrap().len(), 1, "{}", run.report());
    let run = refresh(&swarm, &["--json", "job", "web"]).fails_with(Exit::RolloutFailed);
    let outcomes =
        run.json()["services"].as_array().unwrap().iter().map(|it| it["outcome"].clone()).collect::<Vec<_>>();
    assert_eq!(outcomes, [json!("skipped"), json!("applied")]);
    // JSON has the reason too, whether the service was named or selected.
    let swarm = in_state("web", Some("paused"));
    for (args, code) in [(["--json", "web"], 5), (["--json", "--filter=name=web"], 0)] {
        let run = refresh(&swarm, &args).exits(code);
        let service = &run.json()["services"][0];
        assert_eq!(&service["exit_code"], &json!(code));
        assert_eq!(&service["posted"], &json!(false));
        assert!(service["error"].as_str().unwrap().contains("its rollout is paused"), "{service}");
    }
}

#[test]
fn a_service_that_is_named_twice_is_posted_to_once() {
    let swarm = FakeSwarm::with([spec("web", IMAGE), spec("db", IMAGE)]);
    let id = swarm.service("web").id;
    let run = refresh(&swarm, &["web", &id, "db", &id[..8], "web"]).succeeds();
    assert_eq!(run.stdout.lines().count(), 2, "{}", run.report());
    assert_eq!(swarm.posts().len(), 2);
}

#[test]
fn reads_the_service_again_after_a_change_by_another_writer() {
    let swarm = in_state("web", None);
    swarm.before(RequestKind::Post, 1, |world| {
        world.write("web", |spec| spec["Labels"]["theirs"] = "1".into());
        world.service("web").status =
            Some(json!({ "State": "updating", "StartedAt": "2026-11-21T09:30:00Z" }));
    });
    refresh(&swarm, &["web"]).fails_with(Exit::RolloutFailed).says(&["a rollout is in progress"]);
    assert!(swarm.service("web").taken.is_empty());
    // If no rollout is in progress after the other writer's change, that change is kept.
    let swarm = in_state("web", None);
    swarm.before(RequestKind::Post, 1, |world| {
        world.write("web", |spec| spec["Labels"]["theirs"] = "1".into())
    });
    refresh(&swarm, &["web"]).succeeds();
    assert_eq!(swarm.service("web").spec["Labels"]["theirs"], "1");
}

#[test]
fn a_lost_response_is_looked_up() {
    let swarm = in_state("web", None);
    swarm.breaks(InjectedFault::lost(3));
    refresh(&swarm, &["web"]).succeeds().prints(&["web: given new credentials"]);
    swarm.expect("web").applied(1);
    let swarm = in_state("web", None);
    swarm.breaks(InjectedFault::instead(3, Answer::error(503, "context deadline exceeded")).unhandled());
    refresh(&swarm, &["web"]).succeeds();
    swarm.expect("web").applied(1);
}

#[test]
fn reports_services_that_it_cannot_refresh() {
    let swarm = FakeSwarm::with([spec("web", OLD), spec("db", IMAGE)]);
    refresh(&swarm, &["web"])
        .fails_with(Exit::Failed)
        .says(&["no credentials for registry `docker.io`", "docker login"]);
    refresh(&swarm, &["--dry-run", "--all"])
        .succeeds()
        .prints(&["web: skipped: there are no credentials", "db: would be given new credentials"]);
    refresh(&swarm, &["nosuch", "db"])
        .fails_with(Exit::NotFound)
        .says(&["nothing was changed: no such service: `nosuch`"]);
    refresh(&swarm, &["--max-failures=0", "nosuch", "db"])
        .fails_with(Exit::NotFound)
        .prints(&["db: given new credentials"]);
    refresh(&swarm, &[]).fails_with(Exit::Usage);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn a_selection_without_any_credentials_fails() {
    let swarm = FakeSwarm::with([spec("web", OLD), spec("api", "127.0.0.1:6000/api:1")]);
    for args in [&["--filter=name=web"][..], &["--filter=name=web", "--max-failures=0", "--dry-run"]] {
        let run = refresh(&swarm, args).fails_with(Exit::Failed).prints(&[]);
        run.says(&["error: cannot refresh the credentials of any service\n\
             caused by: there are no credentials for registry `docker.io`\n\
             hint: log in with `docker login docker.io`; or select another directory with `--config DIR`"]);
    }
    let run = refresh(&swarm, &["--all", "--json"]).fails_with(Exit::Failed);
    let run =
        run.says(&["no credentials for registries `127.0.0.1:6000`, `docker.io`", "`docker login REGISTRY`"]);
    let object = run.json();
    assert_eq!((&object["exit_code"], &object["services"]), (&json!(1), &json!([])));
    assert_eq!(swarm.posts().len(), 0);
}

#[test]
fn several_services_are_summed_up_unless_quiet() {
    let swarm = FakeSwarm::with([spec("web", OLD), spec("db", IMAGE)]);
    refresh(&swarm, &["--all"]).succeeds().says(&["2 services: 1 given new credentials, 1 skipped"]);
    let run = refresh(&swarm, &["--all", "-q"]).succeeds().prints(&["db: given new credentials"]);
    assert_eq!(run.stderr, "selected 2 services to refresh the credentials of: db, web\n");
}

#[test]
fn a_dry_run_posts_nothing() {
    let swarm = in_state("web", None);
    let run = refresh(&swarm, &["--dry-run", "web"]).succeeds().prints(&["would be given new credentials"]);
    assert_eq!((run.stderr.as_str(), swarm.posts().len()), ("", 0));
    let run = refresh(&swarm, &["--dry-run", "--json", "web"]).succeeds();
    assert_eq!(run.json()["services"][0]["changes"], Value::Array(Vec::new()));
}

#[test]
fn a_service_whose_tasks_have_another_placement_is_refused() {
    let swarm = FakeSwarm::with([spec("web", IMAGE)]);
    swarm.world().write("web", |spec| {
        spec["TaskTemplate"]["Placement"]["Constraints"] = json!(["node.role==manager"]);
    });
    // The tasks have no such constraint.
    swarm.world().service("web").placed = Some(json!({}));
    for line in [&["web"][..], &["--dry-run", "web"]] {
        let run = refresh(&swarm, line).fails_with(Exit::RolloutFailed).tells_an_error();
        run.says(&["it would restart 1 of 1 task", "Placement", "update --with-registry-auth --force web"]);
    }
    refresh(&swarm, &["--all"]).succeeds().prints(&["web: skipped: it would restart"]);
    assert_eq!(swarm.posts().len(), 0);
}
