//! `--format` of lists: docker's words for it, and the default that Docker's config.json may have.

use super::app::App;
use crate::cli::usage::UsageError;
use crate::output::{Columns, Format, TemplateError};

/// What stands behind `--format`.
#[derive(Clone, Debug)]
pub enum ListFormat {
    /// `table`, or nothing: the command's own table.
    Table,
    /// `raw`: a line for each column.
    Raw,
    /// `json`, `table TEMPLATE` or a template.
    Rows(Format),
}

impl ListFormat {
    /// Reads it; for clap, so that nothing is asked of an engine where it is wrong.
    pub fn parse(text: &str, columns: Columns) -> Result<Self, TemplateError> {
        match text {
            "" | "table" => Ok(Self::Table),
            "raw" => Ok(Self::Raw),
            text => Format::parse(text, columns).map(Self::Rows),
        }
    }
}

/// How rows are to be shown; `None` is the command's own table, or its IDs with `-q`.
///
/// Without `--format` it is what `setting` of config.json says, unless `is_decided`: `--json` or `-q` is given.
pub fn rows(
    given: Option<&ListFormat>,
    columns: Columns,
    (setting, is_decided): (&str, bool),
    is_quiet: bool,
    app: &App,
) -> Result<Option<Format>, UsageError> {
    let given = match given {
        Some(given) => given.clone(),
        None if is_decided => ListFormat::Table,
        None => {
            configured(setting, app, |text| ListFormat::parse(text, columns))?.unwrap_or(ListFormat::Table)
        }
    };
    let raw = match given {
        ListFormat::Table => return Ok(None),
        ListFormat::Rows(format) => return Ok(Some(format)),
        ListFormat::Raw if is_quiet => "id: {{.ID}}".to_owned(),
        ListFormat::Raw => columns.raw(),
    };
    Format::parse(&raw, columns).map(Some).map_err(|e| UsageError::new(e.to_string(), "--format '{{.ID}}'"))
}

/// The format that config.json has under this name.
///
/// # Errors
/// It is none. A file that cannot be read is warned of, as docker does: a list can be shown all the same.
pub fn configured<T>(
    setting: &str,
    app: &App,
    parse: impl FnOnce(&str) -> Result<T, TemplateError>,
) -> Result<Option<T>, UsageError> {
    // What is wrong with the file may have been told when the engine was looked for, or ends the command there.
    let is_told = app.target().map_or(true, |target| !target.warnings.is_empty());
    let text = match app.config_text(setting) {
        Ok(text) => text,
        Err(_) if is_told => None,
        Err(error) => {
            app.ui.warning(&error.to_string());
            None
        }
    };
    let wrong =
        |error| UsageError::new(format!("`{setting}` of config.json: {error}"), "{{.ID}}\\t{{.Name}}");
    text.map(|text| parse(&text).map_err(wrong)).transpose()
}
