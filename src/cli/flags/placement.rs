//! Flags of the number of tasks and their nodes.

use serde_json::{Map, Value, json};

use super::flag::{Commands, Flag};
use super::formats::{self, CONSTRAINT, COUNT, PREFERENCE, words};
use crate::api::error::InvalidValue;
use crate::api::spec::Identity;
use crate::api::spec::values::{number, placement, text};

const CONSTRAINTS: &str = "TaskTemplate.Placement.Constraints";
const PREFERENCES: &str = "TaskTemplate.Placement.Preferences";

/// The service modes, in docker's notation.
pub const MODES: &str = "replicated global replicated-job global-job";

/// The flags of this module. The mode is first, because `replicas` and `max-concurrent` change parts of it.
pub(super) const FLAGS: &[Flag] = &[
    Flag::one(
        "mode",
        words("MODE", "replicated", MODES),
        "Service mode: replicated, global, replicated-job or global-job",
        |given| given.set_even_if_zero("Mode", mode),
    )
    .only(Commands::Create),
    Flag::one("replicas", COUNT, "Number of tasks", |given| {
        given.set_even_if_zero("Mode.Replicated.Replicas", count)
    }),
    Flag::one("max-concurrent", COUNT, "Number of job tasks to run concurrently", |given| {
        given.set_even_if_zero("Mode.ReplicatedJob.MaxConcurrent", count)
    })
    .since(1, 41),
    Flag::one("replicas-max-per-node", COUNT, "Maximum number of tasks per node (0: unlimited)", |given| {
        given.set("TaskTemplate.Placement.MaxReplicas", number::count)
    })
    .since(1, 40),
    Flag::many("constraint", CONSTRAINT, "Add a placement constraint", |given| {
        given.list(CONSTRAINTS, placement::constraint)
    })
    .only(Commands::Create),
    Flag::many("constraint-add", CONSTRAINT, "Add or update a placement constraint", |given| {
        given.add(CONSTRAINTS, placement::constraint)
    })
    .only(Commands::Update),
    Flag::many("constraint-rm", formats::text("CONSTRAINT"), "Remove a placement constraint", |given| {
        given.remove_items(CONSTRAINTS, text::not_empty)
    })
    .only(Commands::Update),
    Flag::many(
        "placement-pref",
        PREFERENCE,
        "Add a placement preference, as in spread=node.labels.zone",
        |given| given.list(PREFERENCES, placement::preference),
    )
    .only(Commands::Create)
    .since(1, 28),
    Flag::many("placement-pref-rm", PREFERENCE, "Remove a placement preference", |given| {
        given.remove_items(PREFERENCES, |text| {
            placement::preference(text).map(|preference| Identity::Value.id_of_item(&preference))
        })
    })
    .only(Commands::Update)
    .since(1, 28),
    Flag::many("placement-pref-add", PREFERENCE, "Add a placement preference", |given| {
        given.add(PREFERENCES, placement::preference)
    })
    .only(Commands::Update)
    .since(1, 28),
];

/// Parses the mode of a new service.
fn mode(text: &str) -> Result<Map<String, Value>, InvalidValue> {
    const KINDS: &[&str] = &["replicated", "global", "replicated-job", "global-job"];
    let kind = match text::choice(text, "service mode", KINDS)?.as_str() {
        "global" => "Global",
        "replicated-job" => "ReplicatedJob",
        "global-job" => "GlobalJob",
        _ => "Replicated",
    };
    Ok(Map::from_iter([(kind.to_owned(), json!({}))]))
}

/// Parses a number of tasks. The engine's maximum is that of a signed 64-bit integer.
fn count(text: &str) -> Result<u64, InvalidValue> {
    number::count(text)
        .ok()
        .filter(|count| i64::try_from(*count).is_ok())
        .ok_or_else(|| InvalidValue::new(text, "is not a valid number of tasks"))
}
