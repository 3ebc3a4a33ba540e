//! Flags of what is mounted into containers: volumes and paths, secrets, configs.

use super::values::{file, mount};
use super::{Flag, On};

/// The flags of this area.
pub const FLAGS: &[Flag] = &[
    Flag::many("mount", "MOUNT", "Mount a volume, a path of the node or a tmpfs", |given| {
        let directory = given.outside().directory;
        given.list("TaskTemplate.ContainerSpec.Mounts", |text| mount::mount(text, directory))
    })
    .only(On::Create),
    Flag::many("secret", "SECRET", "Show a secret to the containers", |given| {
        given.list("TaskTemplate.ContainerSpec.Secrets", file::secret)
    })
    .only(On::Create)
    .since(1, 25),
    Flag::many("config", "CONFIG", "Show a config to the containers", |given| {
        given.list("TaskTemplate.ContainerSpec.Configs", file::config)
    })
    .only(On::Create)
    .since(1, 30),
];
