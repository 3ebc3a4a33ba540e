//! `docker swarmctl`, called by docker's client.

use std::process::Command;

use crate::plugin::{Config, swarm};
use crate::support::client;
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD};
use crate::support::programs;
use crate::support::run::{Swarmctl, swarmctl_by};

#[test]
fn docker_lists_and_runs_the_plugin_and_returns_its_exit_code() {
    let (config, swarm) = (Config::with_plugin(), swarm());
    let host = swarm.host();
    let help = docker(&config, &["--help"]).run().succeeds();
    assert!(help.stdout.lines().any(|line| line.trim().starts_with("swarmctl*")), "{}", help.report());
    let run = docker(
        &config,
        &[
            "--host",
            &host,
            "-D",
            "--log-level",
            "info",
            "--tls=false",
            "swarmctl",
            "ls",
            "--format",
            "{{.Name}}",
        ],
    );
    assert_eq!(run.run().succeeds().stdout, "web\n");
    let run = docker(
        &config,
        &["-H", &host, "swarmctl", "update-image", "--no-resolve-image", "--detach", "web", NEW],
    );
    run.run().succeeds().prints(&["web: updated"]);
    assert_eq!(swarm.service("web").image(), NEW);
    docker(&config, &["-H", &host, "swarmctl", "ps", "nosuch"])
        .run()
        .fails_with(Exit::NotFound)
        .says(&["docker swarmctl ls"]);
    docker(&config, &["swarmctl", "update-image", "--help"])
        .run()
        .succeeds()
        .prints(&["Update the image of services"]);
    docker(&config, &["swarmctl", "nosuch"]).run().fails_with(Exit::Usage);
    // The flag with a context, which docker created, precedes the plugin's name.
    let there = format!("host={host}");
    docker(&config, &["context", "create", "there", "--docker", &there]).run().succeeds();
    let run = docker(&config, &["--context", "there", "swarmctl", "ls", "-q"]).run().succeeds();
    assert_eq!(run.stdout.lines().count(), 1);
}

#[test]
fn dockers_completion_asks_the_plugin() {
    let (config, swarm) = (Config::with_plugin(), swarm());
    let complete = |words: &[&str]| {
        let words = [&["__complete", "swarmctl"], words].concat();
        docker(&config, &words).host(swarm.host()).run().succeeds().stdout
    };
    if client::major_version() < 23 {
        println!("docker's client does not ask plugins before version 23");
        return;
    }
    assert!(complete(&["update-im"]).starts_with("update-image\tUpdate the image of services"));
    assert!(complete(&["update-image", "w"]).starts_with(&format!("web\t{OLD}\n:4")));
    assert!(complete(&["ps", "--no-t"]).starts_with("--no-trunc\t"));
}

/// docker's client with these arguments. They include the plugin's name if docker must run the plugin.
fn docker(config: &Config, args: &[&str]) -> Swarmctl {
    let mut command = Command::new(programs::docker());
    command.args(args);
    swarmctl_by(command).env("DOCKER_CONFIG", config.directory())
}
