//! `update-image` until the service has converged. swarmctl must be as fast as docker, and send fewer requests.

use std::process::Command;

use crate::Commands;
use crate::measure::{Contender, compare};
use crate::table::Section;

/// The two images that the turns alternate between. The engine has both.
const IMAGES: [&str; 2] = ["opera443399/whoami:0.6", "opera443399/whoami:0.7"];

/// Measures updates of a healthy service with two tasks, from start to exit. Each program updates a service of its own.
pub fn section(socket: &str, rounds: usize) -> Section {
    let names = ["bench-watched-docker", "bench-watched-swarmctl"];
    let (docker, ours) = (Commands::new(socket), Commands::new(socket));
    for name in names {
        let create = ours.ours(&[
            "create",
            "-q",
            "--no-resolve-image",
            "--name",
            name,
            "--replicas",
            "2",
            "--update-monitor",
            "1s",
            "--update-parallelism",
            "0",
            IMAGES[1],
        ]);
        let created = Command::new(&create[0]).args(&create[1..]).output().unwrap();
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    }
    let image = |turn: usize| IMAGES[turn % 2];
    let contenders = vec![
        Contender::new("docker", move |turn| {
            docker.docker(&["update", "-q", "--no-resolve-image", "--image", image(turn), names[0]])
        }),
        Contender::new("swarmctl", move |turn| {
            ours.ours(&["update-image", "-q", "--no-resolve-image", names[1], image(turn)])
        }),
    ];
    compare("`update-image` of a service with 2 tasks until it has converged", rounds, contenders)
}
