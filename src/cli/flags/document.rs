//! `--spec`: reads a spec from a file.

use clap::Args;

use super::files;
use crate::api::spec::Document;
use crate::cli::complete::completion::Completion;
use crate::cli::messages::usage::{OrExample as _, UsageError};

/// Maximum file size in MiB. Engines accept less than 2 MiB.
const MAX_FILE_MIB: u64 = 16;
const EXAMPLE: &str = "swarmctl inspect web > web.json";

/// The flag that reads a complete or partial spec.
#[derive(Args, Debug)]
pub struct SpecArgs {
    /// Read the spec from a file: output of `inspect`, or a spec (-: stdin)
    #[arg(long, value_name = "FILE", add = Completion::Files)]
    spec: Option<String>,
}

impl SpecArgs {
    /// Returns the spec, if the flag is given.
    ///
    /// # Errors
    /// The file cannot be read or contains no spec.
    pub fn document(&self) -> Result<Option<Document>, UsageError> {
        let Some(path) = &self.spec else { return Ok(None) };
        let read = files::read_text(path, MAX_FILE_MIB).map_err(|e| UsageError::new(e.to_string(), EXAMPLE));
        let document = read.and_then(|text| Document::parse(&text).or_example(EXAMPLE));
        document
            .map(Some)
            .map_err(|bad| UsageError::new(format!("--spec: `{path}`: {}", bad.why), bad.example))
    }
}
