//! `inspect`: prints everything that the engine knows about services.

mod find;
mod format;
pub mod sections;
mod summary;
mod values;
mod zero;
mod zero_container;

use std::collections::HashMap;

use clap::Args;
use jiff::Timestamp;

use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::exit::Exit;
use crate::cli::format::configured;
use crate::cli::lookups::Lookups;
use crate::cli::messages::errors;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::networks;
use crate::api::resources::services::{self, Service};
use crate::output::OutputWriter;
use find::{Found, InspectedArgs};
use format::InspectFormat;

/// Display detailed information on services
///
/// Prints the engine's own JSON objects in one array. Fields, numbers and their order are unchanged.
#[derive(Args, Debug)]
pub struct InspectArgs {
    #[command(flatten)]
    inspected: InspectedArgs,
    /// Format with a Go template, as in '{{.Spec.Name}}', or: json, pretty, raw
    ///
    /// `json` prints the array of all services on one line, `pretty` a readable summary.
    /// '{{json .Spec.Labels}}' prints a part as JSON.
    #[arg(short, long, value_name = "TEMPLATE", add = Completion::Words("json raw pretty"), value_parser = format::parse, conflicts_with_all = ["json", "pretty"])]
    format: Option<InspectFormat>,
    /// Print a readable summary
    #[arg(long, conflicts_with = "json")]
    pretty: bool,
    /// Print the engine's own JSON (default, unless config.json has a format)
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: InspectArgs, app: &App) -> anyhow::Result<Exit> {
    let shape = match &args.format {
        Some(shape) => shape.clone(),
        None if args.pretty => InspectFormat::Pretty,
        None if args.json => InspectFormat::Indented,
        None => configured("serviceInspectFormat", app, format::parse)?.unwrap_or(InspectFormat::Indented),
    };
    args.inspected.check()?;
    let client = app.client(None)?;
    let mut out = app.ui.stdout();
    let mut exits = Vec::new();
    let errors = match &shape {
        InspectFormat::Indented | InspectFormat::Compact => {
            let of = |service: Service| service.to_text().into_owned();
            let Found { services, errors } = args.inspected.find(app, &client, services::find_text, of)?;
            // After a failed request, an empty array would be wrong.
            if !services.is_empty() || errors.iter().all(|(_, error)| error.is_not_found()) {
                match shape {
                    InspectFormat::Compact => out.json_array_on_one_line(&services),
                    _ => out.json_array(&services),
                }
            }
            errors
        }
        InspectFormat::Pretty => {
            let Found { services, errors } =
                args.inspected.find(app, &client, services::find, |service| service)?;
            print_summaries(app, &client, &services, &mut out)?;
            errors
        }
        InspectFormat::Template(template) => {
            let Found { services, errors } =
                args.inspected.find(app, &client, services::find, |service| service)?;
            let zero = zero::service();
            for service in &services {
                if let Err(error) = out.template(template, service.object(), Some(&zero)) {
                    let what = format!("cannot show service `{}` with the template", service.name());
                    app.ui.error(&what, [error], None);
                    exits.push(Exit::Failed);
                }
            }
            errors
        }
    };
    out.finish()?;
    exits.extend(errors.into_iter().map(|(what, error)| {
        errors::print_error(app.ui, &format!("cannot inspect {what}"), &error);
        Exit::for_error(&error, app.signal())
    }));
    Ok(Exit::most_severe(exits))
}

fn print_summaries(app: &App, client: &Client, services: &[Service], out: &mut OutputWriter) -> Result<()> {
    let (mut names, mut lookups) = (HashMap::new(), Lookups::default());
    for (i, service) in services.iter().enumerate() {
        for id in summary::network_ids(service) {
            if !names.contains_key(id)
                && !lookups.is_refused(NETWORKS)
                && let Some(name) = lookups.or_default(NETWORKS, network_name(client, id).map(Some))?
            {
                names.insert(id.to_owned(), name);
            }
        }
        if i > 0 {
            out.line("");
        }
        out.fields(&summary::summarize(service, &names, Timestamp::now()));
    }
    lookups.note(app.ui);
    Ok(())
}

const NETWORKS: &str = "networks";

/// Returns the network's name, or its ID if the network no longer exists.
fn network_name(client: &Client, id: &str) -> Result<String> {
    match networks::name(client, id) {
        Err(e) if e.is_not_found() => Ok(id.to_owned()),
        name => name,
    }
}
