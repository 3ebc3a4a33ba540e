//! Requests for names that only make the output more readable. If a proxy forbids an endpoint, IDs are
//! printed instead.

use crate::api::error::{Error, Result};
use crate::output::Ui;

/// The endpoints that a proxy has refused to one command.
#[derive(Debug, Default)]
pub struct Lookups {
    refused: Vec<(&'static str, Error)>,
}

impl Lookups {
    /// Returns what was found, or the default if the endpoint is forbidden.
    ///
    /// # Errors
    /// Any other failure.
    pub fn or_default<T: Default>(&mut self, what: &'static str, found: Result<T>) -> Result<T> {
        match found {
            Err(error) if error.is_endpoint_unavailable() => {
                self.refused.push((what, error));
                Ok(T::default())
            }
            found => found,
        }
    }

    /// Whether the endpoint was forbidden before, so that it need not be requested again.
    pub fn is_refused(&self, what: &str) -> bool {
        self.refused.iter().any(|(other, _)| *other == what)
    }

    /// Prints one note about all forbidden endpoints.
    pub fn note(&self, ui: Ui) {
        let Some((_, error)) = self.refused.first() else { return };
        let what: Vec<&str> = self.refused.iter().map(|(what, _)| *what).collect();
        ui.note(&format!(
            "the names of {} are not available, so IDs are printed: {error}",
            what.join(" and ")
        ));
    }
}
