//! `status`: shows whether services have converged.

mod cells;
mod tables;

pub use self::cells::cells;

use clap::Args;

use crate::api::deploy::failures;
use crate::api::error::Result as ApiResult;
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::report::{
    Additions, CommandObject, NotStarted, Remarks, ReportFormat, ReportStyle, ServiceReport, Stage,
    find_services, print_remarks_and_error,
};
use crate::cli::deploy::{held, watch};
use crate::cli::exit::Exit;
use crate::cli::format;
use crate::cli::format::{ListFlags, ListFormat};
use crate::cli::lookups::Lookups;
use crate::cli::messages::shell;
use crate::cli::select::{Jobs, SelectArgs, SelectedService};
use crate::output::Columns;

/// Show whether services have converged
///
/// REPLICAS is running/desired, and UPDATED is the number of running tasks of the current spec. Tasks on nodes that are
/// down do not count.
///
/// Services whose update is held (`--hold`, `--steps`) have a table of their own. TASKS is the number of new tasks,
/// which may not run yet, and the step. SINCE is how long the update has been held, and BY is who holds it.
///
/// Exit code: 0 if all services have converged (including after a requested rollback), 10 if a rollout is in
/// progress or held (`--hold`, `--steps`), 5 if one failed, 6 if the engine rolled one back.
#[derive(Args, Debug)]
pub struct StatusArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Format with a Go template, as in '{{.Name}} {{.State}}', or: json, raw
    #[arg(long, value_name = "TEMPLATE", add = Completion::FORMATS, value_parser = ListFormat::parser(COLUMNS), conflicts_with = "json")]
    format: Option<ListFormat>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The placeholders of templates.
const COLUMNS: Columns = Columns {
    table: &[
        ("Name", "NAME"),
        ("State", "STATE"),
        ("Replicas", "REPLICAS"),
        ("Updated", "UPDATED"),
        ("Image", "IMAGE"),
        ("Detail", "DETAIL"),
    ],
    extra: &[("ID", "ID"), ("Held", "HELD"), ("NewTasks", "NEW TASKS"), ("Step", "STEP")],
};

/// Runs the command.
pub fn run(args: StatusArgs, app: &App) -> anyhow::Result<Exit> {
    let rows = format::rows(args.format.as_ref(), COLUMNS, ListFlags::default(), app)?;
    args.select.check(&args.services, "swarmctl status web")?;
    let client = app.client(None)?;
    let format = if args.json { ReportFormat::Json } else { ReportFormat::Text };
    let style = ReportStyle::new("status", "show the status of", "").in_format(format);
    let chosen = find_services(&client, &args.select, &args.services, Jobs::Included, style, app)?;
    let mut lookups = Lookups::default();
    let names = if args.json { Some(&mut lookups) } else { None };
    let reports = check_services(&client, chosen, names)?;
    let mut out = app.ui.stdout();
    if args.json {
        out.json_object(&CommandObject::new(style, &reports, Additions::default(), app.signal()));
    } else {
        tables::print(&mut out, rows.as_ref(), &reports)?;
        print_warnings(&reports, app);
    }
    lookups.note(app.ui);
    // The table has only the services that were judged.
    let unseen = reports.iter().filter(|report| report.rollout().is_none());
    unseen.for_each(|report| print_remarks_and_error(style, report, app));
    out.finish()?;
    Ok(style.exit(&reports, app.signal()))
}

/// Prints the warnings about services that were judged. Those about other services are printed with their errors.
fn print_warnings(reports: &[ServiceReport], app: &App) {
    for report in reports.iter().filter(|report| report.rollout().is_some()) {
        let warnings = report.remarks.warnings.iter();
        warnings.for_each(|warning| app.ui.warning(&format!("service `{}`: {warning}", report.name())));
    }
}

/// Reads and judges the services once. With `lookups`, the nodes of failed tasks are named.
fn check_services(
    client: &Client,
    chosen: Vec<SelectedService>,
    lookups: Option<&mut Lookups>,
) -> ApiResult<Vec<ServiceReport>> {
    let services: Vec<Service> = chosen.iter().filter_map(|one| one.found.as_ref().ok().cloned()).collect();
    let mut results = watch::check_once(client, services)?;
    for result in &mut results {
        result.explanation.failures =
            result.judgement.as_ref().map(failures::failures_without_logs).unwrap_or_default();
    }
    if let Some(lookups) = lookups {
        let failures = results.iter_mut().flat_map(|result| &mut result.explanation.failures);
        lookups.or_default("nodes", failures::name_nodes(client, failures))?;
    }
    let mut results = results.into_iter();
    let report = |SelectedService { given, found, .. }: SelectedService| {
        let stage = match found {
            Err(error) => Stage::NotStarted { service: None, why: NotStarted::Failed(error) },
            Ok(_) => Stage::Watched(Box::new(results.next()?)),
        };
        let report = ServiceReport::new(&given, stage);
        let name = shell::service(report.name()).into_owned();
        let warnings = report.service().and_then(|service| held::warning(service, &name));
        Some(report.with(Remarks { warnings: warnings.into_iter().collect(), ..Remarks::default() }))
    };
    Ok(chosen.into_iter().filter_map(report).collect())
}
