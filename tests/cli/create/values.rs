//! Values of flags: where they come from, which one is used, and which are empty.

use std::os::unix::ffi::OsStrExt;

use serde_json::{Value, json};

use super::{create, posted, posts_at, refuses, swarm};
use crate::support::engine::Engine;
use crate::support::exit::Exit;

#[test]
fn environment_and_labels_are_posted_as_docker_posts_them() {
    posts_at(
        &["-eA=1", "-e", "B=a=b", "--env", "C=", "--env=D= x ", "-e=E=5", "img"],
        "/TaskTemplate/ContainerSpec/Env",
        &json!(["A=1", "B=a=b", "C=", "D= x ", "E=5"]),
    );
    posts_at(
        &["-la=b", "-l", "c", "--label", "d=e=f", "--label=ü=☃", "img"],
        "/Labels",
        &json!({ "a": "b", "c": "", "d": "e=f", "ü": "☃" }),
    );
    posts_at(
        &["--container-label", "a=b", "img"],
        "/TaskTemplate/ContainerSpec/Labels",
        &json!({ "a": "b" }),
    );
    refuses(&["-e", "", "img"]);
    refuses(&["-e", "=x", "img"]);
}

#[test]
fn a_bare_key_takes_its_value_from_the_environment_as_docker_does() {
    let swarm = swarm();
    let run =
        create(&["--name", "x", "-e", "FROM_OUTSIDE", "-e", "NOT_THERE", "img"]).env("FROM_OUTSIDE", "in");
    run.host(swarm.host()).run().succeeds();
    // A variable that is not set is sent without a value, as docker 28.2 does for services.
    let env = &swarm.service("x").spec["TaskTemplate"]["ContainerSpec"]["Env"];
    assert_eq!(env, &json!(["FROM_OUTSIDE=in", "NOT_THERE"]));
}

#[test]
fn everything_after_the_image_is_the_command() {
    let args = "/TaskTemplate/ContainerSpec/Args";
    posts_at(&["img", "-x", "--name", "n", "--", "-d"], args, &json!(["-x", "--name", "n", "--", "-d"]));
    posts_at(&["img", "--help"], args, &json!(["--help"]));
    posts_at(&["img", ""], args, &json!([""]));
    posts_at(&["img", "a b", "--publish=99999"], args, &json!(["a b", "--publish=99999"]));
    posts_at(&["--", "img", "x"], args, &json!(["x"]));
    assert_eq!(posted(&["img"]).pointer(args).and_then(Value::as_array).map_or(0, Vec::len), 0);
}

#[test]
fn the_last_of_a_repeated_single_value_counts() {
    posts_at(&["--user", "a", "--user=b", "img"], "/TaskTemplate/ContainerSpec/User", &json!("b"));
    posts_at(&["--replicas", "2", "--replicas", "5", "img"], "/Mode/Replicated/Replicas", &json!(5));
    posts_at(&["--workdir", "-w", "img"], "/TaskTemplate/ContainerSpec/Dir", &json!("-w"));
}

#[test]
fn one_update_flag_alone_does_not_mean_all_at_once() {
    // `UpdateConfig: {}` means parallelism 0; docker writes all six fields if one is given.
    let config = posted(&["--update-delay", "3s", "img"])["UpdateConfig"].clone();
    assert_eq!(
        (&config["Delay"], &config["Parallelism"]),
        (&json!(3_000_000_000_u64), &json!(1)),
        "{config}"
    );
    assert_eq!(&config["Order"], &json!("stop-first"));
    assert_eq!(&config["FailureAction"], &json!("pause"));
    posts_at(&["--update-parallelism", "0", "img"], "/UpdateConfig/Parallelism", &json!(0));
    // Likewise, one restart flag alone keeps the defaults of the other restart settings.
    let restart = posted(&["--restart-max-attempts", "3", "img"])["TaskTemplate"]["RestartPolicy"].clone();
    assert_eq!(&restart["MaxAttempts"], &json!(3), "{restart}");
    assert_eq!(&restart["Condition"], &json!("any"), "{restart}");
}

#[test]
fn invalid_values_are_usage_errors_and_nothing_is_sent() {
    for args in [
        &["--update-delay", "soon"][..],
        &["--update-delay", "5"],
        &["--restart-delay", "1 s"],
        &["--stop-grace-period", "1x"],
        &["--limit-memory", "much"],
        &["--limit-cpu", "all"],
        &["--restart-condition", "never"],
        &["--update-order", "random"],
        &["--update-failure-action", "cry"],
        &["--update-max-failure-ratio", "x"],
        &["--endpoint-mode", "magic"],
        &["--mount", "type=magic,target=/x"],
        &["--mount", "type=volume,source=v"],
        &["--mount", "type=volume,target=/x,color=red"],
        &["--mount", ""],
        &["--mount", "type=tmpfs,target=/x,tmpfs-size=big"],
        &["--network", ""],
        &["--entrypoint", "\"unclosed"],
        &["--nosuchflag"],
        &["--repl", "2"],
        &["--detach=maybe"],
    ] {
        refuses(&[args, &["img"]].concat());
    }
    refuses(&["Not A Ref!"]);
    refuses(&[""]);
    refuses(&[]);
    refuses(&["--name", "x"]);
}

#[test]
fn a_relative_mount_source_is_refused_if_the_current_directory_is_unknown() {
    let directory = tempfile::tempdir().expect("a directory");
    let not_utf8 = directory.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    std::fs::create_dir(&not_utf8).expect("a directory");
    let engine = Engine::silent();
    let run = |source: &str| {
        let mount = format!("type=bind,source={source},target=/data");
        create(&["--mount", &mount, "img"]).host(engine.host()).current_dir(&not_utf8)
    };
    run("./data").run().fails_with(Exit::Usage).says(&[
        "cannot determine the current directory, which `source=./data` is relative to",
        "is not valid UTF-8",
    ]);
    assert!(engine.requests().is_empty());
    // An absolute source does not need the current directory.
    let swarm = swarm();
    let run = run("/data").host(swarm.host()).run().succeeds();
    assert!(run.stderr.is_empty(), "{}", run.report());
}

#[test]
fn a_refusal_shows_a_value_of_the_right_form() {
    refuses(&["--publish", "99999:80", "img"]).says(&["99999"]);
    refuses(&["--update-delay", "soon", "img"]).says(&["soon"]);
    refuses(&["Not A Ref!"]).says(&["Not A Ref!"]);
}
