//! The cost of the journal: updates with `--journal off`, compared with `--journal auto`. In a swarm without a journal,
//! there must be no measurable difference. In a swarm with one, a batch of 200 updates may take at most 30 ms longer.

use std::process::Command;

use crate::Commands;
use crate::measure::{Contender, compare};
use crate::peers::count_requests;
use crate::table::Section;

/// Updates of one service, and of the services with this label, in a swarm without a journal.
pub fn without_journal(socket: &str, service: &str, label: &str, rounds: usize) -> Vec<Section> {
    let one = [service.to_owned()];
    let what = "`update-image --detach` of one service, without a journal";
    let batch = ["--filter".to_owned(), label.to_owned()];
    let sections = [(what, &one[..], rounds * 3), ("the same of 200 services", &batch[..], rounds)];
    sections.map(|(what, chosen, rounds)| compare(what, rounds, contenders(socket, chosen, "u"))).into()
}

/// Updates of the services with this label, with a journal that is enabled for this comparison only.
pub fn with_journal(socket: &str, label: &str, rounds: usize) -> Section {
    journal(socket, &["enable"]);
    let chosen = ["--filter".to_owned(), label.to_owned()];
    let what = "update the image of 200 services, `--detach`, with a journal";
    let mut section = compare(what, rounds, contenders(socket, &chosen, "r"));
    for row in &mut section.rows {
        row.requests = row.example.take().and_then(|command| count_requests(socket, &command));
    }
    journal(socket, &["disable", "--purge"]);
    section
}

fn contenders(socket: &str, chosen: &[String], tag: &'static str) -> Vec<Contender> {
    let contender = |name: &str, mode: &'static str, letter: char| {
        let (ours, chosen) = (Commands::new(socket), chosen.to_vec());
        Contender::new(name, move |turn| {
            let flags = ["update-image", "--detach", "-q", "--no-resolve-image", "--parallel", "8", mode];
            let image = format!("bench:{tag}{letter}{turn}");
            let chosen = chosen.iter().map(String::as_str);
            // On the command line, the service precedes the image.
            let words: Vec<&str> = flags.into_iter().chain(chosen).chain([&*image]).collect();
            ours.ours(&words)
        })
    };
    vec![
        contender("swarmctl --journal off", "--journal=off", 'o'),
        contender("swarmctl", "--journal=auto", 'a'),
    ]
}

fn journal(socket: &str, words: &[&str]) {
    let command = Commands::new(socket).ours(&[&["journal"], words].concat());
    let done = Command::new(&command[0]).args(&command[1..]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
