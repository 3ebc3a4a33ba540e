//! Flags that are shared by the commands that change services.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::journal::JournalArgs;
use super::lint::StrictArgs;
use super::plan_file::PlanFileArgs;
use super::report::{ReportFormat, ReportStyle, ServiceReport, Watch, report};
use super::rollback_on_failure::OnFailureArgs;
use super::{explain, watch};
use crate::api::deploy::update::{Mode, OnFieldLoss, Operation, ReadBack, UpdateRequest};
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::spec::values;
use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::messages::usage::{DURATION, OrExample as _, UsageError};
use crate::cli::progress::ProgressArgs;

/// Flags of commands that edit existing services.
#[derive(Args, Debug)]
pub struct DeployArgs {
    #[command(flatten)]
    pub edit: EditArgs,
    #[command(flatten)]
    pub on_failure: OnFailureArgs,
    #[command(flatten)]
    pub batch: BatchArgs,
    #[command(flatten)]
    pub follow: FollowArgs,
}

/// Flags of commands that change services and wait for their rollouts.
#[derive(Args, Debug)]
pub struct FollowArgs {
    /// Exit immediately instead of waiting for the service to converge
    #[arg(short, long)]
    pub detach: bool,
    #[command(flatten)]
    pub progress: ProgressArgs,
    /// Stop waiting after this time, as in 5m; the rollout continues (exit 7)
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub json: JsonArgs,
    #[command(flatten)]
    pub journal: JournalArgs,
}

/// The flag that selects the format of a report.
#[derive(Args, Clone, Copy, Debug)]
pub struct JsonArgs {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Flags of commands that edit an existing service.
#[derive(Args, Debug, Default)]
pub struct EditArgs {
    /// Update only if the version index is INDEX; do not retry
    #[arg(long, value_name = "INDEX", value_parser = whole_number::<u64>)]
    pub if_version: Option<u64>,
    /// Update even if DOCKER_API_VERSION makes the engine drop fields
    #[arg(long)]
    pub allow_field_loss: bool,
    #[command(flatten)]
    pub strict: StrictArgs,
    #[command(flatten)]
    pub plan: PlanArgs,
    #[command(flatten)]
    pub plan_file: PlanFileArgs,
}

/// Flags of commands that change services. The help is for updates; `create` and `rm` replace it.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct PlanArgs {
    /// Show what would change and how many tasks would restart
    #[arg(long)]
    pub dry_run: bool,
    /// Exit with 10 if something would change, or was changed
    #[arg(long)]
    pub exit_code: bool,
}

/// Flags of commands that change several services.
#[derive(Args, Debug)]
pub struct BatchArgs {
    /// Maximum number of services to update at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = positive)]
    pub parallel: usize,
    /// Update N services first, and the rest only if they converge
    #[arg(long, value_name = "N", value_parser = positive)]
    pub canary: Option<usize>,
    /// Stop after N services have failed (0: never stop)
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole_number::<usize>)]
    pub max_failures: usize,
}

impl FollowArgs {
    /// Creates a client that stops waiting after `--timeout`.
    pub fn client(&self, app: &App) -> Result<Client> {
        let client = app.client_for_updates(self.timeout)?;
        Ok(if self.progress.is_quiet() { client.without_wait_reports() } else { client })
    }

    /// Watches the services and explains what failed.
    pub fn reports(&self, client: &Client, watches: Vec<Watch>, app: &App) -> Vec<ServiceReport> {
        let mut progress = self.progress.display(app);
        let concluded = watch::wait_for_conclusions(client, watches, &mut *progress);
        concluded.into_iter().map(|one| explain(client, one)).collect()
    }

    /// Watches the services, explains what failed, and reports.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn watch(
        &self,
        style: ReportStyle,
        client: &Client,
        watches: Vec<Watch>,
        app: &App,
    ) -> anyhow::Result<Exit> {
        report(style.in_format(self.format()), &self.reports(client, watches, app), app)
    }

    /// The format of the report.
    pub fn format(&self) -> ReportFormat {
        self.json.format()
    }
}

impl JsonArgs {
    /// The format of the report.
    pub fn format(self) -> ReportFormat {
        if self.json { ReportFormat::Json } else { ReportFormat::Text }
    }
}

impl PlanArgs {
    /// Applies these flags to the style of a command.
    pub fn style(&self, style: ReportStyle) -> ReportStyle {
        ReportStyle { on_change: if self.exit_code { Exit::Different } else { Exit::Done }, ..style }
    }
}

impl EditArgs {
    /// Whether nothing is posted.
    pub fn is_dry_run(&self) -> bool {
        self.plan.dry_run || self.plan_file.target().is_some()
    }

    /// Creates an update with these flags. `services` is the number of services of the command.
    pub fn request(&self, operation: Operation, services: usize) -> UpdateRequest {
        UpdateRequest {
            version: self.if_version,
            mode: if self.is_dry_run() { Mode::Plan } else { Mode::Apply(ReadBack::for_services(services)) },
            field_loss: if self.allow_field_loss { OnFieldLoss::Accept } else { OnFieldLoss::Refuse },
            ..UpdateRequest::new(operation)
        }
    }
}

impl BatchArgs {
    /// Rejects flags that contradict each other.
    pub fn check(&self, follow: &FollowArgs) -> Result<(), UsageError> {
        match self.canary {
            Some(_) if follow.detach => Err(UsageError::new(
                "--canary waits for the first services to converge, and --detach does not wait",
                "swarmctl restart --stack shop --canary 1",
            )),
            _ => Ok(()),
        }
    }
}

/// Parses `--timeout`.
pub fn timeout(text: &str) -> Result<Duration, UsageError> {
    match values::duration::period(text).or_example(DURATION)?.unsigned_abs() {
        0 => Err(UsageError::new("`0` leaves no time", "5m")),
        nanoseconds => Ok(Duration::from_nanos(nanoseconds)),
    }
}

/// Parses a whole number: a version index, or a number of services or runs.
pub fn whole_number<T: FromStr>(text: &str) -> Result<T, UsageError> {
    let why = |_| UsageError::new(format!("`{text}` is not a number from 0 to {}", u64::MAX), "4");
    text.parse().map_err(why)
}

/// Parses a number from 1 to 10000.
pub fn positive(text: &str) -> Result<usize, UsageError> {
    match text.parse() {
        Ok(number @ 1..=10_000) => Ok(number),
        _ => Err(UsageError::new(format!("`{text}` is not a number from 1 to 10000"), "4")),
    }
}
