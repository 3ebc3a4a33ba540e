//! Removing a service, also where the engine's answer is lost.

use super::client::Client;
use super::error::{Error, Result};
use super::forecast::Forecast;
use super::services::{self, Service};
use super::tasks::{self, Which};
use super::update::{Conflict, Outcome, Posts, Retries, Verdict};

/// Removes the service; with `if_version` only if that is its version index.
///
/// The engine has no way to delete a version only: a writer may still come between the read and the delete.
pub fn remove(client: &Client, given: &str, service: Service, if_version: Option<u64>) -> Outcome {
    let mut outcome = Outcome::new(given, Verdict::Applied);
    outcome.is_removal = true;
    outcome.version_before = Some(service.version());
    if !is_other(&service, if_version, &mut outcome)
        && let Err(error) = delete(client, service.id(), &mut outcome.posts, &mut outcome.was_looked_up)
    {
        outcome.verdict = Outcome::ending(error, outcome.posts);
    }
    outcome.service = Some(service);
    outcome
}

/// What [`remove`] would do: nothing is deleted.
pub fn plan(client: &Client, given: &str, service: Service, if_version: Option<u64>) -> Outcome {
    let mut outcome = Outcome::new(given, Verdict::Planned);
    if !is_other(&service, if_version, &mut outcome) {
        outcome.version_before = Some(service.version());
        match tasks::list(client, &[service.id()], Which::All) {
            Ok(listed) => {
                let wanted = listed.tasks.iter().filter(|task| task.is_wanted()).count() as u64;
                outcome.forecast = Some(Forecast { of: wanted, removed: wanted, ..Forecast::default() });
            }
            Err(error) => outcome.verdict = Outcome::ending(error, Posts::None),
        }
    }
    outcome.service = Some(service);
    outcome
}

/// Whether the version index is another than the wanted one; then that is the verdict.
fn is_other(service: &Service, if_version: Option<u64>, outcome: &mut Outcome) -> bool {
    let now = service.version();
    let Some(wanted) = if_version.filter(|wanted| *wanted != now) else { return false };
    outcome.verdict = Verdict::Conflict(Conflict::Version { wanted, now });
    true
}

/// Deletes until the engine has accepted or refused it, or has no such service any more.
///
/// What became of a lost answer is looked up. A service that is still there is deleted again, which is safe: an ID
/// is never given twice. One that is gone is removed, whoever did it.
fn delete(client: &Client, id: &str, posts: &mut Posts, was_looked_up: &mut bool) -> Result<()> {
    let mut lost = Retries::of_lost_answers(client.timeouts());
    loop {
        client.interrupt().check()?;
        let error = match services::delete(client, id) {
            Ok(()) => break,
            Err(e) if e.is_not_found() => break,
            Err(e) if e.is_unprocessed() && *posts == Posts::None => {
                if !lost.pause(client)? {
                    return Err(e);
                }
                continue;
            }
            Err(e) if e.leaves_doubt() => e,
            // A request that was not sent does not settle an earlier one; nor does a refusal, which is looked up.
            Err(e) if e.is_unsent() || *posts == Posts::None => return Err(e),
            Err(e) => e,
        };
        *posts = Posts::InDoubt;
        if matches!(error, Error::Interrupted) {
            return Err(error);
        }
        *was_looked_up = true;
        match services::inspect(client, id) {
            Ok(_) if !error.is_change_refused() && lost.pause(client)? => {}
            Ok(_) => {
                *posts = Posts::None;
                return Err(error);
            }
            Err(e) if e.is_not_found() => break,
            Err(e) => return Err(e),
        }
    }
    *posts = Posts::Taken;
    Ok(())
}

/// Waits until the tasks of the removed services are gone too.
pub fn wait_until_gone(client: &Client, outcomes: &mut [Outcome]) {
    let mut waiting: Vec<(&Service, &mut Verdict)> = outcomes
        .iter_mut()
        .filter(|outcome| matches!(outcome.verdict, Verdict::Applied))
        .filter_map(|outcome| Some((outcome.service.as_ref()?, &mut outcome.verdict)))
        .collect();
    let mut pause = client.timeouts().removal_interval;
    while !waiting.is_empty() {
        let services: Vec<_> = waiting.iter().map(|(service, _)| (service.id(), service.name())).collect();
        let left = match tasks::list_left(client, &services) {
            Ok(left) if left.is_empty() => return,
            Ok(left) => client.interrupt().sleep(pause).map(|()| left),
            Err(error) => Err(error),
        };
        match left {
            Ok(left) => waiting.retain(|(service, _)| left.contains(service.id())),
            Err(error) => {
                for (_, verdict) in waiting {
                    *verdict = match &error {
                        Error::Interrupted => Verdict::Interrupted,
                        error => Verdict::GaveUp(error.to_string()),
                    };
                }
                return;
            }
        }
        pause = (pause * 3 / 2).min(client.timeouts().max_removal_interval);
    }
}
