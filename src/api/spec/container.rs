//! Flags of the container that each task runs.

use serde_json::{Value, json};

use super::values::container as value;
use super::values::{duration, network, number, text};
use super::{BadValue, Edit, Flag, Given, On, Place};
use crate::api::image::ImageRef;

/// The flags of this area.
pub const FLAGS: &[Flag] = &[
    Flag::many(
        "env",
        "KEY=VALUE",
        "Set an environment variable; a bare KEY takes its own value",
        environment,
    )
    .short('e'),
    Flag::one("entrypoint", "COMMAND", "Replace the entrypoint of the image", |given| {
        given.set("TaskTemplate.ContainerSpec.Command", text::words)
    }),
    Flag::one("workdir", "DIR", "Run the command in this directory of the container", |given| {
        given.set("TaskTemplate.ContainerSpec.Dir", text::any)
    })
    .short('w'),
    Flag::one("user", "USER[:GROUP]", "Run as this user, by name or number", |given| {
        given.set("TaskTemplate.ContainerSpec.User", text::any)
    })
    .short('u'),
    Flag::many("group", "GROUP", "Add a supplementary group", |given| {
        given.list("TaskTemplate.ContainerSpec.Groups", text::some)
    })
    .only(On::Create)
    .since(1, 25),
    Flag::one("hostname", "NAME", "Set the host name in the container", |given| {
        given.set("TaskTemplate.ContainerSpec.Hostname", text::any)
    })
    .since(1, 25),
    Flag::many("host", "HOST:IP", "Add an entry to the container's hosts file", |given| {
        given.list("TaskTemplate.ContainerSpec.Hosts", network::host)
    })
    .only(On::Create)
    .since(1, 25),
    Flag::many("dns", "IP", "Ask this name server", |given| {
        given.list("TaskTemplate.ContainerSpec.DNSConfig.Nameservers", network::address)
    })
    .only(On::Create)
    .since(1, 25),
    Flag::many("dns-option", "OPTION", "Set an option of the resolver", |given| {
        given.list("TaskTemplate.ContainerSpec.DNSConfig.Options", text::some)
    })
    .only(On::Create)
    .since(1, 25),
    Flag::many("dns-search", "DOMAIN", "Search names in this domain", |given| {
        given.list("TaskTemplate.ContainerSpec.DNSConfig.Search", network::search_domain)
    })
    .only(On::Create)
    .since(1, 25),
    Flag::switch("init", "Run an init that forwards signals and reaps processes", |given| {
        given.exact("TaskTemplate.ContainerSpec.Init", number::boolean)
    })
    .since(1, 37),
    Flag::switch("tty", "Allocate a terminal", |given| {
        given.set("TaskTemplate.ContainerSpec.TTY", number::boolean)
    })
    .short('t')
    .since(1, 25),
    Flag::switch("read-only", "Mount the container's root file system read-only", |given| {
        given.set("TaskTemplate.ContainerSpec.ReadOnly", number::boolean)
    })
    .since(1, 28),
    Flag::one("stop-signal", "SIGNAL", "Stop containers with this signal", |given| {
        given.set("TaskTemplate.ContainerSpec.StopSignal", text::any)
    })
    .since(1, 28),
    Flag::one("stop-grace-period", "DURATION", "Wait so long before killing a container (10s)", |given| {
        given.exact("TaskTemplate.ContainerSpec.StopGracePeriod", duration::period)
    }),
    Flag::switch("no-healthcheck", "Turn off the image's health check", no_health_check).since(1, 25),
    Flag::one("health-cmd", "COMMAND", "Check health with this shell command", |given| {
        given.set("TaskTemplate.ContainerSpec.Healthcheck.Test", value::health_command)
    })
    .since(1, 25),
    Flag::one("health-interval", "DURATION", "Check health so often", |given| {
        given.set("TaskTemplate.ContainerSpec.Healthcheck.Interval", duration::health_period)
    })
    .since(1, 25),
    Flag::one("health-timeout", "DURATION", "Give a health check so much time", |given| {
        given.set("TaskTemplate.ContainerSpec.Healthcheck.Timeout", duration::health_period)
    })
    .since(1, 25),
    Flag::one(
        "health-start-period",
        "DURATION",
        "Count no failed check for so long after the start",
        |given| given.set("TaskTemplate.ContainerSpec.Healthcheck.StartPeriod", duration::health_period),
    )
    .since(1, 29),
    Flag::one("health-start-interval", "DURATION", "Check health so often in the start period", |given| {
        given.set("TaskTemplate.ContainerSpec.Healthcheck.StartInterval", duration::health_period)
    })
    .since(1, 44),
    Flag::one("health-retries", "N", "Call a container unhealthy after so many failed checks", |given| {
        given.set("TaskTemplate.ContainerSpec.Healthcheck.Retries", |text| {
            number::between(text, 0, i32::MAX.into(), "3")
        })
    })
    .since(1, 25),
    Flag::many("cap-add", "CAPABILITY", "Add a Linux capability", |given| {
        capabilities(given, "TaskTemplate.ContainerSpec.CapabilityAdd")
    })
    .only(On::Create)
    .since(1, 41),
    Flag::many("cap-drop", "CAPABILITY", "Drop a Linux capability", |given| {
        capabilities(given, "TaskTemplate.ContainerSpec.CapabilityDrop")
    })
    .only(On::Create)
    .since(1, 41),
    Flag::many("sysctl", "KEY=VALUE", "Set a kernel parameter in the container", |given| {
        given.map("TaskTemplate.ContainerSpec.Sysctls", |text| text::pair(text, "net.core.somaxconn=1024"))
    })
    .only(On::Create)
    .since(1, 40),
    Flag::many("ulimit", "NAME=SOFT[:HARD]", "Limit a resource of the container's processes", ulimits)
        .only(On::Create)
        .since(1, 41),
    Flag::one("oom-score-adj", "N", "Tune who is killed when memory runs out (-1000 to 1000)", |given| {
        given.set("TaskTemplate.ContainerSpec.OomScoreAdj", |text| number::between(text, -1000, 1000, "500"))
    })
    .since(1, 46),
    Flag::one("isolation", "MODE", "Isolate Windows containers: default, process or hyperv", |given| {
        given.set("TaskTemplate.ContainerSpec.Isolation", value::isolation)
    })
    .since(1, 35),
    Flag::one("credential-spec", "SPEC", "Use this managed service account (Windows)", |given| {
        given.set("TaskTemplate.ContainerSpec.Privileges.CredentialSpec", value::credential_spec)
    })
    .since(1, 29),
    Flag::one("log-driver", "DRIVER", "Log with this driver, without options of the former one", |given| {
        given.set("TaskTemplate.LogDriver", |name| {
            Ok(if name.is_empty() { Value::Null } else { json!({"Name": name}) })
        })
    }),
    Flag::many("log-opt", "KEY=VALUE", "Set an option of the log driver", log_options),
];

/// The image that tasks run, in the form that a spec holds.
pub fn image(image: &ImageRef) -> Edit {
    Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), image.familiar())
}

/// The arguments of the entrypoint, instead of the image's own; none are the image's own.
pub fn args(args: &[String]) -> Edit {
    let place = Place::at("TaskTemplate.ContainerSpec.Args");
    if args.is_empty() { Edit::remove(place) } else { Edit::set(place, args) }
}

/// All variables, each once: of equal keys the last counts, and stands where it was given.
fn environment(given: &Given<'_>) -> Result<Vec<Edit>, BadValue> {
    let key = |text: &str| text.split('=').next().map(str::to_owned);
    let mut all: Vec<String> = Vec::new();
    for text in given.all() {
        let variable = text::variable(text, given.outside().variable)?;
        all.retain(|earlier| key(earlier) != key(&variable));
        all.push(variable);
    }
    Ok(vec![Edit::set(Place::at("TaskTemplate.ContainerSpec.Env"), all)])
}

fn capabilities(given: &Given<'_>, path: &str) -> Result<Vec<Edit>, BadValue> {
    Ok(vec![Edit::set(Place::at(path), value::capabilities(given.all())?)])
}

/// All ulimits, each name once: the last counts.
fn ulimits(given: &Given<'_>) -> Result<Vec<Edit>, BadValue> {
    let mut all: Vec<Value> = Vec::new();
    for text in given.all() {
        let ulimit = value::ulimit(text)?;
        match all.iter_mut().find(|earlier| earlier.get("Name") == ulimit.get("Name")) {
            Some(earlier) => *earlier = ulimit,
            None => all.push(ulimit),
        }
    }
    Ok(vec![Edit::set(Place::at("TaskTemplate.ContainerSpec.Ulimits"), all)])
}

fn no_health_check(given: &Given<'_>) -> Result<Vec<Edit>, BadValue> {
    Ok(match number::boolean(given.last())? {
        true => {
            vec![Edit::set(Place::at("TaskTemplate.ContainerSpec.Healthcheck"), json!({"Test": ["NONE"]}))]
        }
        false => Vec::new(),
    })
}

/// Options are set one by one, so that without `--log-driver` they join those of the driver that is there. A bare
/// key takes its value from the environment, as Docker has it.
fn log_options(given: &Given<'_>) -> Result<Vec<Edit>, BadValue> {
    let options = given.all().iter().map(|text| {
        let option = text::variable(text, given.outside().variable)?;
        let (key, value) = text::pair(&option, "max-size=10m")?;
        Ok(Edit::set(Place::at("TaskTemplate.LogDriver.Options").key(&key), value))
    });
    options.collect()
}
