//! The part of Go's template language that docker's `--format` needs: everything except `define`, `template`, `block`,
//! methods, `call`, and the functions that escape for HTML, JavaScript and URLs.
//!
//! These errors are found when a template is parsed, before any request is sent: unknown functions and variables, a
//! wrong number of arguments, a missing `end`. The data is JSON. Its key order and the values of its numbers are kept.
//! Next to it, a document of zero values describes Go's types (see [`zero`]).

mod eval;
mod functions;
mod lexer;
mod parse;
mod printf;
#[cfg(test)]
mod tests;
mod tree;
mod value;
pub mod zero;

use std::fmt;

use serde_json::Value as Json;

use super::Destination;
use eval::Renderer;
use parse::ParsedTemplate;
use tree::Node;
use value::Value;

/// A parsed template.
#[derive(Clone, Debug)]
pub struct Template {
    text: String,
    nodes: Vec<Node>,
    fields: Vec<(usize, String)>,
}

/// An error in a template and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Byte offset in the template, and the text that begins there.
    offset: Option<(usize, String)>,
    why: String,
}

/// What `\t` and `\n` outside of actions mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// A tab and a line feed.
    Interpret,
    /// Themselves.
    Keep,
}

/// How values are rendered.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderOptions {
    /// On a terminal, control characters in data are escaped. The template's own text is never changed.
    pub destination: Destination,
    /// The data are the headers of a table: functions such as `lower` and `truncate` leave them unchanged, as docker's
    /// do.
    pub is_header: bool,
}

impl Template {
    /// Parses a template.
    pub fn parse(text: &str, escapes: Escapes) -> Result<Self, TemplateError> {
        let segments = lexer::segments(text, escapes).map_err(|error| error.within(text))?;
        let ParsedTemplate { nodes, fields } = parse::parse(segments).map_err(|error| error.within(text))?;
        Ok(Self { text: text.to_owned(), nodes, fields })
    }

    /// Fails if the template reads a top-level field (`.Name`, `$.Name`) that is not in `known`.
    pub fn only_fields(self, known: &[&str]) -> Result<Self, TemplateError> {
        match self.fields.iter().find(|(_, name)| !known.contains(&name.as_str())) {
            Some((offset, name)) => {
                let why = format!("there is no `.{name}`; the fields are .{}", known.join(", ."));
                Err(TemplateError::new(*offset, why).within(&self.text))
            }
            None => Ok(self),
        }
    }

    /// Renders the data. `zero` holds the zero values of Go's types, as described in [`zero`].
    pub fn render(
        &self,
        data: &Json,
        zero: Option<&Json>,
        options: RenderOptions,
    ) -> Result<String, TemplateError> {
        let data = Value::new(Some(data), zero);
        Renderer::new(options, data).text(&self.nodes).map_err(|error| error.within(&self.text))
    }
}

impl TemplateError {
    fn new(offset: usize, why: impl Into<String>) -> Self {
        Self { offset: Some((offset, String::new())), why: why.into() }
    }

    /// An error about the template as a whole.
    pub fn whole(why: impl Into<String>) -> Self {
        Self { offset: None, why: why.into() }
    }

    /// Adds an excerpt of the template to the error.
    fn within(mut self, text: &str) -> Self {
        if let Some((offset, excerpt)) = &mut self.offset {
            let from = text.get(*offset..).unwrap_or_default();
            *excerpt = from.chars().take(24).collect();
            if from.len() > excerpt.len() {
                *excerpt += "...";
            }
        }
        self
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.offset {
            Some((_, excerpt)) if excerpt.is_empty() => write!(f, "at the end of the template: {}", self.why),
            Some((_, excerpt)) => write!(f, "at `{excerpt}`: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

impl std::error::Error for TemplateError {}
