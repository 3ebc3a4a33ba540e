//! Only what was requested is posted.

use serde_json::{Value, json};

use super::{spec_after, spec_with, swarm, swarm_with, update};
use crate::support::exit::Exit;
use crate::support::fixtures::{ID, OLD, hard_spec, normalize_escapes};
use crate::support::run::swarmctl;

#[test]
fn without_a_flag_nothing_is_posted_and_this_is_reported() {
    let swarm = swarm();
    for args in [&["t001"][..], &["t001", "--force=false"], &["t001", "--no-resolve-image"]] {
        let run = update(args).host(swarm.host()).run().succeeds();
        assert_eq!(run.stdout, "t001: nothing to change; nothing was posted\n");
        assert_eq!(run.stderr, "");
    }
    assert!(swarm.posts().is_empty());
}

#[test]
fn posts_the_engines_own_json_with_only_one_variable_changed() {
    let before = hard_spec(OLD);
    let swarm = swarm_with(serde_json::from_str(&before).unwrap());
    update(&["t001", "--env-add", "A=2"]).host(swarm.host()).run().succeeds().prints(&["env A=1 -> 2"]);
    let posted = swarm.posts()[0].text().to_owned();
    assert_eq!(normalize_escapes(&posted), normalize_escapes(&before.replace("\"A=1\"", "\"A=2\"")));
}

#[test]
fn settings_that_the_service_has_already_post_nothing() {
    let mut spec: Value = serde_json::from_str(&hard_spec(OLD)).unwrap();
    spec["TaskTemplate"]["ContainerSpec"]["Groups"] = json!(["b", "a"]);
    let swarm = swarm_with(spec);
    let line = "t001 --env-add A=1 --env-rm NONE --label-add number=9007199254740993 --group-add a \
        --publish-add 22222:80 --replicas 3 --update-delay 1000000001ns --mount-rm /nosuch --publish-rm 81 --label-rm q \
        --ulimit-rm core --container-label-add a=1 --stop-grace-period 10.000000001s --tty=false --hostname= --host-rm a";
    let run = update(&line.split_whitespace().collect::<Vec<_>>()).host(swarm.host()).run().succeeds();
    assert_eq!(run.stdout, "t001: nothing to change; nothing was posted\n");
    assert!(swarm.posts().is_empty());
}

#[test]
fn the_order_stays_and_what_is_new_comes_last() {
    let before = spec_with("/TaskTemplate/ContainerSpec/Env", json!(["C=3", "A=1", "B=2"]));
    let env = |spec: &Value| spec["TaskTemplate"]["ContainerSpec"]["Env"].clone();
    let after = spec_after(
        before.clone(),
        &["--env-add", "Z=1", "--env-add", "A=9", "--env-rm", "B", "--env-add", "D=4"],
    );
    assert_eq!(env(&after), json!(["C=3", "A=9", "Z=1", "D=4"]));
    // `-e` replaces all variables. Those that remain keep their order in the spec.
    let after = spec_after(before, &["-e", "B=7", "-e", "C=3", "-e", "N=1"]);
    assert_eq!(env(&after), json!(["C=3", "B=7", "N=1"]));
}

#[test]
fn a_dry_run_posts_nothing_and_reports_differences_if_that_is_requested() {
    let swarm = swarm();
    let line = ["t001", "--label-add", "a=b", "--env-add", "A=1", "--dry-run"];
    let run = update(&line).host(swarm.host()).run().succeeds();
    run.prints(&["would be updated", "label a=b added", "env A=1 added"]);
    let run = update(&[&line[..], &["--exit-code", "--json"]].concat())
        .host(swarm.host())
        .run()
        .answers(Exit::Different);
    assert_eq!(run.json()["exit_code"], 10);
    assert_eq!(
        run.json()["services"][0]["changes"][0],
        json!({"place": "Labels.a", "old": null, "new": "b"})
    );
    update(&["t001", "--label-rm", "q", "--dry-run", "--exit-code"]).host(swarm.host()).run().succeeds();
    assert!(swarm.posts().is_empty());
    for command in ["scale t001=9", "restart t001", "update-image t001 other:2"] {
        let args: Vec<&str> = command.split(' ').chain(["--dry-run", "--exit-code"]).collect();
        swarmctl(args).host(swarm.host()).run().answers(Exit::Different);
    }
}

#[test]
fn a_service_may_be_given_by_id_and_flags_may_surround_it() {
    let swarm = swarm();
    let id = swarm.service("t001").id;
    assert_ne!(id, ID);
    swarmctl(["update", "-d", "--label-add", "a=b", &id, "--label-add", "c=d", "-u", "me"])
        .host(swarm.host())
        .run()
        .succeeds();
    assert_eq!(swarm.service("t001").spec["Labels"], json!({"a": "b", "c": "d"}));
    assert_eq!(swarm.service("t001").spec["TaskTemplate"]["ContainerSpec"]["User"], "me");
}
