//! Endings in words: what failed, why, and what to do about it.

mod hints;
mod paused;
mod stopped;
mod waiting;

use serde_json::Value;

pub use self::hints::undo;
pub use self::paused::with_ways_out;
use super::exit::{Exit, after_interrupt, chain, hint};
use crate::api::deploy::failures::{Explanation, Failure};
use crate::api::deploy::update::{Conflict, NotBegun, Outcome, Posts, Restarts, Sends, Unchanged, Verdict};
use crate::api::error::Error;
use crate::api::forecast::Forecast;
use crate::api::resources::addresses::Usage;
use crate::api::shell;
use crate::api::spec::Hazard;

pub use self::waiting::{ROLLOUT_CONTINUES, keep_watching};
use self::waiting::{rolled_back_for, still_waiting_for};

/// Why a service is not as it was asked for, and what to do.
#[derive(Debug)]
pub struct Said {
    /// From the outside to the root; a cause of several lines is one of them.
    pub causes: Vec<String>,
    /// What to do, with commands to paste.
    pub hint: Option<String>,
}

/// The words of an ending; `None` where all is as it was asked for.
pub fn of(outcome: &Outcome, signal: Option<usize>) -> Option<Said> {
    // As it can be pasted.
    let name = &*shell::service(outcome.name());
    let (causes, hint) = match &outcome.verdict {
        Verdict::Unchanged(
            Unchanged::AlreadySo
            | Unchanged::SameImage(_)
            | Unchanged::SameDigest { .. }
            | Unchanged::Skipped(_),
        )
        | Verdict::Planned
        | Verdict::Applied
        | Verdict::UnderWay
        | Verdict::Converged => return None,
        Verdict::RolloutFailed(why) => (
            std::iter::once(why.to_string()).chain(explained(outcome)).collect(),
            Some(hints::look_and_undo(outcome)),
        ),
        Verdict::RolledBack => (
            rolled_back_for(outcome),
            Some(hints::look(outcome)),
        ),
        Verdict::Undone => (
            vec![
                "converged first, then rolled back because others failed (--rollback-on-failure=all)"
                    .to_owned(),
            ],
            Some("see why the others failed, and run the command again".to_owned()),
        ),
        Verdict::RollbackStopped(rollback) => stopped::causes_and_hint(outcome, rollback, signal),
        Verdict::NotBegun(why @ NotBegun::Blocked(_)) => {
            let hint = "fix that, or leave such services out with `--max-failures 0`".to_owned();
            (vec![not_begun(why).to_owned()], Some(hint))
        }
        Verdict::NotBegun(why) => (vec![not_begun(why).to_owned()], None),
        Verdict::Removed => (vec!["the service was removed while it was watched".to_owned()], None),
        Verdict::Refused(why) => (vec![why.clone()], None),
        Verdict::WouldRestart(restarts) => would_restart(restarts, name),
        Verdict::WouldCrash(hazard, sends) => would_crash(*hazard, *sends, name),
        Verdict::FailedBefore(why) => (
            vec![why.clone()],
            Some(format!("to roll back to it anyway run `swarmctl rollback --to-failed {name}`")),
        ),
        Verdict::Skipped(why) => {
            (vec![why.clone()], Some(format!("see what it does with `swarmctl ps {name}`")))
        }
        Verdict::Paused | Verdict::Unchanged(Unchanged::Paused) => (
            vec![match outcome.no_change {
                Some(_) => "its rollout is paused".to_owned(),
                None => "its rollout is paused, and any post would resume it".to_owned(),
            }],
            None,
        ),
        Verdict::Conflict(conflict) => conflict_in_words(conflict, name),
        Verdict::Failed(error) => (chain(error).collect(), hint(error)),
        Verdict::Unknown(error) => (
            std::iter::once("the answer was lost and could not be looked up".to_owned())
                .chain(chain(error))
                .collect(),
            Some(
                "it may have happened: look with `swarmctl ls` and `swarmctl inspect` once the engine answers again"
                    .to_owned(),
            ),
        ),
        Verdict::GaveUp(why) => (
            std::iter::once(why.clone()).chain(still_waiting_for(outcome, why)).collect(),
            Some(if outcome.is_removal {
                "the service is removed, and the engine continues to stop its tasks".to_owned()
            } else {
                format!("{ROLLOUT_CONTINUES}; {}", keep_watching(name))
            }),
        ),
        Verdict::Interrupted => (
            vec![format!("interrupted ({})", signal_name(signal))],
            Some(match outcome.posts {
                posts if is_still_watchable(outcome) => {
                    format!("{}; {}", after_interrupt(posts), keep_watching(name))
                }
                posts => after_interrupt(posts).to_owned(),
            }),
        ),
    };
    Some(Said { causes, hint })
}

/// Whether the command stopped waiting for something that the engine continues without it.
pub fn is_still_watchable(outcome: &Outcome) -> bool {
    (outcome.posts == Posts::Taken || outcome.no_change.is_some()) && !outcome.is_removal
}

/// What could not be done, or what was done and then went wrong.
pub fn head(outcome: &Outcome, verb: &str, done: &str) -> String {
    let name = outcome.name();
    let which = if name.is_empty() { String::new() } else { format!(" `{name}`") };
    match (&outcome.verdict, outcome.posts) {
        (Verdict::Undone, _) => format!("service{which} is as it was before"),
        (Verdict::NotBegun(_), _) => format!("service{which} was not begun"),
        (Verdict::RolloutFailed(_), _) => format!("the rollout of service{which} failed"),
        (Verdict::RolledBack, _) => format!("the rollout of service{which} failed and was rolled back"),
        (Verdict::RollbackStopped(stopped), _) => match stopped.failure {
            Some(_) => format!("the rollout of service{which} failed"),
            None => format!("service{which} was {done}, and its rollback did not end"),
        },
        (Verdict::Unchanged(Unchanged::Paused), _) if outcome.no_change.is_some() => {
            format!("service{which} is as requested already, but its tasks may not run")
        }
        (Verdict::GaveUp(_) | Verdict::Interrupted, _) if outcome.no_change.is_some() => {
            format!("service{which} is as requested already, but swarmctl stopped waiting for its rollout")
        }
        (Verdict::GaveUp(_) | Verdict::Interrupted, Posts::Taken) => {
            let done = if done.is_empty() { "created" } else { done };
            format!("service{which} was {done}, but not watched to its end")
        }
        _ => format!("cannot {verb} service{which}"),
    }
}

/// [`head`], of several services that ended alike.
pub fn head_of_many(one: &Outcome, count: usize, names: &str, verb: &str, done: &str) -> String {
    match (&one.verdict, one.posts) {
        (Verdict::NotBegun(_), _) => format!("{count} services were not begun: {names}"),
        (Verdict::Undone, _) => format!("{count} services are as they were before: {names}"),
        (Verdict::GaveUp(_) | Verdict::Interrupted, _) if one.no_change.is_some() => format!(
            "{count} services are as requested already, but swarmctl stopped waiting for their rollouts: {names}"
        ),
        (_, Posts::Taken) => format!("{count} services were {done}, but not watched to their end: {names}"),
        _ => format!("cannot {verb} {count} services: {names}"),
    }
}

/// How it ended, as it is counted at the end.
pub fn in_summary(outcome: &Outcome, done: &'static str) -> &'static str {
    match &outcome.verdict {
        Verdict::Converged if outcome.posts == Posts::None => "converged",
        Verdict::Applied | Verdict::Converged if done.is_empty() => "converged",
        Verdict::Applied | Verdict::Converged => done,
        Verdict::Planned => "would change",
        Verdict::Unchanged(Unchanged::Skipped(_)) => "skipped",
        Verdict::GaveUp(_) | Verdict::UnderWay => "still under way",
        Verdict::RolledBack | Verdict::Undone => "rolled back",
        Verdict::NotBegun(_) => "not begun",
        Verdict::Failed(error) if is_no_such_service(error) => "not there",
        other => word(other),
    }
}

/// `2 of 3 tasks will be restarted`.
pub fn forecast(forecast: &Forecast) -> String {
    let Forecast { restarted, of, added, removed, job_runs_again, .. } = forecast;
    if *job_runs_again {
        return "the job runs again".to_owned();
    }
    let mut text = match restarted {
        0 => "no task will be restarted".to_owned(),
        n => format!("{n} of {of} task{} will be restarted", if *of == 1 { "" } else { "s" }),
    };
    for (count, what) in [(added, "added"), (removed, "removed")] {
        if *count > 0 {
            text += &format!(", {count} will be {what}");
        }
    }
    text
}

/// A value of a spec, as it is shown in a line.
pub fn value(value: Option<&Value>) -> String {
    match value {
        None => "(none)".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The distinct causes of a failed rollout, each with its task, node, exit code and the end of its log.
fn explained(outcome: &Outcome) -> Vec<String> {
    let Explanation { failures, networks, has_leader } = &outcome.explanation;
    let name = outcome.name();
    let networks = networks.iter().map(|network| match network.subnets.is_empty() {
        true => format!(
            "network `{}` has no subnet: the manager has not allocated the network itself",
            network.name
        ),
        false => addresses_in_words(network),
    });
    let leader = has_leader.filter(|has_leader| !has_leader).map(|_| {
        "the swarm has no leader: nothing is allocated until the managers have elected one".to_owned()
    });
    failures.iter().map(|failure| failure_in_words(name, failure)).chain(networks).chain(leader).collect()
}

fn addresses_in_words(network: &Usage) -> String {
    let usable = network.usable.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
    format!(
        "network `{}` ({}): {} of {usable} addresses are taken ({} by tasks, {} by virtual IPs of services, {} by \
         gateways)",
        network.name,
        network.subnets.join(", "),
        network.taken(),
        network.by_tasks,
        network.by_services,
        network.by_gateways,
    )
}

fn failure_in_words(name: &str, Failure { cause, node, log }: &Failure) -> String {
    let mut text = format!("task {name}.{} ({:.12})", cause.slot, cause.task);
    if !node.is_empty() {
        text += &format!(" on node {node}");
    }
    if cause.tasks > 1 {
        text += &format!(", and {} more alike,", cause.tasks - 1);
    }
    text += &format!(" {}", cause.state.word());
    if let Some(code) = cause.exit_code {
        text += &format!(" with exit code {code}");
    }
    if cause.error != cause.state.word() {
        text += &format!(": {}", cause.error);
    }
    if !log.is_empty() {
        text += "\nits log ends with:";
        for line in log {
            text += &format!("\n  {line}");
        }
    }
    text
}

/// Why one of many services was not begun.
pub fn not_begun(why: &NotBegun) -> &str {
    match why {
        NotBegun::Blocked(why) => why,
        NotBegun::Failures => "too many others had failed (--max-failures)",
        NotBegun::Canary => "the first ones, which are tried out (--canary), have not all converged",
        NotBegun::Time => "the time was up (--timeout)",
        NotBegun::Engine => "the engine does not answer any more",
        NotBegun::Interrupted => "interrupted before its turn came",
    }
}

fn signal_name(signal: Option<usize>) -> &'static str {
    if Exit::of_signal(signal) == Exit::Terminated { "SIGTERM" } else { "Ctrl-C" }
}

fn would_restart(restarts: &Restarts, name: &str) -> (Vec<String>, Option<String>) {
    let Restarts { tasks, of, why } = restarts;
    let cause = format!("it would restart {tasks} of {of} task{}", if *of == 1 { "" } else { "s" });
    let causes = std::iter::once(cause).chain(why.iter().cloned()).collect();
    (causes, Some(format!("to restart them, run `swarmctl update --with-registry-auth --force {name}`")))
}

fn would_crash(hazard: Hazard, sends: Sends, name: &str) -> (Vec<String>, Option<String>) {
    match (hazard, sends) {
        (Hazard::HealthCheck, Sends::Stored) => (
            vec![hazard.to_string(), "any update would send it again".to_owned()],
            Some(format!(
                "replace it with `swarmctl update --health-cmd COMMAND {name}`, or turn it off with `swarmctl update \
                 --no-healthcheck {name}`"
            )),
        ),
        (Hazard::HealthCheck, Sends::Previous) => (
            vec!["the previous spec would crash the engine".to_owned(), hazard.to_string()],
            Some(format!("set an image that works with `swarmctl update-image {name} IMAGE`")),
        ),
    }
}

fn conflict_in_words(conflict: &Conflict, name: &str) -> (Vec<String>, Option<String>) {
    let look = format!("look with `swarmctl inspect --pretty {name}`, decide, and run the command again");
    match conflict {
        Conflict::Place { place, base, theirs, mine, by_rollback, was_applied } => {
            let (base, theirs, mine) = (value(base.as_ref()), value(theirs.as_ref()), value(mine.as_ref()));
            let cause = match (was_applied, by_rollback) {
                (true, _) => format!(
                    "the update was applied, then another writer set {place} to `{theirs}` (this command: `{mine}`)"
                ),
                (_, true) => format!(
                    "the engine rolled back meanwhile: {place} was `{base}`, is `{theirs}` and should become `{mine}`"
                ),
                _ => format!(
                    "someone else changed the same place: {place} was `{base}`, is `{theirs}` and should become `{mine}`"
                ),
            };
            (vec![cause], Some(look))
        }
        Conflict::Version { wanted, now } => (
            vec![format!(
                "the version index is {now}, not {wanted}; every change moves it, a rollout under way too"
            )],
            Some(look),
        ),
        Conflict::Retries { tries } => (
            vec![format!(
                "others changed the service {tries} times while this command tried (\"update out of sequence\")"
            )],
            Some("run the command again when the other writers are done".to_owned()),
        ),
    }
}

/// What an ending is called in JSON.
pub fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Paused | Verdict::Unchanged(Unchanged::Paused) => "paused",
        Verdict::Unchanged(_) => "unchanged",
        Verdict::Planned => "planned",
        Verdict::Applied => "applied",
        Verdict::Converged => "converged",
        Verdict::UnderWay => "under_way",
        Verdict::RolloutFailed(_) => "failed",
        Verdict::Removed => "removed",
        Verdict::Conflict(_) => "conflict",
        Verdict::RolledBack | Verdict::Undone => "rolled_back",
        Verdict::NotBegun(_) => "not_begun",
        Verdict::Refused(_) | Verdict::WouldCrash(..) => "refused",
        Verdict::FailedBefore(_) => "refused",
        Verdict::Skipped(_) | Verdict::WouldRestart(_) => "skipped",
        Verdict::Failed(error) => failure_word(error),
        Verdict::Unknown(_) => "unknown",
        Verdict::RollbackStopped(rollback) => stopped::word(rollback),
        Verdict::GaveUp(_) => "gave_up",
        Verdict::Interrupted => "interrupted",
    }
}

/// What is missing may also be a network or a secret that the service was to have.
fn is_no_such_service(error: &Error) -> bool {
    match error {
        Error::NoSuch { kind, .. } => *kind == "service",
        error => Exit::of(error, None) == Exit::NoSuch,
    }
}

fn failure_word(error: &Error) -> &'static str {
    match Exit::of(error, None) {
        Exit::NoSuch if is_no_such_service(error) => "no_such_service",
        Exit::Unreachable => "unreachable",
        _ => "refused",
    }
}
