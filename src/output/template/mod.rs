//! Go's template language, as far as docker's `--format` uses it: everything but `define`, `template`, `block`, methods,
//! and the functions that make HTML, JavaScript and URLs.
//!
//! What a template cannot do is found when it is read, before anything is asked of an engine: an unknown function or
//! variable, a wrong number of arguments, a missing `end`. The data is JSON, kept in its order and to the last digit,
//! beside a document of zero values that tells what Go's types would be (see [`value`]).

mod eval;
mod functions;
mod lexer;
mod parse;
mod printf;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use std::fmt;

use serde_json::Value as Json;

use eval::Renderer;
use parse::ParsedTemplate;
use tree::Node;
use value::Value;

/// A template that has been read.
#[derive(Clone, Debug)]
pub struct Template {
    text: String,
    nodes: Vec<Node>,
    fields: Vec<(usize, String)>,
}

/// Where and why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Bytes into the template, and what begins there.
    at: Option<(usize, String)>,
    why: String,
}

/// How values are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderOptions {
    /// Text of the data is made visible; the template's own stays as it is.
    pub is_terminal: bool,
    /// The data are the headers of a table: functions that would change them leave them alone, as docker's do.
    pub is_header: bool,
}

impl Template {
    /// Reads a template. With `has_escapes` a `\t` or `\n` outside of actions is a tab or a line's end.
    pub fn parse(text: &str, has_escapes: bool) -> Result<Self, TemplateError> {
        let segments = lexer::segments(text, has_escapes).map_err(|error| error.within(text))?;
        let ParsedTemplate { nodes, fields } = parse::parse(segments).map_err(|error| error.within(text))?;
        Ok(Self { text: text.to_owned(), nodes, fields })
    }

    /// Refuses a field of the data itself (`.Name`, `$.Name`) that is none of these.
    pub fn only_fields(self, known: &[&str]) -> Result<Self, TemplateError> {
        match self.fields.iter().find(|(_, name)| !known.contains(&name.as_str())) {
            Some((at, name)) => {
                let why = format!("there is no `.{name}`; there are .{}", known.join(", ."));
                Err(TemplateError::new(*at, why).within(&self.text))
            }
            None => Ok(self),
        }
    }

    /// The template's text for this data. `zero` is what Go's types would be, as [`value`] has it.
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
    fn new(at: usize, why: impl Into<String>) -> Self {
        Self { at: Some((at, String::new())), why: why.into() }
    }

    /// An error that is about the template as a whole.
    pub fn whole(why: impl Into<String>) -> Self {
        Self { at: None, why: why.into() }
    }

    /// With some of the template to see where it is.
    fn within(mut self, text: &str) -> Self {
        if let Some((at, excerpt)) = &mut self.at {
            let from = text.get(*at..).unwrap_or_default();
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
        match &self.at {
            Some((_, excerpt)) if excerpt.is_empty() => write!(f, "at the end of the template: {}", self.why),
            Some((_, excerpt)) => write!(f, "at `{excerpt}`: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

impl std::error::Error for TemplateError {}
