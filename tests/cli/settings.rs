//! Which engine is used: flags, variables, contexts and config.json, by docker's rules. Each engine has one service,
//! which identifies it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl};
use crate::support::secrets::PASSWORD;

/// A user with a config directory, and engines `a` to `d`, each with a service that has the engine's name.
pub struct User {
    directory: TempDir,
    engines: Vec<(&'static str, FakeSwarm)>,
}

impl User {
    /// Creates a user with contexts for the engines of these names. `current` is `currentContext` in config.json.
    pub fn new(contexts: &[&'static str], current: &str) -> Self {
        let engines = ["a", "b", "c", "d"].map(|name| (name, FakeSwarm::with([spec(name, OLD)])));
        let user = Self { directory: tempfile::tempdir().unwrap(), engines: engines.into() };
        for name in contexts {
            let docker = json!({ "Host": user.host(name), "SkipTLSVerify": false });
            user.context(name, &json!({ "Name": name, "Metadata": {}, "Endpoints": { "docker": docker } }));
        }
        if !current.is_empty() {
            user.config(&json!({ "auths": {}, "currentContext": current }).to_string());
        }
        user
    }

    pub fn host(&self, name: &str) -> String {
        self.engines.iter().find(|(other, _)| *other == name).map(|(_, engine)| engine.host()).unwrap()
    }

    /// The path at which docker stores the `meta.json` of a context.
    pub fn meta(&self, name: &str) -> PathBuf {
        let hash: String =
            digest(&SHA256, name.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        self.directory.path().join("contexts/meta").join(hash).join("meta.json")
    }

    pub fn context(&self, name: &str, meta: &Value) {
        let file = self.meta(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, meta.to_string()).unwrap();
    }

    pub fn config(&self, text: &str) {
        fs::write(self.directory.path().join("config.json"), text).unwrap();
    }

    fn config_directory(&self) -> String {
        self.directory.path().display().to_string()
    }

    /// Splits a line into environment variables and flags. `@a` stands for the host of engine `a`.
    pub fn words(&self, line: &str) -> (Vec<(String, String)>, Vec<String>) {
        let mut line = line.to_owned();
        for (name, engine) in &self.engines {
            line = line.replace(&format!("@{name}"), &engine.host());
        }
        let words = line.split(' ').filter(|word| !word.is_empty());
        let (variables, flags): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with("DOCKER_"));
        let variables = variables.iter().filter_map(|word| word.split_once('='));
        let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let directory = ("DOCKER_CONFIG".to_owned(), self.config_directory());
        (
            std::iter::once(directory).chain(variables).collect(),
            flags.into_iter().map(str::to_owned).collect(),
        )
    }

    pub fn swarmctl(&self, line: &str, command: &[&str]) -> Swarmctl {
        let (variables, flags) = self.words(line);
        let args = flags.iter().map(String::as_str).chain(command.iter().copied());
        let run = swarmctl(args).limit(Duration::from_secs(20));
        variables.iter().fold(run, |run, (key, value)| run.env(key, value))
    }

    /// The names of the engines that received requests during `act`.
    pub fn asked_by(&self, act: impl FnOnce()) -> Vec<&'static str> {
        let counts = || self.engines.iter().map(|(_, engine)| engine.requests().len()).collect::<Vec<_>>();
        let before = counts();
        act();
        let names = self.engines.iter().zip(before.iter().zip(counts()));
        names.filter(|(_, (before, after))| *before != after).map(|((name, _), _)| *name).collect()
    }

    pub fn ls(&self, line: &str) -> Run {
        self.swarmctl(line, &["ls"]).run()
    }

    /// Runs `ls`, and returns the name of the engine that responds.
    #[track_caller]
    fn asked(&self, line: &str) -> String {
        let run = self.ls(line).succeeds();
        run.stdout.lines().nth(1).and_then(|row| row.split_whitespace().nth(1)).unwrap_or_default().to_owned()
    }

    fn requests(&self) -> usize {
        self.engines.iter().map(|(_, engine)| engine.requests().len()).sum()
    }
}

// Which engine is used

/// Settings, and the engine that they select if `d` is the current context.
pub const LINES: &[(&str, &str)] = &[
    ("-c a DOCKER_HOST=@b DOCKER_CONTEXT=c", "a"),
    ("--context=a DOCKER_HOST=@b", "a"),
    ("-H @a DOCKER_HOST=@b DOCKER_CONTEXT=c", "a"),
    ("DOCKER_HOST=@b DOCKER_CONTEXT=c", "b"),
    ("DOCKER_CONTEXT=c", "c"),
    ("", "d"),
    // An empty value counts as not set.
    ("--context= DOCKER_HOST= DOCKER_CONTEXT=c", "c"),
    ("DOCKER_CONTEXT=", "d"),
    // The context `default` is the engine that DOCKER_HOST names.
    ("-c default DOCKER_HOST=@b DOCKER_CONTEXT=c", "b"),
    // If a flag is repeated, the last value is used.
    ("-c b -c a", "a"),
    // Settings for TLS apply only to the context `default`, and only to TCP.
    ("-c a --tlsverify --tlscacert /nonexistent", "a"),
    ("-c a DOCKER_TLS_VERIFY=1", "a"),
    ("-H @a --tlsverify", "a"),
    ("DOCKER_HOST=@a DOCKER_TLS=1 DOCKER_CERT_PATH=/nonexistent", "a"),
    // The log level has no effect on the engine.
    ("-l error --log-level=info DOCKER_CONTEXT=a", "a"),
];

#[test]
fn settings_have_the_order_of_precedence_of_docker() {
    let user = User::new(&["a", "b", "c", "d"], "d");
    for (line, engine) in LINES {
        assert_eq!(user.asked(line), *engine, "{line}");
    }
    let run =
        user.swarmctl("", &["ls"]).env("DOCKER_HOST", &format!(" {} ", user.host("b"))).run().succeeds();
    assert!(run.stdout.contains(" b "), "{}", run.report());
}

#[test]
fn the_directory_is_that_of_the_flag_the_variable_or_the_home() {
    let (user, other) = (User::new(&["a"], "a"), User::new(&["b"], "b"));
    let flag = format!("--config {}", other.config_directory());
    let run = user.swarmctl(&flag, &["ls"]).run().succeeds();
    assert!(run.stdout.contains(" b "), "{}", run.report());
    assert_eq!(user.asked("--config="), "a");
    let home = tempfile::tempdir().unwrap();
    fs::rename(other.directory.path(), home.path().join(".docker")).unwrap();
    fs::create_dir(other.directory.path()).unwrap();
    for unset in ["", "x"] {
        let run = swarmctl(["ls"]).env("HOME", &home.path().display().to_string());
        let run = if unset.is_empty() { run } else { run.env("DOCKER_CONFIG", "") };
        let run = run.run().succeeds();
        assert!(run.stdout.contains(" b "), "{}", run.report());
    }
}

#[test]
fn without_settings_the_local_socket_is_used_and_with_tls_the_local_tcp_port() {
    let user = User::new(&[], "");
    let run = user.swarmctl("", &["context", "show", "--json"]).run();
    assert_eq!(run.json()["endpoint"], "unix:///var/run/docker.sock");
    fs::write(user.directory.path().join("ca.pem"), "").unwrap();
    let run = user.swarmctl("DOCKER_TLS_VERIFY=1", &["context", "show", "--json"]).run();
    assert_eq!(run.json()["endpoint"], "tcp://localhost:2376", "{}", run.report());
}

#[test]
fn unneeded_files_are_not_read() {
    let user = User::new(&["a"], "");
    user.config("{broken");
    for args in [&["--version"][..], &["--help"], &["update", "--help"]] {
        user.swarmctl("-c nosuch DOCKER_HOST=nonsense:x:y DOCKER_API_VERSION=x", args).run().succeeds();
    }
    // If the variable sets headers, config.json is not read for them.
    let run = user.swarmctl("-c a DOCKER_CUSTOM_HEADERS=X-A=b", &["ls", "-q"]).run().succeeds();
    assert_eq!(run.stderr, "");
    assert!(user.requests() > 0);
}

// Invalid settings

#[test]
fn a_host_and_a_context_together_are_refused() {
    let user = User::new(&["a"], "");
    for line in ["-c a -H @b", "-c a -H=", "-H @b -c default"] {
        user.ls(line)
            .fails_with(Exit::Usage)
            .tells_an_error()
            .says(&["cannot specify both --host and --context"]);
    }
    assert_eq!(user.asked("-c= -H @b"), "b");
}

#[test]
fn an_invalid_value_is_reported_with_its_setting() {
    let user = User::new(&["a"], "");
    for (line, words) in [
        ("-H tcp://x:99999", "--host: "),
        ("-H -v", "--host: "),
        ("-H=nosuch://x", "--host: "),
        ("DOCKER_HOST=unix://relative", "DOCKER_HOST: "),
        ("DOCKER_HOST=tcp://u:p@x", "DOCKER_HOST: "),
        ("DOCKER_API_VERSION=abc", "DOCKER_API_VERSION: `abc`"),
        ("DOCKER_API_VERSION=1", "DOCKER_API_VERSION: "),
        ("-H @a DOCKER_CUSTOM_HEADERS=x", "DOCKER_CUSTOM_HEADERS: "),
        ("-H tcp://127.0.0.1:1 --tlsverify", "--tlsverify: "),
        ("-H tcp://127.0.0.1:1 DOCKER_TLS_VERIFY=1", "DOCKER_TLS_VERIFY: "),
        ("-l nosuch", "--log-level"),
        ("--tls=maybe", "--tls"),
    ] {
        let run = user.ls(line).fails_with(Exit::Usage).tells_an_error();
        drop(run.says(&[words]));
    }
    assert_eq!(user.requests(), 0, "and nothing is sent");
}

#[test]
fn an_unknown_context_is_not_found_and_the_existing_ones_are_listed() {
    let user = User::new(&["a", "b"], "nosuch");
    for (line, words) in [
        ("-c nosuch", "no such context: `nosuch` (there are `a`, `b`, `default`)"),
        ("-c ../../a", "no such context: `../../a`"),
        ("-c /", "no such context: `/`"),
        ("-c A", "no such context: `A`"),
        ("DOCKER_CONTEXT=nosuch", "(DOCKER_CONTEXT names it; there are"),
        ("", "(currentContext in config.json names it; there are"),
    ] {
        user.ls(line).fails_with(Exit::NotFound).tells_an_error().says(&[
            words,
            "hint: ",
            "swarmctl context ls",
        ]);
    }
    let unprivileged = User::new(&[], "");
    unprivileged.ls("-c nosuch").fails_with(Exit::NotFound).says(&["the only one is `default`"]);
    let huge = "x".repeat(100_000);
    unprivileged.ls(&format!("-c {huge}")).fails_with(Exit::NotFound);
}

#[test]
fn a_broken_context_is_reported_with_its_file_without_hanging() {
    let user = User::new(&["a"], "");
    let file = user.meta("a");
    let words = |run: Run, words: &str| {
        run.fails_with(Exit::Failed).tells_an_error().says(&[
            "context `a`",
            &file.display().to_string(),
            words,
        ]);
    };
    for (text, why) in [
        ("", "it has no `Name`"),
        ("{\"Name\":\"a\",", "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ("{}", "it has no `Name`"),
        ("{\"Name\":\"b\",\"Endpoints\":{\"docker\":{\"Host\":\"unix:///x\"}}}", "it belongs to context `b`"),
        ("{\"Name\":\"a\",\"Endpoints\":{\"docker\":[]}}", "`Endpoints.docker` is not a JSON object"),
    ] {
        fs::write(&file, text).unwrap();
        words(user.ls("-c a"), why);
    }
    fs::File::create(&file).unwrap().set_len(1 << 30).unwrap();
    words(user.ls("-c a"), "larger than");
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    words(user.ls("-c a"), "not a regular file");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    words(user.ls("-c a"), "directory");
    // The invalid context does not affect others, and `context ls` shows it with the error.
    assert_eq!(user.asked("-H @b"), "b");
    user.swarmctl("", &["context", "ls"]).run().succeeds().prints(&["default *", "directory"]);
}

#[test]
fn a_context_with_unreadable_tls_files_is_never_used_without_tls() {
    let user = User::new(&[], "");
    user.context("a", &json!({ "Name": "a", "Endpoints": { "docker": { "Host": "tcp://127.0.0.1:1" } } }));
    user.ls("-c a").fails_with(Exit::Unreachable);
    let tls = user.meta("a").parent().unwrap().display().to_string().replace("/meta/", "/tls/");
    fs::create_dir_all(&tls).unwrap();
    std::os::unix::fs::symlink("docker", format!("{tls}/docker")).unwrap();
    user.ls("-c a").fails_with(Exit::Failed).tells_an_error().says(&["cannot use context `a`", "/tls/"]);
}

#[test]
fn a_context_without_a_valid_docker_engine_is_reported() {
    let user = User::new(&[], "");
    user.context("a", &json!({ "Name": "a", "Endpoints": { "kubernetes": {} } }));
    user.ls("-c a")
        .fails_with(Exit::Failed)
        .says(&["cannot use context `a`", "not a context for a Docker engine"]);
    user.context("a", &json!({ "Name": "a", "Endpoints": { "docker": { "Host": "nosuch://x" } } }));
    user.ls("-c a")
        .fails_with(Exit::Usage)
        .says(&["context `a`: `nosuch://x` is not a valid engine endpoint"]);
    user.context("a", &json!({ "Name": "a", "Endpoints": { "docker": { "Host": user.host("a") } } }));
    assert_eq!(user.asked("-c a"), "a");
}

#[test]
fn a_broken_config_json_is_an_error_only_if_it_may_select_the_engine() {
    let user = User::new(&["a"], "");
    for text in ["{broken", "[]", r#"{"currentContext": 5}"#] {
        user.config(text);
        user.ls("").fails_with(Exit::Failed).tells_an_error().says(&["config.json", "hint: ", "DOCKER_HOST"]);
    }
    for text in ["{broken", "[]"] {
        user.config(text);
        for line in ["-c a", "-H @a", "DOCKER_HOST=@a", "DOCKER_CONTEXT=a"] {
            let run = user.ls(line).succeeds();
            assert!(
                run.stderr.starts_with("warning: cannot use `") && run.stderr.lines().count() == 1,
                "{line}"
            );
        }
    }
    user.config(r#"{"currentContext": 5}"#);
    assert_eq!(user.ls("-c a").succeeds().stderr, "");
    user.config("");
    assert_eq!(user.ls("-c a").succeeds().stderr, "");
    assert!(
        Command::new("sh")
            .args(["-c", "rm \"$1\" && mkfifo \"$1\"", "sh"])
            .arg(user.directory.path().join("config.json"))
            .status()
            .unwrap()
            .success()
    );
    user.ls("").fails_with(Exit::Failed).says(&["not a regular file"]);
    user.ls("-c a").succeeds().says(&["warning: "]);
}

// Headers of requests

#[test]
fn headers_are_those_of_the_variable_or_else_of_config_json() {
    let user = User::new(&["a"], "");
    user.config(&json!({ "HttpHeaders": { "X-Team": "ops", "User-Agent": "nobody" } }).to_string());
    let header = |name: &str| {
        let all = user.engines[0].1.requests();
        all.last().and_then(|request| request.header(name).map(str::to_owned))
    };
    user.ls("-c a").succeeds();
    assert_eq!(header("X-Team").as_deref(), Some("ops"));
    assert!(header("User-Agent").unwrap().starts_with("swarmctl/"), "that is the program's own");
    user.ls("-c a DOCKER_CUSTOM_HEADERS=X-A=1,\"X-B=2,3\",x-a=4").succeeds();
    assert_eq!(
        [header("X-Team"), header("X-A"), header("X-B")],
        [None, Some("4".to_owned()), Some("2,3".to_owned())]
    );
    let pings = user.engines[0]
        .1
        .requests()
        .iter()
        .filter(|it| it.path == "/_ping" && it.header("x-b").is_some())
        .count();
    assert_eq!(pings, 1, "the first request carries them too");
    user.ls("-c a DOCKER_CUSTOM_HEADERS=").succeeds();
    assert_eq!(header("X-Team").as_deref(), Some("ops"));
}

#[test]
fn no_value_of_a_header_is_shown() {
    let user = User::new(&["a"], "");
    user.config(&json!({ "HttpHeaders": { "Authorization": PASSWORD } }).to_string());
    // `run` fails if any output contains the password.
    user.swarmctl("-D -c a", &["ls"]).run().succeeds();
    user.swarmctl("-D -c a", &["context", "show"]).run().prints(&["HTTP headers", "Authorization"]);
    user.config(&json!({ "HttpHeaders": { "Authorization": format!("{PASSWORD}\nX: y") } }).to_string());
    for way in ["-c a", "-H unix:///nonexistent"] {
        let run = user.ls(way).fails_with(Exit::Failed).says(&["`HttpHeaders`", "`Authorization`"]);
        run.says(&["hint: fix it, or select another directory with `--config DIR`"]).never_says(&["`-H`"]);
    }
    user.ls(&format!("-c a DOCKER_CUSTOM_HEADERS=A={PASSWORD},B"))
        .fails_with(Exit::Usage)
        .says(&["has no `=`"]);
}
