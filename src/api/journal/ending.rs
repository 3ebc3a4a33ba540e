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
    /// The positions of services and their exit codes other than 0.
    pub codes: Vec<(usize, u8)>,
    /// The services that the run did not change.
    pub unchanged: States,
}

impl Ending {
    /// The labels of a run that has ended.
    pub fn labels(&self) -> Labels {
        let mut labels = Labels::from([
            (names::OUTCOME.to_owned(), self.outcome.clone()),
            (names::EXIT.to_owned(), self.exit.to_string()),
        ]);
        if !self.codes.is_empty() {
            labels.insert(names::CODES.to_owned(), codes::to_text(&self.codes));
        }
        if !self.unchanged.is_empty() {
            labels.insert(names::UNCHANGED.to_owned(), states::to_text(&self.unchanged));
        }
        labels
    }
}
