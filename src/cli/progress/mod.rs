//! Shows the progress of rollouts while a command waits for them.

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

/// Flags of all commands that wait for rollouts.
#[derive(Args, Debug)]
pub struct ProgressArgs {
    /// Suppress progress output
    #[arg(short, long)]
    quiet: bool,
    /// Progress output on stderr: auto, plain, json or none
    ///
    /// `auto` redraws a block on a terminal and prints one line per change elsewhere.
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
    /// Whether only results and errors are printed.
    pub fn is_quiet(&self) -> bool {
        self.quiet || matches!(self.progress, ProgressMode::None)
    }

    /// No progress.
    pub fn none() -> Self {
        Self { quiet: true, progress: ProgressMode::None }
    }

    /// Returns the display that these flags select.
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

/// The state of a service after a change.
#[derive(Clone, Copy, Debug)]
pub struct ProgressUpdate<'a> {
    /// The service.
    pub service: &'a Service,
    /// The last judgement; `None` if the tasks could not be read.
    pub judgement: Option<&'a Judgement>,
    /// How it ended; `None` while it is in progress.
    pub ending: Option<&'a Ending>,
}

/// Shows the progress of rollouts.
pub trait ProgressDisplay {
    /// A service has changed.
    fn changed(&mut self, update: &ProgressUpdate);
    /// All rollouts have ended.
    fn finish(&mut self) {}
}

/// Shows nothing.
#[derive(Debug)]
struct NoProgress;

impl ProgressDisplay for NoProgress {
    fn changed(&mut self, _: &ProgressUpdate) {}
}

impl<'a> ProgressUpdate<'a> {
    /// The state of a watched service.
    pub fn new(one: &'a Watched) -> Self {
        Self { service: &one.service, judgement: one.judgement.as_ref(), ending: one.ending.as_ref() }
    }

    /// Describes what is happening or how it ended.
    fn description(&self) -> String {
        match (self.ending, self.judgement.map(|judgement| &judgement.state)) {
            (Some(ending), _) => describe_ending(ending),
            // The remaining time is not shown: it would be a change every second.
            (None, Some(State::UnderWay(WaitsFor::Monitor(_)))) => {
                "all tasks running; verifying for the monitor period".to_owned()
            }
            (None, Some(State::UnderWay(WaitsFor::Unlisted(_)))) => {
                "surplus tasks are no longer listed; waiting for their stop grace period".to_owned()
            }
            (None, Some(State::UnderWay(waits_for))) => waits_for.to_string(),
            // All other states are endings.
            (None, _) => String::new(),
        }
    }

    /// The state as a word for JSON.
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

    /// Returns why the newest task failed or does not start, unless the service has converged.
    fn newest_failure(&self) -> Option<&'a Cause> {
        let has_converged = matches!(self.ending, Some(Ending::Converged | Ending::Replaced));
        self.judgement?.causes.first().filter(|_| !has_converged)
    }
}

/// Formats counts: `3/3 running, 1 updated`, `1/3 complete, 2 running`.
fn describe_counts(service: &Service, judgement: &Judgement) -> String {
    let Judgement { running, updated, desired, .. } = judgement;
    if service.is_job() {
        format!("{}/{desired} complete, {running} running", judgement.complete())
    } else {
        format!("{running}/{desired} running, {updated} updated")
    }
}

fn describe_ending(ending: &Ending) -> String {
    match ending {
        Ending::Converged => "converged".to_owned(),
        Ending::Replaced => "converged on another change".to_owned(),
        Ending::RolledBack => "failed and was rolled back".to_owned(),
        Ending::Failed(why) => format!("failed: {why}"),
        Ending::Removed => "was removed".to_owned(),
        Ending::GaveUp(why) | Ending::Overdue(why) => format!("no longer watched: {why}"),
        Ending::Interrupted => "no longer watched: interrupted".to_owned(),
    }
}
