//! How a run has ended.

use super::codes;
use super::states::{self, States};
use crate::api::records::names;
use crate::api::resources::configs::Labels;

/// How a run has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The outcome.
    pub outcome: String,
    /// The exit code.
    pub exit: u8,
    /// The positions of services and their exit codes other than 0. Code 10 is recorded only for services whose update is
    /// held, and for services that were not started. Code 0 is recorded only for services whose gates were inconclusive.
    pub codes: Vec<(usize, u8)>,
    /// The services that the run did not change.
    pub unchanged: States,
}

impl Ending {
    /// Sets the labels of a run that has ended.
    pub fn set_labels(&self, labels: &mut Labels) {
        labels.insert(names::OUTCOME.to_owned(), self.outcome.clone());
        labels.insert(names::EXIT.to_owned(), self.exit.to_string());
        labels.remove(names::CODES);
        labels.remove(names::UNCHANGED);
        if !self.codes.is_empty() {
            labels.insert(names::CODES.to_owned(), codes::to_text(&self.codes));
        }
        if !self.unchanged.is_empty() {
            labels.insert(names::UNCHANGED.to_owned(), states::to_text(&self.unchanged));
        }
    }
}
