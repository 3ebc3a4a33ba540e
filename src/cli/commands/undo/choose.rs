//! Chooses the services of a run whose changes are undone.

use crate::api::journal::RecordedService;
use crate::api::resources::services::MIN_ID_PREFIX_LEN;
use crate::cli::deploy::ChosenBy;

/// A service of a run, and how it was chosen.
pub type Chosen = (RecordedService, ChosenBy);

/// Returns the named services of a run (all, if `named` is empty), and the names that match no service of the run.
pub fn choose(services: Vec<RecordedService>, named: &[String]) -> (Vec<Chosen>, Vec<String>) {
    if named.is_empty() {
        return (services.into_iter().map(|one| (one, ChosenBy::Property)).collect(), Vec::new());
    }
    let is_named = |one: &RecordedService, name: &str| {
        let id = one.id.as_deref().unwrap_or_default();
        one.name == name || id == name || (name.len() >= MIN_ID_PREFIX_LEN && id.starts_with(name))
    };
    let unknown = named.iter().filter(|name| !services.iter().any(|one| is_named(one, name)));
    let unknown = unknown.cloned().collect();
    let chosen = services.into_iter().filter(|one| named.iter().any(|name| is_named(one, name)));
    (chosen.map(|one| (one, ChosenBy::Name)).collect(), unknown)
}
