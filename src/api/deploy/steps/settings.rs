//! The `UpdateConfig` of a held service: what each post sets, and what is restored.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::label::{HoldLabel, Phase};
use crate::api::records::names::HELD;
use crate::api::rollout::DEFAULT_MONITOR;
use crate::api::spec::{Edit, Place};

/// The delay of a hold, in nanoseconds: 8760 hours.
pub const HOLD_DELAY: u64 = 8760 * 3600 * 1_000_000_000;
/// The fields of `UpdateConfig`.
const KEYS: [&str; 6] = ["Parallelism", "Delay", "FailureAction", "Monitor", "MaxFailureRatio", "Order"];
/// The place of the settings of an update.
const UPDATE: &str = "UpdateConfig";
/// The failure action that pauses the rollout.
const PAUSE: &str = "pause";
/// The failure action that restores the previous spec.
const ROLLBACK: &str = "rollback";

/// A setting that others have changed during a hold. The end of the hold does not restore its earlier value.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptSetting {
    /// Its place.
    pub place: Place,
    /// Its value. `None`: absent.
    pub value: Option<Value>,
}

/// The settings of the service without the hold: those from before the hold, and what others have changed since.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Original {
    /// The `UpdateConfig`. `None`: absent.
    pub(super) config: Option<Value>,
    /// The settings that others have changed since the last post of the hold.
    pub(super) kept: Vec<KeptSetting>,
}

/// Whether the spec has the delay of a hold and no label, so that nothing will end the hold.
pub fn is_held_without_label(spec: &Value) -> bool {
    let delay = spec[UPDATE]["Delay"].as_u64().unwrap_or(0);
    delay >= HOLD_DELAY && spec["Labels"].get(HELD).is_none()
}

/// The maximum number of tasks that an update with this `UpdateConfig` replaces at once. 0: no limit.
pub fn parallelism(config: Option<&Value>) -> u64 {
    config.map_or(1, |config| config["Parallelism"].as_u64().unwrap_or(0))
}

/// The time between two rounds of an update with this `UpdateConfig`.
pub fn delay(config: Option<&Value>) -> SignedDuration {
    duration(config, "Delay").unwrap_or_default()
}

/// How long tasks of an update with this `UpdateConfig` are monitored.
pub fn monitor(config: Option<&Value>) -> SignedDuration {
    duration(config, "Monitor").filter(|time| !time.is_zero()).unwrap_or(DEFAULT_MONITOR)
}

fn duration(config: Option<&Value>, key: &str) -> Option<SignedDuration> {
    config.and_then(|config| config[key].as_i64()).map(SignedDuration::from_nanos)
}

/// The number of tasks that the next round of a step replaces, if `missing` more tasks must be new.
pub fn round_size(config: Option<&Value>, missing: u64) -> u64 {
    match parallelism(config) {
        0 => missing,
        limit => limit.min(missing),
    }
}

/// The `UpdateConfig` of the service without the hold. `None`: absent.
pub fn original_settings(label: &HoldLabel, spec: &Value) -> Option<Value> {
    original(label, spec).config
}

pub(super) fn original(label: &HoldLabel, spec: &Value) -> Original {
    let now = spec.get(UPDATE).filter(|config| config.is_object());
    let mut config = now.cloned().unwrap_or_else(|| json!({}));
    let mut kept = Vec::new();
    for (key, set) in set_by_hold(label) {
        let current = now.and_then(|now| now.get(key));
        if now.is_some() && is_same(key, current, set.as_ref()) {
            put(
                &mut config,
                key,
                label.config.as_ref().map_or_else(|| default_of(key), |it| it.get(key).cloned()),
            );
        } else if !(now.is_none() && label.config.is_none()) {
            kept.push(KeptSetting { place: Place::at(UPDATE).key(key), value: current.cloned() });
        }
    }
    let is_default = |key: &&str| is_same(key, config.get(key), default_of(key).as_ref());
    let is_absent = now.is_none() || label.config.is_none() && KEYS.iter().all(is_default);
    Original { config: (!is_absent).then_some(config), kept }
}

/// The settings that the last post of the hold has set. `None`: removed.
fn set_by_hold(label: &HoldLabel) -> Vec<(&'static str, Option<Value>)> {
    match label.phase {
        Phase::Holding => vec![
            ("Parallelism", Some(label.parallelism.into())),
            ("Delay", Some(HOLD_DELAY.into())),
            ("FailureAction", Some(PAUSE.into())),
        ],
        Phase::Releasing if failure_action(label.config.as_ref()) == ROLLBACK => {
            vec![("FailureAction", Some(PAUSE.into()))]
        }
        Phase::Releasing => Vec::new(),
        Phase::Aborting => {
            let set = label.abort.as_ref();
            KEYS.iter().map(|key| (*key, set.and_then(|set| set.get(key)).cloned())).collect()
        }
    }
}

/// The edits of a post that replaces `parallelism` tasks and then holds.
pub(super) fn hold_edits(spec: &Value, parallelism: u64) -> Vec<Edit> {
    let mut config =
        spec.get(UPDATE).filter(|config| config.is_object()).cloned().unwrap_or_else(|| json!({}));
    put(&mut config, "Parallelism", Some(parallelism.into()));
    put(&mut config, "Delay", Some(HOLD_DELAY.into()));
    put(&mut config, "FailureAction", Some(PAUSE.into()));
    edits_to(spec, Some(&config))
}

/// The edits of a post that replaces the remaining tasks. The engine must not roll back by itself: the previous spec is
/// that of a hold and has the new values, so a rollback would replace the remaining tasks with new ones.
pub(super) fn release_edits(spec: &Value, original: Option<&Value>) -> Vec<Edit> {
    let mut config = original.cloned();
    if let Some(config) = config.as_mut().filter(|config| failure_action(Some(config)) == ROLLBACK) {
        put(config, "FailureAction", Some(PAUSE.into()));
    }
    edits_to(spec, config.as_ref())
}

/// The `UpdateConfig` of an abort: the service's settings for rollbacks, but the engine pauses if a task fails.
pub(super) fn abort_settings(spec: &Value) -> Value {
    let mut config = spec.get("RollbackConfig").filter(|config| config.is_object()).cloned();
    let defaults = || {
        let monitor = u64::try_from(DEFAULT_MONITOR.as_nanos()).unwrap_or_default();
        json!({"Parallelism": 1, "Monitor": monitor, "MaxFailureRatio": 0, "Order": "stop-first"})
    };
    let config = config.get_or_insert_with(defaults);
    put(config, "FailureAction", Some(PAUSE.into()));
    let known = KEYS.iter().filter_map(|key| Some(((*key).to_owned(), config.get(key)?.clone())));
    Value::Object(known.collect())
}

/// The edits that set these settings, and leave other fields of `UpdateConfig` as they are.
pub(super) fn abort_edits(spec: &Value, settings: &Value) -> Vec<Edit> {
    let mut config =
        spec.get(UPDATE).filter(|config| config.is_object()).cloned().unwrap_or_else(|| json!({}));
    for key in KEYS {
        put(&mut config, key, settings.get(key).cloned());
    }
    edits_to(spec, Some(&config))
}

/// The edits that change the `UpdateConfig` to this one.
pub(super) fn edits_to(spec: &Value, config: Option<&Value>) -> Vec<Edit> {
    let now = spec.get(UPDATE).filter(|config| !config.is_null());
    let place = || Place::at(UPDATE);
    let Some(config) = config.and_then(Value::as_object) else {
        return now.map(|_| Edit::remove(place())).into_iter().collect();
    };
    let empty = Map::new();
    let current = now.and_then(Value::as_object).unwrap_or(&empty);
    let sets = config.iter().filter(|(key, value)| current.get(*key) != Some(value));
    let set = sets.map(|(key, value)| Edit::set(place().key(key), value.clone()));
    let gone = current.keys().filter(|key| !config.contains_key(*key));
    set.chain(gone.map(|key| Edit::remove(place().key(key)))).collect()
}

fn failure_action(config: Option<&Value>) -> &str {
    config.and_then(|config| config["FailureAction"].as_str()).filter(|it| !it.is_empty()).unwrap_or(PAUSE)
}

/// The value of a setting if a service has no `UpdateConfig`. In an `UpdateConfig`, an absent `Parallelism` means no limit.
fn default_of(key: &str) -> Option<Value> {
    (key == "Parallelism").then(|| 1.into())
}

fn put(config: &mut Value, key: &str, value: Option<Value>) {
    let Value::Object(map) = config else { return };
    match value {
        Some(value) => drop(map.insert(key.to_owned(), value)),
        None => drop(map.shift_remove(key)),
    }
}

/// Whether the engine treats both values of the setting as equal.
fn is_same(key: &str, one: Option<&Value>, other: Option<&Value>) -> bool {
    let text = |value: Option<&Value>, default: &str| {
        value.and_then(Value::as_str).filter(|text| !text.is_empty()).unwrap_or(default).to_owned()
    };
    match key {
        "FailureAction" => text(one, PAUSE) == text(other, PAUSE),
        "Order" => text(one, "stop-first") == text(other, "stop-first"),
        // The engine stores ratios as 32-bit floats.
        "MaxFailureRatio" => {
            let ratio = |value: Option<&Value>| value.and_then(Value::as_f64).unwrap_or(0.0) as f32;
            ratio(one) == ratio(other)
        }
        _ => {
            let number = |value: Option<&Value>| value.and_then(Value::as_i64).unwrap_or(0);
            number(one) == number(other)
        }
    }
}
