//! `rollback`: go back to the previous spec.

use clap::Args;
use serde_json::Value;

use crate::api::deploy::update::{Ask, Outcome, Posts, To, Verdict, update};
use crate::api::error::{Error, Result};
use crate::api::forecast::{FailedBefore, failed_before};
use crate::api::http::client::Client;
use crate::api::resources::references;
use crate::api::resources::services::Service;
use crate::api::resources::tasks;
use crate::api::resources::tasks::{Specified, TaskState};
use crate::api::shell;
use crate::api::spec::{Change, Place, changes};
use crate::cli::deploy::batch::{Batch, BatchArgs, Job, Planned};
use crate::cli::deploy::report::{Style, shown};
use crate::cli::deploy::{
    ActingArgs, EditArgs, JOB_RUNS_AGAIN, as_one_of_many, end, refuse, refused_beforehand,
};
use crate::cli::exit::Exit;
use crate::cli::global::Global;
use crate::cli::select::SelectArgs;

/// Roll services back to their previous spec
///
/// This is the engine's own rollback. It keeps one spec, that before the last post: a second rollback returns, unless
/// the spec that it returns to has failed. A spec has failed if one of its tasks failed by itself and none of them ran
/// for the monitor period, of those that the swarm keeps. Then the rollback is refused (exit 5).
#[derive(Args, Debug)]
pub struct RollbackArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE")]
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
    acting: ActingArgs,
}

/// Runs the command.
pub fn run(args: RollbackArgs, global: &Global) -> anyhow::Result<Exit> {
    args.select.check(&args.services, "swarmctl rollback web")?;
    args.batch.check(&args.acting)?;
    let client = args.acting.client(global)?;
    let batch = Batch {
        client: &client,
        global,
        acting: &args.acting,
        args: &args.batch,
        undo: None,
        style: args.edit.style(Style::of("rollback", "roll back", "rolled back")),
    };
    let jobs = match batch.jobs(&args.select, &args.services)? {
        Ok(jobs) => jobs,
        Err(exit) => return Ok(exit),
    };
    args.edit.check(jobs.len())?;
    let ask = args.edit.ask(To::Previous, jobs.len());
    let failed = if args.to_failed { FailedSpec::Deploy } else { FailedSpec::Refuse };
    roll_back(&batch, jobs, args.select.is_given(), failed, &ask)
}

/// What to do with a previous spec that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum FailedSpec {
    Refuse,
    Deploy,
}

/// Rolls the services back; which ones have no way back is found out before the first post.
pub(in crate::cli) fn roll_back(
    batch: &Batch,
    jobs: Vec<Planned<()>>,
    is_selected: bool,
    failed: FailedSpec,
    ask: &Ask,
) -> anyhow::Result<Exit> {
    let jobs = batch.prepare(jobs, |job| {
        if job.service.previous_spec().is_none() {
            let why = no_previous_spec(&job.service).to_owned();
            let refused = refuse(&job.given, job.service, why);
            return Err(Box::new(if is_selected { as_one_of_many(refused) } else { refused }));
        }
        match check(batch.client, &job.service, failed) {
            Ok(Check::Passed(warning)) => {
                match refused_beforehand(batch.client, &job.given, &job.service, ask, true) {
                    Some(refused) => Err(refused),
                    None => Ok(job.with(warning)),
                }
            }
            Ok(Check::Refused(verdict)) => {
                let mut refused = refuse(&job.given, job.service, String::new());
                refused.verdict = *verdict;
                Err(Box::new(refused))
            }
            Err(error) => Err(Box::new(end(&job.given, job.service, error))),
        }
    });
    batch.run(jobs, |Job { given, service, with: warning }| {
        let mut outcome = go_back(batch.client, &given, service, ask);
        outcome.warnings.extend(warning);
        outcome
    })
}

fn no_previous_spec(service: &Service) -> &'static str {
    match service.update_state() {
        Some("rollback_completed") => {
            "the engine rolled it back by itself and keeps no previous spec after that"
        }
        _ => "it has no previous spec: it was never updated, or the engine no longer has it",
    }
}

/// Whether a service can be rolled back.
enum Check {
    /// It can; with a warning.
    Passed(Option<String>),
    /// It cannot.
    Refused(Box<Verdict>),
}

fn refused(verdict: Verdict) -> Check {
    Check::Refused(Box::new(verdict))
}

/// Looks for what makes the previous spec no way back.
fn check(client: &Client, service: &Service, failed: FailedSpec) -> Result<Check> {
    let Some(previous) = service.previous_spec() else { return Ok(Check::Passed(None)) };
    let differs: Vec<Change> =
        changes(service.spec(), previous).into_iter().filter(|change| change.place != counter()).collect();
    let runs_the_same = !differs.iter().any(|change| change.place.is_within("TaskTemplate"));
    if differs.is_empty() || failed == FailedSpec::Refuse {
        let (tasks, now) = tasks::list_specified_at(client, service.id())?;
        let good = || newest_good_image(&tasks, image_of(previous));
        if differs.is_empty() {
            let why = in_words(service, image_of(previous), &differs, good());
            return Ok(refused(Verdict::Refused(why)));
        }
        if let Some(failure) = failed_before(previous, &tasks, now) {
            let mut why = failure_in_words(service, previous, &failure);
            if runs_the_same {
                why = format!("{}; {why}", in_words(service, image_of(previous), &differs, good()));
            }
            return Ok(refused(Verdict::FailedBefore(why)));
        }
    }
    check_references(client, previous, service.spec())
}

/// Refuses a spec that refers to what no longer exists: the engine accepts it, and its tasks fail.
fn check_references(client: &Client, spec: &Value, current: &Value) -> Result<Check> {
    Ok(match missing_references(client, spec, current) {
        Ok(None) => Check::Passed(None),
        Ok(Some(why)) => refused(Verdict::Refused(why)),
        Err(error) if matches!(error, Error::Interrupted) || error.is_passing() || error.is_not_manager() => {
            return Err(error);
        }
        // A proxy may forbid it.
        Err(error) => {
            let why = format!("cannot check that the secrets, configs and networks still exist: {error}");
            Check::Passed(Some(why))
        }
    })
}

/// Why a spec cannot be rolled back to, if secrets, configs or networks of it are gone.
pub(in crate::cli) fn missing_references(
    client: &Client,
    spec: &Value,
    current: &Value,
) -> Result<Option<String>> {
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

fn failure_in_words(service: &Service, previous: &Value, failure: &FailedBefore) -> String {
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

fn go_back(client: &Client, given: &str, service: Service, ask: &Ask) -> Outcome {
    let to = service.previous_spec().map(image_of).unwrap_or_default().to_owned();
    let from = service.image().unwrap_or_default().to_owned();
    let is_job = service.is_job();
    let mut outcome = update(client, given, service, ask);
    if outcome.posts != Posts::None {
        outcome.notes.push(match from == to {
            true => format!(
                "back to the previous settings with the same image, `{to}`; a second rollback returns, unless those \
                 that it returns to have failed"
            ),
            false => format!("back to image `{to}`; a second rollback returns to `{from}`, unless that has failed"),
        });
        if is_job {
            outcome.warnings.push(JOB_RUNS_AGAIN.to_owned());
        }
    }
    outcome
}

/// Why the previous spec is no way back, and what is.
fn in_words(service: &Service, image: &str, differs: &[Change], good: Option<&str>) -> String {
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
