//! Specs that would crash an engine.

use super::Message;
use crate::api::deploy::update::SentSpec;
use crate::api::spec::Hazard;

/// Explains why a spec that would crash an engine is not sent.
pub fn would_crash(hazard: Hazard, sent: SentSpec, name: &str) -> Message {
    let (causes, hint) = match (hazard, sent) {
        (Hazard::HealthCheck, SentSpec::Stored) => (
            vec![hazard.to_string(), "any update would post it again".to_owned()],
            format!(
                "replace it with `swarmctl update --health-cmd COMMAND {name}`, or turn it off with `swarmctl update \
                 --no-healthcheck {name}`"
            ),
        ),
        (Hazard::HealthCheck, SentSpec::Previous) => (
            vec!["the previous spec would crash the engine".to_owned(), hazard.to_string()],
            format!("deploy a working image with `swarmctl update-image {name} IMAGE`"),
        ),
    };
    Message { causes, hint: Some(hint) }
}
