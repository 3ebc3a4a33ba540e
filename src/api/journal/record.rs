//! The record of a run, and its JSON.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::JournalError;
use super::gzip;
use crate::api::records::RunId;
use crate::api::records::fields::{MAX_EDITS, MAX_SERVICES};
use crate::api::records::plan::PlannedEdit;
use crate::api::spec::apply;

/// The version of the format.
pub(super) const VERSION: u64 = 1;
/// Maximum length of one part.
pub(super) const MAX_PART_LEN: usize = 400 << 10;
/// Maximum length of a compressed record.
pub(super) const MAX_RECORD_LEN: usize = 4 << 20;

/// The record of a run.
#[derive(Clone, Debug)]
pub struct Record {
    /// The number of the run. 0 until it has been assigned.
    pub run: u64,
    /// A random number by which the run recognizes its own record.
    pub nonce: String,
    /// When the run started, as an RFC 3339 timestamp.
    pub at: String,
    /// `user@host`, for information only.
    pub by: String,
    /// The version of this program.
    pub program: String,
    /// The ID of the swarm.
    pub swarm: String,
    /// The command with its services and images.
    pub command: String,
    /// The number of the run whose changes this run reverts, if it is an undo.
    pub undoes: Option<u64>,
    /// The services, in the order of the command line.
    pub services: Vec<RecordedService>,
}

/// A service of a run.
#[derive(Clone, Debug)]
pub struct RecordedService {
    /// The ID. `None` for a service that the run creates.
    pub id: Option<String>,
    /// The name.
    pub name: String,
    /// The version index when the spec was read. `None` for a service that the run creates.
    pub version_index: Option<u64>,
    /// The spec as it was read, byte for byte. `None` for a service that the run creates, or if the record would be too long.
    pub before: Option<Box<RawValue>>,
    /// The edits.
    pub edits: Vec<PlannedEdit>,
}

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// It changes services.
    Update,
    /// It creates a service.
    Create,
    /// It removes services.
    Remove,
}

#[derive(Serialize)]
struct RecordJson<'a> {
    v: u64,
    run: u64,
    nonce: &'a str,
    at: &'a str,
    by: &'a str,
    program: &'a str,
    swarm: &'a str,
    command: &'a str,
    undoes: Option<u64>,
    services: Vec<ServiceJson<'a>>,
}

#[derive(Serialize)]
struct ServiceJson<'a> {
    id: Option<&'a str>,
    name: &'a str,
    version_index: Option<u64>,
    before: Option<&'a RawValue>,
    edits: Vec<Value>,
}

impl Record {
    /// What identifies the run.
    pub fn id(&self) -> RunId {
        RunId { number: self.run, nonce: self.nonce.clone() }
    }

    /// What the run does. Runs that create or remove services have no edits.
    pub fn kind(&self) -> RunKind {
        let has_edits = self.services.iter().any(|service| !service.edits.is_empty());
        if has_edits {
            RunKind::Update
        } else if self.services.iter().all(|service| service.id.is_none()) {
            RunKind::Create
        } else {
            RunKind::Remove
        }
    }

    /// The service with this ID.
    pub fn service(&self, id: &str) -> Option<&RecordedService> {
        self.services.iter().find(|service| service.id.as_deref() == Some(id))
    }

    /// Serializes the record as JSON.
    ///
    /// # Errors
    /// A value cannot be serialized.
    pub fn to_json(&self) -> Result<Vec<u8>, JournalError> {
        self.to_json_with(|service| service.before.as_deref())
    }

    fn to_json_with<'a>(
        &'a self,
        before: impl Fn(&'a RecordedService) -> Option<&'a RawValue>,
    ) -> Result<Vec<u8>, JournalError> {
        let service = |service: &'a RecordedService| ServiceJson {
            id: service.id.as_deref(),
            name: &service.name,
            version_index: service.version_index,
            before: before(service),
            edits: service.edits.iter().map(PlannedEdit::to_json).collect(),
        };
        let json = RecordJson {
            v: VERSION,
            run: self.run,
            nonce: &self.nonce,
            at: &self.at,
            by: &self.by,
            program: &self.program,
            swarm: &self.swarm,
            command: &self.command,
            undoes: self.undoes,
            services: self.services.iter().map(service).collect(),
        };
        serde_json::to_vec(&json).map_err(|error| JournalError::NotWritten(error.to_string()))
    }

    /// The compressed record. If it is too long, the specs are left out.
    ///
    /// # Errors
    /// The record is too long even without the specs.
    pub fn compressed(&self) -> Result<Vec<u8>, JournalError> {
        let is_bounded = self.services.len() <= MAX_SERVICES
            && self.services.iter().all(|service| service.edits.len() <= MAX_EDITS);
        let compress = |json: Result<Vec<u8>, JournalError>| -> Result<_, JournalError> {
            let json = json?;
            if json.len() as u64 > gzip::MAX_LEN || !is_bounded {
                return Ok(None);
            }
            let bytes = gzip::compress(&json).map_err(|error| JournalError::NotWritten(error.to_string()))?;
            Ok((bytes.len() <= MAX_RECORD_LEN).then_some(bytes))
        };
        if let Some(bytes) = compress(self.to_json())? {
            return Ok(bytes);
        }
        compress(self.to_json_with(|_| None))?.ok_or(JournalError::TooLong(MAX_RECORD_LEN >> 20))
    }
}

impl RecordedService {
    /// The spec after the edits, which are applied to the spec `before` the run.
    pub(super) fn spec_after(&self, before: &Value) -> Value {
        let mut after = before.clone();
        // The edits are applied one by one, because `apply_all` would also move the networks.
        self.edits.iter().for_each(|edit| apply(&mut after, &edit.to_edit()));
        after
    }

    /// Parses the spec that was read before the run.
    ///
    /// # Errors
    /// It cannot be parsed.
    pub fn parsed_before(&self) -> serde_json::Result<Option<Value>> {
        self.before.as_ref().map(|before| serde_json::from_str(before.get())).transpose()
    }
}
