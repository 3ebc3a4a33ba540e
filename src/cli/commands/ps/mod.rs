//! `ps`: lists tasks.

mod filters;
mod rows;

use std::collections::HashMap;

use anyhow::Context as _;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jiff::Timestamp;

use crate::api::error::Error;
use crate::api::resources::services::{Filter, Service};
use crate::api::resources::tasks::{self, ExistingTasks};
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::exit::Exit;
use crate::cli::format::{self, ListFlags, ListFormat};
use crate::cli::lookups::Lookups;
use crate::cli::messages::errors;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::filter;
use crate::cli::select::{Jobs, SelectArgs, SelectedService};
use crate::output::{Columns, RowTemplate};
use filters::Nodes;
use rows::{DisplayOptions, PsRow};

/// List the tasks of services
///
/// Prints the newest task of each slot and, indented below it, the tasks that it replaced. ERROR is the engine's
/// message in full.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each field is a flag of the command line")]
pub struct PsArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    /// Filter tasks by desired-state, id, name or node
    ///
    /// `image`, `label` and `mode` select services instead. So do `id` and `name` if no SERVICE is given; then a prefix
    /// is enough.
    #[arg(short, long, value_name = "KEY=VALUE", add = Completion::TASK_FILTERS, value_parser = filter::parse_for_tasks)]
    filter: Vec<Filter>,
    /// Show the tasks of the services of this stack
    #[arg(long, value_name = "NAME", add = Completion::STACKS, value_parser = NonEmptyStringValueParser::new())]
    stack: Option<String>,
    /// Show the tasks of all services
    #[arg(long, conflicts_with = "stack")]
    all: bool,
    /// Only print IDs
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Do not truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Do not map IDs to names
    #[arg(long)]
    no_resolve: bool,
    /// Format with a Go template, as in '{{.Name}} {{.Node}}', or: json, raw
    #[arg(long, value_name = "TEMPLATE", add = Completion::FORMATS, value_parser = ListFormat::parser(COLUMNS), conflicts_with = "json")]
    format: Option<ListFormat>,
    /// Print the engine's own JSON
    #[arg(long)]
    json: bool,
}

/// The placeholders of templates.
const COLUMNS: Columns = Columns {
    table: &[
        ("ID", "ID"),
        ("Name", "NAME"),
        ("Image", "IMAGE"),
        ("Node", "NODE"),
        ("DesiredState", "DESIRED STATE"),
        ("CurrentState", "CURRENT STATE"),
        ("Error", "ERROR"),
        ("Ports", "PORTS"),
    ],
    extra: &[],
};

/// Runs the command.
pub fn run(args: PsArgs, app: &App) -> anyhow::Result<Exit> {
    let flags = ListFlags { setting: Some("tasksFormat"), is_json: args.json, is_quiet: args.quiet };
    let format = format::rows(args.format.as_ref(), COLUMNS, flags, app)?;
    let (of_services, of_tasks) = filters::split(&args.filter, &args.services);
    let select =
        SelectArgs { filter: of_services, stack: args.stack.clone(), all: args.all, ..SelectArgs::default() };
    select.check(&args.services, "swarmctl ps web")?;
    let has_values = select.filter.iter().try_for_each(filter::check_selection);
    has_values.map_err(|why| UsageError::new(why, "swarmctl ps --filter name=web"))?;
    let client = app.client(None)?;
    let chosen =
        select.resolve(app.ui, &client, &args.services, Jobs::Included).context("cannot list tasks")?;
    let (mut found, mut missing) = (Vec::<Service>::new(), Vec::<(String, Error)>::new());
    for SelectedService { given, found: one, .. } in chosen {
        match one {
            Ok(service) => found.push(service),
            Err(error) => missing.push((given, error)),
        }
    }
    let mut nodes = Nodes::new(&client);
    let filters = filters::to_engine_filters(&of_tasks, &mut nodes)?;
    let ids: Vec<&str> = found.iter().map(Service::id).collect();
    let ExistingTasks { tasks, gone, now } = tasks::list_existing(&client, &ids, &filters)?;
    let options = DisplayOptions {
        services: found.iter().map(|service| (service.id(), service)).collect(),
        now: now.unwrap_or_else(Timestamp::now),
        no_trunc: args.no_trunc,
        no_resolve: args.no_resolve,
        is_table: format.as_ref().is_none_or(RowTemplate::is_table),
    };
    let rows = rows::sort_rows(&tasks, &options);
    let mut out = app.ui.stdout();
    if args.json {
        out.json_array(&rows.iter().map(|row| row.text).collect::<Vec<_>>());
    } else if args.quiet && format.is_none() {
        rows.iter().for_each(|row| out.line(&row.task.id));
    } else if !found.is_empty() {
        let mut lookups = Lookups::default();
        let names = if args.no_resolve || rows.iter().all(PsRow::is_unassigned) {
            HashMap::new()
        } else {
            lookups.or_default("nodes", nodes.names())?
        };
        out.rows(COLUMNS, format.as_ref(), rows.iter().map(|row| row.cells(&options, &names)))?;
        lookups.note(app.ui);
    }
    out.finish()?;
    missing.extend(found.iter().filter(|service| gone.iter().any(|id| id == service.id())).map(|service| {
        let why = Some("it was removed in the meantime".to_owned());
        (service.name().to_owned(), Error::no_such("service", service.name(), why))
    }));
    Ok(Exit::most_severe(missing.iter().map(|(given, error)| {
        errors::print_error(app.ui, &format!("cannot list the tasks of service `{given}`"), error);
        Exit::for_error(error, app.signal())
    })))
}
