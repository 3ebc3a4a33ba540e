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
    /// Returns the parser of the flag, for a list with these columns.
    pub fn parser(columns: Columns) -> impl Fn(&str) -> Result<Self, TemplateError> + Clone {
        move |text| Self::parse(text, columns)
    }

    /// Parses the flag. Errors are found before any request is sent.
    fn parse(text: &str, columns: Columns) -> Result<Self, TemplateError> {
        match text {
            "" | "table" => Ok(Self::Table),
            "raw" => Ok(Self::Raw),
            text => RowTemplate::parse(text, columns).map(Self::Rows),
        }
    }
}

/// What selects the format of a list besides `--format`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListFlags {
    /// The name of the default format in config.json.
    pub setting: Option<&'static str>,
    /// Whether `--json` is given.
    pub is_json: bool,
    /// Whether `-q` is given.
    pub is_quiet: bool,
}

/// Returns the format of rows; `None` is the command's own table, or the list of IDs with `-q`.
///
/// The setting in config.json is used only if no flag selects a format.
pub fn rows(
    given: Option<&ListFormat>,
    columns: Columns,
    ListFlags { setting, is_json, is_quiet }: ListFlags,
    app: &App,
) -> Result<Option<RowTemplate>, UsageError> {
    let given = match (given, setting) {
        (Some(given), _) => given.clone(),
        (None, Some(setting)) if !is_json && !is_quiet => {
            configured(setting, app, |text| ListFormat::parse(text, columns))?.unwrap_or(ListFormat::Table)
        }
        (None, _) => ListFormat::Table,
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
/// The format is not valid. If the file cannot be read, only a warning is printed, as in docker, because the list
/// can still be shown.
pub fn configured<T>(
    setting: &str,
    app: &App,
    parse: impl FnOnce(&str) -> Result<T, TemplateError>,
) -> Result<Option<T>, UsageError> {
    // The lookup of the engine, here or earlier, prints a warning about the file if it reads it. One warning is enough.
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
