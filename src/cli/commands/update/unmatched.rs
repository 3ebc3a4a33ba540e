//! Notes about flags such as `--env-rm` that removed nothing.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::api::resources::services::Service;
use crate::api::spec::{Edit, Op, prepare};
use crate::cli::flags::Removal;
use crate::cli::select::{format_count, join_names_up_to};
use crate::output::Ui;

/// Maximum number of services that a note names.
const MAX_NAMES: usize = 10;

/// The removals of a command line, and the services in which they match nothing.
pub struct Removals {
    all: Vec<Removal>,
    /// For each removal, the names of the services in which it matches nothing.
    unmatched: Mutex<Vec<Vec<String>>>,
}

impl Removals {
    /// Creates the list of removals. No service has been checked yet.
    pub fn new(all: Vec<Removal>) -> Self {
        let unmatched = Mutex::new(vec![Vec::new(); all.len()]);
        Self { all, unmatched }
    }

    /// Returns the edits of all removals, with names that are not yet replaced by IDs.
    pub fn edits(&self) -> impl Iterator<Item = &Edit> {
        self.all.iter().flat_map(|removal| &removal.edits)
    }

    /// Returns notes about the removals that match nothing in a service. `resolved` are [`Self::edits`] with IDs for
    /// names, and `edits` are all edits of the command line.
    ///
    /// A removal is not reported if another flag sets the same item: the two flags together replace the value.
    pub fn check(&self, service: &Service, resolved: &[Edit], edits: &[Edit]) -> Vec<String> {
        let mut before = service.spec().clone();
        prepare(&mut before, resolved);
        let mut resolved = resolved.iter();
        let mut notes = Vec::new();
        let mut unmatched = self.unmatched.lock().unwrap_or_else(PoisonError::into_inner);
        for (removal, services) in self.all.iter().zip(unmatched.iter_mut()) {
            let own: Vec<&Edit> = resolved.by_ref().take(removal.edits.len()).collect();
            if !own.iter().any(|edit| is_used(edit, &before, edits)) {
                services.push(service.name().to_owned());
                notes.push(format!("`{}` matched nothing", removal.flag));
            }
        }
        notes
    }

    /// Prints a note about each removal that matched nothing in at least one of the `count` services.
    pub fn print_notes(&self, ui: Ui, count: usize) {
        let unmatched = self.unmatched.lock().unwrap_or_else(PoisonError::into_inner);
        for (removal, services) in
            self.all.iter().zip(unmatched.iter()).filter(|(_, names)| !names.is_empty())
        {
            let flag = &removal.flag;
            let mut names: Vec<&str> = services.iter().map(String::as_str).collect();
            names.sort_by(|a, b| crate::output::natural_cmp(a, b));
            match names.as_slice() {
                [name] => ui.note(&format!("{name}: `{flag}` matched nothing")),
                names if names.len() == count => {
                    ui.note(&format!("`{flag}` matched nothing in any of the {count} services"));
                }
                names => {
                    let (services, names) = (
                        format_count(names.len(), "service"),
                        join_names_up_to(MAX_NAMES, names.iter().copied()),
                    );
                    ui.note(&format!("`{flag}` matched nothing in {services}: {names}"));
                }
            }
        }
    }
}

/// Whether an edit removes something, or another edit sets what it removes.
fn is_used(edit: &Edit, before: &Value, edits: &[Edit]) -> bool {
    let is_set = |other: &Edit| match &other.op {
        Op::Set(value) | Op::Default(value) => {
            other.place == edit.place || edit.place.fits(&other.place.list(), value)
        }
        _ => false,
    };
    edit.op != Op::Remove || edit.place.get(before).is_some() || edits.iter().any(is_set)
}
