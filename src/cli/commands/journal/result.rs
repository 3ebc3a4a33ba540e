//! The result of a command on the journal: its state, and what was deleted.

use serde_json::{Value, json};

use crate::api::journal::StoredRun;
use crate::cli::app::App;
use crate::cli::deploy::report::ReportFormat;
use crate::cli::exit::Exit;

/// The result in the form that JSON shows.
#[derive(Clone, Debug)]
pub struct JournalResult {
    /// The number of runs to keep. `None` if the journal is disabled.
    pub keep: Option<u64>,
    /// The number of runs that the journal has, or that were exported.
    pub runs: u64,
    /// The size of the records of these runs, in bytes.
    pub bytes: u64,
    /// The number of runs that were deleted.
    pub deleted: u64,
    /// In a dry run: the number of runs that would be deleted.
    pub would_delete: Option<u64>,
}

impl JournalResult {
    /// The result for a journal with these runs.
    pub fn new(keep: Option<u64>, runs: &[StoredRun], deleted: u64) -> Self {
        let bytes = runs.iter().map(StoredRun::size).sum();
        Self { keep, runs: runs.len() as u64, bytes, deleted, would_delete: None }
    }
}

/// Prints the text, or `result` as a JSON object. `result` is called for JSON only. If that fails, the text is printed
/// to stderr, because it says what was done.
pub fn print_result(
    app: &App,
    command: &str,
    format: ReportFormat,
    text: &str,
    result: impl FnOnce() -> anyhow::Result<JournalResult>,
) -> anyhow::Result<Exit> {
    let print = || -> anyhow::Result<()> {
        let mut out = app.ui.stdout();
        if format == ReportFormat::Json {
            out.json_object(&json_of(command, result()?));
        } else {
            out.line(text);
        }
        Ok(out.finish()?)
    };
    print().inspect_err(|_| app.ui.note(text))?;
    Ok(Exit::Done)
}

fn json_of(command: &str, result: JournalResult) -> Value {
    let JournalResult { keep, runs, bytes, deleted, would_delete } = result;
    json!({
        "command": format!("journal {command}"),
        "exit_code": 0,
        "enabled": keep.is_some(),
        "keep": keep,
        "runs": runs,
        "bytes": bytes,
        "deleted": deleted,
        "would_delete": would_delete,
    })
}
