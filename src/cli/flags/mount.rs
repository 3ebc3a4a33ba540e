//! Flags of mounts, secrets and configs.

use super::flag::{Commands, Flag, FlagValues, only_name};
use super::formats::{self, CONFIG, MOUNT, SECRET, ValueFormat};
use crate::api::spec::values::{file, mount, text};
use crate::api::spec::{Edit, Place};
use crate::cli::messages::usage::{OrExample as _, UsageError};

const MOUNTS: &str = "TaskTemplate.ContainerSpec.Mounts";
const SECRETS: &str = "TaskTemplate.ContainerSpec.Secrets";
const CONFIGS: &str = "TaskTemplate.ContainerSpec.Configs";

/// The flags of this module. The order matters, because the edits of a flag are applied after those of the flags before
/// it: as with docker, a mount that is both added and removed is removed, but a secret or config is added.
pub(super) const FLAGS: &[Flag] = &[
    Flag::many("mount", MOUNT, "Attach a filesystem mount: volume, bind or tmpfs", |given| {
        let directory = given.environment().directory;
        given.list(MOUNTS, |text| mount::mount(text, directory))
    })
    .only(Commands::Create),
    Flag::many("mount-add", MOUNT, "Add or update a mount on the service", |given| {
        let directory = given.environment().directory;
        each_once(given.add(MOUNTS, |text| mount::mount(text, directory))?)
    })
    .only(Commands::Update),
    Flag::many(
        "mount-rm",
        ValueFormat::new("TARGET", "/data"),
        "Remove a mount by its target path",
        |given| {
            given.remove_items(MOUNTS, |path| {
                text::not_empty(path).or_example(formats::text("").example)?;
                mount::target(path).or_example(given.example())
            })
        },
    )
    .only(Commands::Update),
    Flag::many("secret", SECRET, "Expose a secret to the service", |given| given.list(SECRETS, file::secret))
        .only(Commands::Create)
        .since(1, 25),
    Flag::many("secret-rm", SECRET.example("app.key"), "Remove a secret", |given| {
        remove_files(given, SECRETS, "a secret")
    })
    .only(Commands::Update)
    .since(1, 25),
    Flag::many("secret-add", SECRET, "Add or update a secret on the service", |given| {
        given.add(SECRETS, file::secret)
    })
    .only(Commands::Update)
    .since(1, 25),
    Flag::many("config", CONFIG, "Expose a config to the service", |given| given.list(CONFIGS, file::config))
        .only(Commands::Create)
        .since(1, 30),
    Flag::many("config-rm", CONFIG.example("app.key"), "Remove a config", |given| {
        remove_files(given, CONFIGS, "a config")
    })
    .only(Commands::Update)
    .since(1, 30),
    Flag::many("config-add", CONFIG, "Add or update a config on the service", |given| {
        given.add(CONFIGS, file::config)
    })
    .only(Commands::Update)
    .since(1, 30),
];

/// Removes all files of a secret or config, which may have several.
fn remove_files(given: &FlagValues<'_>, path: &str, what: &str) -> Result<Vec<Edit>, UsageError> {
    given.each(|text| {
        let name = only_name(text, what, given.example())?;
        Ok(Edit::remove(Place::at(path).items_like(&format!("{name}:*"))))
    })
}

/// Rejects two mounts of one path, as docker does, because the second edit would silently replace the first.
fn each_once(edits: Vec<Edit>) -> Result<Vec<Edit>, UsageError> {
    let twice =
        edits.iter().enumerate().find(|(i, edit)| edits[..*i].iter().any(|other| other.place == edit.place));
    match twice.and_then(|(_, edit)| edit.place.item_id()) {
        None => Ok(edits),
        Some(path) => Err(UsageError::new(
            format!("path `{path}` is mounted twice"),
            "--mount-add source=a,target=/a --mount-add source=b,target=/b",
        )),
    }
}
