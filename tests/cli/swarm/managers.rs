//! A swarm of three managers, which `scripts/managers` starts for one test at a time.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::engine::Engine;
use crate::support::run::{Swarmctl, swarmctl};

/// How long to wait for a swarm to recover. It needs up to 56 s after a link was down, and more on a busy machine.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(180);

/// Locked by the running swarm, because two swarms would overload a machine.
static ONE: Mutex<()> = Mutex::new(());

/// Three managers of one swarm, numbered from 1.
pub struct Managers {
    dir: PathBuf,
    process: Child,
    _alone: MutexGuard<'static, ()>,
}

impl Managers {
    /// Starts the managers. If they cannot be started, the test fails and reports what to do.
    pub fn start() -> Self {
        let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        // The path of the directory is short, because the path of a socket must be short. Each swarm has another directory,
        // so that what a failed test left does not make the next one fail.
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let dir = PathBuf::from(format!("/tmp/sctl-managers-{}-{number}", std::process::id()));
        let mut process = script()
            .arg("run")
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/managers can be started");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("scripts/managers reports that it is ready");
        assert!(
            line.starts_with("ready "),
            "there are no managers to test with; the reason is above. Install what is missing with: sudo scripts/engine \
             install; then run the tests as root: sudo scripts/test"
        );
        Self { dir, process, _alone: alone }
    }

    /// One of the managers.
    pub fn engine(&self, n: usize) -> Engine {
        Engine::at(&self.socket(n))
    }

    fn socket(&self, n: usize) -> PathBuf {
        self.dir.join(n.to_string()).join("docker.sock")
    }

    /// swarmctl with the addresses of all three managers, beginning with manager `first`.
    pub fn swarmctl(&self, first: usize, args: &[&str]) -> Swarmctl {
        let hosts: Vec<String> =
            (0..3).map(|n| format!("unix://{}", self.socket((first - 1 + n) % 3 + 1).display())).collect();
        swarmctl(args.iter().copied()).host(hosts.join(",")).limit(Duration::from_secs(400))
    }

    /// Applies `kill`, `pause` or `cut` to manager `n`.
    pub fn inject_fault(&self, fault: &str, n: usize) {
        let status =
            script().arg(fault).arg(&self.dir).arg(n.to_string()).status().expect("scripts/managers runs");
        assert!(status.success(), "scripts/managers {fault}: {status}");
    }

    /// Prepares a fault that takes effect at once when the returned function is called.
    pub fn fault_on_call(&self, fault: &str, n: usize) -> impl FnOnce() + use<> {
        let mut command;
        if fault == "cut" {
            let bridge = std::fs::read_to_string(self.dir.join("bridge.pid")).expect("the swarm runs");
            command = Command::new("nsenter");
            command.arg(format!("--net=/proc/{}/ns/net", bridge.trim()));
            command.args(["ip", "link", "set", &format!("m{n}"), "down"]);
        } else {
            let pid = script().arg("pid").arg(&self.dir).arg(n.to_string()).output();
            let pid = String::from_utf8(pid.expect("scripts/managers runs").stdout).expect("a number");
            command = Command::new("kill");
            command.args(["-s", if fault == "kill" { "KILL" } else { "STOP" }, pid.trim()]);
        }
        if fault == "kill" {
            // `scripts/managers kill` creates this file too: without it, the whole engine would end together with dockerd.
            std::fs::write(self.dir.join(n.to_string()).join("engine.data/held"), "")
                .expect("it can be held");
        }
        move || {
            let status = command.status().expect("it can be started");
            assert!(status.success(), "{command:?}: {status}");
        }
    }

    /// Reverses a fault of [`Self::inject_fault`].
    pub fn reverse_fault(&self, fault: &str, n: usize) {
        let back = match fault {
            "kill" => "start",
            "pause" => "resume",
            _ => "join",
        };
        self.inject_fault(back, n);
    }

    /// Runs `work`, and measures the time from the fault until one of the other managers knows a new leader.
    pub fn watch<T>(&self, faulty: usize, at: Instant, work: impl FnOnce() -> T) -> (T, Duration) {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                // The first responses may still reflect the state before the fault was noticed.
                while !is_over.load(Ordering::SeqCst) || at.elapsed() < Duration::from_secs(60) {
                    let other = (1..=3).filter(|n| *n != faulty).find(|n| self.knows_leader(*n, faulty));
                    if other.is_some() {
                        return at.elapsed();
                    }
                    thread::sleep(Duration::from_millis(100));
                }
                at.elapsed()
            });
            let done = work();
            is_over.store(true, Ordering::SeqCst);
            (done, watcher.join().expect("the watcher ends"))
        })
    }

    /// Whether manager `n` reports within the time limit that there is a leader other than `but`.
    pub fn knows_leader(&self, n: usize, but: usize) -> bool {
        self.nodes(n).is_some_and(|nodes| leader_of(&nodes).is_some_and(|leader| leader != but))
    }

    /// The nodes as a manager lists them; `None` if it does not respond within 2 seconds.
    pub fn nodes(&self, n: usize) -> Option<Vec<Value>> {
        let output = Command::new("curl")
            .args(["-sf", "--max-time", "2", "--unix-socket"])
            .arg(self.socket(n))
            .arg("http://engine/nodes")
            .output()
            .expect("curl can be started");
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Waits until all managers list three reachable managers and the same leader. This must be so three times in a
    /// row, because the swarm holds another election after a link is restored. Returns the number of the leader.
    #[track_caller]
    pub fn wait_until_whole(&self) -> usize {
        let started = Instant::now();
        let (mut last, mut same) = (None, 0);
        loop {
            let seen: Vec<Option<usize>> = (1..=3)
                .map(|n| self.nodes(n).filter(|nodes| is_whole(nodes)).and_then(|nodes| leader_of(&nodes)))
                .collect();
            if let [Some(leader), b, c] = seen[..]
                && b == Some(leader)
                && c == Some(leader)
            {
                same = if last == Some(leader) { same + 1 } else { 1 };
                last = Some(leader);
                if same == 3 {
                    return leader;
                }
            } else {
                same = 0;
            }
            assert!(started.elapsed() < RECOVERY_TIMEOUT, "the swarm is not whole again: {seen:?}");
            thread::sleep(Duration::from_millis(500));
        }
    }
}

impl Drop for Managers {
    fn drop(&mut self) {
        // When its stdin is closed, the script ends, with all processes that it has started.
        drop(self.process.stdin.take());
        let status = self.process.wait();
        let left = self.dir.exists();
        if !thread::panicking() {
            assert!(
                status.as_ref().is_ok_and(std::process::ExitStatus::success) && !left,
                "{status:?}, {} is left: {left}",
                self.dir.display()
            );
        }
    }
}

fn script() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/managers"))
}

fn is_whole(nodes: &[Value]) -> bool {
    let in_reach = |node: &&Value| {
        node["Status"]["State"] == "ready" && node["ManagerStatus"]["Reachability"] == "reachable"
    };
    nodes.iter().filter(in_reach).count() == 3
}

fn leader_of(nodes: &[Value]) -> Option<usize> {
    let leader = nodes.iter().find(|node| node["ManagerStatus"]["Leader"] == true)?;
    let address = leader["ManagerStatus"]["Addr"].as_str()?;
    address.strip_suffix(":2377")?.rsplit('.').next()?.parse().ok()
}
