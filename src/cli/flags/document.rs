//! `--spec`: a spec from a file, beside the flags.

use clap::Args;

use super::files;
use crate::api::spec::{BadValue, Document};

/// In MiB; it takes many times the room in memory, and no engine takes a spec of 2 MiB.
const LONGEST: u64 = 16;

/// The flag of a spec that is brought whole, or in part.
#[derive(Args, Debug)]
pub struct SpecArgs {
    /// Take the spec in this file: what inspect prints, or a spec alone (-: stdin)
    #[arg(long, value_name = "FILE")]
    spec: Option<String>,
}

impl SpecArgs {
    /// The spec, where the flag is given.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no spec.
    pub fn document(&self) -> Result<Option<Document>, BadValue> {
        let Some(path) = &self.spec else { return Ok(None) };
        let read = files::read_text(path, LONGEST)
            .map_err(|e| BadValue::new(e.to_string(), "swarmctl inspect web > web.json"));
        let document = read.and_then(|text| Document::parse(&text));
        document.map(Some).map_err(|bad| BadValue::new(format!("--spec: `{path}`: {}", bad.why), bad.example))
    }
}
