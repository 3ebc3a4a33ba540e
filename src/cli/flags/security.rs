//! Flags of the container's security: capabilities, sysctls, ulimits, confinement.

use serde_json::Value;

use super::flag::{Commands, Flag, FlagValues};
use super::formats::{self, CAPABILITY, COUNT, SYSCTL, ULIMIT, ValueFormat, words};
use crate::api::spec::values::container as value;
use crate::api::spec::values::{number, text};
use crate::api::spec::{Edit, Place};
use crate::cli::usage::{OrExample as _, UsageError};

const SYSCTLS: &str = "TaskTemplate.ContainerSpec.Sysctls";
const ULIMITS: &str = "TaskTemplate.ContainerSpec.Ulimits";

/// The flags of this module. In an update, capabilities depend on those of the service: see
/// [`update::settle`](crate::api::spec::update::settle).
pub(super) const FLAGS: &[Flag] = &[
    Flag::many("cap-add", CAPABILITY, "Add a Linux capability", |given| {
        capabilities(given, "TaskTemplate.ContainerSpec.CapabilityAdd")
    })
    .since(1, 41),
    Flag::many("cap-drop", CAPABILITY, "Drop a Linux capability", |given| {
        capabilities(given, "TaskTemplate.ContainerSpec.CapabilityDrop")
    })
    .since(1, 41),
    Flag::many("sysctl", SYSCTL, "Set a kernel parameter in the container", |given| {
        given.map(SYSCTLS, text::pair)
    })
    .only(Commands::Create)
    .since(1, 40),
    Flag::many("sysctl-rm", formats::text("KEY"), "Leave a kernel parameter as it is", |given| {
        given.each(|text| {
            Ok(Edit::remove(Place::at(SYSCTLS).key(&text::key(text).or_example(given.example())?)))
        })
    })
    .only(Commands::Update)
    .since(1, 40),
    Flag::many("sysctl-add", SYSCTL, "Set one more kernel parameter, or set it otherwise", |given| {
        given.add_keys(SYSCTLS, text::pair)
    })
    .only(Commands::Update)
    .since(1, 40),
    Flag::many("ulimit", ULIMIT, "Limit a resource of the container's processes", ulimits)
        .only(Commands::Create)
        .since(1, 41),
    Flag::many("ulimit-rm", formats::text("NAME"), "Leave a resource of the processes unlimited", |given| {
        given.remove_items(ULIMITS, text::key)
    })
    .only(Commands::Update)
    .since(1, 41),
    Flag::many("ulimit-add", ULIMIT, "Limit one more resource, or limit it otherwise", |given| {
        given.add(ULIMITS, value::ulimit)
    })
    .only(Commands::Update)
    .since(1, 41),
    Flag::one(
        "oom-score-adj",
        COUNT.example("500"),
        "Tune who is killed when memory runs out (-1000 to 1000)",
        |given| {
            given.set("TaskTemplate.ContainerSpec.OomScoreAdj", |text| number::between(text, -1000, 1000))
        },
    )
    .since(1, 46),
    Flag::one(
        "isolation",
        words("MODE", "default", "default process hyperv"),
        "Isolate Windows containers: default, process or hyperv",
        |given| given.set("TaskTemplate.ContainerSpec.Isolation", value::isolation),
    )
    .since(1, 35),
    Flag::one(
        "credential-spec",
        ValueFormat::new("SPEC", "file://spec.json"),
        "Use this managed service account (Windows)",
        |given| given.set("TaskTemplate.ContainerSpec.Privileges.CredentialSpec", value::credential_spec),
    )
    .since(1, 29),
    Flag::one(
        "seccomp",
        ValueFormat::new("PROFILE", "default"),
        "Filter system calls: default, unconfined, or by a profile's file",
        |given| {
            given.set("TaskTemplate.ContainerSpec.Privileges.Seccomp", |text| {
                value::seccomp(text, given.environment().file)
            })
        },
    )
    .since(1, 44),
    Flag::one(
        "apparmor",
        words("MODE", "default", "default disabled"),
        "Confine containers by AppArmor: default or disabled",
        |given| given.set("TaskTemplate.ContainerSpec.Privileges.AppArmor", value::app_armor),
    )
    .since(1, 44),
    Flag::switch("no-new-privileges", "Let no process gain privileges, as by setuid", |given| {
        given.set("TaskTemplate.ContainerSpec.Privileges.NoNewPrivileges", number::boolean)
    })
    .since(1, 44),
];

fn capabilities(given: &FlagValues<'_>, path: &str) -> Result<Vec<Edit>, UsageError> {
    Ok(vec![Edit::set(Place::at(path), value::capabilities(given.all()).or_example(given.example())?)])
}

/// Sets all ulimits. If a name is given twice, the last value is used.
fn ulimits(given: &FlagValues<'_>) -> Result<Vec<Edit>, UsageError> {
    let mut all: Vec<Value> = Vec::new();
    for text in given.all() {
        let ulimit = value::ulimit(text).or_example(given.example())?;
        match all.iter_mut().find(|earlier| earlier.get("Name") == ulimit.get("Name")) {
            Some(earlier) => *earlier = ulimit,
            None => all.push(ulimit),
        }
    }
    Ok(vec![Edit::set(Place::at(ULIMITS), all)])
}
