//! `rollback`: go back to the previous spec.

use clap::Args;
use serde_json::Value;

use crate::api::deploy::update::{Operation, UpdateRequest};
use crate::api::error::Error;
use crate::api::forecast::{FailedBefore, failed_before};
use crate::api::http::client::Client;
use crate::api::resources::references;
use crate::api::resources::services::Service;
use crate::api::resources::tasks;
use crate::api::resources::tasks::{Specified, TaskState};
use crate::api::spec::{Change, Place, changes};
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::report::{NotStarted, Remarks, Style, shown};
use crate::cli::deploy::rollback_on_failure::OnFailure;
use crate::cli::deploy::{
    BatchArgs, Deployment, EditArgs, Flags, FollowArgs, IfPaused, Item, Prepared, Selected,
};
use crate::cli::exit::Exit;
use crate::cli::select::{Jobs, SelectArgs};
use crate::cli::shell;

/// Roll services back to their previous spec
///
/// This is the engine's own rollback. It keeps one spec, that before the last post: a second rollback returns, unless
/// the spec that it returns to has failed. A spec has failed if one of its tasks failed by itself and none of them ran
/// for the monitor period, of those that the swarm keeps. Then the rollback is refused (exit 5).
#[derive(Args, Debug)]
pub struct RollbackArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Roll back even if the previous spec has failed
    #[arg(long)]
    to_failed: bool,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    batch: BatchArgs,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Runs the command.
pub fn run(args: RollbackArgs, app: &App) -> anyhow::Result<Exit> {
    args.select.check(&args.services, "swarmctl rollback web")?;
    let flags = Flags {
        edit: Some(&args.edit),
        on_failure: OnFailure::Keep,
        batch: &args.batch,
        follow: &args.follow,
    };
    let style = Style::new("rollback", "roll back", "rolled back");
    let selected =
        Deployment::new(style, app, flags)?.select(&args.select, &args.services, Jobs::LeftAlone)?;
    roll_back(selected, if args.to_failed { FailedSpec::Deploy } else { FailedSpec::Refuse })
}

/// What to do with a previous spec that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedSpec {
    /// Refuse to roll back to it.
    Refuse,
    /// Roll back to it.
    Deploy,
}

/// Rolls the services back; which of them have no way back is found out before the first request that changes one.
///
/// # Errors
/// `--if-version` with several services, or the report cannot be written.
pub fn roll_back(selected: Selected<'_, ()>, failed: FailedSpec) -> anyhow::Result<Exit> {
    let request = selected.request(Operation::Rollback)?;
    selected.prepare(|client, item| prepare(client, item, failed, &request)).run()
}

fn prepare(
    client: &Client,
    item: &Item<()>,
    failed: FailedSpec,
    request: &UpdateRequest,
) -> Result<Prepared, NotStarted> {
    let service = &item.service;
    let Some(previous) = service.previous_spec() else {
        return Err(item.unsuitable(no_previous_spec(service).to_owned()));
    };
    let warning = check(client, service, previous, failed)?;
    let (to, from) = (image_of(previous), service.image().unwrap_or_default());
    let note = if from == to {
        format!(
            "back to the previous settings with the same image, `{to}`; a second rollback returns, unless those that it \
             returns to have failed"
        )
    } else {
        format!("back to image `{to}`; a second rollback returns to `{from}`, unless that has failed")
    };
    let prepared = Prepared::new(request.clone(), IfPaused::Resume).warns_of_job(service);
    let if_sent = Remarks { notes: vec![note], ..prepared.if_sent };
    let remarks = Remarks { warnings: warning.into_iter().collect(), ..Remarks::default() };
    Ok(Prepared { if_sent, remarks, ..prepared })
}

fn no_previous_spec(service: &Service) -> &'static str {
    match service.update_state() {
        Some("rollback_completed") => {
            "the engine rolled it back by itself and keeps no previous spec after that"
        }
        _ => "it has no previous spec: it was never updated, or the engine no longer has it",
    }
}

/// Looks for what makes the previous spec no way back. Returns a warning.
fn check(
    client: &Client,
    service: &Service,
    previous: &Value,
    failed: FailedSpec,
) -> Result<Option<String>, NotStarted> {
    let differs: Vec<Change> =
        changes(service.spec(), previous).into_iter().filter(|change| change.place != counter()).collect();
    let runs_the_same = !differs.iter().any(|change| change.place.is_within("TaskTemplate"));
    if differs.is_empty() || failed == FailedSpec::Refuse {
        let (tasks, now) = tasks::list_specified_at(client, service.id()).map_err(NotStarted::Failed)?;
        let no_way_back = || {
            describe_no_way_back(
                service,
                image_of(previous),
                &differs,
                newest_good_image(&tasks, image_of(previous)),
            )
        };
        if differs.is_empty() {
            return Err(NotStarted::Refused(no_way_back()));
        }
        if let Some(failure) = failed_before(previous, &tasks, now) {
            let why = describe_failure(service, previous, &failure);
            let why = if runs_the_same { format!("{}; {why}", no_way_back()) } else { why };
            return Err(NotStarted::FailedBefore(why));
        }
    }
    check_references(client, previous, service.spec())
}

/// Refuses a spec that refers to what no longer exists: the engine accepts it, and its tasks fail. Returns a warning.
fn check_references(client: &Client, spec: &Value, current: &Value) -> Result<Option<String>, NotStarted> {
    match missing_references(client, spec, current) {
        Ok(None) => Ok(None),
        Ok(Some(why)) => Err(NotStarted::Refused(why)),
        Err(error) if matches!(error, Error::Interrupted) || error.is_passing() || error.is_not_manager() => {
            Err(NotStarted::Failed(error))
        }
        // A proxy may forbid it.
        Err(error) => {
            Ok(Some(format!("cannot check that the secrets, configs and networks still exist: {error}")))
        }
    }
}

/// Why a spec cannot be rolled back to, if secrets, configs or networks of it are gone.
pub fn missing_references(client: &Client, spec: &Value, current: &Value) -> Result<Option<String>, Error> {
    let missing = references::missing(client, spec, current)?;
    let names: Vec<String> = missing.iter().map(|one| format!("{} `{}`", one.kind, one.shown())).collect();
    Ok((!names.is_empty()).then(|| {
        let (they, exist) = if names.len() == 1 { ("it", "exists") } else { ("them", "exist") };
        format!(
            "the previous spec refers to {}, which no longer {exist}: without {they} its tasks cannot start",
            names.join(", ")
        )
    }))
}

fn describe_failure(service: &Service, previous: &Value, failure: &FailedBefore) -> String {
    let FailedBefore { newest, tasks, monitor } = failure;
    let slot = if newest.slot == 0 { newest.node.clone() } else { newest.slot.to_string() };
    let more = if *tasks > 1 { format!(", and {} more,", tasks - 1) } else { String::new() };
    format!(
        "the previous spec (image `{}`) has failed: task {}.{slot} ({:.12}){more} {}: {}; none of its tasks ran for the \
         monitor period ({} s)",
        image_of(previous),
        service.name(),
        newest.id,
        newest.status.state.word(),
        newest.status.error,
        monitor.as_secs().max(1)
    )
}

fn image_of(spec: &Value) -> &str {
    spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default()
}

/// Why the previous spec is no way back, and what is.
fn describe_no_way_back(service: &Service, image: &str, differs: &[Change], good: Option<&str>) -> String {
    let what = match differs {
        [] => {
            format!("the previous spec has the same image (`{image}`) and settings, so nothing would change")
        }
        differs => format!(
            "the previous spec runs the same as now, which fails (image `{image}`); it differs only in {}",
            differs.iter().map(shown).collect::<Vec<_>>().join(", ")
        ),
    };
    match good {
        Some(good) => format!(
            "{what}; the newest other image whose tasks ran well comes back with `swarmctl update-image {} {}`",
            shell::service(service.name()),
            shell::word(good)
        ),
        None => format!("{what}; the engine remembers no task with another image that ran well"),
    }
}

/// The restart counter says nothing of what a service runs.
fn counter() -> Place {
    Place::at("TaskTemplate.ForceUpdate")
}

/// The image of the newest task that ran well, other than `image`.
fn newest_good_image<'a>(tasks: &'a [Specified], image: &str) -> Option<&'a str> {
    tasks
        .iter()
        .map(|task| &task.task)
        .filter(|task| {
            matches!(task.status.state, TaskState::Running | TaskState::Shutdown | TaskState::Complete)
        })
        .filter(|task| task.status.error.is_empty() && task.image().is_some_and(|other| other != image))
        .max_by_key(|task| task.created)?
        .image()
}
