//! Global flags before and after the subcommand.

use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl};

const NOWHERE: &str = "unix:///nonexistent";

/// Runs a command line in which `HOST` stands for the address of the swarm. DOCKER_HOST is a socket that does not
/// exist.
fn run(swarm: &FakeSwarm, line: &str) -> Run {
    let words = line.split(' ').map(|word| word.replace("HOST", &swarm.host()));
    swarmctl(words).env("DOCKER_HOST", NOWHERE).run()
}

fn swarm() -> FakeSwarm {
    let mut web = spec("t001", OLD);
    web["EndpointSpec"]["Ports"] = serde_json::json!([]);
    FakeSwarm::with([web])
}

#[test]
fn global_flags_may_stand_before_or_after_the_subcommand() {
    let swarm = swarm();
    for line in [
        "-H HOST ls -q",
        "--host HOST ls -q",
        "--host=HOST ls -q",
        "-HHOST ls -q",
        "-H=HOST ls -q",
        // -H overrides DOCKER_HOST, and if a manager does not respond, the next one is used.
        "-H unix:///nonexistent -H HOST ls -q",
        "ls -H HOST -q",
        "ls -q --host HOST",
        "ls --host=HOST -q",
        "ls -q -HHOST",
        "ls -qH HOST",
        "ls -qH=HOST",
        "-H unix:///nonexistent ls -q -H HOST",
        "ls -q -f name=t001 -H HOST",
        "inspect t001 -H HOST --format {{.Spec.Name}}",
        "inspect -H HOST --format {{.Spec.Name}} -- t001",
    ] {
        let run = run(&swarm, line).succeeds();
        assert_eq!((run.stdout.lines().count(), run.stderr.as_str()), (1, ""), "{line}");
    }
    run(&swarm, "context show -H HOST").succeeds().prints(&["20.10.24"]);
    run(&swarm, "context -H HOST show").succeeds().prints(&["20.10.24"]);
}

#[test]
fn switches_may_be_combined_with_those_of_the_command() {
    let swarm = swarm();
    for line in [
        "ls -H HOST -qD",
        "ls -Dq -H HOST",
        "ls -q -D --host HOST",
        "ls -q --debug=true --host HOST",
        "ls -q --log-level debug -H HOST",
        "ls -q -l=debug -H HOST",
        "ls -H HOST -Dqf name=t001",
    ] {
        let run = run(&swarm, line).succeeds().says(&["debug: GET /_ping"]);
        assert_eq!(run.stdout.lines().count(), 1, "{line}");
    }
}

#[test]
fn commands_that_change_services_accept_global_flags_too() {
    let swarm = swarm();
    for line in [
        &format!("update-image t001 {NEW} -H HOST --detach --no-resolve-image"),
        &format!("update-image --detach -H HOST t001 {OLD} --no-resolve-image"),
        "restart t001 --detach --host=HOST",
        "scale -H HOST --detach t001=2",
        "rollback t001 -d -H HOST",
        "auth refresh t001 --dry-run -H HOST -D",
        "status t001 -H HOST",
    ] {
        let run = run(&swarm, line);
        assert!(![Some(2), Some(8)].contains(&run.code), "{}", run.report());
    }
}

#[test]
fn a_value_of_a_flag_is_not_taken_for_a_global_flag() {
    let swarm = swarm();
    // `-D` is the value of --env-add and of -f, and the name of a service after `--`.
    run(&swarm, "-H HOST update --detach --env-add -D t001").succeeds();
    assert!(swarm.posts()[0].text().contains("\"-D"), "{}", swarm.posts()[0].text());
    run(&swarm, "-H HOST inspect -- -D").fails_with(Exit::NotFound).never_says(&["debug: "]);
    run(&swarm, "-H HOST ls -f -D").fails_with(Exit::Usage).says(&["'-D'"]);
}

#[test]
fn a_command_with_a_flag_of_that_name_requires_the_global_flag_before_it() {
    for (command, flags) in
        [("create", &["-H", "--log-level"][..]), ("update", &["-H", "--host", "--config", "--log-level"])]
    {
        for flag in flags {
            for given in [vec![*flag, "x"], vec![&format!("{flag}=x")]] {
                let run = swarmctl([&[command], &given[..], &["web"]].concat()).host(NOWHERE).run();
                let run = run.fails_with(Exit::Usage);
                run.says(&[
                    &format!("unexpected argument '{flag}' found"),
                    &format!("put it before the subcommand: 'swarmctl {flag} ... {command}'"),
                ]);
            }
        }
    }
    // `--host` and `-l` after `create` are flags of `create`: they set values of the service.
    let run = swarmctl(["create", "--host", "tcp://10.0.0.5:2375", "img"]).host(NOWHERE).run();
    run.fails_with(Exit::Usage).says(&["to select the engine, put --host before the subcommand"]);
    let swarm = swarm();
    run_create(&swarm, &["--host", "db:10.0.0.5", "-l", "a=b"]);
    run_create(&swarm, &["-c", "default", "-D", "--tls=false"]);
}

fn run_create(swarm: &FakeSwarm, flags: &[&str]) {
    let args = [&["create", "--detach", "--no-resolve-image"], flags, &[NEW]].concat();
    swarmctl(args).host(swarm.host()).run().succeeds();
}

#[test]
fn after_the_image_of_create_nothing_is_a_flag() {
    let swarm = swarm();
    let args = ["create", "--detach", "--no-resolve-image", NEW, "-D", "-H", "x", "--context", "y"];
    let run = swarmctl(args).host(swarm.host()).run().succeeds();
    let run = run.never_says(&["debug: "]);
    drop(run);
    let posted = swarm.posts()[0].json();
    let args = &posted["TaskTemplate"]["ContainerSpec"]["Args"];
    assert_eq!(args, &serde_json::json!(["-D", "-H", "x", "--context", "y"]));
}

#[test]
fn usage_errors_do_not_depend_on_global_flags() {
    for (line, says) in [
        ("ls -H x --nosuch", "unexpected argument '--nosuch' found"),
        ("nosuch -H x", "unrecognized subcommand 'nosuch'"),
        ("ls -H", "a value is required for '--host <ENDPOINT>'"),
        ("inspect -H unix:///nonexistent", "no service given"),
    ] {
        swarmctl(line.split(' ')).run().fails_with(Exit::Usage).says(&[says]);
    }
    let help = swarmctl(["ls", "-H", "x", "--help"]).run().succeeds();
    assert!(help.stdout.starts_with("List services"), "{}", help.report());
}
