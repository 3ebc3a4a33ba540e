//! `status`: what is going on with services, once.

use clap::Args;

use super::ls::image_without_digest;
use crate::api::deploy::failures;
use crate::api::resources::rows::{Counts, Mode};
use crate::api::resources::services::Service;
use crate::api::rollout::{Judgement, State};
use crate::cli::deploy::as_they_are;
use crate::cli::deploy::replicas;
use crate::cli::deploy::report::{Style, choose, exit_code, object, tell};
use crate::cli::deploy::watch;
use crate::cli::exit::Exit;
use crate::cli::format;
use crate::cli::format::ListFormat;
use crate::cli::global::Global;
use crate::cli::select::{Jobs, SelectArgs};
use crate::output::{self, Columns, TemplateError};

/// Tell whether services have converged
///
/// REPLICAS is running/desired, UPDATED the number of running tasks of the current spec; tasks on nodes that are down do
/// not count. It judges by the tasks, as the commands do that wait, but only once: exit 0 where all have converged (also after
/// a rollback that was asked for), 10 where one is under way, 5 where one failed, 6 where the engine rolled one back.
#[derive(Args, Debug)]
pub struct StatusArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Print each service by a Go template, as in '{{.Name}} {{.State}}', 'table {{.ID}}\t{{.Detail}}', json or raw
    #[arg(long, value_name = "TEMPLATE", value_parser = parse_format, conflicts_with = "json")]
    format: Option<ListFormat>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What templates may name.
const COLUMNS: Columns = Columns {
    table: &[
        ("Name", "NAME"),
        ("State", "STATE"),
        ("Replicas", "REPLICAS"),
        ("Updated", "UPDATED"),
        ("Image", "IMAGE"),
        ("Detail", "DETAIL"),
    ],
    more: &[("ID", "ID")],
};

fn parse_format(text: &str) -> Result<ListFormat, TemplateError> {
    ListFormat::parse(text, COLUMNS)
}

/// Runs the command.
pub fn run(args: StatusArgs, global: &Global) -> anyhow::Result<Exit> {
    let format = format::rows(args.format.as_ref(), COLUMNS, ("", true), false, global)?;
    args.select.check(&args.services, "swarmctl status web")?;
    let client = global.client(None)?;
    let style = Style { json: args.json, ..Style::of("status", "tell the status of", "") };
    let mut outcomes = match choose(&client, &args.select, &args.services, Jobs::TakenIn, style, global)? {
        Ok(chosen) => as_they_are(chosen),
        Err(exit) => return Ok(exit),
    };
    watch::once(&client, &mut outcomes)?;
    for outcome in &mut outcomes {
        if let Some(rollout) = &outcome.rollout {
            outcome.explanation.failures = failures::so_far(rollout);
        }
    }
    let exit = exit_code(style, &outcomes, global);
    let mut out = output::stdout();
    if args.json {
        out.json_object(&object(style, &outcomes, global));
    } else {
        let judged =
            outcomes.iter().filter_map(|one| Some(cells(one.service.as_ref()?, one.rollout.as_ref()?)));
        out.rows(COLUMNS, format.as_ref(), judged)?;
    }
    // What the table tells is not told again.
    outcomes.iter().filter(|outcome| outcome.rollout.is_none()).for_each(|one| tell(style, one, global));
    out.finish()?;
    Ok(exit)
}

/// The columns of a service.
pub fn cells(service: &Service, judgement: &Judgement) -> [String; 7] {
    let (state, detail) = match &judgement.state {
        State::Converged => ("converged", String::new()),
        State::UnderWay(waits_for) => ("under way", waits_for.to_string()),
        State::RolledBack => ("rolled back", judgement.told.clone()),
        State::Failed(why) => ("failed", why.to_string()),
    };
    // Sometimes the engine's words are the reason.
    let newest =
        judgement.causes.first().filter(|cause| state != "converged" && !detail.contains(&cause.error));
    let failure =
        newest.map(|cause| format!("task {:.12} {}: {}", cause.task, cause.state.word(), cause.error));
    let detail: Vec<String> = Some(detail).into_iter().chain(failure).filter(|it| !it.is_empty()).collect();
    [
        service.name().to_owned(),
        state.to_owned(),
        replicas_of(service, judgement),
        judgement.updated.to_string(),
        image_without_digest(service.image().unwrap_or_default()).into_owned(),
        detail.join("; "),
        service.id().to_owned(),
    ]
}

/// REPLICAS, as `ls` prints it.
fn replicas_of(service: &Service, judgement: &Judgement) -> String {
    let spec = service.spec();
    let mode = Mode::from_spec(&spec["Mode"]);
    let completed = judgement.complete();
    let desired = match mode {
        Mode::ReplicatedJob { concurrent, .. } => concurrent,
        Mode::GlobalJob => judgement.wanted.saturating_sub(completed),
        _ => judgement.wanted,
    };
    let counts = Counts { running: judgement.running, desired, completed };
    let max_per_node = spec["TaskTemplate"]["Placement"]["MaxReplicas"].as_u64().unwrap_or(0);
    replicas::describe(mode, counts, max_per_node)
}
