//! Selects the services to check. This is not done by the engine because some rules also need the other services
//! in a network, so all services are listed anyway.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::api::error::Error;
use crate::api::http::request_path::can_be_name;
use crate::api::resources::services::{MIN_ID_PREFIX_LEN, Service, short_prefix};
use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::messages::errors;
use crate::cli::select::{SelectArgs, filter, suggest};
use crate::output::natural_cmp;

/// The selected services, and the names that match none.
pub struct SelectedServices<'a> {
    /// The services, in the order of `ls`.
    pub found: Vec<&'a Service>,
    /// Names that match no service, with the reasons.
    pub missing: Vec<(&'a str, Error)>,
}

/// Selects from all services of the swarm.
///
/// # Errors
/// The flags select no service.
pub fn select<'a>(
    all: &'a [Service],
    args: &SelectArgs,
    names: &'a [String],
) -> Result<SelectedServices<'a>> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    if names.is_empty() {
        let (images, _) = filter::for_engine(&args.filter, None)?;
        found.extend(all.iter().filter(|service| {
            (!args.is_given() || args.includes(service))
                && (images.is_empty()
                    || service.image().is_some_and(|runs| images.iter().any(|asked| asked.matches(runs))))
        }));
        if found.is_empty() && args.is_given() {
            return Err(args.nothing_selected_of(all).into());
        }
    } else {
        let mut known = BTreeSet::new();
        for name in names {
            match find(all, name) {
                Ok(service) if known.insert(service.id()) => found.push(service),
                Ok(_) => {}
                Err(error) => missing.push((name.as_str(), error)),
            }
        }
    }
    found.sort_by(|a, b| natural_cmp(a.name(), b.name()));
    Ok(SelectedServices { found, missing })
}

/// Finds a service by name, ID or ID prefix, with the rules of [`crate::api::resources::services::find`].
fn find<'a>(all: &'a [Service], given: &str) -> Result<&'a Service, Error> {
    let none = |why: Option<String>| Error::no_such("service", given, why);
    if !can_be_name(given) {
        return Err(none(Some("this is not a valid service name".to_owned())));
    }
    let by_id = all.iter().find(|service| service.id() == given);
    let by_name = || all.iter().find(|service| service.name() == given);
    if let Some(service) = by_id.or_else(by_name) {
        return Ok(service);
    }
    let by_prefix: Vec<&Service> = all.iter().filter(|service| service.id().starts_with(given)).collect();
    match by_prefix.as_slice() {
        [one] if given.len() >= MIN_ID_PREFIX_LEN => Ok(one),
        [one] => Err(none(Some(short_prefix(one.id(), one.name())))),
        [_, _, ..] => {
            let why = format!("it is ambiguous: {} IDs start with it", by_prefix.len());
            Err(none(Some(why)))
        }
        _ => {
            let mut error = none(None);
            suggest::add_similar_of(all, &mut error);
            Err(error)
        }
    }
}

/// Prints an error for each name without a service. Returns the exit codes.
pub fn report_missing(missing: &[(&str, Error)], app: &App) -> Vec<Exit> {
    let describe = |(name, error): &(&str, Error)| {
        errors::print_error(app.ui, &format!("cannot check service `{name}`"), error);
        Exit::for_error(error, app.signal())
    };
    missing.iter().map(describe).collect()
}
