//! The zero values of a container spec.

use serde_json::{Value, json};

use super::zero::{SECOND, named_driver, texts_by_key};
use crate::output::zero::{ZERO_DURATION, pointer, pointer_or};

pub fn container() -> Value {
    let mut container = json!({
        "Image": "",
        "Labels": texts_by_key(),
        "Command": [""],
        "Args": [""],
        "Hostname": "",
        "Env": [""],
        "Dir": "",
        "User": "",
        "Groups": [""],
        "Privileges": pointer(privileges()),
        "Init": pointer(false),
        "StopSignal": "",
        "TTY": false,
        "OpenStdin": false,
        "ReadOnly": false,
        "Mounts": [mount()],
        "StopGracePeriod": pointer_or(ZERO_DURATION, 10 * SECOND),
        "Hosts": [""],
        "DNSConfig": pointer_or(json!({ "Nameservers": [""], "Search": [""], "Options": [""] }), json!({})),
        "Isolation": "",
        "Sysctls": texts_by_key(),
        "CapabilityAdd": [""],
        "CapabilityDrop": [""],
        "Ulimits": [{ "Name": "", "Hard": 0, "Soft": 0 }],
        "OomScoreAdj": 0,
    });
    let file = pointer(json!({ "Name": "", "UID": "", "GID": "", "Mode": 0 }));
    container["Healthcheck"] = pointer(json!({
        "Test": [""],
        "Interval": ZERO_DURATION,
        "Timeout": ZERO_DURATION,
        "StartPeriod": ZERO_DURATION,
        "StartInterval": ZERO_DURATION,
        "Retries": 0,
    }));
    container["Secrets"] = json!([{ "File": file, "SecretID": "", "SecretName": "" }]);
    container["Configs"] =
        json!([{ "File": file, "Runtime": pointer(json!({})), "ConfigID": "", "ConfigName": "" }]);
    container
}

fn privileges() -> Value {
    json!({
        "CredentialSpec": pointer(json!({ "Config": "", "File": "", "Registry": "" })),
        "SELinuxContext": pointer(json!({ "Disable": false, "User": "", "Role": "", "Type": "", "Level": "" })),
        "Seccomp": pointer(json!({ "Mode": "", "Profile": "" })),
        "AppArmor": pointer(json!({ "Mode": "" })),
        "NoNewPrivileges": false,
    })
}

fn mount() -> Value {
    json!({
        "Type": "",
        "Source": "",
        "Target": "",
        "ReadOnly": false,
        "Consistency": "",
        "BindOptions": pointer(json!({
            "Propagation": "",
            "NonRecursive": false,
            "CreateMountpoint": false,
            "ReadOnlyNonRecursive": false,
            "ReadOnlyForceRecursive": false,
        })),
        "VolumeOptions": pointer(json!({
            "NoCopy": false,
            "Labels": texts_by_key(),
            "Subpath": "",
            "DriverConfig": pointer(named_driver()),
        })),
        "ImageOptions": pointer(json!({ "Subpath": "" })),
        "TmpfsOptions": pointer(json!({ "SizeBytes": 0, "Mode": 0, "Options": [[""]] })),
        "ClusterOptions": pointer(json!({})),
    })
}
