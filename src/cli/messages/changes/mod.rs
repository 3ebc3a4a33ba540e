//! Changes of a spec for people: `memory limit 512 MiB`, `port 8080->80/tcp added`. JSON has places and complete values.

mod items;
mod labels;
mod networks;
mod values;

use serde_json::Value;

use self::items::describe_item;
use self::labels::{Label, label_of};
pub use self::networks::NetworkNames;
use self::networks::{describe_network, is_network};
pub use self::values::{approximate_bytes, format_cpus, image_change, short_image};
use self::values::{format_value, short_text};
use crate::api::spec::{Change, Place, RESTART_COUNTER};

/// The place of the image.
const IMAGE: &str = "TaskTemplate.ContainerSpec.Image";
/// The place of the platforms, which change together with the digest of the image.
const PLATFORMS: &str = "TaskTemplate.Placement.Platforms";

/// Describes changes of a service, in their order. Networks without a name in `networks` are shown by ID.
pub fn describe(changes: &[Change], networks: &NetworkNames) -> Vec<String> {
    let mut leaves = Vec::new();
    for change in changes {
        collect_leaves(change.place.clone(), change.old.as_ref(), change.new.as_ref(), &mut leaves);
    }
    let sets_image = leaves.iter().any(|change| change.place.is_within(IMAGE));
    let is_shown = |change: &&Change| {
        let follows_from_image = sets_image && change.place.is_within(PLATFORMS);
        !follows_from_image && !change.place.is_within(RESTART_COUNTER)
    };
    let describe = |change: &Change| {
        if is_network(&change.place) {
            describe_network(change, &leaves, networks)
        } else {
            Some(describe_one(change))
        }
    };
    leaves.iter().filter(is_shown).filter_map(describe).collect()
}

/// Formats a change with its place and complete values: `TaskTemplate.ContainerSpec.Image: a -> b`.
pub fn in_full(change: &Change) -> String {
    let (old, new) = (super::value(change.old.as_ref()), super::value(change.new.as_ref()));
    format!("{}: {old} -> {new}", change.place)
}

/// Returns the description of the only change, without its name, if it sets the image:
/// `opera443399/whoami:0.7 -> 0.6`. `described` are the descriptions of the changes.
pub fn image_only(changes: &[Change], described: &[String]) -> Option<String> {
    match described {
        [one] => one.strip_prefix("image ").map(str::to_owned).filter(|_| sets_only_image(changes)),
        _ => None,
    }
}

fn sets_only_image(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.place.is_within(IMAGE))
}

/// Splits a change of an object into changes of its values, and one of a list into changes of its items.
fn collect_leaves(place: Place, old: Option<&Value>, new: Option<&Value>, leaves: &mut Vec<Change>) {
    let (old, new) = (old.filter(|value| !value.is_null()), new.filter(|value| !value.is_null()));
    let is_object = |value: Option<&Value>| value.is_none_or(Value::is_object);
    let is_list = |value: Option<&Value>| value.is_none_or(Value::is_array);
    if place.item_id().is_none() && (old.is_some() || new.is_some()) {
        if is_object(old) && is_object(new) {
            // The mode of a new service is the key of an object, which may be empty.
            if old.is_none() && mode_of(&place).is_some() {
                leaves.push(Change { place: place.clone(), old: None, new: new.cloned() });
            }
            let keys = |value: Option<&Value>| -> Vec<String> {
                value.and_then(Value::as_object).into_iter().flat_map(|map| map.keys().cloned()).collect()
            };
            let mut all = keys(old);
            all.extend(keys(new).into_iter().filter(|key| old.is_none_or(|old| old.get(key).is_none())));
            for key in all {
                let (old, new) = (old.and_then(|old| old.get(&key)), new.and_then(|new| new.get(&key)));
                collect_leaves(place.clone().key(&key), old, new, leaves);
            }
            return;
        }
        // Only a list that was added or removed as a whole is split into items. If there is a list before and after, only
        // the order has changed: different items are separate changes.
        if is_list(old) && is_list(new) && old.is_some() != new.is_some() && place.identity().is_some() {
            let items = |list: Option<&Value>| {
                list.and_then(Value::as_array).cloned().unwrap_or_default().into_iter()
            };
            for item in items(old) {
                leaves.push(Change { place: place.clone().item_of(&item), old: Some(item), new: None });
            }
            for item in items(new) {
                leaves.push(Change { place: place.clone().item_of(&item), old: None, new: Some(item) });
            }
            return;
        }
    }
    if old != new {
        leaves.push(Change { place, old: old.cloned(), new: new.cloned() });
    }
}

fn describe_one(change: &Change) -> String {
    let Change { place, old, new } = change;
    if place.keys().iter().map(String::as_str).eq(IMAGE.split('.')) {
        return format!("image {}", image_change(text(old.as_ref()), text(new.as_ref())));
    }
    if let Some(described) = describe_item(place, old.as_ref(), new.as_ref()) {
        return described;
    }
    if let Some(mode) = mode_of(place) {
        return format!("mode {mode}");
    }
    let Some(Label { name, kind }) = label_of(place) else {
        let shown = |value: &Option<Value>| short_text(&super::value(value.as_ref()));
        return format!("{place}: {} -> {}", shown(old), shown(new));
    };
    let shown = |value: &Value| format_value(kind, value);
    match (old, new) {
        (Some(old), Some(new)) => format!("{name} {} -> {}", shown(old), shown(new)),
        (None, Some(new)) => format!("{name} {}", shown(new)),
        (Some(old), None) => format!("{name} removed (it was {})", shown(old)),
        (None, None) => name,
    }
}

/// Returns the mode, as in `--mode`, if this is the place of a mode.
fn mode_of(place: &Place) -> Option<&'static str> {
    let ["Mode", mode] = place.keys().iter().map(String::as_str).collect::<Vec<_>>()[..] else { return None };
    match mode {
        "Replicated" => Some("replicated"),
        "Global" => Some("global"),
        "ReplicatedJob" => Some("replicated-job"),
        "GlobalJob" => Some("global-job"),
        _ => None,
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::spec::changes;

    fn described(old: &Value, new: &Value) -> Vec<String> {
        describe(&changes(old, new), &NetworkNames::new())
    }

    fn container(key: &str, value: &Value) -> Value {
        json!({ "TaskTemplate": { "ContainerSpec": { key: value } } })
    }

    #[test]
    fn digests_are_short_and_a_repository_is_named_once() {
        let image = |image: &str| container("Image", &image.into());
        let digest = |letter: &str| format!("@sha256:{}", letter.repeat(64));
        for (old, new, shown) in [
            ("opera443399/whoami:0.7", "opera443399/whoami:0.6", "image opera443399/whoami:0.7 -> 0.6"),
            ("a/b:1", "c/b:1", "image a/b:1 -> c/b:1"),
            (
                &format!("a/b:1{}", digest("a")),
                &format!("a/b:1{}", digest("b")),
                "image a/b:1@sha256:aaaaaaaaaaaa -> 1@sha256:bbbbbbbbbbbb",
            ),
            ("r:5000/b", "r:5000/b:2", "image r:5000/b -> 2"),
        ] {
            assert_eq!(described(&image(old), &image(new)), [shown]);
        }
        let with_platform = json!({"TaskTemplate": {"ContainerSpec": {"Image": "a:2"},
            "Placement": {"Platforms": [{"Architecture": "amd64", "OS": "linux"}]}}});
        let found = changes(&image("a:1"), &with_platform);
        let described = describe(&found, &NetworkNames::new());
        assert_eq!(image_only(&found, &described).as_deref(), Some("a:1 -> 2"));
    }

    #[test]
    fn resources_have_units_and_a_restart_is_not_a_change() {
        let limits = |bytes: i64, nanos: i64| json!({"TaskTemplate": {"ForceUpdate": bytes, "Resources": {"Limits": {"MemoryBytes": bytes, "NanoCPUs": nanos}}}});
        let none = json!({"TaskTemplate": {}});
        assert_eq!(
            described(&none, &limits(512 << 20, 1_500_000_000)),
            ["memory limit 512 MiB", "cpu limit 1.5"]
        );
        assert_eq!(described(&limits(512 << 20, 5), &limits(1 << 30, 5)), ["memory limit 512 MiB -> 1 GiB"]);
        assert_eq!(described(&limits(1000, 5), &limits(1001, 5)), ["memory limit 1000 B -> 1001 B"]);
        assert_eq!(
            described(&limits(1 << 20, 250_000_000), &none),
            ["memory limit removed (it was 1 MiB)", "cpu limit removed (it was 0.25)"]
        );
    }

    #[test]
    fn items_of_lists_have_their_names() {
        let empty = container("Image", &"a".into());
        let file = json!({"Name": "db", "UID": "0", "GID": "0", "Mode": 0o444});
        for (key, item, shown) in [
            ("Env", json!("LEVEL=debug"), "env LEVEL=debug added"),
            (
                "Secrets",
                json!({"SecretName": "db", "SecretID": "x", "File": file}),
                "secret db at /run/secrets/db (mode 0444) added",
            ),
            (
                "Configs",
                json!({"ConfigName": "c", "File": {"Name": "/etc/c", "UID": "7", "GID": "0", "Mode": 0o400}}),
                "config c at /etc/c (mode 0400, uid 7) added",
            ),
            (
                "Mounts",
                json!({"Type": "volume", "Source": "data", "Target": "/data", "ReadOnly": true}),
                "mount volume data at /data (read-only) added",
            ),
            ("Mounts", json!({"Type": "bind", "Source": "/a", "Target": "/b"}), "mount /a at /b added"),
            ("Ulimits", json!({"Name": "nofile", "Soft": 1, "Hard": 2}), "ulimit nofile=1:2 added"),
            ("Hosts", json!("10.0.0.1 db"), "host 10.0.0.1 db added"),
            ("CapabilityDrop", json!("CAP_KILL"), "dropped capability CAP_KILL added"),
        ] {
            let mut with = empty.clone();
            with["TaskTemplate"]["ContainerSpec"][key] = json!([item]);
            assert_eq!(described(&empty, &with), [shown]);
            let removed = shown.strip_suffix("added").unwrap().to_owned() + "removed";
            assert_eq!(described(&with, &empty), [removed]);
        }
        let port = |mode: &str| json!({"EndpointSpec": {"Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": mode}]}});
        assert_eq!(described(&json!({}), &port("ingress")), ["port 8080->80/tcp added"]);
        assert_eq!(described(&port("host"), &json!({})), ["port 8080->80/tcp (host) removed"]);
        let level = |level: &str| container("Env", &json!([format!("LEVEL={level}")]));
        assert_eq!(described(&level("info"), &level("debug")), ["env LEVEL=info -> debug"]);
    }

    #[test]
    fn networks_have_the_names_that_were_looked_up() {
        let names = NetworkNames::from([("n1n1n1n1n1n1n1".to_owned(), "a-network-of-web".to_owned())]);
        let of = |networks: Value| json!({ "TaskTemplate": { "Networks": networks } });
        let named = json!({ "Target": "n1n1n1n1n1n1n1", "Aliases": ["db"] });
        let unnamed = json!({ "Target": "n2n2n2n2n2n2n2" });
        assert_eq!(
            describe(&changes(&of(json!([unnamed])), &of(json!([named]))), &names),
            ["network n2n2n2n2n2n2 removed", "network a-network-of-web (alias db) added"]
        );
    }

    #[test]
    fn a_network_that_moves_to_the_task_template_is_not_removed_and_added() {
        let names = NetworkNames::from([("n2".to_owned(), "front".to_owned())]);
        let [old, new] = [json!({ "Target": "n1" }), json!({ "Target": "n1", "Aliases": ["db"] })];
        let before = json!({ "Networks": [old], "TaskTemplate": {} });
        let with = |networks: Value| json!({ "TaskTemplate": { "Networks": networks } });
        let moved = "network n1 moved from Networks to TaskTemplate.Networks";
        for (networks, expected) in [
            (json!([old, { "Target": "n2" }]), &[moved, "network front added"][..]),
            (json!([new]), &["network n1 -> n1 (alias db) moved from Networks to TaskTemplate.Networks"]),
            (json!([{ "Target": "n2" }]), &["network n1 removed", "network front added"]),
        ] {
            assert_eq!(describe(&changes(&before, &with(networks)), &names), expected);
        }
        assert_eq!(
            described(&with(json!([old])), &before),
            ["network n1 moved from TaskTemplate.Networks to Networks"]
        );
    }

    #[test]
    fn other_values_have_the_names_of_their_flags() {
        for (old, new, shown) in [
            (
                json!({"Mode": {"Replicated": {"Replicas": 1}}}),
                json!({"Mode": {"Replicated": {"Replicas": 3}}}),
                "replicas 1 -> 3",
            ),
            (json!({}), json!({"Mode": {"GlobalJob": {}}}), "mode global-job"),
            (json!({}), json!({"Labels": {"a.b": "c"}}), "label a.b=c added"),
            (json!({"Labels": {"a": "b"}}), json!({"Labels": {"a": "c"}}), "label a=b -> c"),
            (json!({}), json!({"UpdateConfig": {"Delay": 10_000_000_000_i64}}), "update delay 10s"),
            (container("Args", &json!(["a"])), container("Args", &json!(["a", "b c"])), "args a -> a 'b c'"),
            (json!({}), container("ReadOnly", &json!(true)), "read-only true"),
            (json!({"Xyz": 1}), json!({"Xyz": 2}), "Xyz: 1 -> 2"),
        ] {
            assert_eq!(described(&old, &new), [shown]);
        }
    }
}
