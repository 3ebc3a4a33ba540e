//! README's commands: each is one that the program takes.

use super::support::fake_swarm::FakeSwarm;
use super::support::run::swarmctl;

#[test]
fn every_command_of_readme_is_understood() {
    let readme = include_str!("../../README.md");
    let mut count = 0;
    for line in commands(readme) {
        let swarm = FakeSwarm::start();
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let run = swarmctl(words.iter().copied()).host(swarm.host()).run();
        // On an empty swarm most of them find no service; what must not happen is that the words are wrong.
        assert_ne!(run.code, Some(2), "README: {line}\n{}", run.report());
        count += 1;
    }
    assert!(count > 10, "README shows {count} commands only: has its form changed?");
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
