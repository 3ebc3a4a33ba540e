//! Runs the programs of a comparison in turns, and calculates medians.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::table::{Row, Section};

/// A program to measure: its name, and the command of each turn.
pub struct Contender {
    name: String,
    command: Box<dyn Fn(usize) -> Vec<String>>,
}

/// The cost of one run.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub wall: Duration,
    pub cpu: Duration,
    /// Peak resident memory in KiB, of the largest process.
    pub memory: u64,
}

impl Contender {
    /// `command` makes the command of each turn. The call itself is not measured.
    pub fn new(name: &str, command: impl Fn(usize) -> Vec<String> + 'static) -> Self {
        Self { name: name.to_owned(), command: Box::new(command) }
    }
}

/// Runs all programs once in each of `rounds` rounds, after one warm-up round, and prints the median times and the
/// maximum memory.
pub fn compare(what: &str, rounds: usize, contenders: Vec<Contender>) -> Section {
    let mut costs = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for (contender, costs) in contenders.iter().zip(&mut costs) {
            let cost = run(&(contender.command)(round));
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    let rows = contenders.iter().zip(&mut costs).map(|(contender, costs)| Row {
        name: contender.name.clone(),
        cost: median(costs),
        requests: None,
        example: Some((contender.command)(rounds + 1)),
    });
    let section = Section { what: what.to_owned(), rounds, rows: rows.collect() };
    println!("{}", section.as_text());
    section
}

fn median(costs: &mut [Cost]) -> Cost {
    let middle = costs.len() / 2;
    costs.sort_by_key(|cost| cost.wall);
    let wall = costs[middle].wall;
    costs.sort_by_key(|cost| cost.cpu);
    let memory = costs.iter().map(|cost| cost.memory).max().unwrap_or_default();
    Cost { wall, cpu: costs[middle].cpu, memory }
}

fn run(command: &[String]) -> Cost {
    let own = std::env::current_exe().unwrap();
    let output = Command::new(own).arg("measure").args(command).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [wall, cpu, memory] = numbers[..] else {
        panic!("{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr))
    };
    Cost { wall: Duration::from_micros(wall), cpu: Duration::from_micros(cpu), memory }
}

/// Runs one command, and prints its wall time and CPU time in microseconds and its memory in KiB.
pub fn child(command: &[String]) {
    let began = Instant::now();
    let mut command_line = Command::new(&command[0]);
    let status =
        command_line.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
    let wall = began.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let micros = |time: TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    println!(
        "{} {} {}",
        wall.as_micros(),
        micros(used.user_time()) + micros(used.system_time()),
        used.max_rss()
    );
}
