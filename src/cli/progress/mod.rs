//! What is told of rollouts while they are watched. Renderers are told of every change and decide what to show.

mod lines;
mod live;

use clap::{Args, ValueEnum};

use super::app::App;
use super::deploy::watch::{Ending, Watched};
use crate::api::resources::services::Service;
use crate::api::rollout::{Cause, Judgement, State, WaitsFor};
pub use lines::judgement_json;
use lines::{JsonProgress, PlainProgress};
use live::LiveProgress;

/// Flags of every command that watches rollouts.
#[derive(Args, Debug)]
pub struct ProgressArgs {
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
    /// How progress is shown on stderr; auto: a block that is redrawn on a terminal, lines elsewhere
    #[arg(long, value_name = "HOW", value_enum, default_value_t = ProgressMode::Auto)]
    progress: ProgressMode,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProgressMode {
    Auto,
    Plain,
    Json,
    None,
}

impl ProgressArgs {
    /// Whether nothing is to be told but results and what is wrong.
    pub fn is_quiet(&self) -> bool {
        self.quiet || matches!(self.progress, ProgressMode::None)
    }

    /// No progress.
    pub fn none() -> Self {
        Self { quiet: true, progress: ProgressMode::None }
    }

    /// What shows progress as these flags ask.
    pub fn display(&self, app: &App) -> Box<dyn ProgressDisplay> {
        match (self.progress, app.terminal()) {
            _ if self.quiet => Box::new(NoProgress),
            (ProgressMode::None, _) => Box::new(NoProgress),
            (ProgressMode::Json, _) => Box::new(JsonProgress::new(app.ui)),
            (ProgressMode::Auto, Some(screen)) => Box::new(LiveProgress::new(screen.has_colour)),
            (ProgressMode::Auto | ProgressMode::Plain, _) => Box::new(PlainProgress::new(app.ui)),
        }
    }
}

/// What a service looks like after something has changed.
#[derive(Clone, Copy, Debug)]
pub struct ProgressUpdate<'a> {
    /// The service.
    pub service: &'a Service,
    /// What is going on; `None` where nothing could be seen.
    pub judgement: Option<&'a Judgement>,
    /// How it ended; `None`: it is under way.
    pub ending: Option<&'a Ending>,
}

/// Shows how rollouts go on.
pub trait ProgressDisplay {
    /// Something has changed.
    fn changed(&mut self, update: &ProgressUpdate);
    /// Nothing is watched any more.
    fn finish(&mut self) {}
}

/// Shows nothing.
#[derive(Debug)]
struct NoProgress;

impl ProgressDisplay for NoProgress {
    fn changed(&mut self, _: &ProgressUpdate) {}
}

impl<'a> ProgressUpdate<'a> {
    /// What was last seen of a watched service.
    pub fn new(one: &'a Watched) -> Self {
        Self { service: &one.service, judgement: one.judgement.as_ref(), ending: one.ending.as_ref() }
    }

    /// What goes on or how it ended, in words.
    fn description(&self) -> String {
        match (self.ending, self.judgement.map(|judgement| &judgement.state)) {
            (Some(ending), _) => describe_ending(ending),
            // How much of the period is left would be a change a second.
            (None, Some(State::UnderWay(WaitsFor::Monitor(_)))) => {
                "all run; watched for the monitor period".to_owned()
            }
            (None, Some(State::UnderWay(WaitsFor::Unlisted(_)))) => {
                "surplus tasks are no longer listed; waiting for their stop grace period".to_owned()
            }
            (None, Some(State::UnderWay(waits_for))) => waits_for.to_string(),
            // Every other state is an ending.
            (None, _) => String::new(),
        }
    }

    /// The same in one word.
    fn state_text(&self) -> &'static str {
        match self.ending {
            None => "under_way",
            Some(Ending::Converged) => "converged",
            Some(Ending::Replaced) => "replaced",
            Some(Ending::RolledBack) => "rolled_back",
            Some(Ending::Failed(_)) => "failed",
            Some(Ending::Removed) => "removed",
            Some(Ending::GaveUp(_) | Ending::Overdue(_)) => "gave_up",
            Some(Ending::Interrupted) => "interrupted",
        }
    }

    /// Why its newest task failed or does not start; what converged all the same is no longer in trouble.
    fn newest_failure(&self) -> Option<&'a Cause> {
        let has_converged = matches!(self.ending, Some(Ending::Converged | Ending::Replaced));
        self.judgement?.causes.first().filter(|_| !has_converged)
    }
}

/// `3/3 running, 1 updated`, `1/3 complete, 2 running`.
fn describe_counts(service: &Service, judgement: &Judgement) -> String {
    let Judgement { running, updated, wanted, .. } = judgement;
    if service.is_job() {
        format!("{}/{wanted} complete, {running} running", judgement.complete())
    } else {
        format!("{running}/{wanted} running, {updated} updated")
    }
}

fn describe_ending(ending: &Ending) -> String {
    match ending {
        Ending::Converged => "converged".to_owned(),
        Ending::Replaced => "converged on another change".to_owned(),
        Ending::RolledBack => "failed and was rolled back".to_owned(),
        Ending::Failed(why) => format!("failed: {why}"),
        Ending::Removed => "was removed".to_owned(),
        Ending::GaveUp(why) | Ending::Overdue(why) => format!("not watched any more: {why}"),
        Ending::Interrupted => "not watched any more: interrupted".to_owned(),
    }
}
