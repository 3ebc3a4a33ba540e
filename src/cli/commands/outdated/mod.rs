//! `outdated`: shows whether the tags of services now point to other digests, and whether there are newer tags.

mod columns;
mod digests;
mod newest;
mod row;
mod unavailable;

use clap::Args;

use crate::api::http::client::Client;
use crate::api::registry::digest;
use crate::api::registry::tags::PolicySource;
use crate::api::resources::services::Service;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::exit::Exit;
use crate::cli::format::{self, ListFlags, ListFormat};
use crate::cli::messages::errors;
use crate::cli::newest::ChoiceArgs;
use crate::cli::select::{Jobs, SelectArgs, SelectedService};
use crate::output::natural_cmp;
use columns::COLUMNS;
use digests::find_digests;
use row::{OutdatedRow, Placeholder};

/// Show whether the tags of services now point to other digests
///
/// RUNS is the digest that the service is pinned to, REGISTRY the digest that the registry has for the tag now. If a
/// registry does not respond, its rows show that, and a warning gives the reason.
#[derive(Args, Debug)]
pub struct OutdatedArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs [default: all]
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Also show the newest tag that POLICY allows: patch, minor, major, a range or label
    ///
    /// `patch`, `minor` and `major` name the most significant part of the version that may change; a range has Cargo's syntax,
    /// as in '~1.8'. With `label`, each service has its own policy in its label `swarmctl.newest`, and services without
    /// it are left out unless they are named.
    #[arg(long, value_name = "POLICY", add = Completion::POLICIES, value_parser = PolicySource::parse)]
    newest: Option<PolicySource>,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Exit with 10 if a service is outdated, or 1 if a digest cannot be read
    ///
    /// If both are true, the exit code is 10. With --newest, a service is outdated too if a newer tag is allowed and old
    /// enough, and exit code 1 can also mean that tags cannot be read.
    #[arg(long)]
    exit_code: bool,
    /// Format with a Go template, as in '{{.Name}} {{.Status}}', or: json, raw
    #[arg(long, value_name = "TEMPLATE", add = Completion::FORMATS, value_parser = ListFormat::parser(COLUMNS), conflicts_with = "json")]
    format: Option<ListFormat>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: OutdatedArgs, app: &App) -> anyhow::Result<Exit> {
    let columns = newest::columns(&args);
    let format = format::rows(args.format.as_ref(), columns, ListFlags::default(), app)?;
    let client = app.client(None)?;
    let version = client.api_version()?;
    if version < digest::MIN_API_VERSION {
        let ((major, minor), (need, since)) = (version, digest::MIN_API_VERSION);
        anyhow::bail!(
            "requests to a registry require API {need}.{since}, but this engine supports {major}.{minor}"
        );
    }
    let (mut services, missing) = find_services(&client, &args, app)?;
    if args.services.is_empty() && !newest::retain_labeled(app.ui, &mut services, args.newest.as_ref()) {
        return Ok(Exit::NoSuch);
    }
    let mut rows: Vec<OutdatedRow> = services.iter().map(OutdatedRow::new).collect();
    rows.sort_by(|a, b| natural_cmp(a.name, b.name));
    let digests = find_digests(&client, app, &rows)?;
    for row in &mut rows {
        row.registry_digest = row.followed().and_then(|tag| digests.get(&tag.familiar()));
    }
    newest::decide(&client, app, &args, &services, &mut rows)?;
    let mut out = app.ui.stdout();
    if args.json {
        out.json_array(&rows.iter().map(OutdatedRow::json).collect::<Vec<_>>());
    } else if !rows.is_empty() || args.services.is_empty() {
        match (&args.newest, &format) {
            (None, _) => out.rows(columns, format.as_ref(), rows.iter().map(OutdatedRow::values))?,
            (Some(_), None) => {
                out.rows(columns, None, rows.iter().map(|row| row.values_with_newest(Placeholder("-"))))?;
            }
            (Some(_), Some(format)) => {
                out.rows(
                    columns,
                    Some(format),
                    rows.iter().map(|row| row.values_with_newest(Placeholder(""))),
                )?;
            }
        }
    }
    out.finish()?;
    unavailable::print_warnings(app.ui, &rows);
    newest::print_hints(app.ui, &rows);
    let is_outdated = || rows.iter().any(|row| row.followed().is_some() && row.is_outdated() == Some(true));
    let has_failed =
        || rows.iter().any(|row| matches!(row.registry_digest, Some(Err(_))) || newest::lacks_tag_list(row));
    let answer = if !args.exit_code {
        Exit::Done
    } else if is_outdated() || rows.iter().any(newest::is_behind) {
        Exit::Different
    } else if has_failed() {
        Exit::Failed
    } else {
        Exit::Done
    };
    Ok(Exit::most_severe(missing.into_iter().chain([answer])))
}

/// Finds the requested services, without duplicates. Also returns an exit code for each name that matches none.
fn find_services(
    client: &Client,
    args: &OutdatedArgs,
    app: &App,
) -> anyhow::Result<(Vec<Service>, Vec<Exit>)> {
    if !args.services.is_empty() {
        args.select.check(&args.services, "swarmctl outdated web")?;
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let chosen = args.select.resolve_or_all(app.ui, client, &args.services, Jobs::Included);
    for SelectedService { given, found: one, .. } in chosen? {
        match one {
            Ok(service) => found.push(service),
            Err(error) => {
                errors::print_error(app.ui, &format!("cannot check service `{given}`"), &error);
                missing.push(Exit::for_error(&error, app.signal()));
            }
        }
    }
    Ok((found, missing))
}
