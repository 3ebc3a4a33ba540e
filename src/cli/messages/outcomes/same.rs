//! Rollouts that failed for the same reason, which are reported together.

use super::failures::describe_networks;
use super::{gates, hints, now, waiting};
use crate::api::deploy::failures::TaskFailure;
use crate::api::rollout::without_ids;
use crate::cli::deploy::report::{Outcome, ServiceReport};
use crate::cli::messages::shared::SharedTexts;
use crate::cli::select::{format_count, join_names};

/// Returns a value that is equal for all rollouts that failed for the same reason, whatever their services and nodes
/// are. `None` if the rollout did not fail.
pub fn reason(report: &ServiceReport) -> Option<String> {
    let own = format!(" {} ", without_ids(report.name()));
    let text = |text: &str| format!(" {} ", without_ids(text)).replace(&own, " * ");
    let (outcome, why) = match report.outcome() {
        Outcome::RolloutFailed(why) => ("failed", why.to_string()),
        Outcome::RolledBack => ("rolled back", waiting::why_rolled_back(report).join("; ")),
        _ => return None,
    };
    // Digits in logs are masked, because times and addresses differ.
    let log = |line: &String| text(line).replace(|c: char| c.is_ascii_digit(), "#");
    let failure = |TaskFailure { cause, log: lines, .. }: &TaskFailure| {
        let lines: Vec<String> = lines.iter().map(log).collect();
        format!("{:?} {:?} {} {lines:?}", cause.state, cause.exit_code, text(&cause.error))
    };
    let explanation = report.explanation();
    let failures: Vec<String> = explanation.failures.iter().map(failure).collect();
    let gate = gates::output_of(report).unwrap_or_default();
    let (problems, networks) = (&explanation.problems, describe_networks(report));
    let sent = (report.delivery(), report.is_as_requested());
    Some(format!("{outcome} {sent:?} {} {failures:?} {} {problems:?} {networks:?}", text(&why), log(&gate)))
}

/// Returns the headline of several rollouts that failed for the same reason.
pub fn headline(many: &[&ServiceReport]) -> String {
    let (count, names) = (many.len(), join_names(many.iter().map(|one| one.name())));
    let end = if matches!(many[0].outcome(), Outcome::RolledBack) { " and were rolled back" } else { "" };
    format!("the rollouts of {count} services failed for the same reason{end}: {names}")
}

/// Returns the causes of several failures: `causes`, which are those of the first service, preceded by its name.
pub fn causes(many: &[&ServiceReport], mut causes: Vec<String>) -> Vec<String> {
    if let Some(first) = causes.first_mut() {
        *first = format!("in service `{}`: {first}", many[0].name());
    }
    causes
}

/// Returns the hint for several failures, with the commands to run next.
pub fn hint(many: &[&ServiceReport]) -> String {
    let all: Vec<String> = hints::special_hint(many).into_iter().chain([hints::common_hint(many)]).collect();
    all.join("; ")
}

/// Describes the tasks of these services that run now: `0 of 1 task running (each of 12 services)`.
pub fn now_of_many(many: &[&ServiceReport]) -> Option<String> {
    let mut texts = SharedTexts::default();
    for report in many {
        texts.add(now(report)?, report.name());
    }
    let describe = |(text, services): (String, Vec<String>)| {
        let which = if services.len() == many.len() {
            format!("each of {}", format_count(services.len(), "service"))
        } else {
            join_names(services.iter().map(String::as_str))
        };
        format!("{text} ({which})")
    };
    Some(texts.into_groups().map(describe).collect::<Vec<_>>().join("; "))
}
