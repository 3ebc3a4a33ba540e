//! `rollback`: go back to the previous spec.

use clap::Args;
use jiff::SignedDuration;
use serde_json::Value;

use super::acting::{ActingArgs, EditArgs, JOB_RUNS_AGAIN, as_one_of_many, end, refuse, refused_beforehand};
use super::batch::{Batch, BatchArgs, Job, Planned};
use super::exit::Exit;
use super::global::Global;
use super::report::{Style, shown};
use super::select::SelectArgs;
use crate::api::client::Client;
use crate::api::error::Result;
use crate::api::services::Service;
use crate::api::shell;
use crate::api::spec::{Change, Place, changes};
use crate::api::tasks::{self, Listed, Task, TaskState, Which};
use crate::api::update::{Ask, Outcome, Posts, To, update};

/// How long a task has to run before it is believed, where others of its image have failed.
const A_WHILE: SignedDuration = SignedDuration::from_secs(5);

/// Roll services back to their previous spec
///
/// This is the engine's own rollback. It keeps one spec, that before the last post: a second rollback returns.
#[derive(Args, Debug)]
pub struct RollbackArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
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
    roll_back(&batch, jobs, args.select.is_given(), &ask)
}

/// Rolls the services back; which ones have no way back is found out before the first post.
pub(super) fn roll_back(
    batch: &Batch,
    jobs: Vec<Planned<()>>,
    is_selected: bool,
    ask: &Ask,
) -> anyhow::Result<Exit> {
    let jobs = batch.prepare(jobs, |job| {
        if job.service.previous_spec().is_none() {
            let why = no_previous_spec(&job.service).to_owned();
            let refused = refuse(&job.given, job.service, why);
            return Err(Box::new(if is_selected { as_one_of_many(refused) } else { refused }));
        }
        match no_way_back(batch.client, &job.service) {
            Ok(None) => match refused_beforehand(batch.client, &job.given, &job.service, ask, true) {
                Some(refused) => Err(refused),
                None => Ok(job),
            },
            Ok(Some(why)) => Err(Box::new(refuse(&job.given, job.service, why))),
            Err(error) => Err(Box::new(end(&job.given, job.service, error))),
        }
    });
    batch.run(jobs, |Job { given, service, .. }| go_back(batch.client, &given, service, ask))
}

fn no_previous_spec(service: &Service) -> &'static str {
    match service.update_state() {
        Some("rollback_completed") => {
            "the engine rolled it back by itself and keeps no previous spec after that"
        }
        _ => "it has no previous spec: it was never updated, or the engine no longer has it",
    }
}

/// Why the previous spec is no way back, where it is none.
fn no_way_back(client: &Client, service: &Service) -> Result<Option<String>> {
    let Some(previous) = service.previous_spec() else { return Ok(None) };
    let differs: Vec<Change> =
        changes(service.spec(), previous).into_iter().filter(|change| change.place != counter()).collect();
    let runs_the_same = !differs.iter().any(|change| change.place.is_within("TaskTemplate"));
    if runs_the_same {
        let listed = tasks::list(client, &[service.id()], Which::All)?;
        if differs.is_empty() || is_failing(service, &listed) {
            let to = image_of(previous);
            return Ok(Some(in_words(service, to, &differs, newest_good_image(&listed.tasks, to))));
        }
    }
    Ok(None)
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
                "back to the previous settings with the same image, `{to}`; a second rollback returns"
            ),
            false => format!("back to image `{to}`; a second rollback returns to `{from}`"),
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

/// Whether what the service runs now does not run: its rollout was given up, or tasks of this image have failed and not
/// every wanted task has run for a while since.
fn is_failing(service: &Service, listed: &Listed) -> bool {
    let is_of_image = |task: &Task| task.image() == service.image();
    let has_failed = |task: &Task| matches!(task.status.state, TaskState::Failed | TaskState::Rejected);
    let runs_well = |task: &Task| {
        task.status.state == TaskState::Running && listed.now.duration_since(task.since()) >= A_WHILE
    };
    service.is_paused()
        || listed.tasks.iter().any(|task| is_of_image(task) && has_failed(task))
            && !listed
                .tasks
                .iter()
                .filter(|task| task.is_wanted())
                .all(|task| is_of_image(task) && runs_well(task))
}

/// The image of the newest task that ran well, other than `image`.
fn newest_good_image<'a>(tasks: &'a [Task], image: &str) -> Option<&'a str> {
    tasks
        .iter()
        .filter(|task| {
            matches!(task.status.state, TaskState::Running | TaskState::Shutdown | TaskState::Complete)
        })
        .filter(|task| task.status.error.is_empty() && task.image().is_some_and(|other| other != image))
        .max_by_key(|task| task.created)?
        .image()
}
