//! Docker's flags, flags that docker does not have, and flags that are refused.

use serde_json::{Value, json};

use super::{refuses, spec_after, spec_with, swarm, swarm_with, update};
use crate::support::exit::Exit;
use crate::support::fixtures::{NETWORK, OLD, spec};
use crate::support::run::Run;
use crate::support::run::swarmctl;

/// Requires that these flags are refused with exit code 2 for this service, and that nothing is posted.
#[track_caller]
fn refuses_for(before: Value, args: &[&str]) -> Run {
    let swarm = swarm_with(before);
    let run = update(&[&["t001"], args].concat()).host(swarm.host()).run().fails_with(Exit::Usage);
    assert!(swarm.posts().is_empty(), "{}", run.report());
    run
}

#[test]
fn one_flag_of_a_policy_writes_the_complete_policy_if_there_was_none() {
    let after = spec_after(spec("t001", OLD), &["--update-delay", "3s"]);
    let policy = json!({
        "Parallelism": 1, "FailureAction": "pause", "Monitor": 5_000_000_000_u64, "MaxFailureRatio": 0,
        "Order": "stop-first", "Delay": 3_000_000_000_u64
    });
    assert_eq!(after["UpdateConfig"], policy);
    let after = spec_after(spec_with("/UpdateConfig", json!({"Parallelism": 0})), &["--update-delay", "3s"]);
    assert_eq!(after["UpdateConfig"], json!({"Parallelism": 0, "Delay": 3_000_000_000_u64}));
}

#[test]
fn flags_that_docker_ignores_work() {
    let log = json!({"Name": "json-file", "Options": {"max-size": "1m"}});
    let after = spec_after(spec_with("/TaskTemplate/LogDriver", log), &["--log-opt", "max-file=3"]);
    let options = json!({"max-size": "1m", "max-file": "3"});
    assert_eq!(after["TaskTemplate"]["LogDriver"], json!({"Name": "json-file", "Options": options}));
    let job = spec_with("/Mode", json!({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 3}}));
    let after = spec_after(job, &["--max-concurrent", "2", "--replicas", "7"]);
    assert_eq!(after["Mode"], json!({"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 7}}));
}

#[test]
fn what_docker_has_no_flag_for() {
    let after = spec_after(spec("t001", OLD), &["--open-stdin", "-e", "A=1", "-l", "a=b"]);
    assert_eq!(after["TaskTemplate"]["ContainerSpec"]["OpenStdin"], true);
    assert_eq!(after["Labels"], json!({"a": "b"}));
    // These flags need a newer API than the engine's 1.41.
    for (flag, field) in [
        ("--seccomp=unconfined", "Privileges.Seccomp"),
        ("--apparmor=disabled", "Privileges.AppArmor"),
        ("--no-new-privileges", "Privileges.NoNewPrivileges"),
        ("--health-start-interval=2s", "Healthcheck.StartInterval"),
        ("--memory-swap=1g", "SwapBytes"),
    ] {
        let swarm = swarm();
        let run = update(&["t001", flag]).host(swarm.host()).run().fails_with(Exit::Failed);
        run.says(&[field, "needs API 1.", "this engine supports 1.41"]);
        assert!(swarm.posts().is_empty());
    }
}

#[test]
fn variables_come_from_files_too() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "# all of it\nA=1\nB=two words\nHOME\nNOSUCH\n").unwrap();
    let path = file.path().to_str().unwrap();
    let before = spec_with("/TaskTemplate/ContainerSpec/Env", json!(["X=0", "A=0"]));
    let env = |spec: &Value| spec["TaskTemplate"]["ContainerSpec"]["Env"].clone();
    let after = spec_after(before.clone(), &["--env-file", path, "--env-add", "B=3"]);
    assert_eq!(env(&after), json!(["X=0", "A=1", "B=3", "HOME=/nonexistent"]));
    let after = spec_after(before, &["--env-file", path, "--env", "C=3"]);
    assert_eq!(env(&after), json!(["A=1", "B=two words", "HOME=/nonexistent", "C=3"]));
    refuses(&["--env-file", "/nonexistent/env"]).says(&["--env-file", "/nonexistent/env"]);
    std::fs::write(file.path(), "A=1\nB C=2\n").unwrap();
    refuses(&["--env-file", path]).says(&["line 2", "B C=2"]);
}

#[test]
fn networks_move_to_the_tasks_template_and_the_others_stay() {
    let other = "zzzzzzzzzzzzzzzzzzzzzzzzz";
    let before = spec_with("/Networks", json!([{"Target": other, "Aliases": ["w"]}]));
    let swarm = swarm_with(before);
    swarm.world().networks.push((other.into(), "other".into()));
    update(&["t001", "--network-add", "name=t001only,alias=x,driver-opt=k=v"])
        .host(swarm.host())
        .run()
        .succeeds()
        .prints(&[
            "network zzzzzzzzzzzz (alias w) moved from Networks to TaskTemplate.Networks",
            "network t001only (alias x) added",
        ]);
    let now = swarm.service("t001").spec;
    assert_eq!(now.get("Networks"), None);
    assert_eq!(
        now["TaskTemplate"]["Networks"],
        json!([
            {"Target": other, "Aliases": ["w"]},
            {"Target": NETWORK, "Aliases": ["x"], "DriverOpts": {"k": "v"}}
        ])
    );
    assert_eq!(now["EndpointSpec"], spec("t001", OLD)["EndpointSpec"]);
    update(&["t001", "--network-add", "t001only"])
        .host(swarm.host())
        .run()
        .fails_with(Exit::Failed)
        .says(&["already attached to network `t001only`, with the aliases `x`"]);
    // A network that no longer exists can be detached by ID.
    swarm.world().networks.retain(|(id, _)| id != other);
    update(&["t001", "--network-rm", other]).host(swarm.host()).run().succeeds();
    assert_eq!(swarm.service("t001").spec["TaskTemplate"]["Networks"].as_array().unwrap().len(), 1);
}

#[test]
fn networks_are_reported_by_the_names_that_the_command_has_looked_up() {
    let swarm = swarm_with(spec_with("/TaskTemplate/Networks", json!([{ "Target": NETWORK }])));
    let other = "zzzzzzzzzzzzzzzzzzzzzzzzz";
    swarm.world().networks.push((other.into(), "a-network-of-t001".into()));
    let on = |args: &[&str]| swarmctl(args).host(swarm.host()).run().succeeds();
    let create = ["create", "--dry-run", "--no-resolve-image", "--name", "web", "--network", other, OLD];
    on(&create).prints(&["network a-network-of-t001 added"]);
    let change = ["--network-rm", "t001only", "--network-add", "a-network-of-t001", "t001"];
    let run = on(&[&["update", "-d", "--json"], &change[..]].concat());
    assert_eq!(run.json()["services"][0]["changes"][0]["old"]["Target"], NETWORK);
    let back = ["--network-rm", "a-network-of-t001", "--network-add", "t001only", "t001"];
    let run = on(&[&["update", "-d"], &back[..]].concat());
    run.prints(&["network a-network-of-t001 removed", "network t001only added"]);
}

#[test]
fn unknown_names_are_not_found_and_nothing_is_posted() {
    for (args, kind) in [
        (["--network-add", "nosuch"], "network"),
        (["--network-rm", "nosuch"], "network"),
        (["--secret-add", "nosuch"], "secret"),
        (["--config-add", "nosuch"], "config"),
        (["--credential-spec", "config://nosuch"], "config"),
    ] {
        let swarm = swarm();
        let run =
            update(&[&["t001"], &args[..]].concat()).host(swarm.host()).run().fails_with(Exit::NotFound);
        run.says(&[&format!("no such {kind}: `nosuch`")]);
        assert!(swarm.posts().is_empty());
    }
    let swarm = swarm();
    update(&["nosuch", "--label-add", "a=b"]).host(swarm.host()).run().fails_with(Exit::NotFound);
}

#[test]
fn bad_values_are_refused_with_the_part_and_an_example_before_anything_is_sent() {
    for (flag, value, part) in [
        ("--publish-add", "8080:99999", "99999"),
        ("--publish-rm", "abc", "abc"),
        ("--mount-add", "type=volume,source=a", "target"),
        ("--mount-add", "type=bind,source=rel,target=/b", "rel"),
        ("--update-delay", "3 days", "3 days"),
        ("--limit-memory", "12x", "x"),
        ("--limit-cpu", "much", "much"),
        ("--update-max-failure-ratio", "1.5", "1.5"),
        ("--constraint-add", "node.role=manager", "node.role=manager"),
        ("--ulimit-add", "nofile=9:3", "9"),
        ("--ulimit-add", "files=3", "files"),
        ("--health-interval", "1us", "1us"),
        ("--health-retries", "-1", "-1"),
        ("--cap-add", "NET ADMIN", "NET ADMIN"),
        ("--host-add", "db", "db"),
        ("--host-rm", "db:1.2.3", "1.2.3"),
        ("--dns-add", "1.2.3", "1.2.3"),
        ("--env-add", "=x", "=x"),
        ("--env-rm", "A=1", "A=1"),
        ("--label-rm", "a=b", "a=b"),
        ("--container-label-rm", "a=b", "a=b"),
        ("--mount-rm", "type=volume,target=/d", "type=volume,target=/d"),
        ("--mount-rm", "target=/d", "target=/d"),
        ("--secret-rm", "source=key", "source=key"),
        ("--config-rm", "source=conf,target=/conf", "source=conf,target=/conf"),
        ("--sysctl-rm", "=1", "empty"),
        ("--label-add", "a b=c", "a b"),
        ("--generic-resource-add", "gpu=many", "many"),
        ("--image", "Whoami:BAD:ref", "Whoami:BAD:ref"),
        ("--seccomp", "/nonexistent/profile", "/nonexistent/profile"),
        ("--apparmor", "off", "off"),
        ("--replicas", "-3", "-3"),
    ] {
        refuses(&[flag, value]).says(&[flag, part, "for example"]);
    }
    let twice = ["--mount-add", "source=a,target=/a", "--mount-add", "source=b,target=/a"];
    refuses(&twice).says(&["`/a` is mounted twice"]);
}

#[test]
fn kernel_parameters_and_ulimits_are_removed_by_key_whatever_the_value() {
    let container = "/TaskTemplate/ContainerSpec";
    for (key, before, flag, after) in [
        ("Sysctls", json!({"a.b": "1", "c": "2"}), "--sysctl-rm=a.b=9", json!({"c": "2"})),
        ("Sysctls", json!({"a.b": "1", "c": "2"}), "--sysctl-rm=a.b", json!({"c": "2"})),
        ("Ulimits", json!([{"Name": "nofile", "Soft": 5, "Hard": 6}]), "--ulimit-rm=nofile=1:2", json!([])),
        ("Ulimits", json!([{"Name": "nofile", "Soft": 5, "Hard": 6}]), "--ulimit-rm=nofile", json!([])),
    ] {
        let made = spec_after(spec_with(&format!("{container}/{key}"), before), &[flag]);
        assert_eq!(made["TaskTemplate"]["ContainerSpec"][key], after, "{flag}");
    }
}

#[test]
fn combinations_that_docker_and_the_engine_refuse() {
    let global = || spec_with("/Mode", json!({"Global": {}}));
    let job = || spec_with("/Mode", json!({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}));
    for (before, args, part) in [
        (global(), &["--replicas", "3"][..], "--replicas"),
        (spec_with("/Mode", json!({"GlobalJob": {}})), &["--replicas", "3"], "--replicas"),
        (spec("t001", OLD), &["--max-concurrent", "3"], "--max-concurrent"),
        (job(), &["--update-parallelism", "3"], "jobs"),
        (spec("t001", OLD), &["--endpoint-mode", "dnsrr"], "dnsrr"),
        (spec("t001", OLD), &["--no-healthcheck", "--health-cmd", "x"], "--no-healthcheck"),
        (spec("t001", OLD), &["--publish-add", "22222:81"], "22222"),
        (spec("t001", OLD), &["--generic-resource-rm", "gpu"], "gpu"),
    ] {
        refuses_for(before, args).says(&["cannot update service `t001`", part]);
    }
    // A conflict that the spec has already does not prevent other changes.
    let mut odd = spec_with("/EndpointSpec/Mode", json!("dnsrr"));
    odd["Labels"] = json!({"a": "1"});
    assert_eq!(spec_after(odd, &["--label-rm", "a"])["Labels"], json!({}));
}

// Changes of the name and of the mode

#[test]
fn a_new_name_or_mode_is_refused_with_the_commands_that_do_it() {
    refuses(&["--name", "t002"]).says(&[
        "create --spec t001.json --name t002",
        "swarmctl rm --wait t001",
        "renaming",
    ]);
    refuses(&["--mode", "global"]).says(&["--mode global", "swarmctl rm --wait t001", "mode change"]);
    for (patch, part) in [
        (json!({"Name": "t002"}), "create --spec t001.json --name t002"),
        (json!({"Mode": {"Global": {}}}), "--mode global"),
        (json!([{"ID": "x", "Spec": {"Name": "t002"}}]), "create --spec t001.json --name t002"),
    ] {
        let swarm = swarm();
        let run = update(&["t001", "--spec", "-"])
            .stdin(&patch.to_string())
            .host(swarm.host())
            .run()
            .fails_with(Exit::Usage);
        run.says(&[part]);
        assert!(swarm.posts().is_empty());
    }
}
