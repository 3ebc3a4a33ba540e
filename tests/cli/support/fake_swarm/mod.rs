//! A small swarm that stores services as a real engine does, with version indexes, PreviousSpec, UpdateStatus and the
//! engine's error messages. It records accepted updates, so that tests can compare exit codes with what really
//! happened. Tests can let other writers change services, and can break responses.

mod configs;
mod expect;
mod posts;
mod reads;
mod slots;
mod world;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub use self::configs::StoredConfig;
pub use self::reads::distribution;
use self::slots::Slots;
pub use self::world::Snapshot;
use super::faults::FaultKind;
pub use super::faults::InjectedFault;
use super::server::{Answer, Framing, Handler, Request, Server, lock};

/// A running fake swarm. When it is dropped, the test fails if it has received requests that it does not support.
pub struct FakeSwarm {
    server: Server,
    world: Arc<Mutex<SwarmState>>,
}

/// The state of the swarm, and the faults and hooks of the test.
pub struct SwarmState {
    pub services: Vec<Service>,
    /// ID and name of every network.
    pub networks: Vec<(String, String)>,
    /// ID and name of every secret. They also serve as the configs that do not belong to the
    /// journal.
    pub secrets: Vec<(String, String)>,
    /// Configs with data: those of the journal.
    pub configs: Vec<StoredConfig>,
    /// Difference between the engine's clock and the local clock.
    pub clock: SignedDuration,
    /// The framing of response bodies.
    pub framing: Framing,
    /// The digests of images in registries. Other images are not available.
    pub registry: BTreeMap<String, String>,
    /// Responses of a proxy in front of the engine, by method and path prefix.
    pub forbidden: Vec<(&'static str, &'static str, Answer)>,
    /// Whether every request except `/_ping`, `/version` and `/info` is refused because the node is not in a swarm.
    pub is_no_manager: bool,
    /// Whether the managers are electing a leader.
    pub has_no_leader: bool,
    /// Number of tasks that the swarm keeps for each slot.
    pub task_history: i64,
    /// The ID of the only node.
    pub node: String,
    /// Until this time, every request except `/_ping`, `/version` and `/info` gets a 503 and is not handled.
    pub unavailable_until: Option<Instant>,
    /// Time that the engine needs for each response.
    pub delay: Duration,
    /// The engine's API version, if it is not that of Docker 20.10.
    pub api_version: Option<&'static str>,
    /// Tasks of removed services: the service's name, the task, and how many more reads show it.
    leaving: Vec<(String, Value, usize)>,
    index: u64,
    ids: u64,
    hooks: Vec<Hook>,
    breaks: Vec<InjectedFault>,
    /// The numbers of the posts whose responses are lost, counted from 1.
    pub lost_posts: Vec<usize>,
    counts: BTreeMap<(&'static str, RequestKind), usize>,
    strange: Vec<String>,
}

/// One service and its history.
#[derive(Clone, Debug)]
pub struct Service {
    pub id: String,
    pub index: u64,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub spec: Value,
    pub previous: Option<Value>,
    pub status: Option<Value>,
    pub iteration: u64,
    /// The specs of all accepted requests, in order. Changes by [`SwarmState::write`] are not included.
    pub taken: Vec<Value>,
    /// Whether the next update moves the networks to the TaskTemplate, as Docker 29 does with data of an older engine.
    /// GET shows them there already, but the TaskTemplate of the tasks does not have them.
    pub moves_networks: bool,
    /// The placement that the tasks were created with, if it is not that of the spec.
    pub placed: Option<Value>,
    /// Number of rollbacks by requests.
    pub rollbacks: usize,
    /// What the engine does after an update, one step for each later read of the service.
    pub rollout: Vec<Step>,
    /// Tasks that are replaced one slot at a time, after [`SwarmState::use_slots`].
    pub slots: Option<Slots>,
    /// Tasks to list instead of those that follow from the state of the rollout. A task without a Spec gets the current
    /// one.
    pub tasks: Option<Vec<Value>>,
    pending: Vec<Step>,
}

/// One step of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing changes.
    Nothing,
    Updating,
    Completed,
    Paused,
    /// The previous spec is restored, and there is no longer a PreviousSpec.
    RolledBack,
}

/// The requests before or after which a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestKind {
    /// POST /services/{id}/update.
    Post,
    /// POST /services/create.
    Create,
    /// GET /services/{id}, and the list of services by ID.
    Read,
    /// POST /configs/create.
    Config,
    /// POST /configs/{id}/update.
    ConfigUpdate,
}

struct Hook {
    when: RequestKind,
    /// The number of the request, counted from 1; `None` for all requests.
    nth: Option<usize>,
    run: Box<dyn FnMut(&mut SwarmState) + Send>,
    /// Whether the hook runs after the request was handled, before the response.
    after: bool,
}
/// The error of an engine that is not in a swarm.
pub const NO_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
                              connect this node to swarm and try again.";
impl FakeSwarm {
    pub fn start() -> Self {
        let world = SwarmState {
            services: Vec::new(),
            networks: Vec::new(),
            secrets: Vec::new(),
            configs: Vec::new(),
            clock: SignedDuration::ZERO,
            framing: Framing::Auto,
            registry: BTreeMap::new(),
            forbidden: Vec::new(),
            is_no_manager: false,
            has_no_leader: false,
            task_history: 5,
            node: "n1o2d3e4n1o2d3e4n1o2d3e4n".to_owned(),
            unavailable_until: None,
            delay: Duration::ZERO,
            api_version: None,
            leaving: Vec::new(),
            index: 10,
            ids: 0,
            hooks: Vec::new(),
            breaks: Vec::new(),
            lost_posts: Vec::new(),
            counts: BTreeMap::new(),
            strange: Vec::new(),
        };
        let world = Arc::new(Mutex::new(world));
        Self { server: Server::start(SwarmHandler(Arc::clone(&world), true)), world }
    }

    /// Lets a proxy in front of the engine respond to all requests with this method and path prefix.
    pub fn forbids(&self, method: &'static str, path: &'static str, answer: Answer) {
        self.world().forbidden.push((method, path, answer));
    }

    /// Starts another manager of the same swarm. Its responses never break.
    pub fn other_manager(&self) -> Server {
        Server::start(SwarmHandler(Arc::clone(&self.world), false))
    }

    /// Starts an engine that is not in a swarm, so that every command ends immediately.
    pub fn without_swarm() -> Self {
        let swarm = Self::start();
        swarm.world().is_no_manager = true;
        swarm
    }

    /// Starts a swarm with services of these specs.
    pub fn with(specs: impl IntoIterator<Item = Value>) -> Self {
        let swarm = Self::start();
        for spec in specs {
            swarm.world().add(spec);
        }
        swarm
    }

    /// The state. The engine waits while the guard is held.
    pub fn world(&self) -> MutexGuard<'_, SwarmState> {
        lock(&self.world)
    }

    /// Returns a copy of a service.
    pub fn service(&self, name: &str) -> Service {
        self.world().service(name).clone()
    }

    /// Runs a hook before the Nth request of a kind is handled, counted from 1 (0: before each of them).
    pub fn before(&self, when: RequestKind, nth: usize, run: impl FnMut(&mut SwarmState) + Send + 'static) {
        let nth = (nth > 0).then_some(nth);
        self.world().hooks.push(Hook { when, nth, run: Box::new(run), after: false });
    }

    /// Runs a hook after the Nth request of a kind was handled and before its response, counted from 1 (0: for each of
    /// them).
    pub fn after(&self, when: RequestKind, nth: usize, run: impl FnMut(&mut SwarmState) + Send + 'static) {
        let nth = (nth > 0).then_some(nth);
        self.world().hooks.push(Hook { when, nth, run: Box::new(run), after: true });
    }

    /// Injects a fault.
    pub fn breaks(&self, this: InjectedFault) {
        match this.kind {
            FaultKind::Request(tear) => self.server.fail_request(this.request, tear, this.then),
            _ => self.world().breaks.push(this),
        }
    }

    /// All POST requests about services.
    pub fn posts(&self) -> Vec<Request> {
        let is_post =
            |request: &Request| request.method == "POST" && !request.endpoint().starts_with("/configs");
        self.server.requests().into_iter().filter(is_post).collect()
    }
}

impl Deref for FakeSwarm {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Drop for FakeSwarm {
    fn drop(&mut self) {
        let strange = std::mem::take(&mut self.world().strange);
        if !strange.is_empty() && !thread::panicking() {
            panic!("the fake swarm was asked what it does not know:\n  {}", strange.join("\n  "));
        }
    }
}

/// Handles the requests of one manager. The flag is true if injected faults apply to this manager.
struct SwarmHandler(Arc<Mutex<SwarmState>>, bool);

impl Handler for SwarmHandler {
    fn answer(&mut self, request: &Request) -> Answer {
        let world = &mut *lock(&self.0);
        let broken = world.breaks.iter().find(|broken| self.1 && broken.is_about(request.number)).cloned();
        let mut answer = match &broken {
            Some(broken) if !broken.handled && broken.request == request.number => Answer::json(200, ""),
            _ => world.handle(request),
        };
        if answer.framing == Framing::Auto {
            answer.framing = world.framing.clone();
        }
        answer.date = Some(world.now());
        answer.delay += world.delay;
        if let Some(version) = world.api_version {
            answer = answer.header("Api-Version", version);
        }
        if let Some(broken) = broken {
            answer = broken.apply(answer);
        }
        answer
    }
}
