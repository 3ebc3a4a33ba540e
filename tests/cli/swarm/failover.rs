//! Three real managers, one of which is struck in the middle of the work: killed, paused, cut off. Afterwards every service is
//! as swarmctl said, and nothing was done twice.
//!
//! `scripts/managers` makes the swarm, for one test at a time. `SWARMCTL_TEST_BLOWS` names the blows (`kill`),
//! `SWARMCTL_TEST_UPDATES` how many updates the batch has, `SWARMCTL_TEST_ROUNDS` how often the leader is killed at a
//! random moment of a single update (0); `scripts/reliability managers` asks for more of each.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::engine::Engine;
use crate::support::figures::{figure, how_many};
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::{Run, Swarmctl, swarmctl};

/// A swarm takes up to 56 s to be whole again (a link that was cut), on a loaded machine more.
const AGAIN_WHOLE: Duration = Duration::from_secs(180);
const STACK: &str = "fleet";

#[test]
fn what_is_said_is_so_whatever_becomes_of_the_leader() {
    let managers = Managers::start();
    let blows = std::env::var_os("SWARMCTL_TEST_BLOWS")
        .map_or_else(|| "kill".to_owned(), |it| it.to_string_lossy().into_owned());
    let updates = how_many("SWARMCTL_TEST_UPDATES", 300);
    managers.make_services(updates);
    let mut image = OLD;
    for blow in blows.split_whitespace() {
        image = if image == OLD { NEW } else { OLD };
        batch_through(&managers, blow, image);
    }
    let rounds = how_many("SWARMCTL_TEST_ROUNDS", 0);
    if rounds > 0 {
        single_updates_through(&managers, rounds);
    }
}

/// A batch, and the leader is struck while it runs.
fn batch_through(managers: &Managers, blow: &str, image: &str) {
    let leader = managers.wait_until_whole();
    let other = leader % 3 + 1;
    let before = managers.fleet(other);
    // ForceUpdate counts the posts, beside the image that they bring.
    let args = ["update-image", "--detach", "--no-resolve-image", "--force", "--parallel", "8", "--json"];
    let mut running = managers.swarmctl(leader, &[&args[..], &["--stack", STACK, image]].concat()).spawn();
    let began = Instant::now();
    let at_the_blow = loop {
        let done = changed(&before, &managers.fleet(other));
        if done >= before.len() / 20 {
            break done;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the batch does not begin");
    };
    let struck = Instant::now();
    managers.blow(blow, leader);
    let (run, silence) = managers.watch(leader, struck, || running.wait());
    assert!(at_the_blow < before.len() && run.took > struck - began, "it had ended before: {}", run.report());

    managers.undo(blow, leader);
    managers.wait_until_whole();
    let after = managers.fleet(other);
    let (done, told) = judge(&before, &after, image, &run);
    figure(
        &format!("{} updates in one batch, the leader {}", before.len(), in_words(blow)),
        &format!(
            "{at_the_blow} were done when it happened; exit code {}; {done} applied once, {told} reported as not applied, 0 false reports; \
             another manager responded after {:.1} s, the batch ended after {:.1} s",
            run.code.map_or_else(|| "none".to_owned(), |code| code.to_string()),
            silence.as_secs_f64(),
            (run.took - (struck - began)).as_secs_f64(),
        ),
    );
    if run.code != Some(0) {
        eprintln!("it said:\n{}", run.stderr);
    }
    // Whatever was not done is done by running it again.
    let rest = managers
        .swarmctl(leader, &["update-image", "--detach", "--no-resolve-image", "--stack", STACK, image]);
    rest.run().succeeds();
    let names: Vec<&String> = before.keys().collect();
    let now = managers.fleet(other);
    let images =
        names.iter().filter(|name| now[**name]["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == image);
    assert_eq!(images.count(), names.len());
}

/// How many are as asked, and how many were said not to be; fails the test where anything is not as it was said.
fn judge(before: &Fleet, after: &Fleet, image: &str, run: &Run) -> (usize, usize) {
    let said = run.json();
    assert_eq!(said["exit_code"].as_i64(), run.code.map(i64::from), "{}", run.report());
    let services = said["services"].as_array().expect("services");
    assert_eq!(services.len(), before.len(), "{}", run.report());
    let (mut done, mut told) = (0, 0);
    for service in services {
        let name = service["name"].as_str().expect("a name");
        let (old, new) = (&before[name], &after[name]);
        let is_new = new["Version"]["Index"] != old["Version"]["Index"];
        if is_new {
            let mut wanted = old["Spec"].clone();
            wanted["TaskTemplate"]["ContainerSpec"]["Image"] = image.into();
            wanted["TaskTemplate"]["ForceUpdate"] = (count(old) + 1).into();
            assert_eq!(new["Spec"], wanted, "{name}: {service}");
            assert_eq!(new["PreviousSpec"], old["Spec"], "{name} was done twice: {service}");
            done += 1;
        } else {
            assert_eq!(new["Spec"], old["Spec"], "{name}: {service}");
        }
        let is_right = match (service["outcome"].as_str(), &service["posted"]) {
            (Some("applied"), posted) => is_new && *posted == true,
            (_, Value::Bool(posted)) => *posted == is_new,
            // It says that it does not know.
            (_, _) => service["exit_code"] == 9,
        };
        assert!(is_right, "applied: {is_new}, said: {service}\nexit code {:?}\n{}", run.code, run.stderr);
        told += usize::from(service["outcome"] != "applied");
    }
    assert!((run.code == Some(0)) == (told == 0), "{}", run.report());
    (done, told)
}

/// One update at a time; the leader is killed at a random moment of each.
fn single_updates_through(managers: &Managers, rounds: usize) {
    let mut endings: BTreeMap<String, usize> = BTreeMap::new();
    let mut longest = Duration::ZERO;
    // How long one takes undisturbed, which is when the blows fall.
    let leader = managers.wait_until_whole();
    let args = ["update", "--detach", "--force", "fleet-1"];
    let whole =
        (0..5).map(|_| managers.swarmctl(leader, &args).run().succeeds().took).min().unwrap_or_default();
    for round in 0..rounds {
        let leader = managers.wait_until_whole();
        let other = leader % 3 + 1;
        let engine = managers.engine(other);
        let before = engine.service("fleet-0");
        let label = format!("round-{round}=1");
        let args = ["update", "--detach", "--force", "--label-add", &label, "fleet-0"];
        let kill = managers.kill_when_told(leader);
        let mut running = managers.swarmctl(leader, &args).spawn();
        thread::sleep(whole.mul_f64(fastrand::f64()));
        kill();
        let run = running.wait();
        managers.undo("kill", leader);
        managers.wait_until_whole();
        let after = engine.service("fleet-0");
        let posts = count(&after) - count(&before);
        let is_so = after["Spec"]["Labels"][format!("round-{round}")] == "1";
        assert_eq!(posts, u64::from(is_so), "{}", run.report());
        match run.code {
            Some(0) => assert!(is_so, "{}", run.report()),
            Some(9) => {}
            _ => assert!(!is_so, "{}", run.report()),
        }
        let code = run.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        *endings
            .entry(format!("exit code {code}, {}", if is_so { "applied" } else { "not applied" }))
            .or_default() += 1;
        longest = longest.max(run.took);
    }
    let endings: Vec<String> = endings.iter().map(|(ending, count)| format!("{count} x {ending}")).collect();
    figure(
        &format!("{rounds} single updates, the leader killed at a random moment of each"),
        &format!(
            "0 false reports, none applied twice ({}); the longest took {:.1} s",
            endings.join(", "),
            longest.as_secs_f64()
        ),
    );
}

type Fleet = BTreeMap<String, Value>;

fn changed(before: &Fleet, after: &Fleet) -> usize {
    before.iter().filter(|(name, old)| after[*name]["Version"]["Index"] != old["Version"]["Index"]).count()
}

/// How many posts of `--force` a service has seen.
fn count(service: &Value) -> u64 {
    service["Spec"]["TaskTemplate"]["ForceUpdate"].as_u64().unwrap_or(0)
}

fn in_words(blow: &str) -> &str {
    match blow {
        "kill" => "killed (SIGKILL)",
        "pause" => "paused (SIGSTOP)",
        "cut" => "cut off (its link is down)",
        other => other,
    }
}

/// Three managers of one swarm, numbered from 1.
struct Managers {
    dir: PathBuf,
    process: Child,
}

impl Managers {
    fn start() -> Self {
        // Not below the system's temporary folder: the path of a socket is short.
        let dir = PathBuf::from(format!("/tmp/sctl-managers-{}", std::process::id()));
        let mut process = script()
            .arg("run")
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/managers can be started");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("scripts/managers says that it is ready");
        assert!(
            line.starts_with("ready "),
            "there are no managers to test with; the reason is above. Install what is missing with: sudo scripts/engine \
             install; then run the tests as root: sudo scripts/test"
        );
        Self { dir, process }
    }

    fn engine(&self, n: usize) -> Engine {
        Engine::at(&self.socket(n))
    }

    fn socket(&self, n: usize) -> PathBuf {
        self.dir.join(n.to_string()).join("docker.sock")
    }

    /// swarmctl that knows all three; manager `first` is named first.
    fn swarmctl(&self, first: usize, args: &[&str]) -> Swarmctl {
        let hosts: Vec<String> =
            (0..3).map(|n| format!("unix://{}", self.socket((first - 1 + n) % 3 + 1).display())).collect();
        swarmctl(args.iter().copied()).host(hosts.join(",")).limit(Duration::from_secs(400))
    }

    fn make_services(&self, number: usize) {
        let engine = self.engine(self.wait_until_whole());
        for n in 0..number {
            let spec = json!({
                "Name": format!("fleet-{n}"),
                "Labels": { "com.docker.stack.namespace": STACK },
                "TaskTemplate": { "ContainerSpec": { "Image": OLD, "Env": ["A=1", "B=<&>"] } },
                "Mode": { "Replicated": { "Replicas": 0 } }
            });
            engine.ask("POST", "/services/create", Some(&spec));
        }
    }

    /// The services of the batch by name, as this manager knows them.
    fn fleet(&self, n: usize) -> Fleet {
        let all = self.engine(n).ask("GET", "/services", None);
        let all = all.as_array().expect("a list").iter();
        let named = all.map(|it| (it["Spec"]["Name"].as_str().expect("a name").to_owned(), it.clone()));
        named.filter(|(name, _)| name.starts_with("fleet-")).collect()
    }

    fn blow(&self, blow: &str, n: usize) {
        let status =
            script().arg(blow).arg(&self.dir).arg(n.to_string()).status().expect("scripts/managers runs");
        assert!(status.success(), "scripts/managers {blow}: {status}");
    }

    /// Everything is ready, so that the kill comes at the moment when the result is called.
    fn kill_when_told(&self, n: usize) -> impl FnOnce() + use<> {
        let output =
            script().arg("pid").arg(&self.dir).arg(n.to_string()).output().expect("scripts/managers runs");
        let pid = String::from_utf8(output.stdout).expect("a number").trim().to_owned();
        // As `scripts/managers kill` does it: without this the end of dockerd is the engine's.
        std::fs::write(self.dir.join(n.to_string()).join("engine.data/held"), "").expect("it can be held");
        move || {
            let status =
                Command::new("kill").args(["-s", "KILL", &pid]).status().expect("kill can be started");
            assert!(status.success(), "kill {pid}: {status}");
        }
    }

    fn undo(&self, blow: &str, n: usize) {
        let back = match blow {
            "kill" => "start",
            "pause" => "resume",
            _ => "join",
        };
        self.blow(back, n);
    }

    /// Does the work, and meanwhile finds out when one of the other managers answered again.
    fn watch<T>(&self, struck: usize, at: Instant, work: impl FnOnce() -> T) -> (T, Duration) {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                // The first answers may still be of what was there before the blow was felt.
                while !is_over.load(Ordering::SeqCst) || at.elapsed() < Duration::from_secs(60) {
                    let other = (1..=3).filter(|n| *n != struck).find(|n| self.knows_leader(*n, struck));
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

    /// Whether manager `n` says at once that one leads which is not `but`.
    fn knows_leader(&self, n: usize, but: usize) -> bool {
        self.nodes(n).is_some_and(|nodes| leader_of(&nodes).is_some_and(|leader| leader != but))
    }

    /// What a manager knows of the nodes; `None` where it does not say so within 2 seconds.
    fn nodes(&self, n: usize) -> Option<Vec<Value>> {
        let output = Command::new("curl")
            .args(["-sf", "--max-time", "2", "--unix-socket"])
            .arg(self.socket(n))
            .arg("http://engine/nodes")
            .output()
            .expect("curl can be started");
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Waits until all three know three managers in reach and the same leader, three times in a row: after a link is
    /// put back the swarm elects once more. The leader's number.
    #[track_caller]
    fn wait_until_whole(&self) -> usize {
        let began = Instant::now();
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
            assert!(began.elapsed() < AGAIN_WHOLE, "the swarm is not whole again: {seen:?}");
            thread::sleep(Duration::from_millis(500));
        }
    }
}

impl Drop for Managers {
    fn drop(&mut self) {
        // Its stdin ends, and so it does, with all that it has started.
        drop(self.process.stdin.take());
        let status = self.process.wait();
        let left = self.dir.exists();
        if !thread::panicking() {
            assert!(
                status.as_ref().is_ok_and(std::process::ExitStatus::success) && !left,
                "{status:?}, left: {left}"
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
