//! `images`: prints the images of services in the format that `update-image --from` reads.

mod checks;
pub mod list;

use clap::Args;

use crate::api::error::Error;
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::deploy::report::{ServiceReport, Stage};
use crate::cli::deploy::watch;
use crate::cli::exit::Exit;
use crate::cli::messages::errors;
use crate::cli::select::{Jobs, SelectArgs, SelectedService};
use crate::output::natural_cmp;

/// Print the images of services, in the format of `update-image --from`
///
/// Prints one line `NAME IMAGE` for each service, sorted by name, with the image exactly as it is in the spec. The
/// output changes only if an image changes, so it can be committed and compared. No registry is contacted.
///
/// If a check fails (--pinned, --converged) or a service does not exist, every failure is reported on stderr and nothing
/// is printed on stdout. A selection leaves out jobs, because an update would run them again.
#[derive(Args, Debug)]
pub struct ImagesArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs [default: all]
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Fail unless all services have converged
    #[arg(long)]
    converged: bool,
    /// Fail unless all images have a digest
    #[arg(long)]
    pinned: bool,
    /// Print a JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: ImagesArgs, app: &App) -> anyhow::Result<Exit> {
    let is_default = args.services.is_empty() && !args.select.is_given();
    if !args.services.is_empty() {
        args.select.check(&args.services, "swarmctl images web")?;
    }
    let client = app.client(None)?;
    let mut failures = Vec::new();
    let mut services = Vec::new();
    let chosen = args.select.resolve_or_all(app.ui, &client, &args.services, Jobs::ExcludedFromList);
    for SelectedService { given, found, positions } in chosen? {
        match found {
            Ok(service) if list::image(&service).is_some() => services.push((given, service)),
            Ok(service) if positions.is_empty() => {
                app.ui.note(&format!("skipped service `{}`: it has no image", service.name()));
            }
            Ok(service) => {
                let what = format!("cannot print the image of service `{}`", service.name());
                app.ui.error(&what, ["it runs no container (it has no ContainerSpec)"], None);
                failures.push(Exit::Failed);
            }
            Err(error) => {
                errors::print_error(app.ui, &format!("cannot print the image of service `{given}`"), &error);
                failures.push(Exit::for_error(&error, app.signal()));
            }
        }
    }
    let mut services = if args.converged {
        read_and_judge(&client, services, &mut failures, app)?
    } else {
        services.into_iter().map(|(_, service)| service).collect()
    };
    services.sort_by(|a, b| natural_cmp(a.name(), b.name()));
    if args.pinned {
        failures.extend(checks::report_unpinned(&services, app));
    }
    if !failures.is_empty() {
        return Ok(Exit::most_severe(failures));
    }
    if services.is_empty() && !is_default {
        let what = format!("no service of the selection `{}` has an image", args.select.to_flags());
        return Err(Error::NoMatch { what, suggestion: None }.into());
    }
    let mut out = app.ui.stdout();
    if args.json {
        out.json_untouched(&list::to_json(&services)?);
    } else {
        list::pairs(&services).for_each(|(name, image)| out.line(&format!("{name} {image}")));
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// Judges the services, and returns the data that was judged, so that the printed images are the converged ones.
/// Reports services that have not converged.
fn read_and_judge(
    client: &Client,
    services: Vec<(String, Service)>,
    failures: &mut Vec<Exit>,
    app: &App,
) -> anyhow::Result<Vec<Service>> {
    let (given, services): (Vec<String>, Vec<Service>) = services.into_iter().unzip();
    let results = watch::check_once(client, services)?;
    let report = |(given, result): (String, _)| ServiceReport::new(&given, Stage::Watched(Box::new(result)));
    let reports: Vec<ServiceReport> = given.into_iter().zip(results).map(report).collect();
    failures.extend(checks::report_not_converged(&reports, app));
    Ok(reports.iter().filter_map(|report| report.service().cloned()).collect())
}
