//! Failover between several managers of one swarm.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::host::Host;
use crate::api::error::{Error, Result};

/// Index of the current manager before one has been chosen.
pub(in crate::api) const UNCHOSEN: usize = usize::MAX;

/// After this number of rounds in which every manager refuses, the failure is permanent.
const MAX_FINAL_ROUNDS: u32 = 3;

/// The managers, in the order of the command line, and the current one.
#[derive(Debug)]
pub(in crate::api) struct Failover {
    hosts: Vec<Host>,
    /// Index of the current manager, or [`UNCHOSEN`].
    current: AtomicUsize,
    /// Number of switches. The response timeout grows with it.
    switches: AtomicU32,
    /// The IDs of the swarm's managers, once they are known. The lock is held while a manager is being chosen.
    swarm: Mutex<HashSet<String>>,
    /// Why no manager could be chosen in the last round.
    why_not: Mutex<WhyNot>,
}

/// Why no manager could be chosen.
#[derive(Debug, Default)]
struct WhyNot {
    /// The reason for each manager.
    reasons: Vec<String>,
    /// The number of managers that answered and see no leader.
    answers: usize,
    /// The number of managers of the swarm, as far as known.
    managers: usize,
}

/// A manager in the response to `GET /nodes`.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct ManagerNode {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "ManagerStatus")]
    status: Option<ManagerStatus>,
}

#[derive(Debug, Deserialize)]
struct ManagerStatus {
    #[serde(default, rename = "Leader")]
    is_leader: bool,
    #[serde(default, rename = "Reachability")]
    reachability: String,
}

impl Failover {
    /// A single manager is current from the start; of several, one is chosen later.
    pub(crate) fn new(hosts: Vec<Host>) -> Self {
        let current = AtomicUsize::new(if hosts.len() > 1 { UNCHOSEN } else { 0 });
        Self {
            hosts,
            current,
            switches: AtomicU32::new(0),
            swarm: Mutex::default(),
            why_not: Mutex::default(),
        }
    }

    /// Adds managers. With more than one, the current one is chosen later.
    pub(crate) fn add_hosts(&mut self, more: impl Iterator<Item = Host>) {
        let hosts = std::mem::take(&mut self.hosts).into_iter().chain(more).collect();
        *self = Self::new(hosts);
    }

    /// Whether there is another manager to switch to.
    pub(crate) fn has_alternatives(&self) -> bool {
        self.hosts.len() > 1
    }

    /// Index of the current manager, or [`UNCHOSEN`].
    pub(crate) fn current(&self) -> usize {
        self.current.load(Ordering::SeqCst)
    }

    /// The current manager; `None` if none has been chosen yet.
    pub(crate) fn chosen(&self) -> Option<&Host> {
        self.hosts.get(self.current())
    }

    /// The maximum number of concurrent streams, whichever manager is current; `None` if there is no limit.
    pub(crate) fn max_streams(&self) -> Option<usize> {
        self.hosts.iter().filter_map(Host::max_streams).min()
    }

    /// The timeout of one response: `first`, and longer after each switch, because all managers may be slow.
    pub(crate) fn response_timeout(&self, first: Duration) -> Duration {
        first * (self.switches.load(Ordering::Relaxed) + 1).min(6)
    }

    /// The pauses between attempts: none for the first two attempts per manager, then 1 s, at most 60 times.
    pub(crate) fn backoff(&self) -> impl Iterator<Item = Duration> + use<> {
        let soon = std::iter::repeat_n(Duration::ZERO, self.hosts.len() * 2);
        soon.chain(std::iter::repeat_n(Duration::from_secs(1), 60))
    }

    /// Switches to the next manager after `from` that sees a leader and a majority, unless another thread has done so. If there
    /// is none, as during an election, it retries while `wait` returns true, which takes at most `max_wait`.
    pub(crate) fn switch_from(
        &self,
        from: usize,
        probe: impl Fn(&Host) -> Result<Vec<ManagerNode>>,
        note: impl Fn(&str),
        max_wait: Duration,
        wait: impl Fn() -> Result<bool>,
    ) -> Result<bool> {
        let mut swarm = self.swarm.lock().unwrap_or_else(PoisonError::into_inner);
        if self.current() != from {
            return Ok(true);
        }
        let count = self.hosts.len();
        let next = if from == UNCHOSEN { 0 } else { from + 1 };
        let (mut rounds, mut final_rounds) = (0, 0);
        loop {
            let (mut why_not, mut are_final) = (Vec::new(), true);
            let (mut answers, mut managers) = (0, count);
            for step in 0..count {
                let at = (next + step) % count;
                let nodes = match probe(&self.hosts[at]) {
                    Err(Error::Interrupted) => return Err(Error::Interrupted),
                    // A proxy forbids `/nodes`. There is an engine behind it, but whether that sees a leader is unknown.
                    Err(Error::Denied { .. }) => {
                        self.choose(from, at, &note);
                        return Ok(true);
                    }
                    Err(error) => {
                        are_final &= error.is_not_sent_to_manager() && !error.is_connect_timeout();
                        answers += usize::from(error.has_no_leader());
                        why_not.push(self.reason(at, &chain(&error)));
                        continue;
                    }
                    Ok(nodes) => nodes,
                };
                if !sees_a_leader(&nodes) {
                    are_final = false;
                    answers += 1;
                    managers = managers.max(nodes.len());
                    why_not.push(self.reason(at, "it has no leader, or cannot reach most of the managers"));
                    continue;
                }
                if !swarm.is_empty() && !nodes.iter().any(|node| swarm.contains(&node.id)) {
                    why_not.push(self.reason(at, "it is a manager of another swarm"));
                    continue;
                }
                swarm.extend(nodes.into_iter().map(|node| node.id));
                self.choose(from, at, &note);
                return Ok(true);
            }
            let why_not = WhyNot { reasons: why_not, answers, managers };
            *self.why_not.lock().unwrap_or_else(PoisonError::into_inner) = why_not;
            // Every host refused the connection or is a worker, so waiting for an election will not help.
            final_rounds = if are_final { final_rounds + 1 } else { 0 };
            if final_rounds == MAX_FINAL_ROUNDS {
                return Ok(false);
            }
            if rounds == 0 && !are_final {
                let most = max_wait.as_secs();
                note(&format!(
                    "no manager that sees a leader responds; waiting for an election, for at most {most} s"
                ));
            }
            rounds += 1;
            if !wait()? {
                return Ok(false);
            }
        }
    }

    /// Makes `to` the current manager and reports the switch.
    fn choose(&self, from: usize, to: usize, note: impl Fn(&str)) {
        if from != UNCHOSEN && from != to {
            note(&format!(
                "{} is not responding as a manager; switching to {}",
                self.endpoint(from),
                self.endpoint(to)
            ));
        }
        self.switches.fetch_add(u32::from(from != UNCHOSEN), Ordering::Relaxed);
        self.current.store(to, Ordering::SeqCst);
    }

    /// The error if no manager could be chosen.
    pub(crate) fn no_manager_error(&self) -> Error {
        let all: Vec<String> = (0..self.hosts.len()).map(|at| self.endpoint(at)).collect();
        let why = self.why_not.lock().unwrap_or_else(PoisonError::into_inner).describe();
        Error::Connect { endpoint: all.join(", "), source: std::io::Error::other(why) }
    }

    fn reason(&self, at: usize, why: &str) -> String {
        format!("{}: {why}", self.endpoint(at))
    }

    fn endpoint(&self, at: usize) -> String {
        self.hosts.get(at).map(|host| host.connection.endpoint.to_string()).unwrap_or_default()
    }
}

impl WhyNot {
    /// `no leader: 1 of 3 managers answers, 2 are needed: HOST: REASON; HOST: REASON`.
    fn describe(&self) -> String {
        let Self { reasons, answers, managers } = self;
        let first = match (*answers, managers / 2 + 1) {
            (0, _) => "none of these managers can be reached".to_owned(),
            (1, needed) if needed > 1 => {
                format!("no leader: 1 of {managers} managers answers, {needed} are needed")
            }
            (answers, needed) if answers < needed => {
                format!("no leader: {answers} of {managers} managers answer, {needed} are needed")
            }
            (answers, _) => format!("no leader: {answers} of {managers} managers answer, and see none"),
        };
        format!("{first}: {}", reasons.join("; "))
    }
}

/// The message of the error at the end of the chain of causes.
fn chain(error: &Error) -> String {
    let root = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source()).last();
    root.map(ToString::to_string).unwrap_or_default()
}

/// Whether there is a leader and a majority of managers is reachable. Both are needed: a leader that was cut off from the
/// others considers itself the leader for a while.
fn sees_a_leader(nodes: &[ManagerNode]) -> bool {
    let managers: Vec<&ManagerStatus> = nodes.iter().filter_map(|node| node.status.as_ref()).collect();
    let reachable = managers.iter().filter(|it| it.reachability == "reachable").count();
    managers.iter().any(|it| it.is_leader) && reachable * 2 > managers.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_quorum_is_described_first() {
        let why = |answers, managers| {
            WhyNot { reasons: vec!["tcp://a:1: x".to_owned()], answers, managers }.describe()
        };
        assert_eq!(why(1, 3), "no leader: 1 of 3 managers answers, 2 are needed: tcp://a:1: x");
        assert_eq!(why(2, 5), "no leader: 2 of 5 managers answer, 3 are needed: tcp://a:1: x");
        assert_eq!(why(2, 3), "no leader: 2 of 3 managers answer, and see none: tcp://a:1: x");
        assert_eq!(why(0, 3), "none of these managers can be reached: tcp://a:1: x");
    }

    #[test]
    fn a_manager_that_was_cut_off_sees_no_majority() {
        let node = |leads: bool, reachability: &str| {
            let status = ManagerStatus { is_leader: leads, reachability: reachability.to_owned() };
            ManagerNode { id: "n".to_owned(), status: Some(status) }
        };
        for (nodes, sees) in [
            (vec![node(true, "reachable")], true),
            (vec![node(true, "reachable"), node(false, "reachable"), node(false, "unreachable")], true),
            (vec![node(true, "reachable"), node(false, "unreachable"), node(false, "unreachable")], false),
            (vec![node(false, "reachable"), node(false, "reachable"), node(false, "reachable")], false),
            (vec![], false),
        ] {
            assert_eq!(sees_a_leader(&nodes), sees, "{nodes:?}");
        }
    }
}
