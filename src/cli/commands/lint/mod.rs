//! `lint`: check services for common mistakes.

mod help;
mod read;
mod report;
mod select;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::thread;

use anyhow::bail;
use clap::Args;

use self::help::{rule_id_parser, rules_help, severity_parser};
use self::read::SwarmLists;
use self::report::{CheckedService, Totals};
use crate::api::lint::{LINT_IGNORE, MAX_FINDINGS, Severity, Subject, check, label, rule, rules};
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::exit::Exit;
use crate::cli::parallel;
use crate::cli::select::SelectArgs;

/// Maximum number of services that are checked by one command.
const MAX_SERVICES: usize = 10_000;

/// Check services for common mistakes
///
/// Finds services that cannot run, updates that cannot finish and likely mistakes. Nothing is posted. Rules that depend
/// on the nodes are evaluated for the current state of the nodes: a node that is down, drained or paused counts as
/// missing. A service label such as swarmctl.lint.ignore=L12,L15 ignores rules for that service.
#[derive(Args, Debug)]
#[command(after_long_help = rules_help())]
pub struct LintArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs [default: all]
    #[arg(value_name = "SERVICE", add = Completion::SERVICES)]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Report findings of this severity and above: error, warn or info
    #[arg(long, value_name = "LEVEL", default_value = "warn", value_parser = severity_parser())]
    level: Severity,
    /// Ignore a rule, as in L12 (repeatable, or separated with commas)
    #[arg(long, value_name = "ID", value_delimiter = ',', hide_possible_values = true, value_parser = rule_id_parser())]
    ignore: Vec<String>,
    /// Exit with 10 if there are findings
    #[arg(long)]
    exit_code: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: LintArgs, app: &App) -> anyhow::Result<Exit> {
    if !args.services.is_empty() || args.select.is_given() {
        args.select.check(&args.services, "swarmctl lint web")?;
    }
    let client = app.client(None)?;
    let lists = SwarmLists::read(&client)?;
    let selected = select::select(&lists.services, &args.select, &args.services)?;
    if selected.found.len() > MAX_SERVICES {
        bail!("{} services are selected: at most {MAX_SERVICES} are checked at a time", selected.found.len());
    }
    let existing = lists.existing(&client, &selected.found)?;
    let swarm = lists.swarm(&existing);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let reports = parallel::map(selected.found, threads, |service| {
        // Check a copy, so that its parsed JSON is dropped. To keep that of all services would take more time than the checks.
        let copy = service.clone();
        let subject = Subject::stored(&copy, swarm);
        let words = label(subject.spec);
        let ignored = args.ignore.iter().map(String::as_str).chain(words.iter().copied());
        let report = check(&subject, rules(), ignored);
        (service, words.into_iter().map(str::to_owned).collect::<Vec<_>>(), report)
    });
    let mut checked = Vec::with_capacity(reports.len());
    for (service, words, mut report) in reports {
        note_unknown(app, service.name(), &words);
        if report.findings.len() > MAX_FINDINGS {
            let count = report.findings.len();
            app.ui.note(&format!(
                "service `{}`: {MAX_FINDINGS} of {count} findings are reported",
                service.name()
            ));
            report.findings.truncate(MAX_FINDINGS);
        }
        checked.push(CheckedService { name: service.name(), id: service.id(), report });
    }
    let mut skipped = lists.skipped(&existing);
    skipped.retain(|(rule, _)| !args.ignore.iter().any(|id| id == rule.id));
    report::note_skipped(app.ui, &skipped);
    let totals = Totals::new(&checked, args.level);
    let answer = if args.exit_code && totals.reported > 0 { Exit::Different } else { Exit::Done };
    let missing = select::report_missing(&selected.missing, app);
    let exit = Exit::most_severe(missing.iter().copied().chain([answer]));
    if args.json {
        report::print_json(app.ui, &checked, args.level, &totals, &skipped, exit)?;
    } else if missing.is_empty() || !checked.is_empty() {
        report::print(app.ui, &checked, args.level, &totals)?;
    }
    // The program exits now. Freeing a parsed spec, with its thousands of parts, takes as long as checking it.
    std::mem::forget(checked);
    std::mem::forget(lists);
    Ok(exit)
}

/// Prints a note about unknown IDs in a label. They are not errors: the label may be meant for a newer version.
fn note_unknown(app: &App, service: &str, words: &[String]) {
    let unknown: BTreeSet<&str> =
        words.iter().map(String::as_str).filter(|word| rule(word).is_none()).collect();
    if !unknown.is_empty() {
        let unknown: Vec<&str> = unknown.into_iter().collect();
        app.ui.note(&format!(
            "service `{service}`: its label {LINT_IGNORE} has unknown rules: {}",
            unknown.join(", ")
        ));
    }
}
