//! README's commands: each is one that the program takes.

use std::fs;

use super::support::fake_swarm::FakeSwarm;
use super::support::run::swarmctl;

#[test]
fn every_command_of_readme_is_understood() {
    let readme = include_str!("../../README.md");
    // What is installed or read there concerns nobody else.
    let config = tempfile::tempdir().unwrap();
    let folder = config.path().to_str().unwrap();
    let mut count = 0;
    // What --from names there.
    fs::write(config.path().join("images.txt"), "web shop/web:1.8\n").unwrap();
    for line in commands(readme) {
        let swarm = FakeSwarm::start();
        let run = swarmctl(words(line).into_iter().skip(1)).host(swarm.host()).env("DOCKER_CONFIG", folder);
        let run = run.current_dir(config.path()).run();
        // On an empty swarm most of them find no service; what must not happen is that the words are wrong.
        assert_ne!(run.code, Some(2), "README: {line}\n{}", run.report());
        count += 1;
    }
    assert!(count > 10, "README shows {count} commands only: has its form changed?");
}

/// The words of a line; those in single quotes hold blanks.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in line.split('\'').enumerate() {
        if i % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The lines of code blocks that call the program, up to a pipe or a remark.
fn commands(readme: &str) -> impl Iterator<Item = &str> {
    let blocks = readme.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| block.lines().skip(1));
    lines
        .flat_map(|line| line.split(" | "))
        .map(|part| part.trim_start_matches("$ ").split(" #").next().unwrap_or_default().trim())
        .filter(|part| {
            part.starts_with("swarmctl ") && !part.contains("--spec -") && !part.contains("--follow")
        })
}
