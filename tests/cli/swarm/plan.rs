//! `--plan` and `apply` on a real engine: changes by others, rollouts in progress, other swarms, kills, moved tags.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::engine::{Engine, Removed, engine, small};
use super::registry::Registry;
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::{Run, Swarmctl};

/// The number of services in a batch that is killed.
const SERVICES: usize = 60;

/// A plan in a file.
struct PlanFile(TempDir);

impl PlanFile {
    fn made_by(engine: &Engine, args: &[&str]) -> Self {
        let file = Self(tempfile::tempdir().expect("a directory"));
        engine.swarmctl(&[args, &["--plan", &file.path()]].concat()).run().succeeds();
        file
    }

    fn path(&self) -> String {
        self.0.path().join("plan.json").to_str().expect("UTF-8").to_owned()
    }

    fn apply(&self, engine: &Engine, flags: &[&str]) -> Run {
        self.command(engine, flags).run()
    }

    fn command(&self, engine: &Engine, flags: &[&str]) -> Swarmctl {
        engine.swarmctl(&[&["apply", &self.path()], flags].concat())
    }
}

fn force_update(engine: &Engine, name: &str) -> u64 {
    engine.service(name)["Spec"]["TaskTemplate"]["ForceUpdate"].as_u64().unwrap_or(0)
}

#[test]
fn a_foreign_label_makes_a_plan_stale_and_rebase_keeps_it() {
    let engine = engine();
    let _service = engine.create(&small("pl-label", OLD));
    let plan = PlanFile::made_by(engine, &["update-image", "--no-resolve-image", "pl-label", NEW]);
    engine.change("pl-label", |spec| spec["Labels"] = json!({ "foreign": "1" }));
    let before = engine.service("pl-label");
    plan.apply(engine, &[]).fails_with(Exit::Conflict).says(&["other settings of service", "--rebase"]);
    assert_eq!(engine.service("pl-label"), before, "nothing was posted");
    plan.apply(engine, &["--rebase"]).succeeds();
    let spec = &engine.service("pl-label")["Spec"];
    assert_eq!(
        (&spec["Labels"]["foreign"], &spec["TaskTemplate"]["ContainerSpec"]["Image"]),
        (&json!("1"), &json!(NEW))
    );
}

#[test]
fn a_rollout_moves_the_index_and_the_plan_stays_good() {
    let engine = engine();
    let mut spec = small("pl-rollout", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 3.into();
    let _service = engine.create(&spec);
    // The rollout of this restart is in progress when the plan is made.
    engine.swarmctl(&["restart", "--detach", "pl-rollout"]).run().succeeds();
    let plan = PlanFile::made_by(engine, &["restart", "pl-rollout"]);
    let planned = engine.service("pl-rollout")["Version"]["Index"].clone();
    engine
        .wait_until("the index moves", |engine| engine.service("pl-rollout")["Version"]["Index"] != planned);
    plan.apply(engine, &[]).succeeds();
    assert_eq!(force_update(engine, "pl-rollout"), 2);
    plan.apply(engine, &[]).succeeds().prints(&["nothing"]);
    assert_eq!(force_update(engine, "pl-rollout"), 2, "once for one plan");
}

#[test]
fn a_service_that_was_removed_and_created_again_is_a_conflict() {
    let engine = engine();
    let service = engine.create(&small("pl-again", OLD));
    let plan = PlanFile::made_by(engine, &["restart", "pl-again"]);
    drop(service);
    plan.apply(engine, &[]).fails_with(Exit::NotFound);
    let _other = engine.create(&small("pl-again", OLD));
    plan.apply(engine, &[]).fails_with(Exit::Conflict).says(&["removed and created again"]);
    assert_eq!(force_update(engine, "pl-again"), 0);
}

#[test]
fn a_plan_of_another_swarm_is_refused() {
    let engine = engine();
    let other: &'static Engine = Box::leak(Box::new(Engine::with_options("other", &[])));
    let _services = [engine, other].map(|engine| engine.create(&small("pl-swarm", OLD)));
    let plan = PlanFile::made_by(engine, &["restart", "pl-swarm"]);
    plan.apply(other, &[]).fails_with(Exit::Failed).says(&["the plan was made for swarm"]);
    assert_eq!(force_update(other, "pl-swarm"), 0);
}

#[test]
fn a_rollback_and_every_kind_of_edit_are_done_after_one_apply() {
    let engine = engine();
    let mut spec = small("pl-edits", OLD);
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["A=1", "B=2"]);
    spec["EndpointSpec"] = json!({ "Ports": [
        { "TargetPort": 80, "PublishedPort": 30811, "PublishMode": "host", "Protocol": "tcp" }
    ] });
    let _service = engine.create(&spec);
    let line = "update --detach --env-rm A --env-add C=3 --label-add x.y=z --limit-memory 64m --publish-add \
                published=30812,target=80,mode=host --constraint-add node.role==manager --update-max-failure-ratio 0.3 \
                --stop-grace-period 2s --mount-add type=tmpfs,target=/scratch --hostname h --force pl-edits";
    let plan = PlanFile::made_by(engine, &line.split_whitespace().collect::<Vec<_>>());
    let wanted = engine.swarmctl(&line.split_whitespace().collect::<Vec<_>>()).run().succeeds();
    let direct = engine.service("pl-edits")["Spec"].clone();
    engine.swarmctl(&["rollback", "--detach", "pl-edits"]).run().succeeds();
    plan.apply(engine, &["--detach"]).succeeds();
    assert_eq!(engine.service("pl-edits")["Spec"].to_string(), direct.to_string(), "{}", wanted.report());
    let version = engine.service("pl-edits")["Version"]["Index"].clone();
    let again = plan.apply(engine, &["--detach", "--json"]).succeeds();
    assert_eq!(again.json()["services"][0]["plan"]["state"], "done", "{}", again.report());
    assert!(engine.service("pl-edits")["Version"]["Index"].as_u64() >= version.as_u64());
    let back = PlanFile::made_by(engine, &["rollback", "pl-edits"]);
    back.apply(engine, &["--detach"]).succeeds();
    let again = back.apply(engine, &["--detach", "--json"]).succeeds();
    assert_eq!(again.json()["services"][0]["plan"]["state"], "done", "{}", again.report());
}

#[test]
fn an_apply_that_is_killed_is_completed_by_the_next_one() {
    let engine = engine();
    let of_batch = |n: usize| {
        let mut spec = small(&format!("pl-kill-{n:02}"), OLD);
        spec["Mode"]["Replicated"]["Replicas"] = 0.into();
        spec["Labels"] = json!({ "com.docker.stack.namespace": "plkill" });
        spec
    };
    let _services: Vec<Removed> = (0..SERVICES).map(|n| engine.create(&of_batch(n))).collect();
    for round in 0..3_u64 {
        let plan = PlanFile::made_by(engine, &["restart", "--stack", "plkill"]);
        let applied = || {
            (0..SERVICES).filter(|n| force_update(engine, &format!("pl-kill-{n:02}")) == round + 1).count()
        };
        let mut running = plan.command(engine, &["--detach", "--parallel", "1"]).spawn();
        while applied() == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        running.signal("KILL");
        running.wait();
        let run = plan.apply(engine, &["--detach"]).succeeds();
        assert_eq!(applied(), SERVICES, "each once, round {round}\n{}", run.report());
        plan.apply(engine, &["--detach"]).succeeds();
        assert_eq!(applied(), SERVICES, "and not twice");
    }
}

#[test]
fn the_planned_digest_runs_though_the_tag_moved_and_a_deleted_one_is_refused() {
    let engine = engine();
    let mut registry = Registry::open(engine, 5640);
    registry.push_new("1");
    let digest = registry.push_new("2");
    let service = engine.create(&small("pl-image", &registry.image("1")));
    engine.wait_until("it runs", |engine| engine.running_tasks(service.id()) == 1);
    let plan = PlanFile::made_by(engine, &["update-image", "pl-image", &registry.image("2")]);
    let moved = registry.push_as("1", "2");
    assert_ne!(moved, digest);
    plan.apply(engine, &[]).succeeds();
    let image = |engine: &Engine| {
        engine.service("pl-image")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(image(engine), Some(format!("{}@{digest}", registry.image("2"))));
    // After a rollback, another plan has a digest that the registry no longer has.
    engine.swarmctl(&["rollback", "pl-image"]).run().succeeds();
    let before = image(engine);
    let plan = PlanFile::made_by(
        engine,
        &["update-image", "pl-image", &format!("{}@{digest}", registry.image("2"))],
    );
    registry.delete(&digest);
    let run = plan.apply(engine, &[]).fails_with(Exit::Failed);
    run.says(&["no longer has", &digest]);
    assert_eq!(image(engine), before);
    // A stopped registry only causes a warning. The node has the image.
    registry.stop();
    let run = plan.apply(engine, &[]).succeeds();
    run.says(&["could not check that it is available"]);
    assert_eq!(image(engine), Some(format!("{}@{digest}", registry.image("2"))));
}

#[test]
fn a_plan_file_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let engine = engine();
    let _service = engine.create(&small("pl-mode", OLD));
    let plan = PlanFile::made_by(engine, &["restart", "pl-mode"]);
    assert_eq!(fs::metadata(plan.path()).expect("the plan").permissions().mode() & 0o777, 0o600);
}
