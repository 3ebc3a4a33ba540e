//! Progress on a terminal: one block, a line or two a service, redrawn in place.

use super::{Look, Progress};
use crate::api::resources::tasks::TaskState;
use crate::api::rollout::{Judgement, State, WaitsFor};
use crate::cli::deploy::watch::Ending;
use crate::output::{Bar, Live, Mood, Row, live};

/// The block; there is one on the terminal from the first change until nothing is watched any more.
#[derive(Debug)]
pub struct Block {
    has_colour: bool,
    live: Option<Live>,
}

impl Block {
    pub fn new(has_colour: bool) -> Self {
        Self { has_colour, live: None }
    }
}

impl Progress for Block {
    fn changed(&mut self, look: &Look) {
        let live = self.live.get_or_insert_with(|| live(self.has_colour));
        live.set(look.service.id(), row(look));
    }

    fn done(&mut self) {
        if let Some(live) = self.live.take() {
            live.finish();
        }
    }
}

fn row(look: &Look) -> Row {
    let (bar, count, others) = match look.judgement {
        None => (Bar::default(), String::new(), String::new()),
        Some(judgement) => (
            bar(judgement),
            format!("{}/{}", judgement.running, judgement.wanted),
            others_in_words(look, judgement),
        ),
    };
    let waits_for_tasks = matches!(
        (look.ending, look.judgement.map(|judgement| &judgement.state)),
        (None, Some(State::UnderWay(WaitsFor::Tasks)))
    );
    let words = look.words();
    Row {
        name: look.service.name().to_owned(),
        bar,
        count,
        mood: match look.ending {
            None => Mood::UnderWay,
            Some(Ending::Converged) => Mood::Well,
            Some(_) => Mood::Bad,
        },
        word: match look.ending {
            None => "under way",
            Some(Ending::RolledBack) => "rolled back",
            Some(Ending::GaveUp(_) | Ending::Overdue(_) | Ending::Interrupted) => "not watched any more",
            Some(_) => look.word(),
        },
        text: match others.is_empty() {
            true => words,
            // What their states say is more than that they are waited for.
            false if waits_for_tasks => others,
            false if look.ending.is_some() => words,
            false => format!("{words}; {others}"),
        },
        trouble: look.newest_failure().map(|cause| {
            let more =
                if cause.tasks > 1 { format!(", and {} more", cause.tasks - 1) } else { String::new() };
            format!("{} (task {:.12} {}{more})", cause.error, cause.task, cause.state.word())
        }),
        ..Row::default()
    }
}

fn bar(judgement: &Judgement) -> Bar {
    let there: u64 = judgement.by_state.values().sum();
    let bad: u64 =
        judgement.by_state.iter().filter(|(state, _)| has_failed(**state)).map(|(_, count)| count).sum();
    Bar {
        good: judgement.ready,
        coming: there.saturating_sub(judgement.ready + bad),
        bad,
        missing: judgement.wanted.saturating_sub(there),
    }
}

fn has_failed(state: TaskState) -> bool {
    matches!(state, TaskState::Failed | TaskState::Rejected | TaskState::Orphaned)
}

/// How many tasks are updated, as long as not all are, and the states of those that do not run: `1 updated, 1 preparing`.
fn others_in_words(look: &Look, judgement: &Judgement) -> String {
    let is_fine = |state: TaskState| matches!(state, TaskState::Running | TaskState::Complete);
    let is_told = !look.service.is_job() && look.ending.is_none() && judgement.updated < judgement.wanted;
    let updated = is_told.then(|| format!("{} updated", judgement.updated));
    let others = judgement.by_state.iter().filter(|(state, _)| !is_fine(**state));
    let others = others.map(|(state, count)| format!("{count} {}", state.word()));
    updated.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}
