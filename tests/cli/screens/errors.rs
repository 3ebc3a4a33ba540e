//! Failures that all commands share: the command line, the engine's address, an engine that is not a manager.

use super::{run, swarm};
use crate::support::fixtures::NEW;
use crate::support::run::swarmctl;
use crate::support::screen::assert_screen;

#[test]
fn wrong_command_lines() {
    let swarm = swarm(&["web"]);
    for (name, args) in [
        ("no_command", &[][..]),
        ("unknown_command", &["upgrade", "web"]),
        ("unknown_flag", &["restart", "--nosuch", "web"]),
        ("create_flag_on_update", &["update", "--publish", "80", "web"]),
        ("missing_argument", &["update-image", "web"]),
        ("no_services", &["restart"]),
        ("bad_image", &["update-image", "web", "Not A:Ref"]),
        ("bad_duration", &["wait", "--timeout", "soon", "web"]),
        ("names_and_selection", &["restart", "--all", "web"]),
    ] {
        assert_screen(&format!("usage_{name}"), &run(&swarm, args));
    }
}

#[test]
fn engines_that_cannot_be_used() {
    let at = |host: &str, args: &[&str]| swarmctl(args.iter().copied()).host(host).run();
    assert_screen("engine_no_socket", &at("unix:///nonexistent/docker.sock", &["ls"]));
    assert_screen("engine_bad_host", &at("ftp://example.com", &["ls"]));
    assert_screen(
        "engine_no_socket_json",
        &at("unix:///nonexistent/docker.sock", &["update-image", "--json", "web", NEW]),
    );
    let worker = swarm(&["web"]);
    worker.world().is_no_manager = true;
    assert_screen("engine_not_a_manager", &run(&worker, &["ls"]));
    assert_screen("engine_not_a_manager_update", &run(&worker, &["update-image", "web", NEW]));
}

#[test]
fn contexts() {
    assert_screen("context_unknown", &swarmctl(["--context", "nosuch", "ls"]).run());
    assert_screen("context_ls", &swarmctl(["context", "ls"]).run());
    assert_screen("version", &swarmctl(["--version"]).run());
}
