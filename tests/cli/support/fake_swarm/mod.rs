//! A small swarm that holds services as a real engine does: version indexes, PreviousSpec, UpdateStatus, the
//! engine's own words for what it refuses. It knows the truth (how often a post was taken), so that a test can
//! compare an exit code with it; and it lets other writers in between, and breaks answers.

mod expect;
mod posts;
mod reads;
mod world;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub use self::reads::distribution;
use super::faults::FaultKind;
pub use super::faults::InjectedFault;
use super::server::{Answer, Framing, Handler, Request, Server, lock};

/// A fake swarm, listening. Dropping it fails the test if it was asked what no engine knows.
pub struct FakeSwarm {
    server: Server,
    world: Arc<Mutex<SwarmState>>,
}

/// What the engine holds, and what is to happen to it.
pub struct SwarmState {
    pub services: Vec<Service>,
    /// ID and name of every network.
    pub networks: Vec<(String, String)>,
    /// ID and name of every secret; the configs are the same.
    pub secrets: Vec<(String, String)>,
    /// How far the engine's clock is ahead of the machine's.
    pub clock: SignedDuration,
    /// How each answer's body is framed.
    pub framing: Framing,
    /// What registries have: the digest of an image, by its name. Of any other they cannot be asked.
    pub registry: BTreeMap<String, String>,
    /// What a proxy before the engine answers by itself: to this method, where the path begins so.
    pub forbidden: Vec<(&'static str, &'static str, Answer)>,
    /// Every request is refused: this node is in no swarm.
    pub is_no_manager: bool,
    /// Managers are electing a leader.
    pub has_no_leader: bool,
    /// How many tasks of a slot the swarm keeps.
    pub task_history: i64,
    /// The ID of the only node.
    pub node: String,
    /// Until then every request but pings is answered 503 (it is not handled).
    pub unavailable_until: Option<Instant>,
    /// How long the engine takes for each answer.
    pub delay: Duration,
    /// The engine's own API version, if it is not that of Docker 20.10.
    pub api_version: Option<&'static str>,
    /// Tasks of removed services, with the service's name, and how many more reads they are shown to.
    leaving: Vec<(String, Value, usize)>,
    index: u64,
    ids: u64,
    hooks: Vec<Hook>,
    breaks: Vec<InjectedFault>,
    counts: BTreeMap<(&'static str, RequestKind), usize>,
    strange: Vec<String>,
}

/// One service with its history.
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
    /// Every spec that a request (no [`SwarmState::write`]) brought, in the order they were taken.
    pub taken: Vec<Value>,
    /// The next update moves its networks to the TaskTemplate, where GET shows them already: Docker 29 with data of an
    /// older engine. Its tasks were made without.
    pub moves_networks: bool,
    /// The placement that its tasks were made with, if it is not that of the spec.
    pub placed: Option<Value>,
    /// How often a request rolled it back.
    pub rollbacks: usize,
    /// What the engine does by itself after an update, one step at each later read of the service.
    pub rollout: Vec<Step>,
    /// The tasks that the engine shows instead of those that follow from the rollout's state. One without a Spec is of
    /// the current one.
    pub tasks: Option<Vec<Value>>,
    pending: Vec<Step>,
}

/// One step of the engine's own work after an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing happens until the next read.
    Nothing,
    Updating,
    Completed,
    Paused,
    /// The spec is the previous one again, and there is no PreviousSpec any more.
    RolledBack,
}

/// Before which requests a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestKind {
    /// POST /services/{id}/update.
    Post,
    /// POST /services/create.
    Create,
    /// GET /services/{id}, and the list of services by ID.
    Read,
}

struct Hook {
    when: RequestKind,
    /// Counted from 1; `None`: every time.
    nth: Option<usize>,
    run: Box<dyn FnMut(&mut SwarmState) + Send>,
    /// After the request was handled, before it is answered.
    after: bool,
}
/// The words of an engine that is in no swarm.
pub const NO_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
                              connect this node to swarm and try again.";
impl FakeSwarm {
    pub fn start() -> Self {
        let world = SwarmState {
            services: Vec::new(),
            networks: Vec::new(),
            secrets: Vec::new(),
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
            counts: BTreeMap::new(),
            strange: Vec::new(),
        };
        let world = Arc::new(Mutex::new(world));
        Self { server: Server::start(SwarmHandler(Arc::clone(&world), true)), world }
    }

    /// A proxy before the engine gives this answer to every request of this method, where the path begins so.
    pub fn forbids(&self, method: &'static str, path: &'static str, answer: Answer) {
        self.world().forbidden.push((method, path, answer));
    }

    /// Another manager of the same swarm, whose answers never break.
    pub fn other_manager(&self) -> Server {
        Server::start(SwarmHandler(Arc::clone(&self.world), false))
    }

    /// An engine that is in no swarm: whatever it is asked, the command ends at once.
    pub fn without_swarm() -> Self {
        let swarm = Self::start();
        swarm.world().is_no_manager = true;
        swarm
    }

    /// A swarm with the services of these specs.
    pub fn with(specs: impl IntoIterator<Item = Value>) -> Self {
        let swarm = Self::start();
        for spec in specs {
            swarm.world().add(spec);
        }
        swarm
    }

    /// The state; the engine stands still while this is held.
    pub fn world(&self) -> MutexGuard<'_, SwarmState> {
        lock(&self.world)
    }

    /// A copy of a service as it is now.
    pub fn service(&self, name: &str) -> Service {
        self.world().service(name).clone()
    }

    /// Runs something before the Nth request of a kind, counted from 1 (0: each of them) is handled.
    pub fn before(&self, when: RequestKind, nth: usize, run: impl FnMut(&mut SwarmState) + Send + 'static) {
        let nth = (nth > 0).then_some(nth);
        self.world().hooks.push(Hook { when, nth, run: Box::new(run), after: false });
    }

    /// Runs something after the Nth request of a kind was handled, before it is answered.
    pub fn after(&self, when: RequestKind, nth: usize, run: impl FnMut(&mut SwarmState) + Send + 'static) {
        let nth = (nth > 0).then_some(nth);
        self.world().hooks.push(Hook { when, nth, run: Box::new(run), after: true });
    }

    /// Breaks one answer, or one request.
    pub fn breaks(&self, this: InjectedFault) {
        match this.kind {
            FaultKind::Request(tear) => self.server.fail_request(this.request, tear, this.then),
            _ => self.world().breaks.push(this),
        }
    }

    /// Every request that was a POST.
    pub fn posts(&self) -> Vec<Request> {
        self.server.requests().into_iter().filter(|request| request.method == "POST").collect()
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

/// What a manager answers; whether [`FakeSwarm::breaks`] is about it.
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
