//! Services whose update is held: what `ls`, `status` and `wait` show, and that other commands do not change the
//! service.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind};
use crate::support::fixtures::{NEW, OLD, OTHER, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::secrets::{PASSWORD, basic};

const LABEL: &str = "swarmctl.held";
/// 8760 hours in nanoseconds.
const YEAR: u64 = 8760 * 3600 * 1_000_000_000;

/// The label of an update of `web` that is in the first of three steps.
fn label() -> Value {
    json!({
        "v": 1, "by": "ann@ci-7", "at": (Timestamp::now() - SignedDuration::from_secs(270)).to_string(), "run": null,
        "phase": "holding", "steps": ["1", "50%", "100%"], "step": 1, "round": 1, "target": 1, "parallelism": 1,
        "gated": false, "config": null,
        "edits": [{
            "place": "TaskTemplate.ContainerSpec.Image", "path": ["TaskTemplate", "ContainerSpec", "Image"], "item": null,
            "op": "set", "from": OLD, "to": NEW,
        }],
    })
}

fn hold(spec: &mut Value, label: &Value, tasks: u64) {
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
    spec["UpdateConfig"] =
        json!({"Parallelism": tasks, "Delay": YEAR, "FailureAction": "pause", "Order": "stop-first"});
    spec["Labels"][LABEL] = label.to_string().into();
}

/// A swarm with `db`, and with `web`, whose update to the new image is held when `new` of its four tasks are new.
fn swarm_with(label: &Value, new: u64) -> FakeSwarm {
    let specs = ["web", "db"].map(|name| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    });
    let swarm = FakeSwarm::with(specs);
    swarm.world().service("web").spec["Mode"]["Replicated"]["Replicas"] = 4.into();
    swarm.world().use_slots("web");
    swarm.world().write("web", |spec| hold(spec, label, new));
    swarm
}

fn swarm() -> FakeSwarm {
    swarm_with(&label(), 1)
}

fn with(change: impl Fn(&mut Value)) -> Value {
    let mut label = label();
    change(&mut label);
    label
}

fn run(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl(args).host(swarm.host()).timeouts("unavailable=1200").run()
}

/// The cells of a service's row in a table.
fn row(run: &Run, name: &str) -> Vec<String> {
    let cells = |line: &str| -> Vec<String> {
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    };
    let rows: Vec<Vec<String>> = run.stdout.lines().map(cells).collect();
    let row = rows.into_iter().find(|row| row.first().is_some_and(|cell| cell == name));
    row.unwrap_or_else(|| panic!("no row of {name}: {}", run.report()))
}

#[test]
fn status_shows_who_holds_the_update_and_its_progress() {
    let swarm = swarm();
    let run = run(&swarm, &["status", "web"]).fails_with(Exit::Different);
    assert_eq!(row(&run, "SERVICE"), ["SERVICE", "STATE", "TASKS", "SINCE", "BY"]);
    assert_eq!(row(&run, "web"), ["web", "held", "1 of 4 new (step 1 of 3)", "4 min", "ann@ci-7"]);
    assert_eq!((run.stdout.lines().count(), run.stderr.as_str()), (2, ""));
    assert!(swarm.posts().is_empty());
}

#[test]
fn status_shows_other_services_in_their_own_table() {
    let run = run(&swarm(), &["status", "web", "db"]).fails_with(Exit::Different);
    assert_eq!(row(&run, "db")[..4], ["db", "converged", "1/1", "1"]);
    assert_eq!(row(&run, "web")[1], "held");
}

#[test]
fn status_distinguishes_an_unfinished_step_and_the_phases() {
    let unfinished = with(|label| (label["step"], label["target"]) = (2.into(), 2.into()));
    let releasing = with(|label| label["phase"] = "releasing".into());
    let aborting = with(|label| {
        (label["phase"], label["abort"]) = ("aborting".into(), json!({"Parallelism": 1}));
    });
    for (label, new, tasks) in [
        (unfinished, 1, "1 of 4 new, step 2 of 3 unfinished"),
        (releasing, 4, "4 of 4 new, settings not restored"),
        (aborting, 4, "rolled back, settings not restored"),
    ] {
        let run = run(&swarm_with(&label, new), &["status", "web"]).fails_with(Exit::Different);
        assert_eq!(row(&run, "web")[1..3], ["held", tasks]);
    }
}

#[test]
fn a_release_that_has_not_converged_is_under_way() {
    let label = with(|label| label["phase"] = "releasing".into());
    let run = run(&swarm_with(&label, 2), &["status", "web"]).fails_with(Exit::Different);
    assert_eq!(row(&run, "web")[1], "in progress");
    assert!(run.stdout.contains("2 of 4 new, settings not restored"), "{}", run.report());
}

#[test]
fn a_hold_that_the_engine_has_paused_has_failed() {
    let swarm = swarm();
    swarm.world().service("web").status = Some(json!({
        "State": "paused", "StartedAt": Timestamp::now().to_string(), "Message": "update paused due to failure",
    }));
    let run = run(&swarm, &["status", "web"]).fails_with(Exit::RolloutFailed);
    assert_eq!(row(&run, "web")[1], "failed");
    assert!(run.stdout.contains("1 of 4 new (step 1 of 3)"), "{}", run.report());
}

#[test]
fn json_has_the_hold_and_the_count_of_extra_tasks() {
    let label = label();
    for more in [0, 2] {
        let swarm = swarm_with(&label, 1);
        // The engine may replace further tasks, for example after an election.
        (0..more).for_each(|_| swarm.world().replace_one("web"));
        let new = swarm.world().new_tasks("web");
        let run = run(&swarm, &["status", "--json", "web", "db"]).fails_with(Exit::Different);
        let object = run.json();
        let [web, db] = &object["services"].as_array().unwrap()[..] else { panic!("{}", run.report()) };
        assert_eq!((&web["outcome"], &web["rollout"]["state"]), (&json!("held"), &json!("held")));
        let hold = json!({
            "phase": "holding", "step": 1, "steps": ["1", "50%", "100%"], "target": 1, "new": new, "of": 4, "extra": more,
            "since": label["at"], "by": "ann@ci-7",
        });
        assert_eq!((&web["hold"], &web["error"]), (&hold, &Value::Null));
        assert_eq!((&db["hold"], &db["outcome"]), (&Value::Null, &json!("converged")));
    }
}

#[test]
fn templates_have_the_phase_the_new_tasks_and_the_step() {
    let format = "{{.Name}}|{{.State}}|{{.Held}}|{{.NewTasks}}|{{.Step}}";
    let run = run(&swarm(), &["status", "web", "db", "--format", format]).fails_with(Exit::Different);
    assert_eq!(run.stdout, "web|held|holding|1/4|1/3\ndb|converged|||\n");
}

#[test]
fn ls_marks_held_services() {
    let run = run(&swarm(), &["ls"]).succeeds();
    assert!(run.stdout.contains("(held)"), "{}", run.report());
    let replicas =
        |name: &str| run.stdout.lines().find(|line| line.contains(name)).unwrap().contains("(held)");
    assert!(replicas("web") && !replicas("db"));
}

#[test]
fn wait_ends_when_the_step_is_complete_and_says_how_to_continue() {
    let run = run(&swarm(), &["wait", "web"]).fails_with(Exit::Different);
    assert_eq!(run.stdout, "web: held: 1 of 4 tasks new\n");
    let note = "`web` is held: 1 of 4 tasks new; run `swarmctl continue web` or `swarmctl rollback web`";
    let run = run.says(&[note]);
    assert!(!run.stderr.contains("error"), "{}", run.report());
}

#[test]
fn wait_ends_when_an_unfinished_hold_makes_no_progress() {
    let unfinished = with(|label| {
        (label["step"], label["target"]) = (2.into(), 2.into());
        label["config"] = json!({"Parallelism": 1, "Delay": 20_000_000_000_u64});
    });
    let swarm = swarm_with(&unfinished, 1);
    // `wait` gives up 55 s after the last change: a delay of 20 s, a monitor period of 5 s, and 30 s.
    let past = Timestamp::now() - SignedDuration::from_secs(52);
    swarm.world().service("web").updated = past;
    let run = run(&swarm, &["wait", "web"]).fails_with(Exit::Different);
    assert!(run.took.as_secs() >= 2, "{}", run.report());
    assert_eq!(run.stdout, "web: held: 1 of 4 tasks new\n");
}

#[test]
fn every_other_command_is_refused_and_posts_nothing() {
    let swarm = swarm();
    for args in [
        &["update-image", "web", OTHER, "--no-resolve-image"][..],
        &["update-image", "web", NEW, "--no-resolve-image"],
        &["update", "--env-add", "A=1", "web"],
        &["update", "--update-delay", "1s", "web"],
        &["restart", "web"],
        &["scale", "web=5"],
        &["auth", "refresh", "web"],
        &["update", "--env-add", "A=1", "--dry-run", "web"],
    ] {
        let run = run(&swarm, args).fails_with(Exit::Conflict);
        let run = run.says(&[
            "an update of `web` has been held by ann@ci-7 since ",
            "; continue it or roll it back first",
        ]);
        run.says(&["hint: run `swarmctl continue web` or `swarmctl rollback web`"]);
    }
    let run = run(&swarm, &["restart", "--json", "web"]).fails_with(Exit::Conflict);
    let service = &run.json()["services"][0];
    assert_eq!((&service["outcome"], &service["hold"]["by"]), (&json!("conflict"), &json!("ann@ci-7")));
    assert!(swarm.posts().is_empty());
}

#[test]
fn a_selection_skips_held_services_with_a_note() {
    let swarm = swarm();
    let run = run(&swarm, &["restart", "--all", "--detach"]).succeeds();
    let run = run.says(&["web: skipped: an update of it has been held by ann@ci-7 since "]);
    assert!(run.stdout.contains("db: restarted"), "{}", run.report());
    assert_eq!(swarm.posts().len(), 1);
    let run = self::run(&swarm, &["restart", "--all", "--detach", "--json"]).succeeds();
    let services = run.json()["services"].clone();
    let web = services.as_array().unwrap().iter().find(|service| service["name"] == "web").unwrap().clone();
    assert_eq!(
        (&web["outcome"], &web["reason"], &web["posted"]),
        (&json!("skipped"), &json!("held"), &json!(false))
    );
}

#[test]
fn credentials_are_not_stored_with_a_held_service() {
    let home = tempfile::tempdir().unwrap();
    let config = json!({ "auths": { "https://index.docker.io/v1/": { "auth": basic(PASSWORD) } } });
    std::fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    for (label, why) in [
        (label(), "an update of it has been held by ann@ci-7"),
        (json!({"v": 2}), "its label `swarmctl.held` cannot be read"),
    ] {
        let swarm = swarm_with(&label, 1);
        let command =
            swarmctl(["--config", home.path().to_str().unwrap(), "auth", "refresh", "--all", "--json"]);
        let run = command.host(swarm.host()).run().succeeds().says(&["web: skipped: ", why]);
        let services = run.json()["services"].clone();
        let results: Vec<_> =
            services.as_array().unwrap().iter().map(|it| (&it["outcome"], &it["reason"])).collect();
        assert_eq!(results, [(&json!("applied"), &Value::Null), (&json!("skipped"), &json!("held"))]);
        assert_eq!(swarm.posts().len(), 1);
        self::run(&swarm, &["auth", "refresh", "web"]).fails_with(Exit::Conflict).says(&["held"]);
    }
}

#[test]
fn a_hold_that_begins_between_the_read_and_the_post_is_respected() {
    let swarm = FakeSwarm::with([spec("web", OLD)]);
    swarm.before(RequestKind::Post, 1, |world| world.write("web", |spec| hold(spec, &label(), 1)));
    let run = run(&swarm, &["update", "--env-add", "A=1", "web"]).fails_with(Exit::Conflict);
    run.says(&["has been held by"]);
    swarm.expect("web").applied(0);
}

#[test]
fn a_held_service_can_be_removed() {
    run(&swarm(), &["rm", "web"]).succeeds();
}

#[test]
fn a_label_that_cannot_be_read_is_a_conflict_and_can_be_removed() {
    for (label, why) in [
        (json!({"v": 2}), "version 2 of the format is not supported"),
        (json!("x"), "it is not a JSON object"),
    ] {
        let swarm = swarm_with(&label, 1);
        let run = run(&swarm, &["restart", "web"]).fails_with(Exit::Conflict);
        run.says(&[
            "the label `swarmctl.held` of `web` cannot be read: ",
            why,
            "hint: ",
            "--label-rm swarmctl.held",
        ]);
        let run = self::run(&swarm, &["restart", "--filter", "name=web"]).succeeds();
        run.says(&["web: skipped: its label `swarmctl.held` cannot be read"]);
        assert!(swarm.posts().is_empty());
        let run = self::run(&swarm, &["status", "web"]).fails_with(Exit::Different);
        let line = "swarmctl update --label-rm swarmctl.held --update-parallelism 1 --update-delay 0ms --update-failure-action pause web";
        run.says(&["warning: service `web`: the label `swarmctl.held` cannot be read", why, line]);
        let args: Vec<&str> = line.split(' ').skip(1).chain(["--detach"]).collect();
        self::run(&swarm, &args).succeeds();
        let after = swarm.world().service("web").spec.clone();
        assert_eq!((after["Labels"].get(LABEL), after["UpdateConfig"]["Delay"].as_u64()), (None, None));
    }
}

#[test]
fn a_delay_of_a_year_without_a_label_is_a_warning_that_names_the_settings_before() {
    let swarm = swarm();
    swarm.world().write("web", |spec| spec["Labels"] = json!({}));
    let run = run(&swarm, &["status", "web"]).fails_with(Exit::Different);
    let run = run.says(&[
        "warning: service `web`: its UpdateConfig has a delay of a year and it has no label `swarmctl.held`",
        "`swarmctl update --update-parallelism 1 --update-delay 0ms --update-failure-action pause web`",
    ]);
    assert_eq!(row(&run, "web")[1], "in progress", "the exit code and the state stay");
    let run = self::run(&swarm, &["continue", "web"]).succeeds().prints(&["web: is not held"]);
    run.says(&[
        "`swarmctl update --update-parallelism 1 --update-delay 0ms --update-failure-action pause web`",
    ]);
    swarm.world().service("web").previous.as_mut().unwrap()["UpdateConfig"] =
        json!({"Parallelism": 3, "Delay": 1_500_000_000, "FailureAction": "rollback"});
    swarm.world().service("web").previous.as_mut().unwrap()["Labels"] = json!({});
    let run = self::run(&swarm, &["status", "--json", "web"]).fails_with(Exit::Different);
    let warnings = run.json()["services"][0]["warnings"].clone();
    let line =
        "swarmctl update --update-parallelism 3 --update-delay 1500ms --update-failure-action rollback web";
    assert!(warnings[0].as_str().unwrap().contains(line), "{warnings}");
}
