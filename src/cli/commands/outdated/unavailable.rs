//! Prints short warnings about registries that cannot be reached: one for each registry and cause.

use std::collections::BTreeMap;

use super::row::OutdatedRow;
use crate::api::error::{Error, RegistryErrorKind};
use crate::cli::select::{format_count, join_names_up_to};
use crate::output::{Ui, visible_prefix};

/// Maximum number of services that a warning names.
const MAX_NAMES: usize = 10;
/// Maximum length of a cause.
const MAX_CAUSE_LEN: usize = 100;

/// Why the digest of a tag is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// The complete reason.
    pub why: String,
    /// If the registry cannot be reached, its name and the last cause in the message.
    pub unreachable: Option<(String, String)>,
}

impl Unavailable {
    /// Takes the reason from an error.
    pub fn new(error: &Error) -> Self {
        let unreachable = match error {
            Error::Registry { kind: RegistryErrorKind::Unreachable, registry, message, .. } => {
                Some((registry.clone(), last_cause(message)))
            }
            _ => None,
        };
        Self { why: error.to_string(), unreachable }
    }

    /// The reason as a cell of the table.
    pub fn status(&self) -> &str {
        if self.unreachable.is_some() { "registry unreachable" } else { &self.why }
    }
}

/// Prints one warning for each unreachable registry and cause, and with --debug the complete reasons.
pub fn print_warnings(ui: Ui, rows: &[OutdatedRow]) {
    let mut services: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for row in rows {
        let Some(Err(unavailable)) = row.registry_digest else { continue };
        let Some((registry, cause)) = &unavailable.unreachable else { continue };
        ui.debug(&unavailable.why);
        services.entry((registry, cause)).or_default().push(row.name);
    }
    for ((registry, cause), names) in services {
        let (count, names) =
            (format_count(names.len(), "service"), join_names_up_to(MAX_NAMES, names.iter().copied()));
        ui.warning(&format!("registry `{registry}` cannot be reached: {cause} ({count}: {names})"));
    }
}

/// Returns the last cause in docker's message, without addresses: `connection refused`.
fn last_cause(message: &str) -> String {
    let line = message.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let cause = match line.split_once(" within ") {
        Some((before, time)) if before.starts_with("no response to ") => format!("no response within {time}"),
        _ => line.rsplit(": ").next().unwrap_or(line).to_owned(),
    };
    visible_prefix(&cause, MAX_CAUSE_LEN).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_cause_has_no_address() {
        for (message, cause) in [
            (
                "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on [::1]:53: read udp \
                 [::1]:40000->[::1]:53: read: connection refused",
                "connection refused",
            ),
            ("Get \"https://r.example/v2/\": dial tcp 10.0.0.9:443: i/o timeout", "i/o timeout"),
            (
                "Get \"https://r.example/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown \
                 authority",
                "certificate signed by unknown authority",
            ),
            ("received unexpected HTTP status: 502 Bad Gateway", "502 Bad Gateway"),
            ("no response to `GET /v1.41/distribution/web/json` within 60 s", "no response within 60 s"),
            ("", ""),
        ] {
            assert_eq!(last_cause(message), cause);
        }
    }
}
