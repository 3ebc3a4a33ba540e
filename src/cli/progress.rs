//! What is told of rollouts while they are watched. Renderers are told of every change and decide what to show.

use std::collections::HashMap;

use super::watch::{Ending, Watched};
use crate::api::rollout::{Judgement, State, WaitsFor};
use crate::api::services::Service;
use crate::api::tasks::TaskState;
use crate::output;

/// What a service looks like after something has changed.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The service.
    pub service: &'a Service,
    /// What is going on; `None` where nothing could be seen.
    pub judgement: Option<&'a Judgement>,
    /// How it ended; `None`: it is under way.
    pub ending: Option<&'a Ending>,
}

/// Shows how rollouts go on.
pub trait Progress {
    /// Something has changed.
    fn changed(&mut self, look: &Look);
    /// All services were looked at, whether something has changed or not; for clocks that tick.
    fn looked(&mut self) {}
    /// Nothing is watched any more.
    fn done(&mut self) {}
}

/// Shows nothing.
#[derive(Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn changed(&mut self, _: &Look) {}
}

/// One line a change on stderr, with the engine's time.
#[derive(Debug, Default)]
pub struct Plain {
    /// The last line of each service, without the time.
    last: HashMap<String, String>,
}

impl Progress for Plain {
    fn changed(&mut self, look: &Look) {
        let Some(judgement) = look.judgement else { return };
        let line = line(look, judgement);
        if self.last.get(look.service.id()) != Some(&line) {
            output::note(&format!("{:.0} {}: {line}", judgement.now, look.service.name()));
            self.last.insert(look.service.id().to_owned(), line);
        }
    }
}

impl<'a> Look<'a> {
    /// What was last seen of a watched service.
    pub fn of(one: &'a Watched) -> Self {
        Self { service: &one.service, judgement: one.judgement.as_ref(), ending: one.ending.as_ref() }
    }
}

/// `2/3 running; waiting for the tasks to run; slot 1: task: non-zero exit (1) (2 tasks)`.
fn line(look: &Look, judgement: &Judgement) -> String {
    let Judgement { running, wanted, .. } = judgement;
    let mut parts = vec![match look.service.is_job() {
        true => {
            let complete = judgement.by_state.get(&TaskState::Complete).copied().unwrap_or(0);
            format!("{complete}/{wanted} complete, {} running", running.saturating_sub(complete))
        }
        false => format!("{running}/{wanted} running"),
    }];
    parts.push(match (&look.ending, &judgement.state) {
        (Some(ending), _) => ending_in_words(ending),
        (None, State::UnderWay(WaitsFor::Monitor(_))) => "all run; watched for the monitor period".to_owned(),
        (None, State::UnderWay(waits_for)) => waits_for.to_string(),
        // Every other state is an ending.
        (None, _) => String::new(),
    });
    if !judgement.changed_by_others.is_empty() {
        let places: Vec<_> = judgement.changed_by_others.iter().map(ToString::to_string).collect();
        parts.push(format!("changed by someone else meanwhile: {}", places.join(", ")));
    }
    if let Some(cause) = judgement.causes.first()
        && !matches!(look.ending, Some(Ending::Converged))
    {
        let tasks = if cause.tasks > 1 { format!(" ({} tasks)", cause.tasks) } else { String::new() };
        parts.push(format!("task {:.12} {}: {}{tasks}", cause.task, cause.state.word(), cause.error));
    }
    parts.join("; ")
}

fn ending_in_words(ending: &Ending) -> String {
    match ending {
        Ending::Converged => "converged".to_owned(),
        Ending::Replaced => "converged on another change".to_owned(),
        Ending::RolledBack => "failed and was rolled back".to_owned(),
        Ending::Failed(why) => format!("failed: {why}"),
        Ending::Removed => "was removed".to_owned(),
        Ending::GaveUp(why) => format!("not watched any more: {why}"),
        Ending::Interrupted => "not watched any more: interrupted".to_owned(),
    }
}
