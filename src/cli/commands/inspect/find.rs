//! The services to inspect: named, or selected by flags. The flags are those of `SelectArgs`, except that `--filter`
//! has no short form, because `-f` is the short form of `--format`, as with docker.

use anyhow::Context as _;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::services::{Filter, Service};
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::{Jobs, SelectArgs, filter, suggest};

/// Names or flags that select services.
#[derive(Args, Debug)]
pub struct InspectedArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    /// Select services by id, label, mode, name (prefix) or image
    ///
    /// `image` is a repository, with or without a tag. A prefix is enough for `id` and `name`.
    #[arg(long, value_name = "KEY=VALUE", add = Completion::FILTERS, value_parser = filter::parse_selection)]
    filter: Vec<Filter>,
    /// Select the services of this stack
    #[arg(long, value_name = "NAME", add = Completion::STACKS, value_parser = NonEmptyStringValueParser::new())]
    stack: Option<String>,
    /// Select all services
    #[arg(long, conflicts_with_all = ["filter", "stack"])]
    all: bool,
}

/// The services that were found, and errors for those that were not found.
pub struct Found<T> {
    /// The services.
    pub services: Vec<T>,
    /// What was not found, in the words of the error message, and why.
    pub errors: Vec<(String, Error)>,
}

impl InspectedArgs {
    /// Checks that services are either named or selected.
    ///
    /// # Errors
    /// Services are neither named nor selected, or they are both named and selected.
    pub fn check(&self) -> Result<(), UsageError> {
        self.select().check(&self.services, "swarmctl inspect web")
    }

    /// Finds each service. `find` reads a named service, and `of` converts a selected service.
    ///
    /// # Errors
    /// The services cannot be listed.
    pub fn find<T>(
        &self,
        app: &App,
        client: &Client,
        find: impl Fn(&Client, &str) -> Result<T>,
        of: impl Fn(Service) -> T,
    ) -> anyhow::Result<Found<T>> {
        let (mut services, mut errors) = (Vec::new(), Vec::new());
        let select = self.select();
        if select.is_given() {
            let selected =
                select.select(app.ui, client, Jobs::Included).context("cannot inspect any service")?;
            services.extend(selected.into_iter().map(of));
            if services.is_empty() {
                errors.push(("any service".to_owned(), select.nothing_selected(client)));
            }
        }
        for given in &self.services {
            match find(client, given) {
                Ok(service) => services.push(service),
                Err(error) => errors.push((format!("service `{given}`"), error)),
            }
        }
        suggest::add_similar(client, errors.iter_mut().map(|(_, error)| error));
        Ok(Found { services, errors })
    }

    fn select(&self) -> SelectArgs {
        let (filter, stack) = (self.filter.clone(), self.stack.clone());
        SelectArgs { filter, stack, all: self.all, ..SelectArgs::default() }
    }
}
