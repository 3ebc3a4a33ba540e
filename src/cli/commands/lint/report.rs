//! Prints findings as lines and totals, or as JSON.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use crate::api::lint::{Finding, Report, Rule, Severity};
use crate::cli::exit::Exit;
use crate::cli::messages::findings;
use crate::cli::select::format_count;
use crate::output::Ui;

/// A service that was checked.
pub struct CheckedService<'a> {
    pub name: &'a str,
    pub id: &'a str,
    pub report: Report,
}

impl CheckedService<'_> {
    /// Returns the findings of this severity and above.
    fn reported(&self, level: Severity) -> impl Iterator<Item = &Finding> {
        self.report.findings.iter().filter(move |finding| finding.rule.severity <= level)
    }
}

/// The number of findings by severity, including the severities that are not reported.
pub struct Totals {
    by_severity: BTreeMap<Severity, usize>,
    /// The number of findings that are reported.
    pub reported: usize,
}

impl Totals {
    /// Counts the findings.
    pub fn new(checked: &[CheckedService], level: Severity) -> Self {
        let mut by_severity: BTreeMap<Severity, usize> =
            Severity::ALL.into_iter().map(|severity| (severity, 0)).collect();
        for finding in checked.iter().flat_map(|one| &one.report.findings) {
            *by_severity.entry(finding.rule.severity).or_default() += 1;
        }
        let reported = by_severity.iter().filter(|(severity, _)| **severity <= level).map(|(_, n)| n).sum();
        Self { by_severity, reported }
    }

    fn count(&self, severity: Severity) -> usize {
        self.by_severity.get(&severity).copied().unwrap_or(0)
    }

    /// Formats the totals: `1 error, 0 warnings, 4 infos not shown (--level info)`.
    fn line(&self, level: Severity) -> String {
        let part = |severity: Severity| {
            let what = if severity == Severity::Warn { "warning" } else { severity.as_str() };
            let count = format_count(self.count(severity), what);
            let is_hidden = severity > level && self.count(severity) > 0;
            if is_hidden { format!("{count} not shown (--level {severity})") } else { count }
        };
        Severity::ALL.map(part).join(", ")
    }
}

/// Prints the findings, and the totals on stderr.
pub fn print(ui: Ui, checked: &[CheckedService], level: Severity, totals: &Totals) -> io::Result<()> {
    let mut out = ui.stdout();
    for one in checked {
        for finding in one.reported(level) {
            out.line(&format!("{} {}", one.name, findings::line(finding)));
            if let Some(fix) = findings::fix(finding, one.name) {
                out.line(&ui.with_own_name(&format!("  fix: {fix}")));
            }
        }
    }
    out.finish()?;
    ui.note(&format!("{} checked: {}", format_count(checked.len(), "service"), totals.line(level)));
    Ok(())
}

/// Prints everything as one JSON object.
pub fn print_json(
    ui: Ui,
    checked: &[CheckedService],
    level: Severity,
    totals: &Totals,
    skipped: &[(&Rule, String)],
    exit: Exit,
) -> io::Result<()> {
    let service = |one: &CheckedService| {
        json!({
            "name": one.name,
            "id": one.id,
            "findings": one.reported(level).map(|it| findings::object(it, one.name)).collect::<Vec<Value>>(),
            "ignored": one.report.ignored,
        })
    };
    let skipped = skipped.iter().map(|(rule, reason)| json!({"id": rule.id, "reason": reason}));
    let mut out = ui.stdout();
    out.json_object(&json!({
        "command": "lint",
        "exit_code": exit.code(),
        "level": level.as_str(),
        "services": checked.iter().map(service).collect::<Vec<Value>>(),
        "counts": {
            "error": totals.count(Severity::Error),
            "warn": totals.count(Severity::Warn),
            "info": totals.count(Severity::Info),
        },
        "skipped_rules": skipped.collect::<Vec<Value>>(),
    }));
    out.finish()
}

/// Prints which rules were not evaluated.
pub fn note_skipped(ui: Ui, skipped: &[(&Rule, String)]) {
    let mut by_reason = BTreeMap::<&str, Vec<&str>>::new();
    for (rule, reason) in skipped {
        by_reason.entry(reason).or_default().push(rule.id);
    }
    for (reason, ids) in by_reason {
        ui.note(&format!("skipped {} ({reason})", ids.join(", ")));
    }
}
