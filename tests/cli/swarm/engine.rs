//! The real engine, and access to it without swarmctl.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::run::{Swarmctl, swarmctl, swarmctl_by};

/// A private engine with a swarm of one node.
pub struct Engine {
    socket: PathBuf,
    /// A process in the engine's network namespace; `None` if that is the namespace of the tests.
    netns: Option<String>,
    /// The engine's process, whose stdin is kept open: the engine ends with the tests, even if they are killed.
    process: Option<Child>,
}

/// The engine that all tests share. If it cannot be started, the test fails and reports what to do.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    match ENGINE.get_or_init(Engine::find_or_start) {
        Ok(engine) => engine,
        Err(why) => panic!(
            "there is no engine to test with: {why}\n\
             install what it needs with: sudo scripts/engine install\n\
             then run the tests as root: sudo scripts/test"
        ),
    }
}

impl Engine {
    fn find_or_start() -> Result<Self, String> {
        let text = |key: &str| std::env::var_os(key).and_then(|value| value.into_string().ok());
        if let Some(socket) = text("SWARMCTL_TEST_SOCKET") {
            let socket = PathBuf::from(socket.strip_prefix("unix://").unwrap_or(&socket));
            let engine = Self { socket, netns: text("SWARMCTL_TEST_NETNS_PID"), process: None };
            return match engine.try_ask("GET", "/_ping", None) {
                Ok((200, _)) => Ok(engine),
                other => Err(format!("SWARMCTL_TEST_SOCKET is {}: {other:?}", engine.socket.display())),
            };
        }
        Self::start("", &[])
    }

    /// Starts another engine with options of dockerd. It ends when it is dropped.
    #[track_caller]
    pub fn with_options(name: &str, options: &[&str]) -> Self {
        Self::start(name, options).unwrap_or_else(|why| panic!("no engine {name}: {why}"))
    }

    fn start(name: &str, options: &[&str]) -> Result<Self, String> {
        // The script creates and removes this directory. The path is short, because the path of a socket must be short.
        let dir = PathBuf::from(format!("/tmp/sctl-engine{name}-{}", std::process::id()));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/engine");
        let mut child = Command::new(&script)
            .arg("run")
            .arg(&dir)
            .arg("--")
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", script.display()))?;
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).map_err(|e| e.to_string())?;
        let Some(socket) = line.trim().strip_prefix("ready ") else {
            let status = child.wait().map_err(|e| e.to_string())?;
            return Err(format!("scripts/engine ended with {status}; its words are above"));
        };
        let netns = std::fs::read_to_string(dir.join("netns.pid")).ok().map(|pid| pid.trim().to_owned());
        Ok(Self { socket: socket.into(), netns, process: Some(child) })
    }

    /// An engine that already listens at this socket.
    pub fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), netns: None, process: None }
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// swarmctl with these arguments and this engine.
    pub fn swarmctl(&self, args: &[&str]) -> Swarmctl {
        swarmctl(args.iter().copied()).host(self.host())
    }

    /// The path of the engine's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A command that runs a program in the engine's network namespace.
    pub fn inside(&self, program: &str) -> Command {
        match &self.netns {
            Some(pid) => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net=/proc/{pid}/ns/net")).arg(program);
                command
            }
            None => Command::new(program),
        }
    }

    /// swarmctl with these arguments in the engine's network namespace, where published ports are.
    pub fn swarmctl_inside(&self, args: &[&str]) -> Swarmctl {
        let mut command = self.inside(env!("CARGO_BIN_EXE_swarmctl"));
        command.args(args);
        swarmctl_by(command)
    }

    /// Sends a request without swarmctl; a response other than 2xx fails the test. A GET is repeated for up to a minute
    /// while three managers have no leader: on a busy machine they may hold an election at any time.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let start = Instant::now();
        loop {
            match self.try_ask(method, path, body) {
                Ok((200..=299, answer)) => return answer,
                Ok((503, _)) if method == "GET" && start.elapsed() < Duration::from_secs(60) => {
                    thread::sleep(Duration::from_millis(200));
                }
                other => panic!("{method} {path}: {other:?}"),
            }
        }
    }

    /// Sends a request without swarmctl. Returns the status and the JSON (null if there is none).
    pub fn try_ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value), String> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let (status, bytes) = self
            .exchange(method, path, "Content-Type: application/json\r\n", body.as_bytes())
            .map_err(|e| e.to_string())?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// Sends a post about images, whose response is a stream of objects; each of `headers` ends with a line break.
    pub fn post_image(&self, path: &str, headers: &str, body: &[u8]) -> Result<String, String> {
        let (status, bytes) = self.exchange("POST", path, headers, body).map_err(|e| e.to_string())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if status == 200 && !text.contains("\"error\"") { Ok(text) } else { Err(format!("{status} {text}")) }
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> std::io::Result<(u16, Vec<u8>)> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        )?;
        stream.write_all(body)?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let mut chunked = false;
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let header = line.trim().to_ascii_lowercase();
            chunked |= header == "transfer-encoding: chunked";
            if header.is_empty() {
                break;
            }
        }
        let mut bytes = Vec::new();
        if !chunked {
            reader.read_to_end(&mut bytes)?;
            return Ok((status, bytes));
        }
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk)?;
            if size == 0 {
                return Ok((status, bytes));
            }
            bytes.extend_from_slice(&chunk[..size]);
        }
    }

    /// The service as GET shows it.
    #[track_caller]
    pub fn service(&self, name: &str) -> Value {
        self.ask("GET", &format!("/services/{name}"), None)
    }

    /// Whether the service exists.
    pub fn has_service(&self, name: &str) -> bool {
        matches!(self.try_ask("GET", &format!("/services/{name}"), None), Ok((200, _)))
    }

    /// Creates a service without swarmctl; it is removed when the returned value is dropped.
    #[track_caller]
    pub fn create(&'static self, spec: &Value) -> Removed {
        self.create_at("", spec)
    }

    /// Like [`Self::create`], with an API version, as in `/v1.30`.
    #[track_caller]
    pub fn create_at(&'static self, version: &str, spec: &Value) -> Removed {
        let made = self.ask("POST", &format!("{version}/services/create"), Some(spec));
        Removed::new(self, format!("/services/{}", made["ID"].as_str().expect("an ID")))
    }

    /// Creates an overlay network; it is removed when the returned value is dropped.
    ///
    /// Each network has a subnet of its own. The engine would give a network the subnet of one that was just removed, and
    /// reject its tasks while the node still has the former one ("Pool overlaps with other one on this address space").
    #[track_caller]
    pub fn network(&'static self, name: &str) -> Removed {
        static NETWORKS: AtomicU8 = AtomicU8::new(0);
        let subnet = format!("10.78.{}.0/24", NETWORKS.fetch_add(1, Ordering::SeqCst));
        let network =
            json!({ "Name": name, "Driver": "overlay", "IPAM": { "Config": [{ "Subnet": subnet }] } });
        let made = self.ask("POST", "/networks/create", Some(&network));
        Removed::new(self, format!("/networks/{}", made["Id"].as_str().expect("an ID")))
    }

    /// Posts a changed spec, repeatedly if the index is stale.
    #[track_caller]
    pub fn change(&self, name: &str, change: impl Fn(&mut Value)) {
        loop {
            let service = self.service(name);
            let mut spec = service["Spec"].clone();
            change(&mut spec);
            let path = format!("/services/{name}/update?version={}", service["Version"]["Index"]);
            match self.try_ask("POST", &path, Some(&spec)) {
                Ok((200, _)) => return,
                Ok((500, refusal)) if refusal.to_string().contains("update out of sequence") => {}
                other => panic!("POST {path}: {other:?}"),
            }
        }
    }

    /// Sets the availability of the node with this ID. The post is repeated if the index is stale, because the index of a
    /// node also changes when its status does.
    #[track_caller]
    pub fn set_availability(&self, node: &str, availability: &str) {
        self.wait_until("the availability is set", |engine| {
            let stored = engine.ask("GET", &format!("/nodes/{node}"), None);
            let mut spec = stored["Spec"].clone();
            spec["Availability"] = availability.into();
            let path = format!("/nodes/{node}/update?version={}", stored["Version"]["Index"]);
            match engine.try_ask("POST", &path, Some(&spec)) {
                Ok((200, _)) => true,
                // Without a leader, the response is 503.
                Ok((503, _)) => false,
                Ok((500, refusal)) if refusal.to_string().contains("update out of sequence") => false,
                other => panic!("POST {path}: {other:?}"),
            }
        });
    }

    /// Waits until the condition holds; a timeout fails the test.
    #[track_caller]
    pub fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            let is_late = start.elapsed() >= Duration::from_secs(180);
            assert!(!is_late, "waited in vain: {what}; tasks with errors: {:#?}", self.task_errors());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The errors of all tasks, with the IDs of their services.
    fn task_errors(&self) -> Vec<String> {
        let tasks = self.try_ask("GET", "/tasks", None).map_or(Value::Null, |(_, tasks)| tasks);
        let failed = tasks.as_array().into_iter().flatten().filter(|task| task["Status"]["Err"].is_string());
        failed.map(|task| format!("{}: {}", task["ServiceID"], task["Status"])).collect()
    }

    /// The number of running tasks of a service, without those that must stop.
    pub fn running_tasks(&self, service: &str) -> usize {
        let filters = json!({ "service": [service], "desired-state": ["running"] }).to_string();
        let filters = percent_encoding::utf8_percent_encode(&filters, percent_encoding::NON_ALPHANUMERIC);
        let Ok((200, tasks)) = self.try_ask("GET", &format!("/tasks?filters={filters}"), None) else {
            return 0;
        };
        let tasks = tasks.as_array().map_or(&[][..], Vec::as_slice);
        tasks.iter().filter(|task| task["Status"]["State"] == "running").count()
    }

    /// The number of tasks of the service with this ID, in any state, even if the service no longer exists.
    pub fn tasks_left(&self, id: &str) -> usize {
        let tasks = self.ask("GET", "/tasks", None);
        tasks.as_array().map_or(0, |tasks| tasks.iter().filter(|task| task["ServiceID"] == id).count())
    }

    /// The number of tasks of the service with this ID that have not ended. The engine may list ended tasks for a
    /// moment.
    pub fn unended_tasks(&self, id: &str) -> usize {
        let tasks = self.ask("GET", "/tasks", None);
        let is_final = |task: &Value| {
            ["complete", "failed", "shutdown", "rejected", "orphaned", "remove"]
                .iter()
                .any(|state| task["Status"]["State"] == **state)
        };
        let unended = |task: &&Value| task["ServiceID"] == id && !is_final(task);
        tasks.as_array().map_or(0, |tasks| tasks.iter().filter(unended).count())
    }

    /// The response to `GET /` at this port of the node; `None` if nothing listens there.
    pub fn page(&self, port: u16) -> Option<String> {
        let script = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
        );
        let mut command = self.inside("bash");
        let output = command.arg("-c").arg(script).output().expect("nsenter can be started");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // The engine ends when its stdin is closed. The cleanup takes a moment.
            drop(process.stdin.take());
            let _ = process.wait();
        }
    }
}

/// An object on the engine, such as a service, that is removed when this value is dropped.
pub struct Removed {
    engine: &'static Engine,
    path: String,
}

impl Removed {
    pub fn new(engine: &'static Engine, path: String) -> Self {
        Self { engine, path }
    }

    /// The ID of the object, or its name if the path has the name.
    pub fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        // A network can only be removed after the tasks on it.
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            match self.engine.try_ask("DELETE", &self.path, None) {
                Ok((200..=299 | 404, _)) => return,
                _ => thread::sleep(Duration::from_millis(100)),
            }
        }
        eprintln!("could not remove {}", self.path);
    }
}

/// The spec of a service that converges quickly: one task, and a monitor period of a second.
pub fn small(name: &str, image: &str) -> Value {
    let policy = json!({ "Parallelism": 1, "Monitor": 1_000_000_000, "FailureAction": "pause" });
    json!({
        "Name": name,
        "TaskTemplate": {
            "ContainerSpec": { "Image": image, "StopGracePeriod": 1_000_000_000 },
            "RestartPolicy": { "Condition": "none" }
        },
        "Mode": { "Replicated": { "Replicas": 1 } },
        "UpdateConfig": policy,
        "RollbackConfig": policy
    })
}

/// The spec of a service as one line, as the engine wrote it except for its escapes.
pub fn spec_text(service: &Value) -> String {
    service["Spec"].to_string()
}
