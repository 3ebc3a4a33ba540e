//! A short description of a run. In the swarm it is stored in the labels of the run's first config. For a run in files,
//! it is computed from the record and the outcome.

use super::codes;
use super::ending::Ending;
use super::outside::RunEffect;
use super::record::Record;
use super::states::{self, States};
use crate::api::records::names;
use crate::api::resources::configs::Labels;

/// The outcome of a run that has not ended.
pub const STARTED: &str = "started";
/// The outcome of a run if updates of it are held and none has failed.
pub const HELD: &str = "held";
/// The exit code of a service whose update is held and has not failed.
pub const HELD_CODE: u8 = 10;
/// The code of a service that was updated, and whose gates were inconclusive. It is recorded only if other services of the run
/// are held.
pub const INCONCLUSIVE_CODE: u8 = 0;
/// The exit code of a service that was rolled back.
pub const ROLLED_BACK_CODE: u8 = 6;
/// Maximum number of characters of a label.
const MAX_LABEL_LEN: usize = 256;

/// A short description of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// When it started, as an RFC 3339 timestamp.
    pub at: String,
    /// `user@host`, for information only.
    pub by: String,
    /// The command.
    pub command: String,
    /// The number of services.
    pub count: u64,
    /// The outcome.
    pub outcome: String,
    /// The exit code, if it has ended.
    pub exit: Option<u8>,
    /// The positions of services and their exit codes other than 0.
    pub codes: Vec<(usize, u8)>,
    /// Whether exit codes were left out, because the length of a label is limited.
    pub lacks_codes: bool,
    /// The services that the run did not change, as far as they were recorded when it ended.
    pub unchanged: States,
}

impl Summary {
    /// The summary of a run that starts.
    pub fn from_record(record: &Record) -> Self {
        Self {
            at: record.at.clone(),
            by: record.by.clone(),
            command: record.command.clone(),
            count: record.services.len() as u64,
            outcome: STARTED.to_owned(),
            exit: None,
            codes: Vec::new(),
            lacks_codes: false,
            unchanged: States::new(),
        }
    }

    /// Adds how the run has ended.
    pub fn ended(self, ending: &Ending) -> Self {
        let Ending { outcome, exit, codes, unchanged } = ending.clone();
        Self { outcome, exit: Some(exit), codes, unchanged, ..self }
    }

    /// Reads the labels. Fields without a label are empty.
    pub fn from_labels(labels: &Labels) -> Self {
        let text = |key: &str| labels.get(key).cloned().unwrap_or_default();
        Self {
            at: text(names::AT),
            by: text(names::BY),
            command: text(names::COMMAND),
            count: text(names::COUNT).parse().unwrap_or(0),
            outcome: text(names::OUTCOME),
            exit: labels.get(names::EXIT).and_then(|exit| exit.parse().ok()),
            codes: codes::parse(&text(names::CODES)),
            lacks_codes: codes::lacks_codes(&text(names::CODES)),
            unchanged: states::parse(&text(names::UNCHANGED)),
        }
    }

    /// The labels of a run that starts.
    pub fn labels(&self) -> Labels {
        let label =
            |key: &str, text: &str| (key.to_owned(), text.chars().take(MAX_LABEL_LEN).collect::<String>());
        Labels::from([
            label(names::AT, &self.at),
            label(names::BY, &self.by),
            label(names::COMMAND, &self.command),
            label(names::COUNT, &self.count.to_string()),
            label(names::OUTCOME, &self.outcome),
        ])
    }

    /// Whether the run has not ended, or its process ended early.
    pub fn is_started(&self) -> bool {
        self.outcome == STARTED
    }

    /// Whether the update of the service at this position in the record was held, and had not failed, when the outcome was
    /// recorded.
    pub fn is_held_at(&self, at: usize) -> bool {
        let is_held = match self.exit_of(at) {
            Some(code) => code == HELD_CODE,
            None => self.outcome == HELD,
        };
        is_held && !self.unchanged.contains_key(&at)
    }

    /// The exit code of the service at this position in the record. `None` if it is not known.
    pub fn exit_of(&self, at: usize) -> Option<u8> {
        self.exit?;
        match self.codes.iter().find(|(position, _)| *position == at) {
            Some((_, code)) => Some(*code),
            None if self.lacks_codes || self.unchanged.contains_key(&at) => None,
            None => Some(0),
        }
    }

    /// Whether the service at this position in the record kept the changes of the run.
    pub fn effect_on(&self, at: usize) -> RunEffect {
        match self.exit_of(at) {
            _ if self.unchanged.contains_key(&at) => RunEffect::NotApplied,
            Some(0 | HELD_CODE) => RunEffect::Applied,
            Some(ROLLED_BACK_CODE) => RunEffect::NotApplied,
            _ => RunEffect::Unknown,
        }
    }
}
