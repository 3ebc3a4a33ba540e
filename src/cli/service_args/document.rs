//! `--spec`: a spec from a file, beside the flags.

use std::io::Read as _;
use std::{fs, io};

use clap::Args;

use crate::api::spec::{BadValue, Document};

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
        let text = if path == "-" { read_stdin() } else { fs::read_to_string(path) };
        let read = text.map_err(|e| BadValue::new(e.to_string(), "swarmctl inspect web > web.json"));
        let document = read.and_then(|text| Document::parse(&text));
        document.map(Some).map_err(|bad| BadValue::new(format!("--spec: `{path}`: {}", bad.why), bad.example))
    }
}

fn read_stdin() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}
