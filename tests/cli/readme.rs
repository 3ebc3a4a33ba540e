//! The commands in README and docs/: the program must accept each of them.

use crate::plan::any_plan;
use crate::support::exit::Exit;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::settings::User;
use super::support::fake_swarm::{FakeSwarm, Step};
use super::support::fixtures::{OLD, spec};
use super::support::run::swarmctl;

#[test]
fn every_command_of_readme_is_understood() {
    let readme = include_str!("../../README.md");
    // All files that the commands read or install are in this directory.
    let config = tempfile::tempdir().unwrap();
    let directory = config.path().to_str().unwrap();
    let mut count = 0;
    let any_plan = any_plan();
    // README has a command with `--from images.txt`.
    fs::write(config.path().join("images.txt"), "web shop/web:1.8\n").unwrap();
    for line in commands(readme) {
        let swarm = FakeSwarm::start();
        let plan = config.path().join("plan.json");
        if line.contains(" apply ") {
            fs::write(&plan, &any_plan).unwrap();
        }
        let run =
            swarmctl(words(line).into_iter().skip(1)).host(swarm.host()).env("DOCKER_CONFIG", directory);
        let run = run.env("SWARMCTL_JOURNAL", "swarm");
        let run = run.current_dir(config.path()).run();
        // --plan requires that the file does not exist.
        let _ = fs::remove_file(plan);
        // The swarm is empty, so most commands find no service. Only usage errors fail the test.
        assert_ne!(run.code, Some(2), "README: {line}\n{}", run.report());
        count += 1;
    }
    assert!(count > 10, "README shows {count} commands only: has its form changed?");
}

/// The words of a line. Words in single quotes may contain blanks.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in line.split('\'').enumerate() {
        if i % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn every_command_of_docs_is_understood() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut count = 0;
    let config = tempfile::tempdir().unwrap();
    let any_plan = any_plan();
    for page in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if page.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&page).unwrap();
        // Lines that name an engine, a context or a list of images are left out, because these do not exist here.
        let is_elsewhere = |line: &&str| [" -H ", " -c ", " --from "].iter().any(|flag| line.contains(flag));
        for line in commands(&text).filter(|line| !is_elsewhere(line)) {
            let swarm = FakeSwarm::start();
            let words = words(line);
            let plan = config.path().join("plan.json");
            if line.contains(" apply ") {
                fs::write(&plan, &any_plan).unwrap();
            }
            let run = swarmctl(words.into_iter().skip(1)).host(swarm.host()).env("SWARMCTL_JOURNAL", "swarm");
            let run = run.current_dir(config.path()).run();
            // --plan requires that the file does not exist.
            let _ = fs::remove_file(plan);
            assert_ne!(run.code, Some(2), "{}: {line}\n{}", page.display(), run.report());
            count += 1;
        }
    }
    assert!(count > 50, "docs/ shows {count} commands only: has its form changed?");
}

#[test]
fn every_link_between_the_pages_has_a_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.chain([root.join("README.md"), root.join("docs/schema/README.md")]);
    for page in pages.filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") {
                continue;
            }
            let target = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            assert!(target.exists(), "{} leads to {link}", page.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(headings.any(|one| one == heading), "{} leads to {link}", page.display());
            }
        }
    }
}

#[test]
fn the_list_of_pages_is_complete() {
    let list = include_str!("../../docs/README.md");
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = fs::read_dir(docs).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let missing: Vec<String> = names
        .filter(|name| name.ends_with(".md") && name != "README.md" && !list.contains(&format!("]({name})")))
        .collect();
    assert!(missing.is_empty(), "docs/README.md does not list {missing:?}");
}

#[test]
fn the_ctrl_c_example_in_docs_stack_shows_what_is_printed() {
    let page = include_str!("../../docs/stack.md");
    let (_, shown) = page.split_once("\n^C\n").expect("docs/stack.md shows a Ctrl-C");
    let (stdout, stderr) = shown.split_once("```").unwrap().0.split_once("error: ").unwrap();
    let names = ["admin", "api", "cache", "mail", "search", "web"].map(|name| format!("shop_{name}"));
    let swarm = FakeSwarm::with(names.map(|name| {
        let mut spec = spec(&name, OLD);
        spec["Labels"]["com.docker.stack.namespace"] = "shop".into();
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    }));
    for name in ["shop_cache", "shop_mail"] {
        swarm.world().service(name).rollout = vec![Step::Updating; 100_000];
    }
    let line = page.lines().find(|line| line.contains("--stack shop --tag 0.6 --parallel 2"));
    let args: Vec<&str> = line.expect("docs/stack.md shows the command").split_whitespace().skip(2).collect();
    let mut running = swarmctl(args).host(swarm.host()).spawn();
    // Wait until both posts of the second pair have been sent.
    while swarm.posts().len() < 4 {
        thread::sleep(Duration::from_millis(20));
    }
    let requests_before = swarm.requests().len();
    swarm.wait_for_requests(requests_before + 4);
    running.signal("INT");
    let run = running.wait().fails_with(Exit::Interrupted);
    let selected = run.stderr.lines().next().unwrap();
    assert!(page.contains(&format!("\n{selected}\n^C\n")), "{}", run.report());
    assert_eq!(run.stderr, format!("{selected}\nerror: {stderr}"));
    assert_eq!(run.stdout, stdout);
}

/// Longer texts belong in docs/. The first screen must have the section Install and three examples.
#[test]
fn readme_is_short_and_begins_with_examples() {
    let readme = include_str!("../../README.md");
    assert!(readme.lines().count() <= 250, "README has {} lines: move text to docs/", readme.lines().count());
    let start: Vec<&str> = readme.lines().take(45).collect();
    assert!(start.contains(&"## Install"), "{start:?}");
    assert_eq!(start.iter().filter(|line| line.starts_with("$ swarmctl ")).count(), 3, "{start:?}");
}

/// Phrases that disturb readers of technical English, each with the usual wording.
const UNUSUAL: [(&str, &str); 16] = [
    ("so many", "at most N"),
    ("shall", "must, should"),
    ("mend", "fix"),
    ("anew", "again"),
    ("is told", "is reported"),
    ("by the way", "as a side effect"),
    ("is to be", "must be"),
    ("goes on", "continues"),
    ("begun", "started"),
    ("without a word", "silently"),
    ("of today", "current"),
    ("any more", "no longer"),
    ("alike", "likewise, in the same way"),
    ("thereby", "-"),
    ("cannot be had", "is not available"),
    ("is no manager", "is not a manager"),
];

#[test]
fn the_pages_are_in_plain_english() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let others = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
    let pages = docs.chain(others.map(|name| root.join(name)));
    let mut found = Vec::new();
    for page in pages.filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(&page).unwrap();
        // Output of programs is quoted unchanged.
        let prose: String =
            text.split("```").step_by(2).flat_map(|part| part.split('`').step_by(2)).collect();
        let words: Vec<&str> =
            prose.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
        let prose = format!(" {} ", words.join(" ").to_lowercase());
        for (phrase, usual) in UNUSUAL.iter().filter(|(phrase, _)| prose.contains(&format!(" {phrase} "))) {
            found.push(format!("{}: `{phrase}` instead of `{usual}`", page.display()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_messages_in_docs_troubleshooting_are_those_of_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/troubleshooting.md")).unwrap();
    let texts = sources(&root.join("src"));
    for message in [
        "no node meets the constraints",
        "no node can take the task",
        "the server there does not use TLS",
        "ssh cannot connect to",
        "permission denied by",
        "denies access to",
        "credential helper",
        "internal error: ",
    ] {
        let is_shown = page.contains(&format!("`{message}"));
        let is_printed = texts.iter().any(|text| text.contains(message));
        assert!(is_shown && is_printed, "`{message}` differs between docs/troubleshooting.md and src");
    }
}

/// The texts of all files below a directory.
fn sources(directory: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            texts.extend(sources(&path));
        } else {
            texts.push(fs::read_to_string(&path).unwrap());
        }
    }
    texts
}

/// `scripts/bench --write` writes the tables of both pages.
#[test]
fn the_figures_of_readme_are_those_of_docs_performance() {
    let readme = include_str!("../../README.md");
    let all = include_str!("../../docs/performance.md");
    let section = readme.split("## Performance").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), 5, "{section}");
    for row in rows {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let (title, figures) = (cells.next().unwrap(), cells.collect::<Vec<_>>());
        let block: Vec<&str> = all
            .lines()
            .skip_while(|line| !line.starts_with(&format!("| {title} |")))
            .enumerate()
            .take_while(|(at, line)| *at == 0 || line.starts_with("|  |"))
            .map(|(_, line)| line)
            .collect();
        // Wall time, CPU time and peak memory of the row with these figures.
        let costs = |name: &str, wall: &str, memory: &str| -> Option<[f64; 3]> {
            let columns =
                |line: &&str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
            let mut rows = block.iter().map(columns).filter(|row| row[2].contains(name));
            let row = rows.find(|row| row[3] == wall && row[7] == memory)?;
            Some([3, 5, 7].map(|column| row[column].parse().expect("a figure")))
        };
        let [ratios @ .., wall, memory, docker_wall, docker_memory] = &figures[..] else { panic!("{row}") };
        let (Some(own), Some(docker)) =
            (costs("swarmctl", wall, memory), costs("docker", docker_wall, docker_memory))
        else {
            panic!("not in docs/performance.md: {row}")
        };
        for (ratio, (own, docker)) in ratios.iter().zip(own.iter().zip(docker)) {
            // The pages have rounded figures.
            assert!(
                (ratio.parse::<f64>().expect("a ratio") - own / docker).abs() < 0.011,
                "wrong ratio: {row}"
            );
        }
        assert_eq!(ratios.len(), own.len(), "{row}");
    }
}

#[test]
fn the_page_of_managers_shows_what_is_printed() {
    let page = include_str!("../../docs/managers.md");
    let user = User::new(&[], "");
    let endpoints = json!({ "docker": { "Host": "ssh://deploy@manager1.example.com" } });
    user.context("prod", &json!({ "Name": "prod", "Metadata": {}, "Endpoints": endpoints }));
    for command in ["context ls", "-H tcp://127.0.0.1:1 ls", "-c nosuch ls"] {
        let (_, shown) = page.split_once(&format!("$ swarmctl {command}\n")).expect(command);
        let shown = shown.split("$ ").next().unwrap().split("```").next().unwrap();
        let run = user.swarmctl(command, &[]).run();
        assert_eq!(run.stdout + &run.stderr, shown, "docs/managers.md: {command}");
    }
}

/// GitHub blocks scripts and external resources in pictures.
#[test]
fn the_picture_needs_no_external_resources() {
    let readme = include_str!("../../README.md");
    let (alternative, picture) = readme
        .split("![")
        .skip(1)
        .find_map(|rest| rest.split_once("](docs/rollouts.svg)"))
        .map(|(alternative, _)| (alternative, include_str!("../../docs/rollouts.svg")))
        .expect("README shows docs/rollouts.svg");
    assert!(alternative.len() > 40, "the text for readers who cannot see the picture: {alternative:?}");
    assert!(picture.len() < 100_000, "{} bytes", picture.len());
    for foreign in ["<script", "href", "url(", "@import", "<foreignObject", "<image", "onload", "javascript:"]
    {
        assert!(!picture.contains(foreign), "the picture has {foreign:?}");
    }
    assert!(picture.contains("prefers-reduced-motion"));
    // If the animation does not run, all of this text must be visible.
    for seen in ["converged", "its log ends with:", "whoami: cannot open /etc/whoami.conf"] {
        let mut lines = picture.lines().filter(|line| line.contains(seen));
        assert!(lines.any(|line| !line.contains("class=\"h\"")), "the picture ends without {seen:?}");
    }
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().chars();
    kept.filter(|c| c.is_alphanumeric() || [' ', '-'].contains(c))
        .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
        .collect()
}

/// The commands in code blocks that call the program, without comments. A pipe separates commands. Commands with
/// `--spec -` or `--follow` are left out.
fn commands(readme: &str) -> impl Iterator<Item = &str> {
    let blocks = readme.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| block.lines().skip(1));
    lines
        .flat_map(|line| line.split(" | "))
        .map(|part| part.trim_start_matches("$ ").split(" #").next().unwrap_or_default().trim())
        .filter(|part| {
            part.starts_with("swarmctl ") && !part.contains("--spec -") && !part.contains("--follow")
        })
}

#[test]
fn the_changelog_begins_with_the_version_of_the_program_and_only_that_one_may_be_unreleased() {
    let changes = include_str!("../../CHANGELOG.md");
    let versions: Vec<&str> = changes.lines().filter(|line| line.starts_with("## [")).collect();
    assert!(versions[0].starts_with(concat!("## [", env!("CARGO_PKG_VERSION"), "] - ")), "{versions:?}");
    assert!(versions[1..].iter().all(|version| !version.ends_with("unreleased")), "{versions:?}");
}
