//! `--spec`: a spec from a file, beside the flags.

use clap::Args;

use super::files;
use crate::api::spec::Document;
use crate::cli::complete::completion::Completion;
use crate::cli::usage::{OrExample as _, UsageError};

/// In MiB; it takes many times the room in memory, and no engine takes a spec of 2 MiB.
const LONGEST: u64 = 16;
const EXAMPLE: &str = "swarmctl inspect web > web.json";

/// The flag of a spec that is brought whole, or in part.
#[derive(Args, Debug)]
pub struct SpecArgs {
    /// Take the spec in this file: what inspect prints, or a spec alone (-: stdin)
    #[arg(long, value_name = "FILE", add = Completion::Files)]
    spec: Option<String>,
}

impl SpecArgs {
    /// The spec, where the flag is given.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no spec.
    pub fn document(&self) -> Result<Option<Document>, UsageError> {
        let Some(path) = &self.spec else { return Ok(None) };
        let read = files::read_text(path, LONGEST).map_err(|e| UsageError::new(e.to_string(), EXAMPLE));
        let document = read.and_then(|text| Document::parse(&text).or_example(EXAMPLE));
        document
            .map(Some)
            .map_err(|bad| UsageError::new(format!("--spec: `{path}`: {}", bad.why), bad.example))
    }
}
