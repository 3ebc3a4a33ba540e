//! What a command has done to the journal.

use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;

/// What a command has done to the journal.
#[derive(Clone, Debug, Default)]
pub struct JournalState {
    pub is_enabled: bool,
    pub keep: Option<u64>,
    /// The number of runs, and their size.
    pub runs: u64,
    pub bytes: u64,
    pub deleted: u64,
}

/// How the result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

impl Format {
    /// The format that `--json` selects.
    pub fn from_flag(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

impl JournalState {
    /// Prints the result: the text, or a JSON object.
    pub fn print(&self, app: &App, command: &str, format: Format, text: &str) -> anyhow::Result<Exit> {
        let mut out = app.ui.stdout();
        match format {
            Format::Text => out.line(text),
            Format::Json => out.json_object(&json!({
                "command": format!("journal {command}"),
                "exit_code": 0,
                "enabled": self.is_enabled,
                "keep": self.keep,
                "runs": self.runs,
                "bytes": self.bytes,
                "deleted": self.deleted,
            })),
        }
        out.finish()?;
        Ok(Exit::Done)
    }
}
