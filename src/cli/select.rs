//! Which services a command is for: names, or a selection by what they have in common.

pub mod filter;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::resources::rows::Mode;
use crate::api::resources::services;
use crate::api::resources::services::{Filter, MAX_IDS_PER_FILTER, Service};
use crate::cli::complete::completion::Completion;
use crate::cli::usage::UsageError;
use crate::output::{Ui, natural_cmp};
use filter::ImageFilter;

/// So many are read one by one, which is fresher; of more, one list is asked for.
const MOST_ONE_BY_ONE: usize = 20;
/// More names than these make no line that anybody reads.
pub const MOST_NAMES_SHOWN: usize = 50;
/// What `docker stack deploy` puts on the services of a stack.
const STACK: &str = "com.docker.stack.namespace";
/// Flags that select services.
#[derive(Args, Clone, Debug, Default)]
pub struct SelectArgs {
    /// Select services with this property: id, label, mode, name (the start of id and name is enough) or image (a
    /// repository, with or without a tag)
    #[arg(short, long, value_name = "KEY=VALUE", add = Completion::FILTERS, value_parser = filter::parse_selection)]
    pub filter: Vec<Filter>,
    /// Select the services of this stack
    #[arg(long, value_name = "NAME", add = Completion::STACKS, value_parser = NonEmptyStringValueParser::new())]
    pub stack: Option<String>,
    /// Select all services
    #[arg(long, conflicts_with_all = ["filter", "stack"])]
    pub all: bool,
}

/// Whether a selection takes in services that run to an end: every post runs them again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jobs {
    /// The command posts nothing to them, or removes them.
    TakenIn,
    /// The command posts.
    LeftAlone,
}

/// What each service shall have.
#[derive(Debug)]
pub enum Each<T> {
    /// Services by name, each its own.
    Named(Vec<(String, T)>),
    /// The same for all that are selected.
    All(T),
}

/// A service, as it was named, or why it is not there.
#[derive(Debug)]
pub struct Chosen {
    /// As it was named; by its name where it was selected.
    pub given: String,
    /// The places in the list of names where it is named; none where it was selected.
    pub at: Vec<usize>,
    /// The service.
    pub found: Result<Service>,
}

impl<T: PartialEq> Each<T> {
    /// Reads `SERVICE=VALUE`s; the same one twice is taken once.
    ///
    /// # Errors
    /// Something that is no pair, a value that cannot be one, or a service that shall have two.
    pub fn pairs(
        texts: &[String],
        example: &'static str,
        read: impl Fn(&str) -> Result<T, UsageError>,
    ) -> Result<Self, UsageError> {
        let mut pairs = Vec::<(String, T)>::with_capacity(texts.len());
        let mut at = HashMap::<&str, usize>::with_capacity(texts.len());
        for text in texts {
            let bad = |why: &str| UsageError::new(format!("`{text}` {why}"), example);
            let (service, value) =
                text.split_once('=').ok_or_else(|| bad("is no pair of service and value"))?;
            if service.is_empty() {
                return Err(bad("names no service"));
            }
            let value = read(value)
                .map_err(|bad| UsageError::new(format!("service `{service}`: {}", bad.why), bad.example))?;
            match at.entry(service) {
                Entry::Occupied(first) if pairs[*first.get()].1 == value => {}
                Entry::Occupied(_) => {
                    return Err(bad("names a service that shall have something else as well"));
                }
                Entry::Vacant(free) => {
                    free.insert(pairs.len());
                    pairs.push((service.to_owned(), value));
                }
            }
        }
        Ok(Self::Named(pairs))
    }
}

impl SelectArgs {
    /// Whether services are selected, not named.
    pub fn is_given(&self) -> bool {
        self.all || self.stack.is_some() || !self.filter.is_empty()
    }

    /// Whether services are named or selected, and not both.
    pub fn check(&self, names: &[String], example: &'static str) -> Result<(), UsageError> {
        match (names, self.is_given()) {
            ([], false) => Err(UsageError::new(
                "no service is named: name some, or select with --filter, --stack or --all",
                example,
            )),
            ([name, ..], true) => Err(UsageError::new(
                format!("`{name}` is named, and --filter, --stack or --all selects others: one or the other"),
                example,
            )),
            _ => Ok(()),
        }
    }

    /// The selected services, by name. Prints which jobs are left out.
    pub fn select(&self, ui: Ui, client: &Client, jobs: Jobs) -> Result<Vec<Service>> {
        let (images, mut filters) = ImageFilter::split(&self.filter)?;
        filters.extend(self.stack.iter().map(|name| ("label".to_owned(), format!("{STACK}={name}"))));
        let mut services = services::list(client, &services::filters(&filters))?;
        if !images.is_empty() {
            services.retain(|service| {
                service.image().is_some_and(|image| images.iter().any(|filter| filter.matches(image)))
            });
        }
        let mut spared = Vec::new();
        if jobs == Jobs::LeftAlone {
            services.retain(|service| {
                if service.is_job() {
                    spared.push(service.name().to_owned());
                }
                !service.is_job()
            });
        }
        services.sort_by(|a, b| natural_cmp(a.name(), b.name()));
        if !spared.is_empty() {
            let (count, names) = (counted(spared.len(), "job"), listed(spared.iter().map(String::as_str)));
            ui.note(&format!("left {count} alone, which any post would run again: {names}"));
        }
        Ok(services)
    }

    /// Whether a listed service is selected, by the engine's own rules: the start of an ID or name, every label, one of the
    /// modes. The filter by image is not looked at.
    pub fn includes(&self, service: &Service) -> bool {
        let spec = service.spec();
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
                let (key, value) = label.split_once('=').unwrap_or((label, ""));
                has_label(key, value)
            })
            && self.stack.as_ref().is_none_or(|name| has_label(STACK, name))
    }

    /// The error that nothing is selected.
    pub fn nothing_selected(&self) -> Error {
        let why = "nothing fits the selection".to_owned();
        Error::NoSuch { kind: "service", name: self.words(), why: Some(why) }
    }

    /// The services of these names or of this selection, each once.
    ///
    /// # Errors
    /// The engine cannot be asked, or nothing is selected ([`Error::NoSuch`]). A name that is nobody's is told in its place.
    pub fn choose(&self, ui: Ui, client: &Client, names: &[String], jobs: Jobs) -> Result<Vec<Chosen>> {
        if !self.is_given() {
            return named(client, names);
        }
        let services = self.select(ui, client, jobs)?;
        if services.is_empty() {
            return Err(self.nothing_selected());
        }
        let chosen = |service: Service| Chosen {
            given: service.name().to_owned(),
            at: Vec::new(),
            found: Ok(service),
        };
        Ok(services.into_iter().map(chosen).collect())
    }

    /// Prints which services were selected, before anything is done to them.
    pub fn print_selected(&self, ui: Ui, chosen: &[Chosen], verb: &str) {
        if self.is_given() {
            let (count, names) =
                (counted(chosen.len(), "service"), listed(chosen.iter().map(|one| one.given.as_str())));
            ui.note(&format!("selected {count} to {verb}: {names}"));
        }
    }

    /// The selection, as it was written.
    pub fn words(&self) -> String {
        let filters = self.filter.iter().map(|(key, value)| format!("--filter {key}={value}"));
        let stack = self.stack.iter().map(|name| format!("--stack {name}"));
        let all = self.all.then(|| "--all".to_owned());
        filters.chain(stack).chain(all).collect::<Vec<_>>().join(" ")
    }
}

/// `1 service`, `3 services`.
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `a, b, c`, and how many more there are.
pub fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    listed_up_to(MOST_NAMES_SHOWN, names)
}

/// [`listed`] with at most `max` names.
pub fn listed_up_to<'a>(max: usize, names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(max);
    let names = names.take(max).collect::<Vec<_>>().join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

/// The services of these names, each once, in their order.
pub fn named(client: &Client, names: &[String]) -> Result<Vec<Chosen>> {
    let mut known = if names.len() > MOST_ONE_BY_ONE { list(client, names)? } else { HashMap::new() };
    let (mut chosen, mut by_id) = (Vec::<Chosen>::new(), HashMap::<String, usize>::new());
    for (at, given) in names.iter().enumerate() {
        let found = match known.remove(given) {
            Some(service) => Ok(service),
            None => services::find(client, given),
        };
        match found {
            Ok(service) => match by_id.entry(service.id().to_owned()) {
                Entry::Occupied(first) => chosen[*first.get()].at.push(at),
                Entry::Vacant(free) => {
                    free.insert(chosen.len());
                    chosen.push(Chosen { given: given.clone(), at: vec![at], found: Ok(service) });
                }
            },
            Err(error) if error.is_not_found() || error.is_ambiguous_name() => {
                chosen.push(Chosen { given: given.clone(), at: vec![at], found: Err(error) });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(chosen)
}

/// The services that have one of these names or full IDs, by that. The engine's filter takes the start of a name, too.
fn list(client: &Client, given: &[String]) -> Result<HashMap<String, Service>> {
    let is_id = |word: &&String| {
        word.len() == 25 && word.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
    };
    let (ids, names): (Vec<&String>, Vec<&String>) = given.iter().partition(is_id);
    let mut found = services::list_by_id(client, &ids.into_iter().map(String::as_str).collect::<Vec<_>>())?;
    let wanted: HashSet<&str> = names.iter().map(|name| name.as_str()).collect();
    for part in names.chunks(MAX_IDS_PER_FILTER) {
        let filters: Vec<Filter> = part.iter().map(|name| ("name".to_owned(), (*name).clone())).collect();
        for service in services::list(client, &services::filters(&filters))? {
            if wanted.contains(service.name()) {
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
        assert!(listed(names.iter().map(String::as_str)).ends_with("s49 and 2 more"));
        assert_eq!(listed(["a", "b"].into_iter()), "a, b");
    }
}
