//! Flags of the container's security: capabilities, sysctls, ulimits, confinement.

use serde_json::Value;

use super::flag::{Commands, Flag, FlagValues};
use super::formats::{self, CAPABILITY, COUNT, SYSCTL, ULIMIT, ValueFormat, words};
use crate::api::spec::values::container as value;
use crate::api::spec::values::{number, text};
use crate::api::spec::{Edit, Place};
use crate::cli::messages::usage::{OrExample as _, UsageError};

const SYSCTLS: &str = "TaskTemplate.ContainerSpec.Sysctls";
const ULIMITS: &str = "TaskTemplate.ContainerSpec.Ulimits";

/// The flags of this module. In an update, capabilities depend on those of the service: see
/// [`update::resolve_semantics`](crate::api::spec::update::resolve_semantics).
pub(super) const FLAGS: &[Flag] = &[
    Flag::many("cap-add", CAPABILITY, "Add a Linux capability", |given| {
        capabilities(given, "TaskTemplate.ContainerSpec.CapabilityAdd")
    })
    .since(1, 41),
    Flag::many("cap-drop", CAPABILITY, "Drop a Linux capability", |given| {
        capabilities(given, "TaskTemplate.ContainerSpec.CapabilityDrop")
    })
    .since(1, 41),
    Flag::many("sysctl", SYSCTL, "Set a kernel parameter (sysctl) in the container", |given| {
        given.map(SYSCTLS, text::pair)
    })
    .only(Commands::Create)
    .since(1, 40),
    Flag::many("sysctl-rm", formats::text("KEY"), "Remove a sysctl option", |given| {
        given.each(|text| {
            Ok(Edit::remove(Place::at(SYSCTLS).key(&text::key(text).or_example(given.example())?)))
        })
    })
    .only(Commands::Update)
    .since(1, 40),
    Flag::many("sysctl-add", SYSCTL, "Add or update a sysctl option", |given| {
        given.add_keys(SYSCTLS, text::pair)
    })
    .only(Commands::Update)
    .since(1, 40),
    Flag::many("ulimit", ULIMIT, "Set a ulimit", ulimits).only(Commands::Create).since(1, 41),
    Flag::many("ulimit-rm", formats::text("NAME"), "Remove a ulimit option", |given| {
        given.remove_items(ULIMITS, text::key)
    })
    .only(Commands::Update)
    .since(1, 41),
    Flag::many("ulimit-add", ULIMIT, "Add or update a ulimit option", |given| {
        given.add(ULIMITS, value::ulimit)
    })
    .only(Commands::Update)
    .since(1, 41),
    Flag::one(
        "oom-score-adj",
        COUNT.example("500"),
        "Tune the host's OOM preferences (-1000 to 1000)",
        |given| {
            given.set("TaskTemplate.ContainerSpec.OomScoreAdj", |text| number::between(text, -1000, 1000))
        },
    )
    .since(1, 46),
    Flag::one(
        "isolation",
        words("MODE", "default", "default process hyperv"),
        "Isolation of Windows containers: default, process or hyperv",
        |given| given.set("TaskTemplate.ContainerSpec.Isolation", value::isolation),
    )
    .since(1, 35),
    Flag::one(
        "credential-spec",
        ValueFormat::new("SPEC", "file://spec.json"),
        "Credential spec for a managed service account (Windows only)",
        |given| given.set("TaskTemplate.ContainerSpec.Privileges.CredentialSpec", value::credential_spec),
    )
    .since(1, 29),
    Flag::one(
        "seccomp",
        ValueFormat::new("PROFILE", "default"),
        "Seccomp profile: default, unconfined, or a profile file",
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
        "AppArmor mode: default or disabled",
        |given| given.set("TaskTemplate.ContainerSpec.Privileges.AppArmor", value::app_armor),
    )
    .since(1, 44),
    Flag::switch(
        "no-new-privileges",
        "Prevent processes from gaining privileges, for example by setuid",
        |given| given.set("TaskTemplate.ContainerSpec.Privileges.NoNewPrivileges", number::boolean),
    )
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
