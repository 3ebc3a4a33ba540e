//! Reads a plan, checks that it is for this swarm, and finds selected services that it does not contain.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::records::plan::{self, MAX_SIZE, Plan, Selection};
use crate::api::resources::{services, system};
use crate::cli::deploy::report::ReportStyle;
use crate::cli::flags::files;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::filter;
use crate::cli::select::{Jobs, SelectArgs, format_count, join_names};
use crate::output::{Ui, visible_prefix};

/// A valid command line, as an example.
const EXAMPLE: &str = "swarmctl apply plan.json";
/// The maximum length of a text from the plan that is shown.
const MAX_SHOWN: usize = 100;

/// Reads a plan.
///
/// # Errors
/// The file cannot be read, or is not a plan.
pub fn read(file: &str) -> Result<Plan, UsageError> {
    let text = files::read_text(file, MAX_SIZE)
        .map_err(|error| UsageError::new(format!("cannot read `{file}`: {error}"), EXAMPLE))?;
    let plan = plan::parse(&text).map_err(|why| not_a_plan(file, &why))?;
    if let Some(selection) = &plan.selection {
        selected_by(selection).map_err(|why| not_a_plan(file, &why))?;
    }
    Ok(plan)
}

/// The error that a file is not a plan.
pub fn not_a_plan(file: &str, why: &str) -> UsageError {
    UsageError::new(format!("`{file}` is not a plan: {why}"), EXAMPLE)
}

/// Describes a plan: `plan of 2026-11-28 22:10 UTC by ann@ci-7: 12 services (update-image)`.
pub fn headline(plan: &Plan) -> String {
    let made_at = match plan.made_at.parse::<Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => visible_prefix(&plan.made_at, MAX_SHOWN).into_owned(),
    };
    let [by, command] = [&plan.made_by, &plan.command].map(|text| visible_prefix(text, MAX_SHOWN));
    format!("plan of {made_at} by {by}: {} ({command})", format_count(plan.services.len(), "service"))
}

/// The style of the report, with the verb of the command that made the plan.
pub fn style(command: &str) -> ReportStyle {
    let (verb, done) = match command {
        "restart" => ("restart", "restarted"),
        "scale" => ("scale", "scaled"),
        "rollback" => ("roll back", "rolled back"),
        _ => ("update", "updated"),
    };
    ReportStyle::new("apply", verb, done)
}

/// Refuses a plan that was made for another swarm.
///
/// # Errors
/// The plan was made for another swarm, or the request failed.
pub fn check_swarm(client: &Client, plan: &Plan) -> anyhow::Result<()> {
    let swarm = system::info(client)?.swarm;
    match swarm.id() {
        Some(id) if id == plan.swarm => Ok(()),
        Some(id) => {
            let planned = visible_prefix(&plan.swarm, MAX_SHOWN);
            Err(anyhow::anyhow!("the plan was made for swarm `{planned}`; this is `{id}`"))
        }
        // The error of a worker, or of a node outside a swarm, is more specific: both refuse to list services.
        None => {
            services::list_by_id(client, &["none"])?;
            Err(Error::internal("the manager does not report the ID of its swarm").into())
        }
    }
}

/// Prints a note about services that match the plan's selection now, but are not in the plan. `planned` are the IDs in
/// the plan.
///
/// # Errors
/// The command was interrupted.
pub fn note_unplanned(
    ui: Ui,
    client: &Client,
    selection: &Selection,
    planned: &HashSet<String>,
) -> Result<(), Error> {
    let Ok(select) = selected_by(selection) else { return Ok(()) };
    let services = match select.select(Ui::silent(), client, Jobs::Excluded) {
        Ok(services) => services,
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(error) => {
            ui.warning(&format!("cannot list the services that match {} now: {error}", select.to_flags()));
            return Ok(());
        }
    };
    let others: Vec<&str> = services
        .iter()
        .filter(|service| !planned.contains(service.id()))
        .map(|service| service.name())
        .collect();
    if !others.is_empty() {
        let (match_, are) = if others.len() == 1 { ("matches", "is") } else { ("match", "are") };
        let count = format_count(others.len(), "service");
        let names = join_names(others.into_iter());
        ui.note(&format!("{count} {match_} {} now and {are} not in the plan: {names}", select.to_flags()));
    }
    Ok(())
}

/// The flags that select the services of the plan.
fn selected_by(selection: &Selection) -> Result<SelectArgs, String> {
    let read = |(key, value): &(String, String)| filter::parse_selection(&format!("{key}={value}"));
    let filter = selection.filters.iter().map(read).collect::<Result<_, _>>()?;
    Ok(SelectArgs { filter, stack: selection.stack.clone(), all: selection.all, ..SelectArgs::default() })
}
