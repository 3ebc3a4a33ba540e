//! `docker swarmctl`: how the plugin is installed, and calls like those of docker's client. `swarm/machine/plugin.rs`
//! uses the client itself.

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::{OLD, spec};
use crate::support::run::{Run, Swarmctl, swarmctl, swarmctl_by};

const PROGRAM: &str = env!("CARGO_BIN_EXE_swarmctl");

/// A config directory of docker, with or without the plugin.
pub struct Config(TempDir);

impl Config {
    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Creates a directory in which the plugin is installed.
    pub fn with_plugin() -> Self {
        let config = Self::empty();
        config.run(&["plugin", "install"]).succeeds();
        config
    }

    pub fn directory(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn link(&self) -> PathBuf {
        self.0.path().join("cli-plugins/docker-swarmctl")
    }

    fn run(&self, args: &[&str]) -> Run {
        swarmctl(args.iter().copied()).env("DOCKER_CONFIG", self.directory()).run()
    }

    /// The plugin with these arguments, called as docker's client calls it.
    fn called(&self, args: &[&str]) -> Swarmctl {
        let mut command = Command::new(self.link());
        command.args(args);
        swarmctl_by(command).env("DOCKER_CONFIG", self.directory())
    }
}

/// One service without ports.
pub fn swarm() -> FakeSwarm {
    let mut web = spec("web", OLD);
    web["EndpointSpec"]["Ports"] = json!([]);
    FakeSwarm::with([web])
}

#[test]
fn install_creates_a_link_and_uninstall_removes_it() {
    let config = Config::empty();
    let run = config.run(&["plugin", "install"]).succeeds();
    assert_eq!(fs::read_link(config.link()).unwrap(), Path::new(PROGRAM));
    assert_eq!((run.stdout.contains("docker swarmctl"), run.stderr.as_str()), (true, ""));
    config.run(&["plugin", "install"]).succeeds().shows(&["already"]);
    // A link of this name that points to another `swarmctl` is replaced, even if its target does not exist.
    fs::remove_file(config.link()).unwrap();
    symlink("/nonexistent/swarmctl", config.link()).unwrap();
    config.run(&["plugin", "install"]).succeeds();
    assert_eq!(fs::read_link(config.link()).unwrap(), Path::new(PROGRAM));
    assert_eq!(fs::read_dir(config.0.path().join("cli-plugins")).unwrap().count(), 1, "nothing is left over");
    config.run(&["plugin", "uninstall"]).succeeds().shows(&["removed"]);
    assert!(fs::symlink_metadata(config.link()).is_err());
    config.run(&["plugin", "uninstall"]).succeeds().shows(&["nothing was removed"]);
    let given = swarmctl(["--config", config.directory(), "plugin", "install"]).run().succeeds();
    given.shows(&[config.link().to_str().unwrap()]);
}

#[test]
fn files_that_are_not_links_to_swarmctl_are_not_changed() {
    let config = Config::empty();
    fs::create_dir(config.0.path().join("cli-plugins")).unwrap();
    let refused = |words: &str| {
        for command in ["install", "uninstall"] {
            config
                .run(&["plugin", command])
                .fails_with(Exit::Failed)
                .tells_an_error()
                .says(&[words, "remove it yourself"]);
        }
    };
    fs::write(config.link(), "#!/bin/sh\n").unwrap();
    refused("is not a link");
    assert_eq!(fs::read_to_string(config.link()).unwrap(), "#!/bin/sh\n");
    fs::remove_file(config.link()).unwrap();
    symlink("/usr/bin/something-else", config.link()).unwrap();
    refused("is a link to `/usr/bin/something-else`");
    assert_eq!(fs::read_link(config.link()).unwrap(), Path::new("/usr/bin/something-else"));
    fs::remove_file(config.link()).unwrap();
    fs::create_dir(config.link()).unwrap();
    refused("is not a link");
    let file = Config::empty();
    fs::write(file.0.path().join("cli-plugins"), "").unwrap();
    file.run(&["plugin", "install"]).fails_with(Exit::Failed).says(&["cli-plugins"]);
}

#[test]
fn the_plugin_describes_itself_to_dockers_client() {
    let config = Config::with_plugin();
    let run = config.called(&["docker-cli-plugin-metadata"]).run().succeeds();
    let metadata: Value = run.json();
    assert_eq!(metadata["SchemaVersion"], "0.1.0");
    assert_eq!(metadata["Version"], concat!("v", env!("CARGO_PKG_VERSION")));
    assert!(metadata["Vendor"].as_str().is_some_and(|vendor| !vendor.is_empty()));
    assert!(metadata["ShortDescription"].as_str().is_some_and(|words| words.contains("Swarm service")));
    assert_eq!(run.stderr, "");
}

#[test]
fn called_by_docker_it_skips_its_own_name_and_prints_it_in_hints() {
    let (config, swarm) = (Config::with_plugin(), swarm());
    let host = swarm.host();
    let run = config.called(&["-D", "-H", &host, "swarmctl", "ls", "--format", "{{.Name}}"]).run().succeeds();
    assert_eq!(run.stdout, "web\n");
    run.says(&["debug: "]);
    config
        .called(&["help", "swarmctl", "ps"])
        .run()
        .succeeds()
        .prints(&["Usage: docker swarmctl ps [OPTIONS]"]);
    config
        .called(&["swarmctl", "ps", "--nosuch"])
        .run()
        .fails_with(Exit::Usage)
        .says(&["Usage: docker swarmctl ps"]);
    let missing = config.called(&["swarmctl", "ps", "nosuch"]).host(&host).run().fails_with(Exit::NotFound);
    missing.says(&["hint: list the services with `docker swarmctl ls`"]);
    // `swarmctl` as the name of a service is not replaced by `docker swarmctl`.
    config
        .called(&["swarmctl", "ps", "swarmctl"])
        .host(&host)
        .run()
        .fails_with(Exit::NotFound)
        .says(&["`swarmctl`"]);
    let completed = config.called(&["__complete", "swarmctl", "ps", ""]).host(&host).run().succeeds();
    assert_eq!(completed.stdout, format!("web\t{OLD}\n:4\n"));
}

#[test]
fn the_plugin_ends_when_docker_receives_a_signal() {
    let (config, swarm) = (Config::with_plugin(), swarm());
    swarm.world().step("web", Step::Updating);
    let name = format!("swarmctl-test-{}", std::process::id());
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let mut running = config
        .called(&["swarmctl", "wait", "web"])
        .host(swarm.host())
        .env("DOCKER_CLI_PLUGIN_SOCKET", &format!("@{name}"))
        .limit(Duration::from_secs(20))
        .spawn();
    listener.set_nonblocking(true).unwrap();
    let start = std::time::Instant::now();
    let connection = loop {
        match listener.accept() {
            Ok((connection, _)) => break connection,
            Err(e) => assert!(start.elapsed() < Duration::from_secs(20), "it does not connect: {e}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    std::thread::sleep(Duration::from_millis(300));
    drop(connection);
    running.wait().fails_with(Exit::Terminated);
    // Older clients set the variable to a socket that does not exist.
    let run = config
        .called(&["swarmctl", "ls", "-q"])
        .host(swarm.host())
        .env("DOCKER_CLI_PLUGIN_SOCKET", "@nosuch");
    run.run().succeeds();
}

#[test]
fn a_host_of_the_plugin_replaces_that_of_dockers_client() {
    let (config, swarm, other) = (Config::with_plugin(), swarm(), FakeSwarm::start());
    for args in [
        &["-H", &other.host(), "swarmctl", "-H", &swarm.host(), "ls", "-q"][..],
        &["-H", &other.host(), "swarmctl", "ls", "-q", "-H", &swarm.host()],
    ] {
        let run = config.called(args).run().succeeds();
        assert_eq!((run.stdout.lines().count(), other.requests().len()), (1, 0), "{}", run.report());
    }
}
