//! `update`: what is posted for flags and files, what is refused, and what stays as it is.

use serde_json::{Value, json};

use crate::support::engine::Engine;
use crate::support::fake_swarm::{FakeSwarm, Step, When};
use crate::support::fixtures::{ID, NETWORK, NEW, OLD, hard_spec, same_escapes, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};

fn update(args: &[&str]) -> Swarmctl {
    swarmctl([&["update", "--detach", "--no-resolve-image"], args].concat())
}

/// A swarm with the service t001 of this spec, and a network.
fn swarm_with(spec: Value) -> FakeSwarm {
    let swarm = FakeSwarm::with([spec]);
    swarm.world().networks.push((NETWORK.into(), "t001only".into()));
    swarm
}

fn swarm() -> FakeSwarm {
    swarm_with(spec("t001", OLD))
}

/// What these flags make of the service's spec.
#[track_caller]
fn made_of(before: Value, args: &[&str]) -> Value {
    let swarm = swarm_with(before);
    update(&[&["t001"], args].concat()).host(swarm.host()).run().exits(0);
    assert_eq!(swarm.posts().len(), 1, "{args:?}");
    swarm.service("t001").spec
}

/// That these flags are refused with exit code 2 before anything is sent.
#[track_caller]
fn refuses(args: &[&str]) -> Run {
    let engine = Engine::silent();
    let run = update(&[&["t001"], args].concat()).host(engine.host()).run().exits(2);
    assert!(engine.requests().is_empty(), "nothing is sent: {}", run.report());
    run
}

/// That these flags are refused with exit code 2 for this service, and nothing is posted.
#[track_caller]
fn refuses_for(before: Value, args: &[&str]) -> Run {
    let swarm = swarm_with(before);
    let run = update(&[&["t001"], args].concat()).host(swarm.host()).run().exits(2);
    assert!(swarm.posts().is_empty(), "{}", run.report());
    run
}

fn with(place: &str, value: Value) -> Value {
    let mut spec = spec("t001", OLD);
    let (parent, key) = place.rsplit_once('/').unwrap();
    spec.pointer_mut(parent).unwrap()[key] = value;
    spec
}

// Nothing but what was asked

#[test]
fn without_a_flag_there_is_nothing_to_do_and_it_says_so() {
    let swarm = swarm();
    for args in [&["t001"][..], &["t001", "--force=false"], &["t001", "--no-resolve-image"]] {
        let run = update(args).host(swarm.host()).run().exits(0);
        assert_eq!(run.stdout, "t001: nothing to change, nothing was posted\n");
        assert_eq!(run.stderr, "");
    }
    assert!(swarm.posts().is_empty());
}

#[test]
fn posts_the_engines_own_json_with_nothing_but_one_variable_changed() {
    let before = hard_spec(OLD);
    let swarm = swarm_with(serde_json::from_str(&before).unwrap());
    update(&["t001", "--env-add", "A=2"]).host(swarm.host()).run().exits(0).prints(&["Env[A]: A=1 -> A=2"]);
    let posted = swarm.posts()[0].text().to_owned();
    assert_eq!(same_escapes(&posted), same_escapes(&before.replace("\"A=1\"", "\"A=2\"")));
}

#[test]
fn what_is_so_already_posts_nothing() {
    let mut spec: Value = serde_json::from_str(&hard_spec(OLD)).unwrap();
    spec["TaskTemplate"]["ContainerSpec"]["Groups"] = json!(["b", "a"]);
    let swarm = swarm_with(spec);
    let line = "t001 --env-add A=1 --env-rm NONE --label-add number=9007199254740993 --group-add a \
        --publish-add 22222:80 --replicas 3 --update-delay 1000000001ns --mount-rm /nosuch --publish-rm 81 --label-rm q \
        --ulimit-rm core --container-label-add a=1 --stop-grace-period 10.000000001s --tty=false --hostname= --host-rm a";
    let run = update(&line.split_whitespace().collect::<Vec<_>>()).host(swarm.host()).run().exits(0);
    assert_eq!(run.stdout, "t001: nothing to change, nothing was posted\n");
    assert!(swarm.posts().is_empty());
}

#[test]
fn the_order_stays_and_what_is_new_comes_last() {
    let before = with("/TaskTemplate/ContainerSpec/Env", json!(["C=3", "A=1", "B=2"]));
    let env = |spec: &Value| spec["TaskTemplate"]["ContainerSpec"]["Env"].clone();
    let after = made_of(
        before.clone(),
        &["--env-add", "Z=1", "--env-add", "A=9", "--env-rm", "B", "--env-add", "D=4"],
    );
    assert_eq!(env(&after), json!(["C=3", "A=9", "Z=1", "D=4"]));
    // The whole set, in another order than it stands.
    let after = made_of(before, &["-e", "B=7", "-e", "C=3", "-e", "N=1"]);
    assert_eq!(env(&after), json!(["C=3", "B=7", "N=1"]));
}

#[test]
fn a_dry_run_posts_nothing_and_ends_with_ten_where_that_is_asked_for() {
    let swarm = swarm();
    let line = ["t001", "--label-add", "a=b", "--env-add", "A=1", "--dry-run"];
    let run = update(&line).host(swarm.host()).run().exits(0);
    run.prints(&[
        "would be updated",
        "Labels.a: (none) -> b",
        "TaskTemplate.ContainerSpec.Env[A]: (none) -> A=1",
    ]);
    let run = update(&[&line[..], &["--exit-code", "--json"]].concat()).host(swarm.host()).run().exits(10);
    assert_eq!(run.json()["exit_code"], 10);
    assert_eq!(
        run.json()["services"][0]["changes"][0],
        json!({"place": "Labels.a", "old": null, "new": "b"})
    );
    update(&["t001", "--label-rm", "q", "--dry-run", "--exit-code"]).host(swarm.host()).run().exits(0);
    assert!(swarm.posts().is_empty());
    for command in ["scale t001=9", "restart t001", "update-image t001 other:2"] {
        let args: Vec<&str> = command.split(' ').chain(["--dry-run", "--exit-code"]).collect();
        swarmctl(args).host(swarm.host()).run().exits(10);
    }
}

// Docker's flags

#[test]
fn one_flag_of_a_policy_writes_all_of_it_where_there_was_none() {
    let after = made_of(spec("t001", OLD), &["--update-delay", "3s"]);
    let policy = json!({
        "Parallelism": 1, "FailureAction": "pause", "Monitor": 5_000_000_000_u64, "MaxFailureRatio": 0,
        "Order": "stop-first", "Delay": 3_000_000_000_u64
    });
    assert_eq!(after["UpdateConfig"], policy);
    let after = made_of(with("/UpdateConfig", json!({"Parallelism": 0})), &["--update-delay", "3s"]);
    assert_eq!(after["UpdateConfig"], json!({"Parallelism": 0, "Delay": 3_000_000_000_u64}));
}

#[test]
fn flags_that_docker_ignores_work() {
    let log = json!({"Name": "json-file", "Options": {"max-size": "1m"}});
    let after = made_of(with("/TaskTemplate/LogDriver", log), &["--log-opt", "max-file=3"]);
    let options = json!({"max-size": "1m", "max-file": "3"});
    assert_eq!(after["TaskTemplate"]["LogDriver"], json!({"Name": "json-file", "Options": options}));
    let job = with("/Mode", json!({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 3}}));
    let after = made_of(job, &["--max-concurrent", "2", "--replicas", "7"]);
    assert_eq!(after["Mode"], json!({"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 7}}));
}

#[test]
fn what_docker_has_no_flag_for() {
    let after = made_of(spec("t001", OLD), &["--open-stdin", "-e", "A=1", "-l", "a=b"]);
    assert_eq!(after["TaskTemplate"]["ContainerSpec"]["OpenStdin"], true);
    assert_eq!(after["Labels"], json!({"a": "b"}));
    // The engine speaks 1.41.
    for (flag, field) in [
        ("--seccomp=unconfined", "Privileges.Seccomp"),
        ("--apparmor=disabled", "Privileges.AppArmor"),
        ("--no-new-privileges", "Privileges.NoNewPrivileges"),
        ("--health-start-interval=2s", "Healthcheck.StartInterval"),
        ("--memory-swap=1g", "SwapBytes"),
    ] {
        let swarm = swarm();
        let run = update(&["t001", flag]).host(swarm.host()).run().exits(1);
        run.says(&[field, "needs API 1.", "this engine speaks 1.41"]);
        assert!(swarm.posts().is_empty());
    }
}

#[test]
fn variables_come_from_files_too() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "# all of it\nA=1\nB=two words\nHOME\nNOSUCH\n").unwrap();
    let path = file.path().to_str().unwrap();
    let before = with("/TaskTemplate/ContainerSpec/Env", json!(["X=0", "A=0"]));
    let env = |spec: &Value| spec["TaskTemplate"]["ContainerSpec"]["Env"].clone();
    let after = made_of(before.clone(), &["--env-file", path, "--env-add", "B=3"]);
    assert_eq!(env(&after), json!(["X=0", "A=1", "B=3", "HOME=/nonexistent"]));
    let after = made_of(before, &["--env-file", path, "--env", "C=3"]);
    assert_eq!(env(&after), json!(["A=1", "B=two words", "HOME=/nonexistent", "C=3"]));
    refuses(&["--env-file", "/nonexistent/env"]).says(&["--env-file", "/nonexistent/env"]);
    std::fs::write(file.path(), "A=1\nB C=2\n").unwrap();
    refuses(&["--env-file", path]).says(&["line 2", "B C=2"]);
}

#[test]
fn networks_move_to_the_tasks_template_and_the_others_stay() {
    let other = "zzzzzzzzzzzzzzzzzzzzzzzzz";
    let before = with("/Networks", json!([{"Target": other, "Aliases": ["w"]}]));
    let swarm = swarm_with(before);
    swarm.world().networks.push((other.into(), "other".into()));
    update(&["t001", "--network-add", "name=t001only,alias=x,driver-opt=k=v"])
        .host(swarm.host())
        .run()
        .exits(0);
    let spec = swarm.service("t001").spec;
    assert_eq!(spec.get("Networks"), None);
    assert_eq!(
        spec["TaskTemplate"]["Networks"],
        json!([
            {"Target": other, "Aliases": ["w"]},
            {"Target": NETWORK, "Aliases": ["x"], "DriverOpts": {"k": "v"}}
        ])
    );
    assert_eq!(spec["EndpointSpec"], super::support::fixtures::spec("t001", OLD)["EndpointSpec"]);
    update(&["t001", "--network-add", "t001only"])
        .host(swarm.host())
        .run()
        .exits(2)
        .says(&["already attached"]);
    // A network that was removed is taken off by its ID.
    swarm.world().networks.retain(|(id, _)| id != other);
    update(&["t001", "--network-rm", other]).host(swarm.host()).run().exits(0);
    assert_eq!(swarm.service("t001").spec["TaskTemplate"]["Networks"].as_array().unwrap().len(), 1);
}

#[test]
fn names_that_are_nobodys_end_with_three_and_nothing_is_posted() {
    for (args, kind) in [
        (["--network-add", "nosuch"], "network"),
        (["--network-rm", "nosuch"], "network"),
        (["--secret-add", "nosuch"], "secret"),
        (["--config-add", "nosuch"], "config"),
        (["--credential-spec", "config://nosuch"], "config"),
    ] {
        let swarm = swarm();
        let run = update(&[&["t001"], &args[..]].concat()).host(swarm.host()).run().exits(3);
        run.says(&[&format!("no such {kind}: `nosuch`")]);
        assert!(swarm.posts().is_empty());
    }
    let swarm = swarm();
    update(&["nosuch", "--label-add", "a=b"]).host(swarm.host()).run().exits(3);
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
    refuses(&twice).says(&["`/a` is mounted on twice"]);
}

#[test]
fn combinations_that_docker_and_the_engine_refuse() {
    let global = || with("/Mode", json!({"Global": {}}));
    let job = || with("/Mode", json!({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}));
    for (before, args, part) in [
        (global(), &["--replicas", "3"][..], "--replicas"),
        (with("/Mode", json!({"GlobalJob": {}})), &["--replicas", "3"], "--replicas"),
        (spec("t001", OLD), &["--max-concurrent", "3"], "--max-concurrent"),
        (job(), &["--update-parallelism", "3"], "jobs"),
        (spec("t001", OLD), &["--endpoint-mode", "dnsrr"], "dnsrr"),
        (spec("t001", OLD), &["--no-healthcheck", "--health-cmd", "x"], "--no-healthcheck"),
        (spec("t001", OLD), &["--publish-add", "22222:81"], "22222"),
        (spec("t001", OLD), &["--generic-resource-rm", "gpu"], "gpu"),
    ] {
        refuses_for(before, args).says(&["cannot update service `t001`", part]);
    }
    // What was so before does not stand in the way of other changes.
    let mut odd = with("/EndpointSpec/Mode", json!("dnsrr"));
    odd["Labels"] = json!({"a": "1"});
    assert_eq!(made_of(odd, &["--label-rm", "a"])["Labels"], json!({}));
}

// Names, modes, versions, jobs, paused rollouts

#[test]
fn a_new_name_or_mode_is_refused_with_the_commands_that_do_it() {
    refuses(&["--name", "t002"]).says(&["create --spec - --name t002", "swarmctl rm t001", "renaming"]);
    refuses(&["--mode", "global"]).says(&["--mode global", "swarmctl rm --wait t001", "mode change"]);
    for (patch, part) in [
        (json!({"Name": "t002"}), "create --spec - --name t002"),
        (json!({"Mode": {"Global": {}}}), "--mode global"),
        (json!([{"ID": "x", "Spec": {"Name": "t002"}}]), "create --spec - --name t002"),
    ] {
        let swarm = swarm();
        let run =
            update(&["t001", "--spec", "-"]).stdin(&patch.to_string()).host(swarm.host()).run().exits(2);
        run.says(&[part]);
        assert!(swarm.posts().is_empty());
    }
}

#[test]
fn if_version_holds_or_ends_with_four() {
    let swarm = swarm();
    let index = swarm.service("t001").index;
    let stale = (index - 1).to_string();
    update(&["t001", "--if-version", &stale, "--label-add", "a=b"]).host(swarm.host()).run().exits(4);
    update(&["t001", "--if-version", &stale]).host(swarm.host()).run().exits(4);
    assert!(swarm.posts().is_empty());
    update(&["t001", "--if-version", &index.to_string(), "--label-add", "a=b"])
        .host(swarm.host())
        .run()
        .exits(0);
}

#[test]
fn a_paused_rollout_is_left_alone_unless_it_is_to_go_on() {
    let swarm = swarm();
    swarm.world().service("t001").status =
        Some(json!({"State": "paused", "StartedAt": "2026-01-01T00:00:00Z"}));
    update(&["t001", "--label-add", "a=b"]).host(swarm.host()).run().exits(5).says(&["--resume"]);
    update(&["t001"]).host(swarm.host()).run().exits(0);
    update(&["t001", "--label-rm", "a", "--image", OLD]).host(swarm.host()).run().exits(0);
    assert!(swarm.posts().is_empty());
    update(&["t001", "--label-add", "a=b", "--resume"]).host(swarm.host()).run().exits(0);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn a_job_runs_again_and_that_is_said() {
    let swarm = swarm_with(with("/Mode", json!({"GlobalJob": {}})));
    update(&["t001", "--label-add", "a=b"]).host(swarm.host()).run().exits(0).says(&["it runs again"]);
}

#[test]
fn rollback_as_a_flag_is_the_command() {
    let swarm = swarm();
    update(&["t001", "--image", NEW]).host(swarm.host()).run().exits(0);
    update(&["t001", "--rollback"]).host(swarm.host()).run().exits(0);
    assert_eq!(swarm.posts()[1].param("rollback"), Some("previous"));
    assert_eq!(swarm.service("t001").image(), OLD);
    refuses(&["--rollback", "--label-add", "a=b"]).says(&["--rollback"]);
}

// Other writers

#[test]
fn another_writers_change_of_another_place_is_kept_and_of_the_same_place_is_a_conflict() {
    let swarm = swarm();
    swarm.before(When::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Hosts"] = json!(["10.0.0.5 db"]));
    });
    update(&["t001", "--host-add", "db:::1", "--env-add", "A=1"]).host(swarm.host()).run().exits(0);
    let container = swarm.service("t001").spec["TaskTemplate"]["ContainerSpec"].clone();
    assert_eq!(container["Hosts"], json!(["10.0.0.5 db", "::1 db"]));
    assert_eq!(container["Env"], json!(["A=1"]));

    swarm.before(When::Post, 3, |world| {
        world.write("t001", |spec| spec["EndpointSpec"]["Ports"][0]["PublishedPort"] = json!(33333));
    });
    let run = update(&["t001", "--publish-rm", "80"]).host(swarm.host()).run().exits(4);
    run.says(&["EndpointSpec.Ports[*:80/tcp/ingress]", "22222", "33333"]);
    assert_eq!(swarm.service("t001").spec["EndpointSpec"]["Ports"][0]["PublishedPort"], 33333);
}

#[test]
fn an_update_whose_rollout_fails_ends_with_five() {
    let swarm = swarm();
    swarm.world().service("t001").rollout = vec![Step::Updating, Step::Paused];
    swarmctl(["update", "t001", "--image", NEW]).host(swarm.host()).run().exits(5);
}

// A spec from a file

#[test]
fn what_inspect_prints_changes_nothing() {
    let swarm = FakeSwarm::start();
    swarm.world().add(serde_json::from_str(&hard_spec(OLD)).unwrap());
    let shown = swarmctl(["inspect", "t001"]).host(swarm.host()).run().exits(0).stdout;
    let run = update(&["t001", "--spec", "-"]).stdin(&shown).host(swarm.host()).run().exits(0);
    assert_eq!(run.stdout, "t001: nothing to change, nothing was posted\n");
    let one = serde_json::from_str::<Value>(&shown).unwrap()[0].clone();
    for text in [one.to_string(), one["Spec"].to_string()] {
        update(&["t001", "--spec", "-"]).stdin(&text).host(swarm.host()).run().exits(0);
    }
    assert!(swarm.posts().is_empty());
}

#[test]
fn a_file_that_was_read_before_others_wrote_is_a_conflict_unless_forced() {
    let swarm = swarm();
    let mut service: Value =
        serde_json::from_str(&swarmctl(["inspect", "t001"]).host(swarm.host()).run().stdout).unwrap();
    service[0]["Spec"]["Labels"]["mine"] = "1".into();
    swarm.world().write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    let text = service.to_string();
    let run = update(&["t001", "--spec", "-"]).stdin(&text).host(swarm.host()).run().exits(4);
    run.says(&["the version index is"]);
    assert!(swarm.posts().is_empty());
    update(&["t001", "--spec", "-", "--force-spec"]).stdin(&text).host(swarm.host()).run().exits(0);
    assert_eq!(swarm.service("t001").image(), OLD, "forced is forced");
}

#[test]
fn a_spec_is_merged_and_flags_are_applied_on_top() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let patch = json!({
        "Labels": {"a": "1", "gone": null},
        "TaskTemplate": {"ContainerSpec": {
            "Env": ["A=1"],
            "Mounts": [{"Target": "/data", "Source": "v"}],
            "StopGracePeriod": null,
        }, "Networks": ["t001only"]},
    });
    std::fs::write(file.path(), patch.to_string()).unwrap();
    let before = with("/Labels", json!({"gone": "x", "stays": "y"}));
    let after = made_of(before, &["--spec", file.path().to_str().unwrap(), "--env-add", "B=2"]);
    assert_eq!(after["Labels"], json!({"stays": "y", "a": "1"}));
    let container = &after["TaskTemplate"]["ContainerSpec"];
    assert_eq!(container["Env"], json!(["A=1", "B=2"]));
    assert_eq!(container["Mounts"], json!([{"Type": "volume", "Target": "/data", "Source": "v"}]));
    assert_eq!(container.get("StopGracePeriod"), None);
    assert_eq!(container["Image"], OLD);
    assert_eq!(after["TaskTemplate"]["Networks"], json!([{"Target": NETWORK}]));
    for text in ["{", "[]", "3", r#"{"ID": "x"}"#] {
        let engine = Engine::silent();
        let run = update(&["t001", "--spec", "-"]).stdin(text).host(engine.host()).run().exits(2);
        assert!(engine.requests().is_empty(), "{}", run.report());
    }
    refuses(&["--spec", "/nonexistent/spec"]).says(&["--spec", "/nonexistent/spec"]);
}

#[test]
fn create_takes_a_spec_too() {
    let swarm = swarm();
    let shown = swarmctl(["inspect", "t001"]).host(swarm.host()).run().exits(0).stdout;
    let create = |args: &[&str], text: &str| {
        let line = [&["create", "-d", "--no-resolve-image", "--spec", "-"], args].concat();
        swarmctl(line).stdin(text).host(swarm.host()).run()
    };
    create(&["--name", "t002", "-p", "33333:80", "--label", "a=b"], &shown).exits(0);
    let mut wanted = spec("t002", OLD);
    wanted["Labels"] = json!({"a": "b"});
    wanted["EndpointSpec"]["Ports"] =
        json!([{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 33333, "PublishMode": "ingress"}]);
    assert_eq!(swarm.service("t002").spec, wanted);

    // As docker-py has it: networks at the top, mounts without a type.
    let text = json!({
        "Name": "t003", "Networks": [{"Target": "t001only"}],
        "TaskTemplate": {"ContainerSpec": {"Image": OLD, "Mounts": [{"Target": "/a", "Source": "v"}]}},
        "Mode": {"ReplicatedJob": {}},
    });
    create(&["--replicas", "2", NEW, "run", "-x"], &text.to_string()).exits(0);
    let made = swarm.service("t003").spec;
    assert_eq!(made["TaskTemplate"]["Networks"], json!([{"Target": NETWORK}]));
    assert_eq!(made["TaskTemplate"]["ContainerSpec"]["Mounts"][0]["Type"], "volume");
    assert_eq!(made["TaskTemplate"]["ContainerSpec"]["Image"], NEW);
    assert_eq!(made["TaskTemplate"]["ContainerSpec"]["Args"], json!(["run", "-x"]));
    assert_eq!(made["Mode"], json!({"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 2}}));
    create(&[], r#"{"Name": "t004"}"#).exits(2).says(&["no image is named"]);
}

#[test]
fn the_id_may_be_given_and_flags_stand_on_both_sides() {
    let swarm = swarm();
    let id = swarm.service("t001").id;
    assert_ne!(id, ID);
    swarmctl(["update", "-d", "--label-add", "a=b", &id, "--label-add", "c=d", "-u", "me"])
        .host(swarm.host())
        .run()
        .exits(0);
    assert_eq!(swarm.service("t001").spec["Labels"], json!({"a": "b", "c": "d"}));
    assert_eq!(swarm.service("t001").spec["TaskTemplate"]["ContainerSpec"]["User"], "me");
}
