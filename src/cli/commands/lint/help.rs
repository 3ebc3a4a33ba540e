//! Help texts and flag values from the table of rules.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::api::lint::{Severity, rules};

/// The list of rules for the long help and the man page.
pub fn rules_help() -> String {
    let mut text = "Rules:\n".to_owned();
    for rule in rules() {
        text += &format!("  {} {} ({}): {}\n", rule.id, rule.name, rule.severity, rule.condition);
    }
    text.trim_end().to_owned()
}

/// The parser of `--level`.
pub fn severity_parser() -> impl TypedValueParser<Value = Severity> {
    let values = PossibleValuesParser::new(Severity::ALL.map(Severity::as_str));
    values.map(|word| Severity::ALL.into_iter().find(|it| it.as_str() == word).unwrap_or(Severity::Warn))
}

/// The parser of `--ignore`.
pub fn rule_id_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(rules().map(|rule| PossibleValue::new(rule.id).help(rule.name)))
}
