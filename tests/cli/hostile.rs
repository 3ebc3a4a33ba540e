//! Engines, registries, files and words that mean harm: nothing of theirs reaches a terminal raw, no answer fills the
//! memory, and nothing that is printed to be pasted does anything else than it says.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::endless::Endless;
use crate::support::fixtures::{ID, NETWORK, OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl, swarmctl_by};
use crate::support::server::{Answer, Framing, Handler, Request, Server};

/// A name that renames the window, forges a message, turns what follows round, hides, and runs something.
const EVIL: &str = "w\u{1b}]0;owned\u{7}\u{1b}[2J\nerror: forged\r\n\u{202e}\u{200b}\u{9b}1m\u{2066}\u{fe0f}\u{feff}'$(reboot)`reboot`; reboot\u{0}";
const TASK: &str = "aaaaaaaaaaaarxyqikq81dlk7";
const NODE: &str = "poerqbqn9gys5aoj7hwsie04d";

/// An engine whose every text is hostile.
struct Villain {
    name: String,
    id: &'static str,
}

impl Villain {
    fn start(name: &str) -> Server {
        Server::start(Self { name: name.to_owned(), id: ID })
    }

    fn service(&self, job: bool) -> Value {
        let mut spec = spec(&self.name, &format!("{}:1", self.name));
        // A megabyte in each place would say no more than in these two.
        let evil = if self.name.len() > 1 << 16 { "other" } else { &self.name };
        spec["Labels"] = json!({ evil: evil });
        spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!([evil, format!("A={evil}")]);
        spec["TaskTemplate"]["ContainerSpec"]["Mounts"] =
            json!([{ "Target": evil, "Source": evil, "Type": evil }]);
        spec["TaskTemplate"]["Networks"] = json!([{ "Target": NETWORK, "Aliases": [evil] }]);
        spec["TaskTemplate"]["Placement"] = json!({ "Constraints": [evil] });
        spec["TaskTemplate"]["Resources"] = json!({ "Reservations": { "GenericResources": [{ "NamedResourceSpec": { "Kind": evil, "Value": evil } }] } });
        if job {
            spec["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1 } });
        }
        let mut previous = spec.clone();
        previous["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into();
        json!({
            "ID": if job { "2vmkw77uhqcxjfzgtls48aen1" } else { self.id }, "Version": { "Index": 7 },
            "CreatedAt": evil, "UpdatedAt": "2026-11-22T03:00:00Z", "Spec": spec, "PreviousSpec": previous,
            "UpdateStatus": { "State": "completed", "StartedAt": "2026-11-22T03:00:00Z", "Message": evil },
            "Endpoint": { "Ports": [{ "Protocol": evil, "TargetPort": 80, "PublishedPort": 1, "PublishMode": evil }] },
            "ServiceStatus": { "RunningTasks": 0, "DesiredTasks": 1 }
        })
    }

    fn task(&self) -> Value {
        let at = "2026-11-22T03:00:00Z";
        json!({
            "ID": TASK, "Version": { "Index": 8 }, "CreatedAt": at, "UpdatedAt": at, "ServiceID": self.id, "Slot": 1,
            "NodeID": NODE, "DesiredState": "running",
            "Spec": { "ContainerSpec": { "Image": self.name }, "ForceUpdate": 0 },
            "Status": { "Timestamp": at, "State": "rejected", "Message": self.name, "Err": self.name,
                "ContainerStatus": { "ContainerID": self.name, "ExitCode": 1 } }
        })
    }
}

impl Handler for Villain {
    fn answer(&mut self, request: &Request) -> Answer {
        let evil = self.name.clone();
        let parts: Vec<&str> = request.endpoint().trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), &parts[..]) {
            (_, ["_ping"]) => Answer::pong(),
            ("GET", ["services"]) => Answer::json(200, json!([self.service(false), self.service(true)]).to_string()),
            ("GET", ["services", _, "logs"]) | ("GET", ["tasks", _, "logs"]) => {
                let line = format!(
                    "evil={}%0a,com.docker.swarm.node.id={NODE},com.docker.swarm.service.id={ID},\
                     com.docker.swarm.task.id={TASK} {evil}\n",
                    percent_encoding::utf8_percent_encode(&evil, percent_encoding::NON_ALPHANUMERIC)
                );
                let frame = |kind: u8, text: &str| {
                    [&[kind, 0, 0, 0][..], &u32::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
                };
                Answer::json(200, [frame(1, &line), frame(2, &line), frame(3, &evil)].concat())
            }
            ("GET", ["services", id]) if *id == TASK => Answer::error(404, &evil),
            ("GET", ["services", _]) => Answer::json(200, self.service(false).to_string()),
            ("GET", ["tasks"]) => Answer::json(200, json!([self.task()]).to_string()),
            ("GET", ["tasks", _]) => Answer::json(200, self.task().to_string()),
            ("GET", ["nodes"]) => Answer::json(
                200,
                json!([{ "ID": NODE, "Spec": { "Role": evil, "Availability": evil, "Labels": { &evil: &evil } },
                    "Description": { "Hostname": evil }, "Status": { "State": evil } }])
                .to_string(),
            ),
            ("GET", ["networks", _]) => {
                let network = json!({ "Id": NETWORK, "Name": evil, "IPAM": { "Config": [{ "Subnet": evil }] } });
                Answer::json(200, network.to_string())
            }
            ("GET", ["info"]) => Answer::json(200, json!({ "Swarm": { "NodeID": evil } }).to_string()),
            ("GET", ["distribution", ..]) => Answer::error(500, &evil),
            ("POST", [.., "update"]) if request.param("rollback").is_none() => {
                Answer::json(200, json!({ "Warnings": [evil, evil] }).to_string())
            }
            ("DELETE", _) => Answer::error(500, &evil),
            _ => Answer::error(400, &evil),
        }
    }
}

/// What a terminal would obey, or a reader not see; line breaks are for the lines themselves.
fn deceives(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe0f}' | '\u{feff}')
}

/// Nothing deceives, nothing stands at the begin of a line that was not put there by the program, and it is short.
#[track_caller]
fn is_harmless(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        let found = text.chars().find(|c| deceives(*c));
        assert_eq!(found, None, "{:?} is printed\n{}", found, run.report());
        assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{}", run.report());
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.report());
    assert!(run.code.is_some_and(|code| code < 100), "{}", run.report());
}

/// Every command that reads or acts, as far as a hostile engine lets it.
const COMMANDS: &[&[&str]] = &[
    &["ls"],
    &["ls", "-q"],
    &["ps", ID],
    &["ps", "--no-trunc", ID],
    &["ps", "--all"],
    &["inspect", "--pretty", ID],
    &["logs", "--since", "1h", ID],
    &["logs", "--details", "--no-trunc", ID],
    &["logs", TASK],
    &["status", ID],
    &["status", "--all"],
    &["wait", "--timeout", "1s", ID],
    &["wait", "--timeout", "1s", "--all", "--progress", "plain"],
    &["wait", "--timeout", "1s", "--progress", "json", ID],
    &["update-image", "--timeout", "1s", ID, "shop/web:1.8"],
    &["update-image", "--timeout", "1s", "--all", "--tag", "1.8"],
    &["update-image", "--dry-run", "--no-resolve-image", ID, "shop/web:1.8"],
    &["update", "--timeout", "1s", "--env-add", "B=1", "--label-rm", "x", ID],
    &["update", "--dry-run", "--mode", "global", ID],
    &["update", "--name", "other", ID],
    &["scale", "--timeout", "1s", "--detach", "lvmkw77uhqcxjfzgtls48aen1=3"],
    &["restart", "--timeout", "1s", "--detach", ID],
    &["restart", "--timeout", "1s", "--all"],
    &["rollback", "--timeout", "1s", ID],
    &["outdated"],
    &["outdated", ID],
    &["auth", "refresh", ID],
    &["rm", ID],
    &["create", "--network", "x", "--secret", "y", "shop/web:1.8"],
];

fn run(server: &Server, args: &[&str]) -> Run {
    swarmctl(args.iter().copied()).host(server.host()).limit(Duration::from_secs(90)).run()
}

#[test]
fn no_command_shows_hostile_text_raw() {
    let server = Villain::start(EVIL);
    for args in COMMANDS {
        let mut run = run(&server, args);
        // Log lines go into a pipe as they came; what stands before them is the program's.
        if args[0] == "logs" {
            for text in [&mut run.stdout, &mut run.stderr] {
                *text = text.replace(EVIL, "LINE").replace(&EVIL[..EVIL.find('\n').unwrap()], "FIRST");
            }
            assert!(run.stdout.contains("LINE"), "{}", run.report());
        }
        is_harmless(&run);
        assert!(!(run.stdout.is_empty() && run.stderr.is_empty()), "{}", run.report());
    }
}

#[test]
fn debug_lines_and_json_lines_are_harmless_too() {
    let server = Villain::start(EVIL);
    for args in [
        &["-D", "update-image", "--timeout", "1s", "--progress", "json", ID, "shop/web:1.8"][..],
        &["-D", "ps", EVIL.trim_end_matches('\0')],
        &["-D", "logs", TASK, "--no-resolve"],
    ] {
        let mut run = run(&server, args);
        run.stdout = run.stdout.replace(EVIL, "LINE");
        run.stderr = run.stderr.replace(EVIL, "LINE");
        // JSON into a pipe is as the engine has it, but for what JSON itself has to escape.
        run.stderr = run.stderr.lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n");
        is_harmless(&run);
        assert!(run.stderr.contains("debug: GET /v1.41/"), "{}", run.report());
    }
}

#[test]
fn on_a_terminal_nothing_is_raw_either() {
    let server = Villain::start(EVIL);
    for args in [
        &["logs", ID][..],
        &["inspect", ID],
        &["ls", "--json"],
        &["ps", ID],
        &["wait", "--timeout", "1s", ID],
        &["update-image", "--timeout", "1s", ID, "shop/web:1.8"],
        &["update-image", ID, EVIL.trim_end_matches('\0')],
        &["ls", "--filter", EVIL.trim_end_matches('\0')],
        &[EVIL.trim_end_matches('\0')],
        &["ls", "--no\u{1b}]0;owned\u{7}"],
    ] {
        let mut script = Command::new("script");
        let words: Vec<String> =
            args.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        let line = format!("{} {}", env!("CARGO_BIN_EXE_swarmctl"), words.join(" "));
        script.args(["-qec", &line, "/dev/null"]);
        let run = swarmctl_by(script).env("TERM", "xterm").host(server.host()).run();
        let text = run.stdout.clone();
        for evil in [
            "\u{1b}]0;",
            "\u{7}",
            "\u{202e}",
            "\u{200b}",
            "\u{2066}",
            "\u{feff}",
            "\u{9b}",
            "\u{1b}[2J\n",
            "\u{0}",
        ] {
            assert!(!text.contains(evil), "{evil:?} reaches the terminal\n{}\n{text:?}", run.report());
        }
        assert!(!text.contains("\nerror: forged"), "{text:?}");
        assert!(text.contains("forged") || text.contains("owned"), "{text:?}");
    }
}

#[test]
fn tables_stay_aligned() {
    let server = Villain::start(EVIL);
    for args in [&["ls"][..], &["ps", ID], &["ps", "--no-trunc", ID], &["outdated"]] {
        let run = run(&server, args);
        let mut lines = run.stdout.lines();
        let header = lines.next().unwrap();
        let second = header.split("  ").map(str::trim).filter(|word| !word.is_empty()).nth(1).unwrap();
        let at = header.find(second).unwrap();
        for line in lines {
            let before: String = line.chars().take(at).collect();
            assert!(before.ends_with("  "), "column {second} is not where its header is\n{}", run.report());
        }
        assert!(run.stdout.lines().count() <= 3, "a row is a line\n{}", run.report());
    }
}

#[test]
fn json_stays_json() {
    let server = Villain::start(EVIL);
    for args in [
        &["ls", "--json"][..],
        &["ps", "--json", ID],
        &["inspect", ID],
        &["status", "--json", ID],
        &["outdated", "--json"],
        &["wait", "--json", "--timeout", "1s", ID],
        &["update-image", "--json", "--timeout", "1s", ID, "shop/web:1.8"],
        &["rm", "--json", ID],
        &["auth", "refresh", "--json", ID],
    ] {
        let run = run(&server, args);
        let json = run.json();
        assert!(json.to_string().contains("forged"), "{}", run.report());
    }
}

#[test]
fn what_can_be_pasted_is_one_harmless_word() {
    let server = Villain::start("web; touch pasted #");
    for args in [
        &["wait", "--timeout", "1s", ID][..],
        &["update", "--timeout", "1s", "--env-add", "B=1", ID],
        &["restart", "--timeout", "1s", ID],
    ] {
        let run = run(&server, args);
        let hints = run.stderr.lines().filter(|line| line.starts_with("hint: ")).collect::<String>();
        let mut commands =
            hints.split('`').skip(1).step_by(2).filter(|part| part.starts_with("swarmctl")).peekable();
        assert!(commands.peek().is_some(), "{}", run.report());
        for command in commands {
            assert!(command.contains("'web; touch pasted #'"), "{command}\n{}", run.report());
        }
    }
}

#[test]
fn a_text_of_a_megabyte_is_cut_and_says_so() {
    let server = Villain::start(&"漢字\u{1b}[1m".repeat(100_000));
    for args in [
        &["ls"][..],
        &["ps", "--no-trunc", ID],
        &["inspect", "--pretty", ID],
        &["wait", "--timeout", "1s", ID],
        &["rm", ID],
        &["outdated", ID],
    ] {
        let run = run(&server, args);
        is_harmless(&run);
        let length = run.stdout.len() + run.stderr.len();
        assert!(length < 1_000_000, "{length} bytes of {args:?}: {:.2000}", run.stderr);
        assert!(run.took < Duration::from_secs(60));
    }
}

#[test]
fn words_of_the_command_line_are_made_visible() {
    let server = Villain::start(EVIL);
    let evil = EVIL.trim_end_matches('\0');
    for args in [
        &[evil][..],
        &["ls", &format!("--{evil}")],
        &["ls", "--filter", evil],
        &["wait", "--timeout", evil, "web"],
        &["logs", "--since", evil, "web"],
        &["update-image", "web", evil],
        &["scale", &format!("web={evil}")],
        &["create", "--publish", evil, "x"],
        &["-H", evil, "ls"],
        &["inspect", evil],
        &["update", "--spec", evil, "web"],
        &["update-image", "--from", evil],
        &["create", "--env-file", evil, "x"],
        &["--config", evil, "create", "x"],
    ] {
        let run = run(&server, args);
        is_harmless(&run);
        assert_ne!(run.code, Some(0), "{}", run.report());
    }
}

// Answers without end

/// swarmctl that may have so many kilobytes of addresses: an answer that is taken in without end fails it.
fn bounded(kilobytes: u32, args: &[&str]) -> Swarmctl {
    let mut bash = Command::new("bash");
    let line = format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\"");
    bash.args(["-c", &line, env!("CARGO_BIN_EXE_swarmctl")]).args(args);
    swarmctl_by(bash)
}

const LONG: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
const GIGABYTE: u32 = 1 << 20;

#[test]
fn a_list_without_end_is_refused_in_bounded_memory() {
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let endless = Endless::start(LONG, chunk);
    bounded(GIGABYTE, &["ls"])
        .host(endless.host())
        .run()
        .exits(8)
        .tells_an_error()
        .says(&["the answer to `GET /v1.41/services` is longer than 256 MiB"]);
}

#[test]
fn a_refusal_without_end_is_read_as_far_as_a_refusal_can_go() {
    let head = LONG.replace("200 OK", "500 Internal Server Error");
    let endless = Endless::start(head, format!("1000\r\n{}\r\n", "x".repeat(0x1000)));
    for args in [&["ls"][..], &["logs", "web"], &["inspect", "web"]] {
        bounded(GIGABYTE / 4, args).host(endless.host()).run().exits(8).tells_an_error();
    }
}

#[test]
fn headers_and_chunk_sizes_without_end_are_no_answer() {
    let header = format!("X-More: {}\r\n", "x".repeat(1000));
    for (head, more) in [
        ("HTTP/1.1 200 OK\r\n".to_owned(), header),
        ("HTTP/1.1 200 OK\r\nX-Long: ".to_owned(), "x".repeat(4096)),
        ("HTTP/1.1 200 ".to_owned(), "x".repeat(4096)),
        (LONG.to_owned() + "5;", "a=b;".repeat(1000)),
        (LONG.to_owned(), "0".repeat(4096)),
    ] {
        let endless = Endless::start(head.clone(), more);
        let run = bounded(GIGABYTE / 4, &["wait", "--timeout", "3s", "web"]).host(endless.host()).run();
        let run = run.exits(8).tells_an_error();
        assert!(run.took < Duration::from_secs(20), "{head:.60}\n{}", run.report());
    }
}

#[test]
fn interim_answers_without_end_have_an_end() {
    let endless = Endless::start("", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100));
    bounded(GIGABYTE / 4, &["wait", "--timeout", "3s", "web"])
        .host(endless.host())
        .run()
        .exits(8)
        .tells_an_error();
}

#[test]
fn objects_and_brackets_without_end_are_told_from_services() {
    let service = |inner: &str| {
        let spec = spec("web", OLD).to_string();
        format!("{{\"ID\":\"{ID}\",\"Version\":{{\"Index\":7}},\"X\":{inner},\"Spec\":{spec}}}")
    };
    let deep = service(&format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)));
    let wide = service(&format!("[{}0]", "0,".repeat(9 << 20)));
    for (object, why) in [(deep, "recursion limit exceeded"), (wide, "longer than 16 MiB")] {
        let list = object.clone();
        let server = Server::start(Canned { object, list: format!("[{list}]") });
        let run = |args: &[&str]| {
            let run = bounded(GIGABYTE * 3 / 2, args).host(server.host()).run();
            assert!(!run.stderr.contains("panicked") && run.code.is_some(), "{:.3000}", run.stderr);
            run
        };
        let update = run(&["update-image", "--detach", "--no-resolve-image", "web", "shop/web:1.8"]);
        assert!(
            update.code == Some(8) && update.stderr.contains(why),
            "{:?} {:.3000}",
            update.code,
            update.stderr
        );
        if why.contains("MiB") {
            continue;
        }
        let all = run(&["update-image", "--detach", "--no-resolve-image", "--all", "--tag", "1.8"]);
        assert_eq!(all.code, Some(8), "it is not left out without a word: {:.3000}", all.stderr);
        // As text it may pass, but not as gigabytes of blanks.
        assert!(run(&["inspect", "web"]).stdout.len() < 1 << 20);
        assert!(run(&["ls"]).code.is_some_and(|code| [0, 8].contains(&code)));
    }
}

/// One service, as text.
struct Canned {
    object: String,
    list: String,
}

impl Handler for Canned {
    fn answer(&mut self, request: &Request) -> Answer {
        match request.endpoint() {
            "/_ping" => Answer::pong(),
            "/services" => Answer::json(200, self.list.clone()).framed(Framing::Length),
            "/tasks" | "/nodes" => Answer::json(200, "[]"),
            _ => Answer::json(200, self.object.clone()).framed(Framing::Length),
        }
    }
}

#[test]
fn a_frame_of_four_gigabytes_is_none() {
    let server = Server::start(Frames);
    let run = bounded(GIGABYTE / 4, &["logs", "--raw", TASK]).host(server.host()).run();
    run.exits(8).says(&["a frame is said to be longer than"]);
}

/// A log whose first frame claims four gigabytes.
struct Frames;

impl Handler for Frames {
    fn answer(&mut self, request: &Request) -> Answer {
        let task = Villain { name: "web".to_owned(), id: ID }.task();
        match request.endpoint() {
            "/_ping" => Answer::pong(),
            path if path.starts_with("/services/") => Answer::error(404, "none"),
            path if path.ends_with("/logs") => {
                Answer::json(200, [&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff][..], &[b'x'; 1 << 20]].concat())
            }
            _ => Answer::json(200, task.to_string()),
        }
    }
}

// Files

#[test]
fn files_that_are_none_or_have_no_end_are_refused() {
    let server = Villain::start("web");
    for (args, why) in [
        (&["update", "--spec", "/dev/zero", ID][..], "longer than 16 MiB"),
        (&["create", "--env-file", "/dev/zero", "x"], "longer than 16 MiB"),
        (&["create", "--security-opt", "seccomp=/dev/zero", "x"], ""),
        (&["update-image", "--from", "/dev/zero"], "longer than 64 MiB"),
        (&["update", "--spec", "/", ID], "directory"),
        (&["update-image", "--from", "/"], "directory"),
    ] {
        let run = bounded(GIGABYTE / 2, args).host(server.host()).run().exits_one_of(&[1, 2]).says(&[why]);
        is_harmless(&run);
    }
    let bomb = "[".repeat(1 << 20);
    let object = "{\"a\":".repeat(1 << 20);
    for bomb in [&bomb, &object] {
        for args in
            [&["update", "--spec", "-", ID][..], &["update-image", "--from", "-"], &["create", "--spec", "-"]]
        {
            let run = bounded(GIGABYTE / 4, args).host(server.host()).stdin(bomb).run().exits(2);
            is_harmless(&run);
        }
    }
}

#[test]
fn a_list_of_many_services_is_read_in_a_moment() {
    let server = Villain::start("web");
    let list: String = (0..100_000).map(|i| format!("s{i} a:1\n")).collect::<String>() + "s1 b:2\n";
    let run = swarmctl(["update-image", "--from", "-"])
        .stdin(&list)
        .host(server.host())
        .limit(Duration::from_secs(60));
    run.run().exits(2).says(&["line 100001", "`s1` shall have another image as well"]);
}

// Path segments

#[test]
fn names_are_one_segment_of_a_path_or_nobodys() {
    let server = Villain::start("web");
    for name in ["..", ".", "", "a/b", "../../images/json", &"x".repeat(300)] {
        let before = server.requests().len();
        for command in ["inspect", "ps", "rm", "restart"] {
            let run = run(&server, &[command, "--", name]);
            assert_eq!(run.code, Some(3), "{}", run.report());
        }
        let asked: Vec<String> = server.requests()[before..].iter().map(Request::line).collect();
        assert!(
            asked.iter().all(|line| !line.contains("services/") && !line.starts_with("DELETE")),
            "{asked:?}"
        );
    }
    for (name, segment) in [("a?b#c", "a%3Fb%23c"), ("a%2fb", "a%252fb"), ("a b\n", "a%20b%0A"), ("-x", "-x")]
    {
        let before = server.requests().len();
        run(&server, &["inspect", "--", name]).exits(3);
        let asked = server.requests();
        assert!(
            asked[before..].iter().any(|request| request.path == format!("/v1.41/services/{segment}")),
            "{name}: {:?}",
            asked[before..].iter().map(Request::line).collect::<Vec<_>>()
        );
    }
}
