//! Several managers of one swarm: which one is asked, and when another is.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::host::Door;
use crate::api::error::{Error, Result};

/// No manager has been chosen yet.
pub(in crate::api) const NONE: usize = usize::MAX;

/// So many rounds in which all refuse are no passing trouble.
const FINAL_ROUNDS: u32 = 3;

/// The managers, in the order in which they were named.
#[derive(Debug)]
pub(in crate::api) struct Managers {
    doors: Vec<Door>,
    /// Which one is asked; [`NONE`]: it is still to be chosen.
    at: AtomicUsize,
    /// How often they were left; each time an answer may take longer.
    left: AtomicU32,
    /// Held while another one is chosen; the IDs of the swarm's managers, once they are known.
    swarm: Mutex<HashSet<String>>,
    /// Why each could not be chosen, the last time that none could.
    why_not: Mutex<Vec<String>>,
}

/// A manager, as `GET /nodes` has it.
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

impl Managers {
    /// A manager that is alone needs no choosing.
    pub fn new(doors: Vec<Door>) -> Self {
        let at = AtomicUsize::new(if doors.len() > 1 { NONE } else { 0 });
        Self { doors, at, left: AtomicU32::new(0), swarm: Mutex::default(), why_not: Mutex::default() }
    }

    /// Takes them apart again.
    pub fn into_doors(self) -> Vec<Door> {
        self.doors
    }

    /// Whether there is another one to ask.
    pub fn are_many(&self) -> bool {
        self.doors.len() > 1
    }

    /// The number of the one that is asked.
    pub fn at(&self) -> usize {
        self.at.load(Ordering::SeqCst)
    }

    /// The one that is asked; `None`: it is still to be chosen.
    pub fn chosen(&self) -> Option<&Door> {
        self.doors.get(self.at())
    }

    /// How many streams there may be at once, on whichever is asked; `None`: any number.
    pub fn most_streams(&self) -> Option<usize> {
        self.doors.iter().filter_map(Door::most_streams).min()
    }

    /// How long one answer is waited for: `first`, and longer each time that a manager was left, since all may be slow.
    pub fn patience(&self, first: Duration) -> Duration {
        first * (self.left.load(Ordering::Relaxed) + 1).min(6)
    }

    /// The pauses before something is asked of another manager: twice of each at once, then less often.
    pub fn tries(&self) -> impl Iterator<Item = Duration> + use<> {
        let soon = std::iter::repeat_n(Duration::ZERO, self.doors.len() * 2);
        soon.chain(std::iter::repeat_n(Duration::from_secs(1), 60))
    }

    /// Chooses the next manager after `from` that sees a leader and a majority, unless that has been done by another
    /// thread. While there is none, `wait` says how long to go on asking: during an election all are silent.
    pub fn leave(
        &self,
        from: usize,
        probe: impl Fn(&Door) -> Result<Vec<ManagerNode>>,
        note: impl Fn(&str),
        wait: impl Fn() -> Result<bool>,
    ) -> Result<bool> {
        let mut swarm = self.swarm.lock().unwrap_or_else(PoisonError::into_inner);
        if self.at() != from {
            return Ok(true);
        }
        let count = self.doors.len();
        let next = if from == NONE { 0 } else { from + 1 };
        let (mut rounds, mut final_rounds) = (0, 0);
        loop {
            let (mut why_not, mut are_final) = (Vec::new(), true);
            for step in 0..count {
                let at = (next + step) % count;
                let nodes = match probe(&self.doors[at]) {
                    Err(Error::Interrupted) => return Err(Error::Interrupted),
                    // A proxy that forbids `/nodes` stands before an engine: whether that sees a leader is not known.
                    Err(Error::Denied { .. }) => {
                        self.choose(from, at, &note);
                        return Ok(true);
                    }
                    Err(error) => {
                        are_final &= error.is_unsent_to_engine() && !error.is_timed_out();
                        why_not.push(self.told(at, &chain(&error)));
                        continue;
                    }
                    Ok(nodes) => nodes,
                };
                if !sees_a_leader(&nodes) {
                    are_final = false;
                    why_not.push(self.told(at, "it sees no leader, or is cut off from most managers"));
                    continue;
                }
                if !swarm.is_empty() && !nodes.iter().any(|node| swarm.contains(&node.id)) {
                    why_not.push(self.told(at, "it is a manager of another swarm"));
                    continue;
                }
                swarm.extend(nodes.into_iter().map(|node| node.id));
                self.choose(from, at, &note);
                return Ok(true);
            }
            *self.why_not.lock().unwrap_or_else(PoisonError::into_inner) = why_not;
            // Nobody listens, or nobody is a manager: no election mends that.
            final_rounds = if are_final { final_rounds + 1 } else { 0 };
            if final_rounds == FINAL_ROUNDS {
                return Ok(false);
            }
            if rounds == 0 && !are_final {
                note("no manager that sees a leader answers: waiting for the managers to elect one");
            }
            rounds += 1;
            if !wait()? {
                return Ok(false);
            }
        }
    }

    /// Switches from one manager to another.
    fn choose(&self, from: usize, to: usize, note: impl Fn(&str)) {
        if from != NONE && from != to {
            note(&format!(
                "{} does not answer as a manager should; going on with {}",
                self.endpoint(from),
                self.endpoint(to)
            ));
        }
        self.left.fetch_add(u32::from(from != NONE), Ordering::Relaxed);
        self.at.store(to, Ordering::SeqCst);
    }

    /// None of them can be asked.
    pub fn none_answers(&self) -> Error {
        let all: Vec<String> = (0..self.doors.len()).map(|at| self.endpoint(at)).collect();
        let why = self.why_not.lock().unwrap_or_else(PoisonError::into_inner).join("; ");
        let why = format!("none of these managers can be asked: {why}");
        Error::Connect { endpoint: all.join(", "), source: std::io::Error::other(why) }
    }

    fn told(&self, at: usize, why: &str) -> String {
        format!("{}: {why}", self.endpoint(at))
    }

    fn endpoint(&self, at: usize) -> String {
        self.doors.get(at).map(|door| door.connection.endpoint.to_string()).unwrap_or_default()
    }
}

/// The words of an error and of what caused it.
fn chain(error: &Error) -> String {
    let root = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source()).last();
    root.map(ToString::to_string).unwrap_or_default()
}

/// Whether there is a leader, and more than half of the managers are there. One that was cut off goes on for a while to
/// call itself the leader.
fn sees_a_leader(nodes: &[ManagerNode]) -> bool {
    let managers: Vec<&ManagerStatus> = nodes.iter().filter_map(|node| node.status.as_ref()).collect();
    let reachable = managers.iter().filter(|it| it.reachability == "reachable").count();
    managers.iter().any(|it| it.is_leader) && reachable * 2 > managers.len()
}

#[cfg(test)]
mod tests {
    use super::*;

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
