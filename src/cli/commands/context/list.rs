//! `context ls`: lists docker's contexts.

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::api::config::config_json::ConfigFile;
use crate::api::config::contexts::Contexts;
use crate::api::config::endpoint::{Endpoint, without_password};
use crate::api::config::resolved_endpoint;
use crate::api::config::settings::{DEFAULT_CONTEXT, Settings};
use crate::api::error::{Result, SettingScope};
use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::messages::errors::error_chain;
use crate::cli::messages::errors::settings::name_flags;
use crate::cli::messages::usage::UsageError;
use crate::output::{Table, natural_cmp};

/// List the Docker contexts
///
/// The context in use is marked with a star. It is `default` if `-H` or `DOCKER_HOST` selects the engine.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Print only names
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// One context. Fields are empty if the context cannot be read completely.
struct ContextRow {
    name: String,
    description: String,
    endpoint: String,
    error: String,
}

/// Runs the command.
pub fn run(args: ListArgs, app: &App) -> anyhow::Result<Exit> {
    let settings = app.settings();
    let (rows, current) = list(settings).context("cannot list contexts")?;
    let mut out = app.ui.stdout();
    if args.json {
        let objects: Vec<String> = rows.iter().map(|row| to_json(row, &current)).collect();
        out.json_array(&objects);
    } else if args.quiet {
        rows.iter().for_each(|row| out.line(&row.name));
    } else {
        let mut table = Table::new(&["NAME", "DESCRIPTION", "DOCKER ENDPOINT", "ERROR"]);
        for row in &rows {
            let star = if row.name == current { " *" } else { "" };
            table.row([format!("{}{star}", row.name).as_str(), &row.description, &row.endpoint, &row.error]);
        }
        out.table(table);
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// Reads the contexts in docker's order. Returns them with the name of the current one.
fn list(settings: &Settings) -> Result<(Vec<ContextRow>, String)> {
    let directory = settings.config_directory().map(|(directory, _)| directory);
    let file = directory
        .as_deref()
        .map(|directory| ConfigFile::read(directory, SettingScope::EngineChoice))
        .transpose()?
        .unwrap_or_default();
    let current = settings.choose(file.current_context()?).map_err(UsageError::from)?.context.value;
    let (endpoint, error) = match resolved_endpoint::default_endpoints(settings).map_err(name_flags) {
        Ok(endpoints) => {
            (endpoints.iter().map(Endpoint::to_string).collect::<Vec<_>>().join(","), String::new())
        }
        Err(error) => (String::new(), error.to_string()),
    };
    let description = "Current DOCKER_HOST based configuration".to_owned();
    let mut rows = vec![ContextRow { name: DEFAULT_CONTEXT.to_owned(), description, endpoint, error }];
    let contexts = directory.as_deref().map(Contexts::new);
    for (directory, context) in contexts.as_ref().map(Contexts::list).transpose()?.unwrap_or_default() {
        rows.push(match context {
            Ok(context) => {
                let is_other = context.host.is_none();
                let error = if is_other { "it has no endpoint `docker`".to_owned() } else { String::new() };
                let endpoint = context.host.as_deref().map(without_password).unwrap_or_default();
                ContextRow { name: context.name, description: context.description, endpoint, error }
            }
            Err(error) => ContextRow {
                name: directory.chars().take(12).collect(),
                description: String::new(),
                endpoint: String::new(),
                error: error_chain(&error).collect::<Vec<_>>().join(": "),
            },
        });
    }
    if !rows.iter().any(|row| row.name == current) {
        let error = "no such context".to_owned();
        let (name, description, endpoint) = (current.clone(), String::new(), String::new());
        rows.push(ContextRow { name, description, endpoint, error });
    }
    rows.sort_by(|a, b| natural_cmp(&a.name, &b.name));
    Ok((rows, current))
}

fn to_json(row: &ContextRow, current: &str) -> String {
    json!({
        "name": row.name,
        "current": row.name == current,
        "description": row.description,
        "endpoint": row.endpoint,
        "error": Some(&row.error).filter(|error| !error.is_empty()),
    })
    .to_string()
}
