//! A spec and its places, for the tests of plans and of records.

use serde_json::{Value, json};

use crate::api::spec::Place;

/// The ID of the service.
pub(in crate::api) const ID: &str = "cqhl35ln37ygper16pjl3y5xz";

/// A spec with numbers that must not be rounded, and with an empty object.
pub(in crate::api) fn spec() -> Value {
    json!({
        "Name": "web",
        "Labels": {"a": "1"},
        "TaskTemplate": {
            "ContainerSpec": {"Image": "shop/web:1.7", "Env": ["LEVEL=info", "A=1"], "Init": false},
            "Placement": {},
            "ForceUpdate": 3
        },
        "Mode": {"Replicated": {"Replicas": 2}},
        "Big": 18_446_744_073_709_551_615_u64,
        "Ratio": 0.300_000_011_920_928_96
    })
}

/// The place of the image.
pub(in crate::api) fn image() -> Place {
    Place::at("TaskTemplate.ContainerSpec.Image")
}

/// The list of variables.
pub(in crate::api) fn env() -> Place {
    Place::at("TaskTemplate.ContainerSpec.Env")
}
