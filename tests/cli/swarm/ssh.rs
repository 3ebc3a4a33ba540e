//! A real engine through ssh: with a real sshd, and with a script in place of ssh that records its process IDs.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::engine::{Engine, engine, small};
use super::packages;
use crate::support::exit::Exit;
use crate::support::programs;
use crate::support::run::Swarmctl;

const OLD: &str = "opera443399/whoami:0.5";
const NEW: &str = "opera443399/whoami:0.6";

/// A client whose program `ssh` is a script in this directory.
struct Client {
    directory: TempDir,
    engine: &'static Engine,
}

impl Client {
    fn new(engine: &'static Engine, script: &str) -> Self {
        packages::install("ssh");
        let client = Self { directory: tempfile::tempdir().unwrap(), engine };
        let script = script.replace("DIRECTORY", client.directory.path().to_str().unwrap());
        let file = client.directory.path().join("ssh");
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        client
    }

    /// A client whose `ssh` records its process ID and connects to the engine without ssh.
    fn stand_in(engine: &'static Engine) -> Self {
        let socket = engine.socket().display();
        let docker = programs::docker().display();
        Self::new(
            engine,
            &format!("echo $$ >>DIRECTORY/started; exec {docker} -H unix://{socket} system dial-stdio"),
        )
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn swarmctl(&self, args: &[&str]) -> Swarmctl {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.directory.path().display());
        self.engine.swarmctl_inside(args).env("PATH", &path)
    }

    /// The number of processes that were started. Requires that all of them have ended.
    #[track_caller]
    fn ended(&self) -> usize {
        let text = fs::read_to_string(self.path("started")).unwrap_or_default();
        for id in text.lines() {
            assert!(!PathBuf::from(format!("/proc/{id}")).exists(), "ssh {id} is still there");
        }
        text.lines().count()
    }
}

#[test]
fn many_requests_at_once_share_four_processes_which_end_with_the_command() {
    let engine = engine();
    let names: Vec<String> = (1..=7).map(|n| format!("ssh-many-{n}")).collect();
    let _services: Vec<_> = names.iter().map(|name| engine.create(&small(name, OLD))).collect();
    for name in &names {
        engine.wait_until("all run", |engine| engine.running_tasks(name) == 1);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ssh = Client::stand_in(engine);
    let run = ssh.swarmctl(&[&["-H", "ssh://far", "logs"], &names[..]].concat()).run().succeeds();
    assert_eq!(run.stdout.lines().filter(|line| line.contains("listening on port 80")).count(), names.len());
    assert!((2..=4).contains(&ssh.ended()), "{}", ssh.ended());

    let ssh = Client::stand_in(engine);
    let update = ["-H", "ssh://far", "update-image", "--no-resolve-image", names[0], NEW];
    ssh.swarmctl(&update).run().succeeds();
    assert_eq!(engine.service(names[0])["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], NEW);
    assert!((1..=2).contains(&ssh.ended()), "{}", ssh.ended());

    let ssh = Client::stand_in(engine);
    let run = ssh
        .swarmctl(&[&["-H", "ssh://far", "logs", "-f"], &names[..4]].concat())
        .run()
        .fails_with(Exit::Usage);
    run.says(&["4 services are too many to follow at the same time by ssh: the maximum is 3"]);

    let ssh = Client::stand_in(engine);
    let mut running = ssh.swarmctl(&["-H", "ssh://far", "logs", "-f", names[1], names[2]]).spawn();
    let begun = Instant::now();
    while fs::read_to_string(ssh.path("started")).unwrap_or_default().lines().count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20), "two streams are two processes");
        thread::sleep(Duration::from_millis(10));
    }
    running.signal("INT");
    running.wait().fails_with(Exit::Interrupted);
    ssh.ended();
}

#[test]
fn the_error_says_that_ssh_was_killed_during_a_stream() {
    let engine = engine();
    let _service = engine.create(&small("ssh-dies", OLD));
    engine.wait_until("it runs", |engine| engine.running_tasks("ssh-dies") == 1);
    let ssh = Client::stand_in(engine);
    let mut running = ssh.swarmctl(&["-H", "ssh://far", "logs", "-f", "ssh-dies"]).spawn();
    thread::sleep(Duration::from_secs(2));
    let started = fs::read_to_string(ssh.path("started")).unwrap();
    for id in started.lines() {
        // Some of the processes may have ended already.
        let _ = Command::new("kill").args(["-KILL", id]).stderr(Stdio::null()).status();
    }
    let run = running.wait().fails_with(Exit::Unreachable);
    run.prints(&["listening on port 80"]).says(&["ssh was ended by a signal"]);
    ssh.ended();
}

/// An ssh server in the engine's network. It is killed when this value is dropped.
struct Sshd {
    client: Client,
    process: Child,
}

const PORT: u16 = 2222;

impl Sshd {
    fn start(engine: &'static Engine) -> Self {
        let client = Client::new(engine, "exec /usr/bin/ssh -F DIRECTORY/config \"$@\"");
        let directory = client.directory.path().display().to_string();
        for key in ["host", "me", "stranger"] {
            let mut command = Command::new("ssh-keygen");
            let made = command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(client.path(key)).status();
            assert!(made.unwrap().success());
        }
        fs::copy(client.path("me.pub"), client.path("authorized")).unwrap();
        let host_key = fs::read_to_string(client.path("host.pub")).unwrap();
        fs::write(client.path("known"), format!("[127.0.0.1]:{PORT} {host_key}")).unwrap();
        client.configure("me");
        let docker = programs::docker().parent().expect("a file in a directory").display();
        let server = format!(
            "Port {PORT}\nListenAddress 127.0.0.1\nHostKey {directory}/host\nAuthorizedKeysFile {directory}/authorized\n\
             StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin yes\nSetEnv PATH={docker}:/usr/local/bin:/usr/bin:/bin\n"
        );
        fs::write(client.path("server"), server).unwrap();
        // sshd requires this directory for privilege separation.
        fs::create_dir_all("/run/sshd").unwrap();
        let log = File::create(client.path("log")).unwrap();
        let mut command = engine.inside("setpriv");
        command.args(["--pdeathsig", "KILL", "/usr/sbin/sshd", "-D", "-e", "-f"]).arg(client.path("server"));
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let begun = Instant::now();
        while !fs::read_to_string(client.path("log")).unwrap().contains("Server listening") {
            let log = fs::read_to_string(client.path("log")).unwrap();
            assert!(begun.elapsed() < Duration::from_secs(20), "sshd does not start: {log}");
            thread::sleep(Duration::from_millis(20));
        }
        Self { client, process }
    }

    fn host(&self, user: &str, name: &str) -> String {
        format!("ssh://{user}@{name}:{PORT}{}", self.client.engine.socket().display())
    }
}

impl Client {
    /// Writes the ssh configuration of a client that logs in with this key.
    fn configure(&self, key: &str) {
        let directory = self.directory.path().display();
        let config = format!(
            "IdentityFile {directory}/{key}\nIdentitiesOnly yes\nUserKnownHostsFile {directory}/known\nBatchMode yes\n"
        );
        fs::write(self.path("config"), config).unwrap();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn works_with_a_real_sshd_and_quotes_its_errors() {
    let engine = engine();
    let sshd = Sshd::start(engine);
    let client = &sshd.client;
    let host = sshd.host("root", "127.0.0.1");
    let _service = engine.create(&small("by-ssh", OLD));
    let update = ["-H", &host, "update-image", "--no-resolve-image", "by-ssh", NEW];
    client.swarmctl(&update).run().succeeds();
    assert_eq!(engine.service("by-ssh")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], NEW);
    client.swarmctl(&["-H", &host, "ps", "by-ssh"]).run().succeeds().prints(&["Running"]);

    let mut spec = small("steps-by-ssh", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 3.into();
    let _service = engine.create(&spec);
    engine.wait_until("all run", |engine| engine.running_tasks("steps-by-ssh") == 3);
    let mut expected = engine.service("steps-by-ssh")["Spec"].clone();
    let update = ["-H", &host, "update-image", "--no-resolve-image", "steps-by-ssh", NEW, "--hold", "1"];
    client.swarmctl(&update).run().answers(Exit::Different).says(&["1 of 3 tasks new"]);
    let gate = "[ $(echo $SWARMCTL_NEW_TASKS | wc -w) -gt 1 ]";
    client
        .swarmctl(&["-H", &host, "continue", "steps-by-ssh", "--steps", "2", "--gate", gate])
        .run()
        .fails_with(Exit::RolloutFailed)
        .says(&["gate 1 failed after step 1"]);
    client.swarmctl(&["-H", &host, "continue", "steps-by-ssh"]).run().succeeds();
    expected["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
    assert_eq!(engine.service("steps-by-ssh")["Spec"].to_string(), expected.to_string());

    let ls = |host: &str| {
        client.swarmctl(&["-H", host, "ls"]).run().fails_with(Exit::Unreachable).tells_an_error()
    };
    let nowhere = format!("ssh://root@127.0.0.1:{PORT}/nowhere/docker.sock");
    ls(&nowhere)
        .says(&["`docker system dial-stdio` on `127.0.0.1` ended with exit code 1", "/nowhere/docker.sock"]);
    ls(&sshd.host("root", "localhost"))
        .says(&["ssh cannot connect to `localhost`", "Host key verification failed"]);
    ls(&format!("ssh://root@127.0.0.1:{}", PORT + 1)).says(&["ssh cannot connect to `127.0.0.1`", "refused"]);
    client.configure("stranger");
    ls(&host).says(&["Permission denied (publickey", &format!("ssh -p {PORT} root@127.0.0.1")]);
}
