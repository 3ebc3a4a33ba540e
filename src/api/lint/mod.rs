//! Lint rules: they find services that cannot run, updates that cannot finish, and likely mistakes in stored specs.
//!
//! A rule is a pure function of a [`Subject`]: a spec and the data of the swarm. Each rule is one row of [`rules`].
//! A rule is skipped if data that it needs is missing.

mod container;
mod data;
mod finding;
mod image;
mod networks;
mod placement;
mod previous;
mod read;
mod resources;
mod subject;
mod table;
mod tasks;
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeSet;

use serde_json::Value;

pub use self::data::{Existing, Tasks, Usage};
pub use self::finding::{Change, Finding, Fix, Severity};
pub use self::networks::{Network, usage};
pub use self::previous::earlier_references;
use self::read::Unexpected;
pub use self::subject::{Subject, Swarm, needs_nodes};
pub use self::table::{rule, rules};

/// The service label that lists the rules to ignore: `L12,L15`.
pub const LINT_IGNORE: &str = "swarmctl.lint.ignore";
/// The maximum number of findings that are reported for a service.
pub const MAX_FINDINGS: usize = 1000;

/// A lint rule: a function that finds one kind of problem, and the texts about it.
#[derive(Debug)]
pub struct Rule {
    /// The ID: `L05`. The ID of a removed rule is not reused.
    pub id: &'static str,
    /// The name: `hostport-start-first`.
    pub name: &'static str,
    /// The severity of its findings.
    pub severity: Severity,
    /// The kinds of services that it applies to.
    pub kinds: &'static [Kind],
    /// The data that it needs. The rule is skipped if some of it is missing.
    pub needs: &'static [RequiredList],
    /// When the rule is evaluated.
    pub stage: RuleStage,
    /// The condition, as a sentence of the help.
    pub condition: &'static str,
    /// The consequences, and how they were measured.
    pub effect: &'static str,
    /// Where the consequences are visible.
    pub sign: &'static str,
    check: fn(&Subject, &mut Findings) -> Result<(), Unexpected>,
}

/// A kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A replicated service.
    Replicated,
    /// A global service.
    Global,
    /// A job of either mode.
    Job,
}

/// A list from the engine that a rule requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the engine's own words")]
pub enum RequiredList {
    Nodes,
    Tasks,
    Networks,
    Secrets,
    Configs,
}

/// When a rule is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleStage {
    /// Only when `lint` is run.
    OnRequest,
    /// Also before a spec is posted.
    BeforePosts,
    /// Also before a rollback.
    BeforeRollbacks,
}

/// The findings of a rule: place, message and fix.
type Findings = Vec<(String, String, Fix)>;

impl Rule {
    /// Evaluates the rule. There are no findings if data is missing, or if a field has an unexpected type.
    fn findings(&'static self, subject: &Subject) -> Vec<Finding> {
        let mut found = Findings::new();
        let is_about = subject.kind().is_some_and(|kind| self.kinds.contains(&kind));
        if !is_about || !self.needs.iter().all(|source| subject.has(*source)) {
            return Vec::new();
        }
        if (self.check)(subject, &mut found).is_err() {
            return Vec::new();
        }
        let mut places = BTreeSet::new();
        found.retain(|(place, ..)| places.insert(place.clone()));
        found.into_iter().map(|(place, message, fix)| Finding { rule: self, place, message, fix }).collect()
    }
}

/// The findings of a service.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The findings, sorted by severity, ID and place.
    pub findings: Vec<Finding>,
    /// The IDs of the rules that have findings and are ignored.
    pub ignored: BTreeSet<&'static str>,
}

/// Evaluates rules. `ignored` are the IDs of rules that the command line or the label of the service excludes.
pub fn check<'r>(
    subject: &Subject,
    rules: impl IntoIterator<Item = &'static Rule>,
    ignored: impl IntoIterator<Item = &'r str>,
) -> Report {
    let ignored: BTreeSet<&str> = ignored.into_iter().collect();
    let mut report = Report::default();
    for rule in rules {
        let findings = rule.findings(subject);
        if !ignored.contains(rule.id) {
            report.findings.extend(findings);
        } else if !findings.is_empty() {
            report.ignored.insert(rule.id);
        }
    }
    let key = |finding: &Finding| (finding.rule.severity, finding.rule.id);
    report.findings.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.place.cmp(&b.place)));
    report
}

/// The rule IDs in the label [`LINT_IGNORE`] of a service.
pub fn label(spec: &Value) -> Vec<&str> {
    let words = spec["Labels"][LINT_IGNORE].as_str().unwrap_or_default().split(',').map(str::trim);
    words.filter(|word| !word.is_empty()).collect()
}
