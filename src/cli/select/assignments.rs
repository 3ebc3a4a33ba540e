//! Values for services, which are given as `SERVICE=VALUE` or as one value for a selection.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::cli::messages::usage::UsageError;

/// The values to set: one for each named service, or the same one for all selected services.
#[derive(Debug)]
pub enum Assignments<T> {
    /// A value for each named service.
    PerService(Vec<(String, T)>),
    /// One value for all selected services.
    ForSelection(T),
}

impl<T: PartialEq> Assignments<T> {
    /// Parses `SERVICE=VALUE` arguments. Repeated arguments with equal values count once.
    ///
    /// # Errors
    /// An argument is not a pair, its value is not valid, or a service has two values.
    pub fn pairs(
        texts: &[String],
        example: &'static str,
        read: impl Fn(&str) -> Result<T, UsageError>,
    ) -> Result<Self, UsageError> {
        let mut pairs = Vec::<(String, T)>::with_capacity(texts.len());
        let mut at = HashMap::<&str, usize>::with_capacity(texts.len());
        for text in texts {
            let bad = |why: &str| UsageError::new(format!("`{text}` {why}"), example);
            let (service, value) =
                text.split_once('=').ok_or_else(|| bad("is not a pair of service and value"))?;
            if service.is_empty() {
                return Err(bad("does not name a service"));
            }
            let value = read(value)
                .map_err(|bad| UsageError::new(format!("service `{service}`: {}", bad.why), bad.example))?;
            match at.entry(service) {
                Entry::Occupied(first) if pairs[*first.get()].1 == value => {}
                Entry::Occupied(_) => {
                    return Err(bad("names a service twice, with different values"));
                }
                Entry::Vacant(free) => {
                    free.insert(pairs.len());
                    pairs.push((service.to_owned(), value));
                }
            }
        }
        Ok(Self::PerService(pairs))
    }
}
