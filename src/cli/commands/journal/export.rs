//! `journal export`: the records of all runs as JSON lines.

use anyhow::Context as _;

use super::ExportArgs;
use super::result::{JournalResult, print_result};
use crate::cli::app::App;
use crate::cli::deploy::journal::{error_of, read_record, required_journal};
use crate::cli::deploy::report::ReportFormat;
use crate::cli::exit::Exit;
use crate::cli::flags::files;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::format_count;

/// A valid command line, as an example.
const EXAMPLE: &str = "swarmctl journal export runs.jsonl";

/// Writes the complete runs, oldest first.
pub fn export(args: &ExportArgs, app: &App) -> anyhow::Result<Exit> {
    let file = args.file.as_deref().filter(|file| *file != "-");
    match file {
        None if args.json => {
            return Err(UsageError::new("`--json` needs FILE: the runs go to stdout", EXAMPLE).into());
        }
        Some(file) if std::path::Path::new(file).symlink_metadata().is_ok() => {
            let why = format!("`{file}` already exists; remove it or choose another name");
            return Err(UsageError::new(why, EXAMPLE).into());
        }
        _ => {}
    }
    let client = app.client(None)?;
    let journal = required_journal(&client, None)?;
    let store = journal.store();
    let mut exported = JournalResult::new(Some(store.keep()), &[], 0);
    let mut lines = String::new();
    for run in store.runs().map_err(error_of)?.iter().rev() {
        let record = match read_record(run) {
            Ok(record) => record,
            Err(error) => {
                app.ui.warning(&format!("skipped run {}: {error}", run.number));
                continue;
            }
        };
        exported.runs += 1;
        exported.bytes += run.size();
        lines += &String::from_utf8_lossy(&record.to_json().map_err(error_of)?);
        lines.push('\n');
    }
    let Some(file) = file else {
        let mut out = app.ui.stdout();
        if !lines.is_empty() {
            out.json_untouched(&lines);
        }
        out.finish_complete()?;
        return Ok(Exit::Done);
    };
    files::create(file, &lines).with_context(|| format!("cannot write `{file}`"))?;
    let text =
        format!("{} written to {file}", format_count(usize::try_from(exported.runs).unwrap_or(0), "run"));
    let format = if args.json { ReportFormat::Json } else { ReportFormat::Text };
    print_result(app, "export", format, &text, || Ok(exported))
}
