//! `version`: shows the versions of this program and of the engine.

use std::env::consts;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::system;
use crate::cli::app::App;
use crate::cli::deploy::timeout;
use crate::cli::exit::Exit;
use crate::cli::messages::errors;
use crate::output::Fields;

/// Show the versions of swarmctl and of the engine
///
/// If the engine cannot be reached, only the client's version is printed, and the exit code is 8.
#[derive(Args, Debug)]
pub struct VersionArgs {
    /// Stop waiting for the engine after this time, as in 5s
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<Duration>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The version information of an engine.
struct Engine {
    endpoint: String,
    /// The API version that swarmctl uses in its requests.
    requested_version: String,
    reported: system::Version,
}

/// Runs the command.
pub fn run(args: &VersionArgs, app: &App) -> anyhow::Result<Exit> {
    let engine = app.client(args.timeout).and_then(|client| ask(&client));
    let mut out = app.ui.stdout();
    if args.json {
        out.json_object(&to_json(&engine));
    } else {
        out.fields(&to_fields(engine.as_ref().ok()));
    }
    out.finish()?;
    Ok(match engine {
        Ok(_) => Exit::Done,
        Err(error) => {
            errors::print_error(app.ui, "cannot get the version of the engine", &error);
            Exit::for_error(&error, app.signal())
        }
    })
}

fn ask(client: &Client) -> Result<Engine> {
    let (major, minor) = client.api_version()?;
    let reported = system::version(client)?;
    let endpoint = client.connection().map(|connection| connection.endpoint.to_string());
    Ok(Engine {
        endpoint: endpoint.unwrap_or_default(),
        requested_version: format!("{major}.{minor}"),
        reported,
    })
}

fn to_fields(engine: Option<&Engine>) -> Fields {
    let mut fields = Fields::default();
    fields.section("Client", |client| {
        client.field("Version", env!("CARGO_PKG_VERSION"));
        client.field("API version", engine.map_or("", |engine| &engine.requested_version));
        client.field("OS/Arch", format!("{}/{}", consts::OS, architecture()));
    });
    let Some(Engine { endpoint, reported, .. }) = engine else { return fields };
    fields.section("Engine", |engine| {
        engine.field("Endpoint", endpoint);
        engine.field("Version", &reported.version);
        let oldest = &reported.min_api_version;
        let oldest = if oldest.is_empty() { String::new() } else { format!(" (minimum {oldest})") };
        engine.field("API version", format!("{}{oldest}", reported.api_version));
        engine.field("OS/Arch", format!("{}/{}", reported.os, reported.arch));
    });
    fields
}

fn to_json(engine: &Result<Engine>) -> Value {
    let of_engine = |Engine { endpoint, reported, .. }: &Engine| {
        json!({
            "endpoint": endpoint,
            "version": reported.version,
            "api_version": reported.api_version,
            "min_api_version": reported.min_api_version,
            "os": reported.os,
            "arch": reported.arch,
        })
    };
    json!({
        "client": {
            "version": env!("CARGO_PKG_VERSION"),
            "api_version": engine.as_ref().ok().map(|engine| &engine.requested_version),
            "os": consts::OS,
            "arch": architecture(),
        },
        "engine": engine.as_ref().ok().map(of_engine),
        "error": engine.as_ref().err().map(|error| errors::error_chain(error).collect::<Vec<_>>().join(": ")),
    })
}

/// The architecture of this program, by docker's names.
fn architecture() -> &'static str {
    match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}
