//! A real registry (Debian's docker-registry) in the private engine's network.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::engine::Engine;
use crate::support::programs;
use crate::support::run::Swarmctl;
use crate::support::secrets::{OTHER_PASSWORD, PASSWORD, USER, basic};

/// A second process that serves the images of a [`Registry`]. It is killed when this value is dropped.
pub struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A registry, which is stopped when it is dropped. The engine needs no TLS for addresses in 127.0.0.0/8.
pub struct Registry {
    engine: &'static Engine,
    pub host: String,
    directory: TempDir,
    process: Option<Child>,
    password: Option<&'static str>,
}

impl Registry {
    /// A registry without authentication.
    pub fn open(engine: &'static Engine, port: u16) -> Self {
        Self::start(engine, port, None)
    }

    /// A registry that requires this password of [`USER`].
    pub fn closed(engine: &'static Engine, port: u16, password: &'static str) -> Self {
        Self::start(engine, port, Some(password))
    }

    fn start(engine: &'static Engine, port: u16, password: Option<&'static str>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut registry =
            Self { engine, host: format!("127.0.0.1:{port}"), directory, process: None, password };
        let mut config = json!({
            "version": 0.1,
            "log": { "level": "warn" },
            "storage": { "filesystem": { "rootdirectory": registry.path("data") } },
            "http": { "addr": registry.host },
        });
        if let Some(password) = password {
            registry.set_password(password);
            config["auth"] = json!({ "htpasswd": { "realm": "test", "path": registry.path("htpasswd") } });
        }
        // JSON is valid YAML.
        fs::write(registry.path("config.yml"), config.to_string()).expect("a file");
        registry.start_process();
        registry
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Starts the process, for the first time or after [`Registry::stop`].
    pub fn start_process(&mut self) {
        let log = File::create(self.path("log")).expect("a file");
        let mut command = self.engine.inside("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(programs::directory().join("docker-registry"));
        command.arg("serve").arg(self.path("config.yml"));
        let log_too = log.try_clone().expect("a file");
        let child = command.stdin(Stdio::null()).stdout(log).stderr(log_too).spawn();
        self.process = Some(child.expect("nsenter can be started"));
        let start_time = Instant::now();
        let (host, port) = self.host.split_once(':').expect("a port");
        let probe = format!("exec 3<>/dev/tcp/{host}/{port}");
        while !self
            .engine
            .inside("bash")
            .args(["-c", &probe])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|it| it.success())
        {
            let log = fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(start_time.elapsed() < Duration::from_secs(30), "the registry does not answer: {log}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the process, so that nothing listens at the registry's address.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // The process may have ended already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Changes the required password.
    pub fn set_password(&mut self, password: &'static str) {
        // The registry supports bcrypt only.
        let hash = match password {
            PASSWORD => "$2b$04$n8EsJ6t.HkaBp9FPR4xQzugliYDoba4FIpfnwSiA50poEu79/OFiu",
            OTHER_PASSWORD => "$2b$04$MfGbkelnSIq65HMLQlEuu.td4BzxkYtBQ.92zTAchMejglwMKkd82",
            _ => panic!("there is no hash of this password"),
        };
        fs::write(self.path("htpasswd"), format!("{USER}:{hash}\n")).expect("a file");
        self.password = Some(password);
    }

    /// The name of the image with this tag in this registry.
    pub fn image(&self, tag: &str) -> String {
        format!("{}/whoami:{tag}", self.host)
    }

    /// Creates an image that shares no layer with others, and pushes it with this tag. Returns its digest.
    pub fn push_new(&self, tag: &str) -> String {
        let changes = "changes=CMD%20%5B%22%2Fbin%2Fbusybox%22%2C%22httpd%22%2C%22-f%22%5D";
        let repo = format!("{}/whoami", self.host);
        let path = format!("/images/create?fromSrc=-&repo={repo}&tag={tag}&{changes}");
        let header = "Content-Type: application/x-tar\r\n";
        let made = self.engine.post_image(&path, header, &self.root(tag));
        made.unwrap_or_else(|why| panic!("{path}: {why}"));
        self.push(tag)
    }

    /// The file system of an image as a tar archive, with one program and a file that no other image has.
    fn root(&self, tag: &str) -> Vec<u8> {
        let script = "set -e; cd \"$1\"; mkdir -p root/bin; cp \"$3\" root/bin/busybox; \
                      echo \"$2\" >root/own; tar -C root -c .";
        let mut command = Command::new("bash");
        command.args(["-c", script, "bash", &self.path("")]).arg(format!("{} {tag}", self.host));
        command.arg(programs::directory().join("busybox"));
        let output = command.output().expect("bash can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Adds the tag `other` to the image with the tag `tag`, and pushes it. Returns the digest.
    pub fn push_as(&self, tag: &str, other: &str) -> String {
        let path = format!("/images/{}/tag?repo={}/whoami&tag={other}", self.image(tag), self.host);
        let (status, answer) = self.engine.try_ask("POST", &path, None).expect("an answer");
        assert_eq!(status, 201, "{answer}");
        self.push(other)
    }

    /// Adds a name in another repository to an image, and pushes it there.
    pub fn push_to(&self, tag: &str, repository: &str) -> String {
        let path = format!("/images/{}/tag?repo={}/{repository}&tag={tag}", self.image(tag), self.host);
        let (status, answer) = self.engine.try_ask("POST", &path, None).expect("an answer");
        assert_eq!(status, 201, "{answer}");
        self.push_from(repository, tag)
    }

    /// Copies an image with its tag from another registry. Returns its digest.
    pub fn copy_from(&self, other: &Self, tag: &str) -> String {
        let path = format!("/images/{}/tag?repo={}/whoami&tag={tag}", other.image(tag), self.host);
        let (status, answer) = self.engine.try_ask("POST", &path, None).expect("an answer");
        assert_eq!(status, 201, "{answer}");
        self.push(tag)
    }

    /// Serves the same images at the same address in the network of another engine.
    pub fn also_in(&self, engine: &Engine) -> Served {
        let mut command = engine.inside("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(programs::directory().join("docker-registry"));
        command.arg("serve").arg(self.path("config.yml"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let served = Served(child.expect("nsenter can be started"));
        let (host, port) = self.host.split_once(':').expect("a port");
        let probe = format!("exec 3<>/dev/tcp/{host}/{port}");
        let start_time = Instant::now();
        let answers = || {
            let status = engine.inside("bash").args(["-c", &probe]).stderr(Stdio::null()).status();
            status.is_ok_and(|it| it.success())
        };
        while !answers() {
            assert!(start_time.elapsed() < Duration::from_secs(30), "the registry does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        served
    }

    /// Removes the tag from the registry.
    pub fn untag(&self, tag: &str) {
        let path = self.path(&format!("data/docker/registry/v2/repositories/whoami/_manifests/tags/{tag}"));
        fs::remove_dir_all(path).expect("the tag is there");
    }

    /// Removes the manifest with this digest.
    pub fn delete(&self, digest: &str) {
        let hex = digest.trim_start_matches("sha256:");
        let repository = "data/docker/registry/v2/repositories/whoami/_manifests/revisions/sha256";
        fs::remove_dir_all(self.path(&format!("{repository}/{hex}"))).expect("the manifest is there");
    }

    /// Removes the target of the tag. The registry still lists the tag.
    pub fn unlink(&self, tag: &str) {
        let tags = "data/docker/registry/v2/repositories/whoami/_manifests/tags";
        fs::remove_dir_all(self.path(&format!("{tags}/{tag}/current"))).expect("the tag is there");
    }

    fn push(&self, tag: &str) -> String {
        self.push_from("whoami", tag)
    }

    fn push_from(&self, repository: &str, tag: &str) -> String {
        let auth = match self.password {
            Some(password) => json!({ "username": USER, "password": password, "serveraddress": self.host }),
            None => json!({}),
        };
        let path = format!("/images/{}/{repository}/push?tag={tag}", self.host);
        let header = format!("X-Registry-Auth: {}\r\n", BASE64_URL_SAFE.encode(auth.to_string()));
        let said = self.engine.post_image(&path, &header, &[]);
        let said = said.unwrap_or_else(|why| panic!("{path}: {why}"));
        let digest = said.split("digest: ").nth(1).and_then(|rest| rest.split(' ').next());
        digest.unwrap_or_else(|| panic!("no digest in {said}")).to_owned()
    }

    /// Removes the images of this registry from the engine's node, with their layers, so that they must be pulled
    /// again.
    pub fn forget(&self) {
        let start_time = Instant::now();
        let repo = format!("{}/whoami", self.host);
        loop {
            let images = self.engine.ask("GET", "/images/json", None);
            let is_here = |image: &&Value| {
                let has = |key: &str| {
                    image[key]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .any(|it| it.as_str().is_some_and(|it| it.starts_with(&repo)))
                };
                has("RepoTags") || has("RepoDigests")
            };
            let left: Vec<&Value> = images.as_array().into_iter().flatten().filter(is_here).collect();
            if left.is_empty() {
                return;
            }
            for image in left {
                // The removal fails while a container of the image is still ending.
                let path = format!("/images/{}?force=1", image["Id"].as_str().unwrap_or_default());
                let _ = self.engine.try_ask("DELETE", &path, None);
            }
            assert!(start_time.elapsed() < Duration::from_secs(30), "images of {repo} stay: {images}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// swarmctl as a user who has logged in with this password.
    pub fn swarmctl(&self, password: Option<&str>, args: &[&str]) -> Swarmctl {
        let directory = self.path("home");
        fs::create_dir_all(&directory).expect("a directory");
        let auths = password.map(|password| json!({ self.host.clone(): { "auth": basic(password) } }));
        let config = json!({ "auths": auths.unwrap_or_else(|| json!({})) });
        fs::write(Path::new(&directory).join("config.json"), config.to_string()).expect("a file");
        self.engine.swarmctl(args).env("DOCKER_CONFIG", &directory)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}
