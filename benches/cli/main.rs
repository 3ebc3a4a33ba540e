//! What commands cost, compared with other programs in the same run. `scripts/bench` starts the engine and calls this.
//!
//! This is not a test: it prints ratios, which are more stable than times, and checks nothing. The program also starts
//! itself: as `measure COMMAND...`, to get the peak memory of one command, and as `post ...`, the bare client.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot continue stops with the reason"
)]

mod measure;
mod peers;
mod planned;
mod recorded;
mod table;
mod tag_lists;
mod watched;

use measure::{Contender, compare};
use peers::{Prepared, count_requests};
use table::Section;

/// The number of rounds of a comparison. Comparisons of fast commands have a multiple of it. In each round, the
/// programs take turns, so that a slow moment affects all of them.
const ROUNDS: usize = 15;
/// Rounds if a command takes many seconds.
const FEW_ROUNDS: usize = 3;
/// The number of services in a large swarm. A loop of docker commands would take minutes per round.
const MANY: usize = 10_000;
/// The filter that selects the first 200 services.
const FIRST_200: &str = "label=first200=yes";
/// The number of connections of every program that posts updates concurrently.
const CONNECTIONS: usize = 8;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((word, command)) if word == "measure" => measure::child(command),
        Some((word, args)) if word == "post" => peers::post_all(args),
        Some((word, _)) if word == "watched" => drop(watched::section(&env("BENCH_SOCKET"), ROUNDS)),
        // Unlike the other comparisons, this one does not need the engine of scripts/bench: it starts a scripted one.
        Some((word, _)) if word == "tag-lists" => drop(tag_lists::section()),
        Some((word, _)) if word == "recorded" => {
            drop(recorded::with_journal(&env("BENCH_SOCKET"), FIRST_200, ROUNDS));
        }
        Some((word, _)) if word == "unrecorded" => {
            let (socket, service) = (env("BENCH_SOCKET"), env("BENCH_SERVICE"));
            drop(recorded::without_journal(&socket, &service, FIRST_200, ROUNDS));
        }
        Some((word, _)) if word == "lint" => {
            drop(lint(&Commands { socket: env("BENCH_SOCKET") }, &env("BENCH_SERVICES"), ROUNDS * 2));
        }
        _ => table::write(&all()),
    }
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/bench"))
}

/// Builds command lines of docker, swarmctl and curl for one socket.
struct Commands {
    socket: String,
}

impl Commands {
    fn new(socket: &str) -> Self {
        Self { socket: socket.to_owned() }
    }

    fn words(&self, first: &[&str], rest: &[&str]) -> Vec<String> {
        first.iter().chain(rest).map(|word| (*word).to_owned()).collect()
    }

    fn ours(&self, args: &[&str]) -> Vec<String> {
        self.words(&[env!("CARGO_BIN_EXE_swarmctl"), "-H", &format!("unix://{}", self.socket)], args)
    }

    fn docker(&self, args: &[&str]) -> Vec<String> {
        self.words(&["docker", "-H", &format!("unix://{}", self.socket), "service"], args)
    }

    fn curl(&self, path: &str) -> Vec<String> {
        let url = format!("http://engine{path}");
        self.words(&["curl", "-s", "-o", "/dev/null", "--unix-socket", &self.socket, &url], &[])
    }

    /// A shell command that updates all services in the file `names`.
    fn docker_for_all(&self, how: &str, image: &str, names: &str) -> Vec<String> {
        let docker = self.docker(&["update", "--detach", "-q", "--no-resolve-image", "--image", image]);
        let script = format!("{how} {} >/dev/null <'{names}'", docker.join(" "));
        self.words(&["sh", "-c", &script], &[])
    }
}

fn all() -> Vec<Section> {
    let (socket, service, names) = (env("BENCH_SOCKET"), env("BENCH_SERVICE"), env("BENCH_NAMES"));
    let commands = Commands { socket: socket.clone() };
    let fixed = |name: &str, command: Vec<String>| Contender::new(name, move |_| command.clone());
    let mut sections = vec![
        compare(
            "`--version`",
            ROUNDS * 4,
            vec![
                fixed("an empty Rust program", vec![env("BENCH_EMPTY")]),
                fixed("swarmctl", vec![env!("CARGO_BIN_EXE_swarmctl").into(), "--version".into()]),
                fixed("docker", vec!["docker".into(), "--version".into()]),
            ],
        ),
        compare(
            "`inspect`",
            ROUNDS * 2,
            vec![
                fixed("docker", commands.docker(&["inspect", &service])),
                fixed("curl, response discarded", commands.curl(&format!("/services/{service}"))),
                fixed("swarmctl", commands.ours(&["inspect", &service])),
            ],
        ),
    ];
    sections.extend(lists(&commands, &env("BENCH_SERVICES"), ROUNDS));
    sections.push(lint(&commands, &env("BENCH_SERVICES"), ROUNDS * 2));
    let update = ["update", "--detach", "-q", "--no-resolve-image", "--image"];
    let docker = Commands { socket: socket.clone() };
    let ours = Commands { socket: socket.clone() };
    let one = service.clone();
    sections.push(compare(
        "`update-image --detach --no-resolve-image`, one service",
        ROUNDS * 2,
        vec![
            Contender::new("docker", {
                let one = one.clone();
                move |turn| docker.docker(&[&update[..], &[&format!("bench:d{turn}"), &one]].concat())
            }),
            Contender::new("swarmctl", move |turn| {
                ours.ours(&[
                    "update-image",
                    "--detach",
                    "--no-resolve-image",
                    &one,
                    &format!("bench:s{turn}"),
                ])
            }),
        ],
    ));
    sections.push(watched::section(&socket, ROUNDS));
    for (count, rounds) in [(200, ROUNDS), (1000, FEW_ROUNDS)] {
        if let Some(names) = peers::first_names(&names, count) {
            let what =
                format!("update the image of {count} of {} services, `--detach`", env("BENCH_SERVICES"));
            let chosen = ["--filter".to_owned(), format!("label=first{count}=yes")];
            sections.push(batch(&socket, &what, &names, &chosen, rounds));
            if count == 200 {
                let what = format!("`apply` of a plan for {count} services, `--detach`");
                sections.push(planned::section(&socket, &what, FIRST_200, CONNECTIONS, rounds));
                sections.extend(recorded::without_journal(&socket, &service, FIRST_200, rounds));
                sections.push(recorded::with_journal(&socket, FIRST_200, rounds));
            }
        }
    }
    count_all(&mut sections, &socket);
    // Requests are counted only on their way to the engine of scripts/bench, and this comparison has its own engine.
    sections.push(tag_lists::section());
    // A run with few services is for a quick result, so the comparison with `MANY` services is skipped.
    if peers::names(&names).len() < 2000 {
        return sections;
    }
    let names = peers::grow(&socket, &names, &service, MANY);
    let mut large = lists(&commands, &MANY.to_string(), FEW_ROUNDS);
    let what = format!("update the image of all {MANY} services, `--detach`");
    // Other sections have created services with another repository, so `--all` would be refused.
    let all = ["--filter", "label=team=shop"].map(str::to_owned);
    large.push(batch(&socket, &what, &names, &all, FEW_ROUNDS));
    count_all(&mut large, &socket);
    sections.extend(large);
    sections
}

fn count_all(sections: &mut [Section], socket: &str) {
    let rows = sections.iter_mut().flat_map(|section| &mut section.rows);
    for row in rows.filter(|row| row.requests.is_none()) {
        row.requests = row.example.as_deref().and_then(|command| count_requests(socket, command));
    }
}

/// Lists of all services.
fn lists(commands: &Commands, services: &str, rounds: usize) -> Vec<Section> {
    let fixed = |name: &str, command: Vec<String>| Contender::new(name, move |_| command.clone());
    let list = |(what, docker, ours): (&str, &[&str], &[&str])| {
        compare(
            &format!("{what} of {services} services"),
            rounds,
            vec![
                fixed("docker", commands.docker(docker)),
                fixed("curl, response discarded", commands.curl("/services?status=true")),
                fixed("swarmctl", commands.ours(ours)),
            ],
        )
    };
    [("`ls`", &["ls"][..], &["ls"][..]), ("`ls --json`", &["ls", "--format", "json"], &["ls", "--json"])]
        .map(list)
        .into()
}

/// `lint`, compared with curl for the lists that it reads.
fn lint(commands: &Commands, services: &str, rounds: usize) -> Section {
    let lists = ["/services", "/nodes", "/tasks", "/networks"];
    let mut curl = commands.words(&["curl", "-s", "--unix-socket", &commands.socket], &[]);
    for path in lists {
        curl.extend(["-o".to_owned(), "/dev/null".to_owned(), format!("http://engine{path}")]);
    }
    let ours = commands.ours(&["lint"]);
    let fixed = |name: &str, command: Vec<String>| Contender::new(name, move |_| command.clone());
    let contenders = vec![fixed("curl, the four lists, responses discarded", curl), fixed("swarmctl", ours)];
    compare(&format!("`lint` of {services} services"), rounds, contenders)
}

/// Updates of many services, including the read-back, compared with docker in a loop, several docker processes and a
/// bare client. Docker in a loop is left out if there are more than 200 services, and the
/// docker processes if there are more than 2000.
fn batch(socket: &str, what: &str, names: &str, chosen: &[String], rounds: usize) -> Section {
    let commands = || Commands { socket: socket.to_owned() };
    let (looped, xargs, ours) = (commands(), commands(), commands());
    let [names1, names2] = [names.to_owned(), names.to_owned()];
    let prepared = Prepared::new(socket, names);
    let (chosen, count) = (chosen.to_vec(), peers::names(names).len());
    let mut contenders = vec![
        Contender::new("docker in a loop", move |turn| {
            looped.docker_for_all("xargs -n 1", &format!("bench:l{turn}"), &names1)
        }),
        Contender::new(&format!("xargs -P{CONNECTIONS} docker"), move |turn| {
            let how = format!("xargs -n 1 -P {CONNECTIONS}");
            xargs.docker_for_all(&how, &format!("bench:x{turn}"), &names2)
        }),
        Contender::new(&format!("a bare client that posts prepared bodies, {CONNECTIONS} connections"), {
            move |turn| prepared.command(&format!("bench:p{turn}"), CONNECTIONS)
        }),
        Contender::new(&format!("swarmctl --parallel {CONNECTIONS}"), move |turn| {
            let parallel = CONNECTIONS.to_string();
            let flags = ["update-image", "--detach", "-q", "--no-resolve-image", "--parallel", &parallel];
            let image = format!("bench:b{turn}");
            let chosen = chosen.iter().map(String::as_str).chain([&*image]);
            ours.ours(&flags.into_iter().chain(chosen).collect::<Vec<_>>())
        }),
    ];
    // The time per service of a docker loop does not change with the number of services.
    let left_out = match count {
        0..=200 => 0,
        201..=2000 => 1,
        _ => 2,
    };
    compare(what, rounds, contenders.split_off(left_out))
}
