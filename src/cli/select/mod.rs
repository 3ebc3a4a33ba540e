//! Selects services: by name, or with `--filter`, `--stack` and `--all`.

mod assignments;
pub mod filter;
pub mod suggest;

pub use self::assignments::Assignments;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::records::names::HELD;
use crate::api::resources::rows::Mode;
use crate::api::resources::services::{self, Filter, MAX_IDS_PER_FILTER, Service};
use crate::cli::complete::completion::Completion;
use crate::cli::messages::shell;
use crate::cli::messages::usage::UsageError;
use crate::output::{Ui, natural_cmp};

/// Maximum number of services that are read one by one, which returns their most recent state. More services are read
/// with lists.
const MAX_SINGLE_READS: usize = 20;
/// Maximum number of names in a line of output.
pub const MAX_NAMES_SHOWN: usize = 10;
/// The label that `docker stack deploy` sets on the services of a stack.
const STACK: &str = "com.docker.stack.namespace";
/// Flags that select services.
#[derive(Args, Clone, Debug, Default)]
pub struct SelectArgs {
    /// Select services by id, label, mode, name (prefix) or image
    ///
    /// `image` is a repository, with or without a tag. A prefix is enough for `id` and `name`.
    #[arg(short, long, value_name = "KEY=VALUE", add = Completion::FILTERS, value_parser = filter::parse_selection)]
    pub filter: Vec<Filter>,
    /// Select the services of this stack
    #[arg(long, value_name = "NAME", add = Completion::STACKS, value_parser = NonEmptyStringValueParser::new())]
    pub stack: Option<String>,
    /// Select all services
    #[arg(long, conflicts_with_all = ["filter", "stack"])]
    pub all: bool,
    /// Which services can be selected.
    #[arg(skip)]
    pub scope: SelectionScope,
}

/// The services to which a selection is limited: all, or only those whose update is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelectionScope {
    /// All services.
    #[default]
    All,
    /// Only services whose update is held.
    Held,
}

/// Whether a selection includes jobs, which every update runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jobs {
    /// For commands that do not update services.
    Included,
    /// For commands that update services.
    Excluded,
    /// For lists of images that `update-image --from` reads.
    ExcludedFromList,
}

/// A service that was named or selected, or why it cannot be used.
#[derive(Debug)]
pub struct SelectedService {
    /// The service as it was given on the command line. If it was selected with flags: its name.
    pub given: String,
    /// The positions of the service on the command line; empty if it was selected with flags.
    pub positions: Vec<usize>,
    /// The service, or why it could not be read.
    pub found: Result<Service>,
}

impl SelectedService {
    /// A service that was selected with flags.
    fn selected(service: Service) -> Self {
        Self { given: service.name().to_owned(), positions: Vec::new(), found: Ok(service) }
    }
}

impl SelectArgs {
    /// Leaves out services that do not have this label.
    pub fn with_label(&self, key: &str) -> Self {
        let label = ("label".to_owned(), key.to_owned());
        Self { filter: self.filter.iter().cloned().chain([label]).collect(), ..self.clone() }
    }

    /// Limits the selection to services whose update is held.
    pub fn of_held(&self) -> Self {
        Self { scope: SelectionScope::Held, ..self.clone() }
    }

    /// Whether services are selected with flags.
    pub fn is_given(&self) -> bool {
        self.all || self.stack.is_some() || !self.filter.is_empty()
    }

    /// Checks that services are either named or selected.
    pub fn check(&self, names: &[String], example: &'static str) -> Result<(), UsageError> {
        match (names, self.is_given()) {
            ([], false) => Err(UsageError::new(
                "no service given: specify services, or select them with --filter, --stack or --all",
                example,
            )),
            ([name, ..], true) => Err(UsageError::new(
                format!("`{name}` cannot be combined with --filter, --stack or --all"),
                example,
            )),
            _ => Ok(()),
        }
    }

    /// Returns the selected services, sorted by name. Prints which jobs were skipped.
    pub fn select(&self, ui: Ui, client: &Client, jobs: Jobs) -> Result<Vec<Service>> {
        Ok(self.select_and_count_jobs(ui, client, jobs)?.0)
    }

    /// Like [`Self::select`], but also returns the number of jobs that were skipped.
    fn select_and_count_jobs(&self, ui: Ui, client: &Client, jobs: Jobs) -> Result<(Vec<Service>, usize)> {
        let selection = if self.scope == SelectionScope::Held { &self.with_label(HELD) } else { self };
        let (images, filters) = filter::for_engine(&selection.filter, self.stack.as_deref())?;
        let mut services = services::list(client, &services::filters(&filters))?;
        if !images.is_empty() {
            services.retain(|service| {
                service.image().is_some_and(|image| images.iter().any(|filter| filter.matches(image)))
            });
        }
        services.sort_by(|a, b| natural_cmp(a.name(), b.name()));
        let request = match jobs {
            Jobs::Included => return Ok((services, 0)),
            Jobs::Excluded => "an update",
            Jobs::ExcludedFromList => "`update-image --from`",
        };
        let (skipped, services): (Vec<Service>, Vec<Service>) =
            services.into_iter().partition(Service::is_job);
        if !skipped.is_empty() {
            let (count, names) =
                (format_count(skipped.len(), "job"), join_names(skipped.iter().map(Service::name)));
            let them = if skipped.len() == 1 { "it" } else { "them" };
            ui.note(&format!("skipped {count}: {request} would run {them} again: {names}"));
        }
        Ok((services, skipped.len()))
    }

    /// Whether a service is selected, by the engine's rules: a prefix of ID or name, all labels, one of the modes. The
    /// filter by image is ignored.
    pub fn includes(&self, service: &Service) -> bool {
        // Only a copy is parsed, and dropped at the end: parsed services take ten times the memory.
        let copy = service.clone();
        let spec = copy.spec();
        let has_label = |key: &str, value: &str| {
            let own = spec["Labels"][key].as_str();
            own.is_some_and(|own| value.is_empty() || own == value)
        };
        let of = |key: &str| {
            let values = self.filter.iter().filter(move |(other, _)| other == key);
            values.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
        };
        let starts = |text: &str, starts: &[&str]| {
            starts.is_empty() || starts.iter().any(|start| text.starts_with(start))
        };
        let mode = match Mode::from_spec(&spec["Mode"]) {
            Mode::Replicated { .. } => "replicated",
            Mode::Global => "global",
            Mode::ReplicatedJob { .. } => "replicated-job",
            Mode::GlobalJob => "global-job",
            Mode::Other => "",
        };
        let modes = of("mode");
        starts(service.id(), &of("id"))
            && starts(service.name(), &of("name"))
            && (modes.is_empty() || modes.contains(&mode))
            && of("label").into_iter().all(|label| {
                let (key, value) = filter::label_and_value(label);
                has_label(key, value)
            })
            && self.stack.as_ref().is_none_or(|name| has_label(STACK, name))
    }

    /// Returns the error that no service is selected, with similar names of stacks.
    pub fn nothing_selected(&self, client: &Client) -> Error {
        let is_limited = self.scope == SelectionScope::Held && !self.all;
        let all = if self.stack.is_some() || is_limited {
            services::list(client, &services::filters(&[])).unwrap_or_default()
        } else {
            Vec::new()
        };
        self.nothing_selected_of(&all)
    }

    /// Like [`Self::nothing_selected`], if all services are known.
    pub fn nothing_selected_of(&self, all: &[Service]) -> Error {
        let suggestion = self.stack.as_ref().and_then(|stack| suggest::similar_stacks(all, stack));
        let is_known = all.is_empty() || all.iter().any(|service| self.includes(service));
        let what = match self.scope {
            SelectionScope::Held if self.all => "no service is held".to_owned(),
            SelectionScope::Held if is_known => {
                format!("no service of the selection `{}` is held", self.to_flags())
            }
            _ => format!("no service matches the selection `{}`", self.to_flags()),
        };
        Error::NoMatch { what, suggestion: suggestion.map(Box::new) }
    }

    /// Returns the named or selected services, each once.
    ///
    /// # Errors
    /// A request failed, or no service is selected ([`Error::NoMatch`]). For a name that matches no service or several,
    /// the error is in its [`SelectedService`].
    pub fn resolve(
        &self,
        ui: Ui,
        client: &Client,
        names: &[String],
        jobs: Jobs,
    ) -> Result<Vec<SelectedService>> {
        if !self.is_given() {
            return find_each(client, names);
        }
        match self.select_and_count_jobs(ui, client, jobs)? {
            (services, 0) if services.is_empty() => Err(self.nothing_selected(client)),
            (services, _) if services.is_empty() => {
                let what = format!("the selection `{}` has only jobs", self.to_flags());
                Err(Error::NoMatch { what, suggestion: None })
            }
            (services, _) => Ok(services.into_iter().map(SelectedService::selected).collect()),
        }
    }

    /// Like [`Self::resolve`], but without names and flags, all services are selected, and it is not an error if there
    /// are none.
    pub fn resolve_or_all(
        &self,
        ui: Ui,
        client: &Client,
        names: &[String],
        jobs: Jobs,
    ) -> Result<Vec<SelectedService>> {
        if names.is_empty() && !self.is_given() {
            let all = Self { all: true, ..self.clone() }.select(ui, client, jobs)?;
            return Ok(all.into_iter().map(SelectedService::selected).collect());
        }
        self.resolve(ui, client, names, jobs)
    }

    /// Prints the selected services before they are changed.
    pub fn print_selected(&self, ui: Ui, chosen: &[SelectedService], verb: &str) {
        if self.is_given() {
            let (count, names) = (
                format_count(chosen.len(), "service"),
                join_names(chosen.iter().map(|one| one.given.as_str())),
            );
            ui.note(&format!("selected {count} to {verb}: {names}"));
        }
    }

    /// The selection as command-line flags, quoted for a shell.
    pub fn to_flags(&self) -> String {
        let flag = |flag: &str, value: &str| format!("--{flag} {}", shell::argument(value.as_bytes()));
        let filters = self.filter.iter().map(|(key, value)| flag("filter", &format!("{key}={value}")));
        let stack = self.stack.iter().map(|name| flag("stack", name));
        let all = self.all.then(|| "--all".to_owned());
        filters.chain(stack).chain(all).collect::<Vec<_>>().join(" ")
    }
}

/// Formats a count: `1 service`, `3 services`.
pub fn format_count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Joins names: `a, b, c`, and the number of names that are left out.
pub fn join_names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    join_names_up_to(MAX_NAMES_SHOWN, names)
}

/// Joins at most `max` names.
pub fn join_names_up_to<'a>(max: usize, names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(max);
    let names = names.take(max).collect::<Vec<_>>().join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

/// Reads the named services, each once, in the order of their names on the command line.
pub fn find_each(client: &Client, names: &[String]) -> Result<Vec<SelectedService>> {
    let mut known = if names.len() > MAX_SINGLE_READS { list(client, names)? } else { HashMap::new() };
    let (mut chosen, mut by_id) = (Vec::<SelectedService>::new(), HashMap::<String, usize>::new());
    for (at, given) in names.iter().enumerate() {
        let found = match known.remove(given) {
            Some(service) => Ok(service),
            None => services::find(client, given),
        };
        match found {
            Ok(service) => match by_id.entry(service.id().to_owned()) {
                Entry::Occupied(first) => chosen[*first.get()].positions.push(at),
                Entry::Vacant(free) => {
                    free.insert(chosen.len());
                    chosen.push(SelectedService {
                        given: given.clone(),
                        positions: vec![at],
                        found: Ok(service),
                    });
                }
            },
            Err(error) if error.is_not_found() || error.is_ambiguous_name() => {
                chosen.push(SelectedService { given: given.clone(), positions: vec![at], found: Err(error) });
            }
            Err(error) => return Err(error),
        }
    }
    suggest::add_similar(client, chosen.iter_mut().filter_map(|one| one.found.as_mut().err()));
    Ok(chosen)
}

/// Reads the services with these names or full IDs by lists. The engine's name filter also matches
/// prefixes, which are dropped.
fn list(client: &Client, given: &[String]) -> Result<HashMap<String, Service>> {
    let is_id = |word: &&String| {
        word.len() == 25 && word.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
    };
    let (ids, names): (Vec<&String>, Vec<&String>) = given.iter().partition(is_id);
    let mut found = services::list_by_id(client, &ids.into_iter().map(String::as_str).collect::<Vec<_>>())?;
    let requested: HashSet<&str> = names.iter().map(|name| name.as_str()).collect();
    for part in names.chunks(MAX_IDS_PER_FILTER) {
        let filters: Vec<Filter> = part.iter().map(|name| ("name".to_owned(), (*name).clone())).collect();
        for service in services::list(client, &services::filters(&filters))? {
            if requested.contains(service.name()) {
                found.insert(service.name().to_owned(), service);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_names_are_cut() {
        let names: Vec<String> = (0..52).map(|i| format!("s{i}")).collect();
        assert!(join_names(names.iter().map(String::as_str)).ends_with("s9 and 42 more"));
        assert_eq!(join_names(["a", "b"].into_iter()), "a, b");
    }
}
