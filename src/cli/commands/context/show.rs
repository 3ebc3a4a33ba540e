//! `context show`: shows the selected engine, why it is selected, and what it reports.

use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::facts::{Engine, Facts};
use super::{fields, json};
use crate::api::config::config_json::ConfigFile;
use crate::api::config::resolved_endpoint::ResolvedEndpoint;
use crate::api::config::settings::{EngineChoice, Settings};
use crate::api::error::{Result, SettingScope};
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;
use crate::api::resources::system;
use crate::cli::app::App;
use crate::cli::deploy::timeout;
use crate::cli::exit::Exit;
use crate::cli::messages::errors;

/// Show the engine in use and how it was selected
///
/// Precedence is the same as docker's: --context, --host, DOCKER_HOST, DOCKER_CONTEXT, `docker context use`. If the
/// engine cannot be reached, the settings are still printed, and the exit code is 8.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// Stop waiting after this time, as in 5s
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<Duration>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: ShowArgs, app: &App) -> anyhow::Result<Exit> {
    let client = app.client(args.timeout)?;
    let (settings, target) = (app.settings(), app.resolve_endpoint()?);
    let engine = read_engine(&client);
    let used = client.connection().unwrap_or(&target.connection);
    let facts = Facts { settings, target, used, choice: choice(settings, target), engine };
    let mut out = app.ui.stdout();
    if args.json {
        out.json_object(&json::to_json(&facts))
    } else {
        out.fields(&fields::to_fields(&facts))
    }
    out.finish()?;
    Ok(match facts.engine.and_then(|engine| check_api_version(&client, target, &engine)) {
        Ok(()) => Exit::Done,
        Err(error) => {
            errors::print_error(app.ui, "cannot read the engine's properties", &error);
            Exit::for_error(&error, app.signal())
        }
    })
}

/// Returns the choice with all settings that it overrides. This includes `currentContext` of
/// config.json, which is not read elsewhere if another setting decides.
fn choice(settings: &Settings, target: &ResolvedEndpoint) -> EngineChoice {
    let file = settings
        .config_directory()
        .and_then(|(directory, _)| ConfigFile::read(&directory, SettingScope::EngineChoice).ok());
    let current = file.as_ref().and_then(|file| file.current_context().ok()?);
    settings.choose(current).unwrap_or_else(|_| target.choice.clone())
}

fn read_engine(client: &Client) -> Result<Engine> {
    let api = client.engine_version()?;
    let version = system::version(client)?;
    let info = system::info(client)?;
    let is_manager = info.swarm.control_available && !info.swarm.node_id.is_empty();
    let manager = is_manager.then(|| system::manager_status(client, &info.swarm.node_id));
    Ok(Engine { version, info, manager, api })
}

/// Returns the engine's error if it does not support the requested API version.
fn check_api_version(client: &Client, target: &ResolvedEndpoint, engine: &Engine) -> Result<()> {
    match target.connection.api_version {
        Some(wanted) if wanted != engine.api => client.get_json::<Value>(&Path::new(&["version"])).map(drop),
        _ => Ok(()),
    }
}
