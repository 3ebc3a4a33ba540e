//! Flags of the container that each task runs.

use serde_json::{Value, json};

use super::flag::{Commands, Flag, FlagValues, only_name};
use super::formats::{self, COMMAND, DURATION, IMAGE, VARIABLE, ValueFormat, words};
use crate::api::registry::image_ref::ImageRef;
use crate::api::spec::values::{duration, number, text};
use crate::api::spec::{self, Edit, Place};
use crate::cli::complete::completion::Completion;
use crate::cli::messages::usage::{OrExample as _, UsageError};

const ENV: &str = "TaskTemplate.ContainerSpec.Env";
const GROUPS: &str = "TaskTemplate.ContainerSpec.Groups";

const SIGNALS: &str = "SIGTERM SIGINT SIGQUIT SIGHUP SIGKILL SIGUSR1 SIGUSR2 SIGWINCH";
const LOG_DRIVERS: &str = "none json-file local journald syslog gelf fluentd splunk awslogs gcplogs etwlogs";

/// The flags of this module.
pub(super) const FLAGS: &[Flag] = &[
    Flag::one("image", IMAGE, "Run this image", |given| {
        let image = ImageRef::parse(given.last()).or_example(given.example())?;
        Ok(vec![spec::image(&image)])
    })
    .only(Commands::Update),
    Flag::one("args", COMMAND, "Replace the arguments of the entrypoint; empty: the image's own", |given| {
        given.set("TaskTemplate.ContainerSpec.Args", text::words)
    })
    .only(Commands::Update),
    Flag::many("env", VARIABLE, "Set environment variables (on update: replaces all of them)", environment)
        .short('e'),
    Flag::many("env-rm", ValueFormat::new("KEY", "PATH"), "Remove an environment variable", |given| {
        given.remove_items(ENV, |text| only_name(text, "a variable", given.example()))
    })
    .only(Commands::Update),
    Flag::many("env-add", VARIABLE, "Add or update an environment variable", |given| {
        given.add(ENV, |text| text::variable(text, given.environment().variable))
    })
    .only(Commands::Update),
    Flag::one("entrypoint", COMMAND, "Overwrite the default entrypoint of the image", |given| {
        given.set("TaskTemplate.ContainerSpec.Command", text::words)
    }),
    Flag::one(
        "workdir",
        formats::text("DIR").completed(Completion::Files),
        "Working directory inside the container",
        |given| given.set("TaskTemplate.ContainerSpec.Dir", text::any),
    )
    .short('w'),
    Flag::one("user", formats::text("USER[:GROUP]"), "User name or UID", |given| {
        given.set("TaskTemplate.ContainerSpec.User", text::any)
    })
    .short('u'),
    Flag::many("group", formats::text("GROUP"), "Add a supplementary user group to the container", |given| {
        given.list(GROUPS, text::not_empty)
    })
    .only(Commands::Create)
    .since(1, 25),
    Flag::many(
        "group-add",
        formats::text("GROUP"),
        "Add a supplementary user group to the container",
        |given| given.add(GROUPS, text::not_empty),
    )
    .only(Commands::Update)
    .since(1, 25),
    Flag::many(
        "group-rm",
        formats::text("GROUP"),
        "Remove a supplementary user group from the container",
        |given| given.remove_items(GROUPS, text::not_empty),
    )
    .only(Commands::Update)
    .since(1, 25),
    Flag::one("hostname", formats::text("NAME"), "Container hostname", |given| {
        given.set("TaskTemplate.ContainerSpec.Hostname", text::any)
    })
    .since(1, 25),
    Flag::switch("init", "Run an init in the container that forwards signals and reaps processes", |given| {
        given.set_even_if_zero("TaskTemplate.ContainerSpec.Init", number::boolean)
    })
    .since(1, 37),
    Flag::switch("tty", "Allocate a pseudo-TTY", |given| {
        given.set("TaskTemplate.ContainerSpec.TTY", number::boolean)
    })
    .short('t')
    .since(1, 25),
    Flag::switch("open-stdin", "Keep stdin open", |given| {
        given.set("TaskTemplate.ContainerSpec.OpenStdin", number::boolean)
    })
    .since(1, 25),
    Flag::switch("read-only", "Mount the container's root filesystem as read-only", |given| {
        given.set("TaskTemplate.ContainerSpec.ReadOnly", number::boolean)
    })
    .since(1, 28),
    Flag::one("stop-signal", words("SIGNAL", "SIGTERM", SIGNALS), "Signal to stop the container", |given| {
        given.set("TaskTemplate.ContainerSpec.StopSignal", text::any)
    })
    .since(1, 28),
    Flag::one(
        "stop-grace-period",
        DURATION,
        "Time to wait before killing a container (default 10s)",
        |given| given.set_even_if_zero("TaskTemplate.ContainerSpec.StopGracePeriod", duration::period),
    ),
    Flag::one(
        "log-driver",
        words("DRIVER", "local", LOG_DRIVERS),
        "Logging driver (removes the options of the previous driver)",
        |given| {
            given.set("TaskTemplate.LogDriver", |name| -> Result<_, UsageError> {
                Ok(if name.is_empty() { Value::Null } else { json!({"Name": name}) })
            })
        },
    ),
    Flag::many("log-opt", VARIABLE, "Set a logging driver option", log_options),
];

/// Sets all variables. If a key is given twice, only the last variable with this key is kept.
fn environment(given: &FlagValues<'_>) -> Result<Vec<Edit>, UsageError> {
    let key = |text: &str| text.split('=').next().map(str::to_owned);
    let mut all: Vec<String> = Vec::new();
    for text in given.all() {
        let variable = text::variable(text, given.environment().variable).or_example(given.example())?;
        all.retain(|earlier| key(earlier) != key(&variable));
        all.push(variable);
    }
    Ok(vec![Edit::set(Place::at(ENV), all)])
}

/// Sets each option separately, so that without `--log-driver` the options are added to those of the current driver.
/// The value of a key without `=` comes from the environment, as in docker.
fn log_options(given: &FlagValues<'_>) -> Result<Vec<Edit>, UsageError> {
    let options = given.all().iter().map(|text| {
        let option = text::variable(text, given.environment().variable).or_example(given.example())?;
        let (key, value) = text::pair(&option).or_example(given.example())?;
        Ok(Edit::set(Place::at("TaskTemplate.LogDriver.Options").key(&key), value))
    });
    options.collect()
}
