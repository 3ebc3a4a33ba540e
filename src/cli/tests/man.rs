//! Generates the man pages in `man/` from the help of the commands.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Command;

use crate::cli;
use crate::cli::commands::plugin::Caller;
use crate::cli::grammar::examples;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man")
}

/// Returns file names and contents.
fn pages() -> Vec<(String, String)> {
    let mut root = cli::root_with_examples(Caller::User);
    root.build();
    let mut pages = Vec::new();
    add(&root, "", &mut pages);
    pages
}

/// Adds the page of a command and those of its subcommands. `path` has the words that name the command.
fn add(command: &Command, path: &str, pages: &mut Vec<(String, String)>) {
    let name = &format!("swarmctl {path}").trim_end().replace(' ', "-");
    // The page has the name `swarmctl-auth-refresh`, but the synopsis has the words to type.
    let usage = command.clone().render_usage().to_string().replacen("Usage: ", "", 1);
    let titled = command.clone().name(name.to_owned()).display_name(name.to_owned()).override_usage(usage);
    let titled = examples::without(titled, path);
    let mut text = Vec::new();
    let man = clap_mangen::Man::new(titled).title(name.to_uppercase()).section("1").manual("swarmctl");
    man.render(&mut text).unwrap();
    // clap_mangen calls the section with the rules of `lint` EXTRA.
    let mut text = String::from_utf8(text).unwrap().replace(".SH EXTRA\nRules:\n", ".SH RULES\n");
    text += &examples_of(path);
    text += &entries("ENVIRONMENT", &ENVIRONMENT);
    text += &entries("FILES", &FILES);
    text += &exit_status();
    if !path.is_empty() {
        text += ".SH \"SEE ALSO\"\n\\fBswarmctl\\fR(1), which lists the global flags\n";
    }
    pages.push((format!("{name}.1"), text));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        add(below, format!("{path} {}", below.get_name()).trim_start(), pages);
    }
}

/// The variables that every page lists.
const ENVIRONMENT: [(&str, &str); 13] = [
    ("DOCKER_HOST", "The engine to connect to, as with the global flag --host."),
    (
        "DOCKER_CONTEXT",
        "The Docker context to use, as with --context. The global flag --host and DOCKER_HOST override it.",
    ),
    (
        "DOCKER_CONFIG",
        "The directory of config.json and of the contexts, as with the global flag --config (default ~/.docker).",
    ),
    ("DOCKER_TLS, DOCKER_TLS_VERIFY", "Use TLS, without or with verification of the engine's certificate."),
    (
        "DOCKER_CERT_PATH",
        "The directory of ca.pem, cert.pem and key.pem (default: DOCKER_CONFIG, or ~/.docker).",
    ),
    ("DOCKER_API_VERSION", "The API version of requests (default: the engine's own)."),
    (
        "DOCKER_CUSTOM_HEADERS",
        "HTTP headers to send instead of those in config.json, as in X-Team=ops,X-Env=prod.",
    ),
    ("DOCKER_AUTH_CONFIG", "Registry credentials as JSON, in the format of config.json."),
    ("SWARMCTL_JOURNAL", "Where runs are recorded: swarm (the default), file, file:DIR or off."),
    (
        "HTTP_PROXY, HTTPS_PROXY, NO_PROXY",
        "Proxies for tcp:// and https:// engines and for registries, and the hosts that need none.",
    ),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "The certificate authorities to trust if no CA file is given."),
    ("NO_COLOR", "If it is not empty, colors are disabled."),
    ("TERM", "If it is `dumb`, progress is printed as lines."),
];

/// The files that every page lists.
const FILES: [(&str, &str); 5] = [
    ("/var/run/docker.sock", "The socket of the local engine, which is the default."),
    (
        "~/.docker/config.json",
        "Docker's settings: the current context, registry credentials and their helpers, HTTP headers, and output formats.",
    ),
    ("~/.docker/contexts/", "The Docker contexts."),
    ("~/.docker/ca.pem, cert.pem, key.pem", "The default files for TLS."),
    (
        "/etc/docker/certs.d/",
        "CAs and client certificates for registries, one directory for each host and port.",
    ),
];

fn examples_of(path: &str) -> String {
    let lines = examples::find(path).iter().map(|(what, line)| {
        format!(".PP\n{}:\n.PP\n.RS 4\n.nf\n{}\n.fi\n.RE\n", escaped(what), escaped(line))
    });
    format!(".SH EXAMPLES\n{}", lines.collect::<String>())
}

fn entries(heading: &str, entries: &[(&str, &str)]) -> String {
    let entry = |(name, what): &(&str, &str)| format!(".TP\n\\fB{}\\fR\n{}\n", escaped(name), escaped(what));
    format!(".SH {heading}\n{}", entries.iter().map(entry).collect::<String>())
}

/// Escapes text for roff: hyphens, quotes that would become typographic ones, and backslashes.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('~', "\\(ti");
    text.replace('`', "")
}

/// Formats README's table of exit codes, which another test checks.
fn exit_status() -> String {
    let readme = include_str!("../../../README.md");
    let (_, table) = readme.split_once("## Exit codes\n").unwrap();
    let rows = table.trim_start().lines().take_while(|line| line.starts_with('|')).skip(2);
    let entry = |row: &str| {
        let (code, meaning) = row.trim_matches('|').split_once('|').unwrap();
        let meaning = meaning.trim().replace('`', "").replace('-', "\\-");
        format!(".TP\n\\fB{}\\fR\n{meaning}\n", code.trim())
    };
    format!(".SH \"EXIT STATUS\"\n{}", rows.map(entry).collect::<String>())
}

#[test]
fn the_man_pages_are_those_of_the_program() {
    let mut left: Vec<String> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for (name, text) in pages() {
        let stored = fs::read_to_string(directory().join(&name)).unwrap_or_default();
        assert!(stored == text, "man/{name} is stale: run scripts/generate");
        left.retain(|other| *other != name);
    }
    assert!(left.is_empty(), "man/{left:?} belong to no command");
}

#[test]
#[ignore = "it writes man/: scripts/generate calls it"]
fn write_the_man_pages() {
    // Also deletes the pages of removed commands.
    let _ = fs::remove_dir_all(directory());
    fs::create_dir_all(directory()).unwrap();
    for (name, text) in pages() {
        fs::write(directory().join(name), text).unwrap();
    }
}
