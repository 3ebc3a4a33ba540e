//! `--plan`: the contents of the file, and when none is written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::json;

use super::{PlanFile, run, shop};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::{swarmctl, swarmctl_by};
use crate::support::schema::{OutputKind, fits};
use crate::support::server::Answer;

#[test]
fn a_plan_is_a_private_file_that_matches_the_schema_and_nothing_is_posted() {
    let swarm = shop();
    let file = PlanFile::new();
    let line = format!("update-image --no-resolve-image --canary 1 --parallel 2 web={NEW} db={OLD} --plan");
    let run = run(&swarm, &format!("{line} {}", file.path())).succeeds();
    run.prints(&["web: would be updated (dry run, nothing was posted)", "db: already runs"]);
    assert!(swarm.posts().is_empty());
    let plan = file.json();
    fits(&OutputKind::Plan.schema(), &plan).unwrap();
    assert_eq!(fs::metadata(file.file()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(plan["services"].as_array().unwrap().len(), 1, "db would not change");
    let edit = &plan["services"][0]["edits"][0];
    assert_eq!(
        *edit,
        json!({
            "place": "TaskTemplate.ContainerSpec.Image", "path": ["TaskTemplate", "ContainerSpec", "Image"], "item": null,
            "op": "set", "from": OLD, "to": NEW
        })
    );
    assert_eq!((&plan["options"]["canary"], &plan["options"]["parallel"]), (&json!(1), &json!(2)));
    assert_eq!((&plan["command"], &plan["selection"]), (&json!("update-image"), &json!(null)));
    assert!(file.text().starts_with("{\n  \"kind\": \"swarmctl.plan\",\n  \"v\": 1,\n  \"made_at\""));
    assert!(file.text().ends_with("}\n"));
}

#[test]
fn a_file_that_exists_ends_the_command_before_anything_is_sent() {
    let swarm = shop();
    let file = PlanFile::new();
    fs::write(file.file(), "mine").unwrap();
    let said = run(&swarm, &format!("restart web --plan {}", file.path())).fails_with(Exit::Usage);
    said.says(&["already exists; remove it or choose another name"]);
    assert_eq!((file.text().as_str(), swarm.requests().len()), ("mine", 0));
    let dangling = file.directory.path().join("dangling");
    std::os::unix::fs::symlink("/nonexistent/plan", &dangling).unwrap();
    run(&swarm, &format!("restart web --plan {}", dangling.display())).fails_with(Exit::Usage);
    run(&swarm, "restart web --plan /nonexistent/directory/plan.json").fails_with(Exit::Usage);
    assert_eq!(swarm.requests().len(), 0);
}

#[test]
fn a_service_that_cannot_be_planned_leaves_no_file() {
    let swarm = shop();
    let file = PlanFile::new();
    let said = run(&swarm, &format!("restart web nosuch --plan {}", file.path())).fails_with(Exit::NotFound);
    said.says(&["no such service: `nosuch`", "no plan was written"]);
    let json = run(&swarm, &format!("restart web nosuch --json --plan {}", file.path()));
    assert_eq!(json.json()["plan_file"], json!(null));
    assert!(!file.file().exists());
    assert_eq!(fs::read_dir(file.directory.path()).unwrap().count(), 0);
}

#[test]
fn stdout_holds_the_plan_alone_if_the_file_is_a_dash() {
    let swarm = shop();
    let said = run(&swarm, "restart web --plan -").succeeds();
    let plan: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    fits(&OutputKind::Plan.schema(), &plan).unwrap();
    let said = said.says(&["web: would be restarted (dry run, nothing was posted)"]);
    run(&swarm, "restart web --plan - --json").fails_with(Exit::Usage).says(&["both write to stdout"]);
    let applied =
        swarmctl(["apply", "-", "--detach"]).host(swarm.host()).stdin(&said.stdout).run().succeeds();
    applied.prints(&["web: restarted"]);
    swarm.expect("web").applied(1);
}

#[test]
fn a_plan_that_nobody_reads_is_an_error() {
    let swarm = shop();
    let words = ["restart", "web", "--plan", "-"];
    let unread = swarmctl(words).host(swarm.host()).run_into_closed_pipe();
    unread
        .fails_with(Exit::Failed)
        .says(&["error: the plan is lost", "cannot write to stdout: it is closed"]);
    let by_shell = |redirection: &str| {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("exec \"$@\" {redirection}")).arg("sh");
        shell.arg(env!("CARGO_BIN_EXE_swarmctl")).args(words);
        swarmctl_by(shell).host(swarm.host()).run()
    };
    // Only Linux has /dev/full. The check for a closed stdout also works only there, because only Linux shows how a file
    // was opened.
    if cfg!(target_os = "linux") {
        by_shell(">&-").fails_with(Exit::Failed).says(&["it is closed"]);
        by_shell(">/dev/full").fails_with(Exit::Failed).says(&["No space left on device"]);
    }
    by_shell(">/dev/null").succeeds();
    assert!(swarm.posts().is_empty());
}

#[test]
fn a_plan_without_changes_is_written_and_applied() {
    let swarm = shop();
    let file = PlanFile::new();
    let line = format!("update-image --no-resolve-image web={OLD} --exit-code --json --plan {}", file.path());
    let said = run(&swarm, &line).succeeds();
    assert_eq!(said.json()["plan_file"], json!(file.path()));
    assert_eq!(file.json()["services"], json!([]));
    file.apply(&swarm, &[]).succeeds().says(&[": 0 services (update-image)"]);
    assert!(swarm.posts().is_empty());
    let other = PlanFile::new();
    run(&swarm, &format!("restart web --exit-code --plan {}", other.path())).answers(Exit::Different);
    assert!(other.file().exists());
}

#[test]
fn a_selection_a_restart_and_a_rollback_are_planned_as_documented() {
    let swarm = shop();
    swarm.world().write("web", |spec| spec["Labels"]["a"] = "1".into());
    let file = PlanFile::made_by(&swarm, "restart --filter name=we --rollback-on-failure=all");
    let plan = file.json();
    fits(&OutputKind::Plan.schema(), &plan).unwrap();
    assert_eq!(plan["selection"], json!({"stack": null, "filters": ["name=we"], "all": false}));
    assert_eq!(plan["options"]["rollback_on_failure"], "all");
    let edit = &plan["services"][0]["edits"][0];
    assert_eq!((&edit["op"], &edit["from"], &edit["to"]), (&json!("increment"), &json!(0), &json!(1)));
    let file = PlanFile::made_by(&swarm, "rollback web");
    let service = &file.json()["services"][0];
    fits(&OutputKind::Plan.schema(), &file.json()).unwrap();
    assert_eq!((&service["change"], &service["edits"]), (&json!("rollback"), &json!([])));
    assert_eq!(service["changes"], json!([{"place": "Labels.a", "old": "1", "new": null}]));
    assert!(service["previous_spec_sha256"].is_string());
}

#[test]
fn a_swarm_whose_id_cannot_be_read_has_no_plan() {
    let swarm = shop();
    swarm.forbids("GET", "/info", Answer::error(403, "Forbidden"));
    let file = PlanFile::new();
    run(&swarm, &format!("restart web --plan {}", file.path())).fails_with(Exit::Unreachable);
    assert!(!file.file().exists());
    let other = FakeSwarm::without_swarm();
    run(&other, &format!("restart web --plan {}", file.path())).fails_with(Exit::Unreachable);
}

#[test]
fn a_plan_that_cannot_be_made_ends_with_one_json_object_and_the_dry_run_is_shown() {
    let swarm = shop();
    swarm.forbids(
        "GET",
        "/info",
        Answer { content_type: "text/html", ..Answer::json(403, "<h1>Forbidden</h1>") },
    );
    let file = PlanFile::new();
    let json =
        run(&swarm, &format!("restart web --json --plan {}", file.path())).fails_with(Exit::Unreachable);
    let object = json.json();
    fits(&OutputKind::Result.schema(), &object).unwrap();
    assert_eq!((&object["plan_file"], &object["exit_code"]), (&json!(null), &json!(8)));
    assert_eq!(object["services"][0]["outcome"], "planned");
    let text = run(&swarm, &format!("restart web --plan {}", file.path())).fails_with(Exit::Unreachable);
    text.prints(&["web: would be restarted (dry run, nothing was posted)"]).says(&["`GET /v1.41/info`"]);
    assert!(!file.file().exists());
}
