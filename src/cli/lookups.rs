//! Look-ups of names that only decorate the output. If a proxy forbids the endpoint, IDs are printed.

use crate::api::error::{Error, Result};
use crate::output::Ui;

/// The look-ups of one command whose endpoints were refused.
#[derive(Debug, Default)]
pub struct Lookups {
    refused: Vec<(&'static str, Error)>,
}

impl Lookups {
    /// What was found; the default if the endpoint was refused, which is recorded.
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

    /// Whether this endpoint was refused before, so that it need not be asked again.
    pub fn is_refused(&self, what: &str) -> bool {
        self.refused.iter().any(|(other, _)| *other == what)
    }

    /// Prints one note about all that was refused.
    pub fn note(&self, ui: Ui) {
        let Some((_, error)) = self.refused.first() else { return };
        let what: Vec<&str> = self.refused.iter().map(|(what, _)| *what).collect();
        ui.note(&format!(
            "the names of {} are not available, so IDs are printed: {error}",
            what.join(" and ")
        ));
    }
}
