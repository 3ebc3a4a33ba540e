//! `--format` of lists: the special formats, and the default from Docker's config.json.

use super::app::App;
use crate::cli::messages::usage::UsageError;
use crate::output::{Columns, RowTemplate, TemplateError};

/// A parsed `--format` of a list.
#[derive(Clone, Debug)]
pub enum ListFormat {
    /// `table`: the command's own table.
    Table,
    /// `raw`: a line for each column.
    Raw,
    /// `json`, `table TEMPLATE` or a template.
    Rows(RowTemplate),
}

impl ListFormat {
    /// Parses the flag. Errors are found before any request is sent.
    pub fn parse(text: &str, columns: Columns) -> Result<Self, TemplateError> {
        match text {
            "" | "table" => Ok(Self::Table),
            "raw" => Ok(Self::Raw),
            text => RowTemplate::parse(text, columns).map(Self::Rows),
        }
    }
}

/// Returns the format of rows; `None` is the command's own table, or with `-q` its IDs.
///
/// Without `--format`, `setting` of config.json is used, unless `is_decided` because `--json` or `-q` is
/// given.
pub fn rows(
    given: Option<&ListFormat>,
    columns: Columns,
    (setting, is_decided): (&str, bool),
    is_quiet: bool,
    app: &App,
) -> Result<Option<RowTemplate>, UsageError> {
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
    RowTemplate::parse(&raw, columns)
        .map(Some)
        .map_err(|e| UsageError::new(e.to_string(), "--format '{{.ID}}'"))
}

/// Returns the format from config.json.
///
/// # Errors
/// The format is not valid. If the file cannot be read, a warning is printed, as docker does: the list can
/// still be shown.
pub fn configured<T>(
    setting: &str,
    app: &App,
    parse: impl FnOnce(&str) -> Result<T, TemplateError>,
) -> Result<Option<T>, UsageError> {
    // If the engine was looked up before, an error in the file has already been reported.
    let has_warnings = app.resolve_endpoint().map_or(true, |target| !target.warnings.is_empty());
    let text = match app.config_text(setting) {
        Ok(text) => text,
        Err(_) if has_warnings => None,
        Err(error) => {
            app.ui.warning(&error.to_string());
            None
        }
    };
    let wrong =
        |error| UsageError::new(format!("`{setting}` of config.json: {error}"), "{{.ID}}\\t{{.Name}}");
    text.map(|text| parse(&text).map_err(wrong)).transpose()
}
