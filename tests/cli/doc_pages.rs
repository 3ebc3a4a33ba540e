//! Runs the commands of docs/gitops.md, docs/plan.md and docs/history.md in bash with `-e`, on fake swarms with the
//! services that the pages mention. Only paths and the address of a swarm are replaced, and scripts stand in for docker
//! and git. Each command must succeed.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::settings::User;
use super::support::fake_swarm::{FakeSwarm, Step};
use super::support::fixtures::spec;
use super::support::run::{Run, swarmctl_by};

/// The environment of a page's commands: programs, files, contexts and two swarms.
struct PageEnvironment {
    directory: tempfile::TempDir,
    user: User,
    prod: FakeSwarm,
    staging: FakeSwarm,
}

/// The digest that all images with this tag have.
fn digest(tag: &str) -> String {
    format!("sha256:{}", tag.replace('.', "").repeat(32))
}

/// A swarm with the services `shop_api`, `shop_web` and `web`, which all have the label of the stack `shop`. Their
/// images are from this registry and have this tag.
fn shop(registry: &str, tag: &str) -> FakeSwarm {
    let service = |name: &str| {
        let image = format!("{registry}/shop/{}:{tag}@{}", name.trim_start_matches("shop_"), digest(tag));
        let mut spec = spec(name, &image);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec["Labels"] = json!({ "com.docker.stack.namespace": "shop" });
        spec
    };
    let swarm = FakeSwarm::with(["shop_api", "shop_web", "web"].map(service));
    {
        let mut world = swarm.world();
        for registry in ["registry.example.com", "staging.example.com"] {
            for (name, tag) in ["api", "web"].iter().flat_map(|name| ["1.7", "1.8"].map(|tag| (name, tag))) {
                let repository = format!("{registry}/shop/{name}");
                world.registry.insert(format!("{repository}:{tag}"), digest(tag));
                world.registry.insert(format!("{repository}@{}", digest(tag)), digest(tag));
                world.registry.insert(format!("{repository}:{tag}@{}", digest(tag)), digest(tag));
            }
        }
        for service in &mut world.services {
            service.rollout = vec![Step::Completed];
        }
    }
    swarm
}

impl PageEnvironment {
    fn new() -> Self {
        let place = Self {
            directory: tempfile::tempdir().unwrap(),
            user: User::new(&[], ""),
            prod: shop("registry.example.com", "1.7"),
            staging: shop("registry.example.com", "1.8"),
        };
        for (name, swarm) in [("prod", &place.prod), ("staging", &place.staging)] {
            let endpoints = json!({ "docker": { "Host": swarm.host() } });
            place.user.context(name, &json!({ "Name": name, "Metadata": {}, "Endpoints": endpoints }));
        }
        fs::create_dir(place.path("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_swarmctl"), place.path("bin/swarmctl")).unwrap();
        // The output of `docker compose config` for a file with two services.
        let compose = json!({ "name": "shop", "services": {
            "api": { "image": "registry.example.com/shop/api:1.8" },
            "web": { "image": "registry.example.com/shop/web:1.8" }
        } });
        place.program("docker", &format!("cat <<'EOF'\n{compose}\nEOF"));
        place.program("git", "true");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Installs a script in place of another program.
    fn program(&self, name: &str, script: &str) {
        let file = self.path("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a script of a page.
    fn run(&self, script: &str) -> Run {
        let directory = self.directory.path().to_str().unwrap();
        let script = script
            .replace("/srv/images", directory)
            .replace("/tmp/drift", &format!("{directory}/drift"))
            .replace("-H ssh://deploy@staging.example.com", "-c staging");
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &script]);
        let mut run = swarmctl_by(bash)
            .host(self.prod.host())
            .env("PATH", &format!("{directory}/bin:/usr/bin:/bin"))
            .env("USER", "ann")
            .env("SWARMCTL_JOURNAL", "swarm")
            .current_dir(self.directory.path());
        // The commands select contexts themselves.
        for (key, value) in self.user.words("").0 {
            run = run.env(&key, &value);
        }
        run.run()
    }

    /// Writes the images of production to a file, as the pages do.
    fn lock(&self) {
        self.run("swarmctl images --pinned > images.txt").succeeds();
    }
}

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// The contents of a page's code blocks in this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let blocks = page.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// The commands in the prose of a page, such as `swarmctl journal prune`, except those with placeholders.
fn inline(page: &str) -> Vec<&str> {
    let text = page.split("```").step_by(2);
    let spans = text.flat_map(|text| text.split('`').skip(1).step_by(2));
    let is_placeholder =
        |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c == '[');
    spans
        .filter(|span| span.starts_with("swarmctl ") && !span.split(' ').any(is_placeholder))
        // jq may not be installed.
        .filter(|span| !span.contains("jq"))
        .collect()
}

#[test]
fn every_command_of_docs_gitops_works() {
    let text = page("gitops.md");
    let mut count = 0;
    for script in blocks(&text, "sh") {
        let place = PageEnvironment::new();
        place.lock();
        if script.contains("--map-registry") {
            let staging = shop("staging.example.com", "1.8");
            let endpoints = json!({ "docker": { "Host": staging.host() } });
            place
                .user
                .context("staging", &json!({ "Name": "staging", "Metadata": {}, "Endpoints": endpoints }));
            place.run(script).succeeds();
            place.prod.expect("shop_web").applied(1);
            count += 1;
            continue;
        }
        place.run(script).succeeds();
        // A pipe promotes images or reads them from a Compose file. They are deployed by digest.
        if script.contains(" | ") {
            let image = format!("registry.example.com/shop/web:1.8@{}", digest("1.8"));
            place.prod.expect("shop_web").applied(1).image(&image);
        }
        count += 1;
    }
    // The lines of workflows and crontabs that call swarmctl. The jobs get images.txt from git, and images.new from an
    // earlier line, so both files are created here.
    for line in text.lines().map(str::trim) {
        let Some((before, command)) = line.split_once("swarmctl ") else { continue };
        let is_job = before.ends_with("- run: ") || before == "- ";
        let cron = line.split_once(" root ").map(|(_, command)| command.trim());
        let script = match cron {
            Some(command) => command.to_owned(),
            None if is_job => format!("swarmctl {command}"),
            None => continue,
        };
        let place = PageEnvironment::new();
        place.lock();
        fs::copy(place.path("images.txt"), place.path("images.new")).unwrap();
        place.run(&script).succeeds();
        count += 1;
    }
    assert!(count >= 14, "docs/gitops.md shows {count} commands only: has its form changed?");
}

#[test]
fn every_command_of_docs_plan_works() {
    let text = page("plan.md");
    let scripts = blocks(&text, "sh");
    assert_eq!(scripts.len(), 2, "has its form changed?");
    for script in scripts {
        let place = PageEnvironment::new();
        place.lock();
        let images = fs::read_to_string(place.path("images.txt")).unwrap();
        let newer = images.replace("1.7", "1.8").replace(&digest("1.7"), &digest("1.8"));
        fs::write(place.path("images.txt"), newer).unwrap();
        place.run(script).succeeds();
        place.prod.expect("shop_web").applied(1);
    }
    // The page shows what happens if production changes between the two jobs.
    let place = PageEnvironment::new();
    place.lock();
    place.run("swarmctl restart web --plan plan.json").succeeds();
    place.prod.world().write("web", |spec| spec["Labels"]["foreign"] = "1".into());
    let later = blocks(&text, "sh")[1].split("# after the approval").nth(1).unwrap();
    let script = later.split_once('\n').unwrap().1;
    let run = place.run(script);
    assert_eq!(run.code, Some(4), "{}", run.report());
    run.prints(&["production changed since the review"]);
}

#[test]
fn every_command_of_docs_history_works() {
    let text = page("history.md");
    let place = PageEnvironment::new();
    let script = blocks(&text, "sh").join("\n");
    let (enable, rest) = script.split_once('\n').unwrap();
    place.run(enable).succeeds();
    // On the page, the next run has the number 124.
    for config in &mut place.prod.world().configs {
        config.labels["swarmctl.last"] = "123".into();
    }
    let run = place.run(rest).succeeds();
    run.prints(&["update-image --stack shop --tag 1.8"])
        .says(&["recorded as run 124", "recorded as run 125"]);
    place
        .prod
        .expect("shop_web")
        .applied(2)
        .image(&format!("registry.example.com/shop/web:1.7@{}", digest("1.7")));
    let mut commands = inline(&text);
    commands.sort_unstable();
    commands.dedup();
    assert!(commands.len() >= 4, "has its form changed? {commands:?}");
    for command in commands {
        // Each command gets its own swarm, because some of them disable the journal.
        let place = PageEnvironment::new();
        place.run("swarmctl journal enable").succeeds();
        for config in &mut place.prod.world().configs {
            config.labels["swarmctl.last"] = "123".into();
        }
        place
            .run("swarmctl update-image --no-resolve-image web registry.example.com/shop/web:1.8")
            .succeeds();
        place.run(command).succeeds();
    }
}

/// The page must name each of these states, and the schema of the output must contain it.
#[test]
fn the_states_in_docs_history_are_those_of_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/schema/result.schema.json")).unwrap();
    let text = page("history.md");
    let states = schema.to_string();
    for state in ["ready", "done", "conflict", "replaced", "held", "gone", "paused"] {
        assert!(text.contains(&format!("`{state}`")) && states.contains(&format!("\"{state}\"")), "{state}");
    }
}
