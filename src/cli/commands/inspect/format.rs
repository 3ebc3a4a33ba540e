//! `--format` of `inspect`.

use crate::output::{Template, TemplateError};

/// How services are shown.
#[derive(Clone, Debug)]
pub enum Shape {
    /// The engine's own JSON, laid out for reading.
    Indented,
    /// The same on one line.
    Compact,
    /// A summary for people.
    Pretty,
    /// Each by a template.
    Template(Template),
}

/// Reads it as docker does; escapes such as `\t` outside of actions stay what they are.
pub fn parse(text: &str) -> Result<Shape, TemplateError> {
    match text {
        "" | "raw" => Ok(Shape::Indented),
        "json" => Ok(Shape::Compact),
        "pretty" => Ok(Shape::Pretty),
        text if text.starts_with("pretty") => {
            Err(TemplateError::whole("`pretty` stands alone: it takes no template"))
        }
        text => {
            let text = text.strip_prefix("raw").unwrap_or(text);
            Ok(Shape::Template(Template::parse(text, false)?))
        }
    }
}
