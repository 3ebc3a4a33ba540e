//! What commands cost, beside their peers in the same run: `scripts/bench` starts the engine and calls this.
//!
//! No timed test: it prints ratios, which hold better than times, and judges nothing.
//! `measure COMMAND...` is this program run as its own child, so that the peak memory is that of one command.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot go on stops, and says why"
)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// Runs of each command; the commands of one comparison take turns, so that a slow moment hits all.
const RUNS: usize = 40;

/// What one run took.
#[derive(Clone, Copy, Default)]
struct Cost {
    wall: Duration,
    cpu: Duration,
    /// Peak resident memory in KiB.
    memory: i64,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((word, command)) if word == "measure" => measure(command),
        _ => compare_all(),
    }
}

fn compare_all() {
    let env = |name: &str| {
        std::env::var_os(name)
            .unwrap_or_else(|| panic!("{name} is not set: run scripts/bench"))
            .into_string()
            .unwrap()
    };
    let (socket, service, empty) = (env("BENCH_SOCKET"), env("BENCH_SERVICE"), env("BENCH_EMPTY"));
    let program = env!("CARGO_BIN_EXE_swarmctl");
    let host = format!("unix://{socket}");
    let ours = |args: &[&str]| words(&[program, "-H", &host], args);
    let docker = |args: &[&str]| words(&["docker", "-H", &host], args);
    let curl = |path: &str| {
        words(
            &["curl", "-s", "-o", "/dev/null", "--unix-socket", &socket],
            &[&format!("http://engine{path}")],
        )
    };

    compare(
        "--version",
        &[("empty Rust program", vec![empty]), ("swarmctl", vec![program.into(), "--version".into()])],
    );
    compare(
        "inspect",
        &[("docker", docker(&["service", "inspect", &service])), ("swarmctl", ours(&["inspect", &service]))],
    );
    compare(
        "ls of all services",
        &[
            ("docker", docker(&["service", "ls"])),
            ("curl, answer dropped", curl("/services?status=true")),
            ("swarmctl", ours(&["ls"])),
        ],
    );
    let update = |image: &str| {
        ["service", "update", "--detach", "-q", "--no-resolve-image", "--image", image, &service]
            .map(String::from)
    };
    let ours_to =
        |image: &str| ["update-image", "--detach", "--no-resolve-image", &service, image].map(String::from);
    let turns = |a: [String; 8], b: [String; 8]| {
        [a, b].map(|args| words(&["docker", "-H", &host], &args.each_ref().map(String::as_str)))
    };
    let dockers = turns(update("bench:1"), update("bench:2"));
    let swarmctls =
        [ours_to("bench:3"), ours_to("bench:4")].map(|args| ours(&args.each_ref().map(String::as_str)));
    compare_turns("update of the image, detached", &[("docker", &dockers), ("swarmctl", &swarmctls)]);
}

fn compare(what: &str, commands: &[(&str, Vec<String>)]) {
    let commands: Vec<_> =
        commands.iter().map(|(name, command)| (*name, std::slice::from_ref(command))).collect();
    compare_turns(what, &commands);
}

/// Each contender's commands take turns, so that every update changes something.
fn compare_turns(what: &str, contenders: &[(&str, &[Vec<String>])]) {
    let mut costs = vec![Vec::new(); contenders.len()];
    for run in 0..RUNS {
        for ((_, commands), costs) in contenders.iter().zip(&mut costs) {
            costs.push(run_measured(&commands[run % commands.len()]));
        }
    }
    let medians: Vec<Cost> = costs.iter_mut().map(|costs| median(costs)).collect();
    println!("\n{what} (median of {RUNS})");
    println!("{:<22}{:>10}{:>8}{:>10}{:>8}{:>12}", "", "wall ms", "ratio", "CPU ms", "ratio", "memory MiB");
    for ((name, _), cost) in contenders.iter().zip(&medians) {
        let ratio =
            |of: fn(&Cost) -> Duration| of(cost).as_secs_f64() / of(&medians[0]).as_secs_f64().max(1e-9);
        println!(
            "{name:<22}{:>10.2}{:>8.2}{:>10.2}{:>8.2}{:>12.1}",
            cost.wall.as_secs_f64() * 1e3,
            ratio(|cost| cost.wall),
            cost.cpu.as_secs_f64() * 1e3,
            ratio(|cost| cost.cpu),
            cost.memory as f64 / 1024.0
        );
    }
}

fn median(costs: &mut [Cost]) -> Cost {
    let middle = costs.len() / 2;
    let mut result = Cost::default();
    costs.sort_by_key(|cost| cost.wall);
    result.wall = costs[middle].wall;
    costs.sort_by_key(|cost| cost.cpu);
    result.cpu = costs[middle].cpu;
    result.memory = costs.iter().map(|cost| cost.memory).max().unwrap_or_default();
    result
}

fn run_measured(command: &[String]) -> Cost {
    let output =
        Command::new(std::env::current_exe().unwrap()).arg("measure").args(command).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [wall, cpu, memory] = numbers[..] else {
        panic!("{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr))
    };
    Cost { wall: Duration::from_micros(wall), cpu: Duration::from_micros(cpu), memory: memory as i64 }
}

/// Runs one command and prints its microseconds of wall and CPU time and its KiB of memory.
fn measure(command: &[String]) {
    let began = Instant::now();
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    let wall = began.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let micros = |time: nix::sys::time::TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    println!(
        "{} {} {}",
        wall.as_micros(),
        micros(used.user_time()) + micros(used.system_time()),
        used.max_rss()
    );
}

fn words(first: &[&str], rest: &[&str]) -> Vec<String> {
    first.iter().chain(rest).map(|word| (*word).to_owned()).collect()
}
