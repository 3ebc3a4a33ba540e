//! `inspect`: all that the engine knows of services.

use std::collections::HashMap;

use clap::Args;
use jiff::Timestamp;

use super::exit::{self, Exit};
use super::global::Global;
use super::summary;
use crate::api::client::Client;
use crate::api::error::{Error, Result};
use crate::api::networks;
use crate::api::services::{self, Service};
use crate::output::{self, Out};

/// Show all that the engine knows of services
///
/// The engine's own JSON objects in one array: every field, number and order as they came.
#[derive(Args, Debug)]
pub struct InspectArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", required = true)]
    services: Vec<String>,
    /// Print a readable summary
    #[arg(long, conflicts_with = "json")]
    pretty: bool,
    /// Print the engine's own JSON; this is the default
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: InspectArgs, global: &Global) -> anyhow::Result<Exit> {
    let client = global.client(None)?;
    let mut out = output::stdout();
    let errors = if args.pretty {
        let (found, errors) = each(&args.services, |given| services::find(&client, given));
        print_summaries(&client, &found, &mut out)?;
        errors
    } else {
        let (found, errors) = each(&args.services, |given| services::find_text(&client, given));
        // An empty array would be an answer, and an engine that cannot be asked has given none.
        if !found.is_empty() || errors.iter().all(|(_, error)| error.is_not_found()) {
            out.json_array(&found);
        }
        errors
    };
    out.finish()?;
    Ok(Exit::merge(errors.into_iter().map(|(given, error)| {
        exit::tell_of(&format!("cannot inspect service `{given}`"), &error);
        Exit::of(&error, global.signal())
    })))
}

/// What was found, and what went wrong with the others.
fn each<T>(services: &[String], find: impl Fn(&str) -> Result<T>) -> (Vec<T>, Vec<(&str, Error)>) {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for given in services {
        match find(given) {
            Ok(service) => found.push(service),
            Err(error) => errors.push((given.as_str(), error)),
        }
    }
    (found, errors)
}

fn print_summaries(client: &Client, services: &[Service], out: &mut Out) -> Result<()> {
    let mut names = HashMap::new();
    for (i, service) in services.iter().enumerate() {
        for id in summary::network_ids(service) {
            if !names.contains_key(id) {
                names.insert(id.to_owned(), network_name(client, id)?);
            }
        }
        if i > 0 {
            out.line("");
        }
        out.fields(&summary::of(service, &names, Timestamp::now()));
    }
    Ok(())
}

/// The network's name, or its ID where it is gone.
fn network_name(client: &Client, id: &str) -> Result<String> {
    match networks::name(client, id) {
        Err(e) if e.is_not_found() => Ok(id.to_owned()),
        name => name,
    }
}
