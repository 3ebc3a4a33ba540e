//! `ls`: lists services.

mod counts;
mod image;
mod listed;
mod ports;

pub use self::image::image_without_digest;
use self::listed::ListedService;

use anyhow::Context as _;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::api::http::client::Client;
use crate::api::resources::rows::ServiceRow;
use crate::api::resources::services;
use crate::api::resources::services::TaskCounts;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::exit::Exit;
use crate::cli::format;
use crate::cli::format::{ListFlags, ListFormat};
use crate::cli::select;
use crate::cli::select::filter;
use crate::output::{Columns, RowTemplate, natural_cmp};

/// List services
///
/// REPLICAS is running/desired; tasks on nodes that are down do not count as running. `(held)` means that an update of the
/// service is held (`swarmctl status`). PORTS shows the ports published in
/// ingress mode; `inspect --pretty` also shows those published in host mode.
#[derive(Args, Debug)]
pub struct LsArgs {
    /// Filter services by id (prefix), label, mode, name (prefix) or image
    #[arg(short, long, value_name = "KEY=VALUE", add = Completion::FILTERS, value_parser = filter::parse_for_services)]
    filter: Vec<services::Filter>,
    /// Show the services of this stack
    #[arg(long, value_name = "NAME", add = Completion::STACKS, value_parser = NonEmptyStringValueParser::new())]
    stack: Option<String>,
    /// Only print IDs
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Format with a Go template, as in 'table {{.ID}}\t{{.Ports}}', or: json, raw
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
        ("Mode", "MODE"),
        ("Replicas", "REPLICAS"),
        ("Image", "IMAGE"),
        ("Ports", "PORTS"),
    ],
    extra: &[],
};

/// Runs the command.
pub fn run(args: LsArgs, app: &App) -> anyhow::Result<Exit> {
    let flags = ListFlags { setting: Some("servicesFormat"), is_json: args.json, is_quiet: args.quiet };
    let format = format::rows(args.format.as_ref(), COLUMNS, flags, app)?;
    let client = app.client(None)?;
    list(app, &client, &args, format.as_ref()).context("cannot list services")?;
    Ok(Exit::Done)
}

fn list(app: &App, client: &Client, args: &LsArgs, format: Option<&RowTemplate>) -> anyhow::Result<()> {
    let mut out = app.ui.stdout();
    let (images, filters) = filter::for_engine(&args.filter, args.stack.as_deref())?;
    let is_meant =
        |row: &ServiceRow| images.is_empty() || images.iter().any(|filter| filter.matches(row.image()));
    if args.json && images.is_empty() {
        out.json_untouched(&services::list_text(client, &filters)?);
    } else if args.json {
        out.json_untouched(&services::list_text_where(client, &filters, is_meant)?);
    } else {
        let only_ids = args.quiet && format.is_none();
        let meant = |row: &ServiceRow| is_meant(row).then(|| ListedService::new(row));
        let counts = if only_ids { TaskCounts::Omitted } else { TaskCounts::Included };
        let listed = services::list_rows(client, &filters, counts, meant)?;
        let mut listed: Vec<ListedService> = listed.into_iter().flatten().collect();
        listed.sort_by(|a, b| natural_cmp(&a.name, &b.name).then_with(|| a.id.cmp(&b.id)));
        if only_ids {
            listed.iter().for_each(|service| out.line(service.short_id()));
        } else {
            counts::complete_counts(client, &mut listed)?;
            out.rows(COLUMNS, format, listed.iter().map(ListedService::cells))?;
            if let (Some(stack), true) = (&args.stack, listed.is_empty()) {
                select::suggest::describe_empty_stack(client, stack)
                    .iter()
                    .for_each(|note| app.ui.note(note));
            }
        }
    }
    Ok(out.finish()?)
}
