//! Texts that several services share are printed once, with the names of the services.

use crate::cli::select::{format_count, join_names};

/// Texts, each with the services that it is about, in the order of their first appearance.
#[derive(Debug)]
pub struct SharedTexts<K = String> {
    texts: Vec<(K, Vec<String>)>,
}

impl<K> Default for SharedTexts<K> {
    fn default() -> Self {
        Self { texts: Vec::new() }
    }
}

impl<K: PartialEq> SharedTexts<K> {
    /// Adds a text about a service.
    pub fn add(&mut self, text: K, service: &str) {
        match self.texts.iter_mut().find(|(other, _)| *other == text) {
            Some((_, services)) if services.iter().any(|other| other == service) => {}
            Some((_, services)) => services.push(service.to_owned()),
            None => self.texts.push((text, vec![service.to_owned()])),
        }
    }

    /// Returns each text with its services.
    pub fn into_groups(self) -> impl Iterator<Item = (K, Vec<String>)> {
        self.texts.into_iter()
    }
}

/// Formats names as `24 services: a, b and 22 more`.
pub fn count_and_names(services: &[String]) -> String {
    let names = join_names(services.iter().map(String::as_str));
    format!("{}: {names}", format_count(services.len(), "service"))
}

/// Adds the services to a text: `service `web`: TEXT` for one, and `TEXT (24 services: a, b and 22 more)` for several.
pub fn with_services(text: &str, services: &[String]) -> String {
    match services {
        [name] if name.is_empty() => text.to_owned(),
        [name] => format!("service `{name}`: {text}"),
        many => format!("{text} ({})", count_and_names(many)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_printed_once_with_at_most_ten_names() {
        let mut texts = SharedTexts::default();
        for nth in 0..24 {
            texts.add("it is a job".to_owned(), &format!("s{nth}"));
            texts.add("it is a job".to_owned(), &format!("s{nth}"));
        }
        texts.add("it is new".to_owned(), "web");
        let lines: Vec<String> =
            texts.into_groups().map(|(text, services)| with_services(&text, &services)).collect();
        assert_eq!(
            lines,
            [
                "it is a job (24 services: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 14 more)",
                "service `web`: it is new"
            ]
        );
    }
}
