//! Failover between several managers of one swarm.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::host::Host;
use crate::api::error::{Error, Result};

/// The value of [`Failover::current`] before a manager has been chosen.
const UNCHOSEN: usize = usize::MAX;

/// The maximum of the response timeout, as a multiple of the first one.
const MAX_TIMEOUT_FACTOR: u32 = 6;

/// The number of rounds after which the failure counts as permanent, if every host refuses in each of them.
const MAX_REFUSED_ROUNDS: u32 = 3;

/// The managers, in the given order, and the current one.
#[derive(Debug)]
pub(in crate::api) struct Failover {
    hosts: Vec<Host>,
    /// Index of the current manager, or [`UNCHOSEN`].
    current: AtomicUsize,
    /// Number of switches, including those back to the same (slow) manager. Each one increases the response timeout.
    switches: AtomicU32,
    /// Held while a manager is being chosen.
    switching: Mutex<()>,
    /// The IDs of the swarm's managers, once they are known.
    manager_ids: Mutex<HashSet<String>>,
}

/// The result of [`Failover::switch_from`].
#[derive(Debug)]
pub(in crate::api) enum Switch {
    /// A manager that sees a leader is current: another one, `from` again, or the choice of another thread.
    Found,
    /// No manager was found in time, or every host refused repeatedly.
    NoManager(NoManagerReason),
}

/// Why no manager could be chosen.
#[derive(Debug)]
pub(in crate::api) struct NoManagerReason {
    /// The reason for each host.
    host_errors: Vec<String>,
    /// The number of managers that answered and are without a quorum.
    without_quorum: usize,
    /// The number of managers of the swarm, as far as known; at least the number of hosts.
    known_managers: usize,
}

/// What one round of probes has found.
enum Round {
    /// The index of a manager that sees a leader.
    Found(usize),
    /// Nothing. An election may help.
    NoManager(NoManagerReason),
    /// Every host refused the connection, is a worker or belongs to another swarm, so waiting for an election will not help.
    Refused(NoManagerReason),
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
    /// A single manager is chosen immediately. One of several is chosen later, by [`Self::switch_from`].
    pub(crate) fn new(hosts: Vec<Host>) -> Self {
        let current = AtomicUsize::new(if hosts.len() > 1 { UNCHOSEN } else { 0 });
        let (switches, switching, manager_ids) = Default::default();
        Self { hosts, current, switches, switching, manager_ids }
    }

    /// Whether there is another manager to switch to.
    pub(crate) fn has_alternatives(&self) -> bool {
        self.hosts.len() > 1
    }

    /// Index of the current manager; `None` if none has been chosen yet.
    pub(crate) fn current_index(&self) -> Option<usize> {
        Some(self.current.load(Ordering::SeqCst)).filter(|at| *at != UNCHOSEN)
    }

    /// The current manager; `None` if none has been chosen yet.
    pub(crate) fn current_host(&self) -> Option<&Host> {
        self.hosts.get(self.current_index()?)
    }

    /// The maximum number of concurrent streams, whichever manager is current; `None` if there is no limit.
    pub(crate) fn max_streams(&self) -> Option<usize> {
        self.hosts.iter().filter_map(Host::max_streams).min()
    }

    /// The timeout of one response: `base` at first, and longer after each switch, because all managers may be slow.
    pub(crate) fn response_timeout(&self, base: Duration) -> Duration {
        base * (self.switches.load(Ordering::Relaxed) + 1).min(MAX_TIMEOUT_FACTOR)
    }

    /// The pauses between attempts: none for the first two attempts per manager, then 1 s, at most 60 times.
    pub(crate) fn backoff(&self) -> impl Iterator<Item = Duration> + use<> {
        let soon = std::iter::repeat_n(Duration::ZERO, self.hosts.len() * 2);
        soon.chain(std::iter::repeat_n(Duration::from_secs(1), 60))
    }

    /// Switches to the next manager after `from` that sees a leader and a majority, unless another thread has done so.
    ///
    /// If there is none, as during an election, it tries again while `wait_for_next_round` returns true, but gives up
    /// if every host refuses in `MAX_REFUSED_ROUNDS` consecutive rounds. `probe` requests the nodes from a host.
    /// `max_wait` appears only in the note.
    pub(crate) fn switch_from(
        &self,
        from: Option<usize>,
        probe: impl Fn(&Host) -> Result<Vec<ManagerNode>>,
        note: impl Fn(&str),
        max_wait: Duration,
        wait_for_next_round: impl Fn() -> Result<bool>,
    ) -> Result<Switch> {
        let _switching = self.switching.lock().unwrap_or_else(PoisonError::into_inner);
        if self.current_index() != from {
            return Ok(Switch::Found);
        }
        let (mut refused_rounds, mut is_note_printed) = (0, false);
        loop {
            let reason = match self.probe_all(from, &probe)? {
                Round::Found(at) => {
                    self.choose(from, at, &note);
                    return Ok(Switch::Found);
                }
                Round::Refused(reason) => {
                    refused_rounds += 1;
                    if refused_rounds == MAX_REFUSED_ROUNDS {
                        return Ok(Switch::NoManager(reason));
                    }
                    reason
                }
                Round::NoManager(reason) => {
                    refused_rounds = 0;
                    if !is_note_printed {
                        note(&format!(
                            "no manager that sees a leader responds; waiting for an election, for at most {} s",
                            max_wait.as_secs()
                        ));
                        is_note_printed = true;
                    }
                    reason
                }
            };
            if !wait_for_next_round()? {
                return Ok(Switch::NoManager(reason));
            }
        }
    }

    /// Probes all hosts, the one after `from` first, until one sees a leader.
    fn probe_all(
        &self,
        from: Option<usize>,
        probe: impl Fn(&Host) -> Result<Vec<ManagerNode>>,
    ) -> Result<Round> {
        let count = self.hosts.len();
        let next = from.map_or(0, |from| from + 1);
        let mut reason =
            NoManagerReason { host_errors: Vec::new(), without_quorum: 0, known_managers: count };
        let mut is_refused_by_all = true;
        for at in (0..count).map(|step| (next + step) % count) {
            let why = match probe(&self.hosts[at]) {
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                // A proxy in front of an engine forbids `/nodes`. The engine is used, although it may not see a leader.
                Err(Error::Denied { .. }) => return Ok(Round::Found(at)),
                Err(error) => {
                    is_refused_by_all &= error.is_not_sent_to_manager() && !error.is_connect_timeout();
                    reason.without_quorum += usize::from(error.has_no_leader());
                    root_cause_message(&error)
                }
                Ok(nodes) if !has_quorum(&nodes) => {
                    is_refused_by_all = false;
                    reason.without_quorum += 1;
                    reason.known_managers = reason.known_managers.max(nodes.len());
                    "it has no leader, or cannot reach most of the managers".to_owned()
                }
                Ok(nodes) if !self.check_and_record_swarm(&nodes) => {
                    "it is a manager of another swarm".to_owned()
                }
                Ok(_) => return Ok(Round::Found(at)),
            };
            reason.host_errors.push(format!("{}: {why}", self.endpoint(at)));
        }
        Ok(if is_refused_by_all { Round::Refused(reason) } else { Round::NoManager(reason) })
    }

    /// Whether a manager that lists these nodes belongs to the swarm of the managers that were probed before. If so,
    /// the IDs of the nodes are stored for the next check.
    fn check_and_record_swarm(&self, nodes: &[ManagerNode]) -> bool {
        let mut known = self.manager_ids.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = known.is_empty() || nodes.iter().any(|node| known.contains(&node.id));
        if is_known {
            known.extend(nodes.iter().map(|node| node.id.clone()));
        }
        is_known
    }

    /// Makes `to` the current manager and reports the switch.
    fn choose(&self, from: Option<usize>, to: usize, note: impl Fn(&str)) {
        if let Some(from) = from {
            if from != to {
                note(&format!(
                    "{} is not responding as a manager; switching to {}",
                    self.endpoint(from),
                    self.endpoint(to)
                ));
            }
            self.switches.fetch_add(1, Ordering::Relaxed);
        }
        self.current.store(to, Ordering::SeqCst);
    }

    /// The error if no manager could be chosen.
    pub(crate) fn no_manager_error(&self, reason: &NoManagerReason) -> Error {
        let all: Vec<String> = (0..self.hosts.len()).map(|at| self.endpoint(at)).collect();
        Error::Connect { endpoint: all.join(", "), source: std::io::Error::other(reason.describe()) }
    }

    fn endpoint(&self, at: usize) -> String {
        self.hosts.get(at).map(|host| host.connection.endpoint.to_string()).unwrap_or_default()
    }
}

impl NoManagerReason {
    /// `no leader: 1 of 3 managers responds, 2 are needed: HOST: REASON; HOST: REASON`.
    fn describe(&self) -> String {
        let Self { host_errors, without_quorum, known_managers: managers } = self;
        let first = match (*without_quorum, managers / 2 + 1) {
            (0, _) => "none of these managers can be reached".to_owned(),
            (1, needed) if needed > 1 => {
                format!("no leader: 1 of {managers} managers responds, {needed} are needed")
            }
            (answers, needed) if answers < needed => {
                format!("no leader: {answers} of {managers} managers respond, {needed} are needed")
            }
            (answers, _) => {
                format!("no leader: {answers} of {managers} managers respond, and none of them sees a leader")
            }
        };
        format!("{first}: {}", host_errors.join("; "))
    }
}

/// The message of the last error in the chain of causes.
fn root_cause_message(error: &Error) -> String {
    let root = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source()).last();
    root.map(ToString::to_string).unwrap_or_default()
}

/// Whether there is a leader, and a majority of the managers is reachable. Both are checked, because a leader that was
/// cut off from the other managers considers itself the leader for a while.
fn has_quorum(nodes: &[ManagerNode]) -> bool {
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
            let host_errors = vec!["tcp://a:1: x".to_owned()];
            NoManagerReason { host_errors, without_quorum: answers, known_managers: managers }.describe()
        };
        assert_eq!(why(1, 3), "no leader: 1 of 3 managers responds, 2 are needed: tcp://a:1: x");
        assert_eq!(why(2, 5), "no leader: 2 of 5 managers respond, 3 are needed: tcp://a:1: x");
        assert_eq!(
            why(2, 3),
            "no leader: 2 of 3 managers respond, and none of them sees a leader: tcp://a:1: x"
        );
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
            assert_eq!(has_quorum(&nodes), sees, "{nodes:?}");
        }
    }
}
