//! Parses `--format` of `inspect`.

use crate::output::{Escapes, Template, TemplateError};

/// How services are printed.
#[derive(Clone, Debug)]
pub enum InspectFormat {
    /// The engine's JSON, indented.
    Indented,
    /// The engine's JSON on one line.
    Compact,
    /// A summary.
    Pretty,
    /// A template for each service.
    Template(Template),
}

/// Parses the flag. As with docker, escapes such as `\t` outside of actions are not replaced.
pub fn parse(text: &str) -> Result<InspectFormat, TemplateError> {
    match text {
        "" | "raw" => Ok(InspectFormat::Indented),
        "json" => Ok(InspectFormat::Compact),
        "pretty" => Ok(InspectFormat::Pretty),
        text if text.starts_with("pretty") => {
            Err(TemplateError::whole("`pretty` cannot be combined with a template"))
        }
        text => {
            let text = text.strip_prefix("raw").unwrap_or(text);
            Ok(InspectFormat::Template(Template::parse(text, Escapes::Keep)?))
        }
    }
}
