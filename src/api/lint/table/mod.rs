//! The table of the rules, by ID. Help, man page and documentation are generated from it.

mod first;
mod second;

use super::Rule;

/// Every rule, by ID.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    first::RULES.iter().chain(second::RULES)
}

/// The rule with this ID.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}
