//! `outdated --newest`, compared with curl for the tag lists alone. The registry and the engine are minimal fakes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread;

use crate::ROUNDS;
use crate::measure::{Contender, compare};
use crate::table::Section;

const REPOSITORIES: usize = 200;
const TAGS: usize = 500;
const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// Compares the programs for 200 services, each with a repository of its own with 500 tags.
pub fn section() -> Section {
    let port = serve_registry();
    let directory = std::env::temp_dir().join(format!("swarmctl-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let socket = directory.join("engine.sock");
    serve_engine(socket.clone(), port);
    let lists = directory.join("lists");
    let url = |n: usize| {
        format!("url = http://127.0.0.1:{port}/v2/shop/app{n}/tags/list?n=1000\noutput = /dev/null\n")
    };
    std::fs::write(&lists, (0..REPOSITORIES).map(url).collect::<String>()).unwrap();
    let curl = vec!["curl".to_owned(), "-s".to_owned(), "-K".to_owned(), lists.display().to_string()];
    let parallel = [&curl[..], &["-Z".to_owned(), "--parallel-max".to_owned(), "8".to_owned()]].concat();
    let host = format!("unix://{}", socket.display());
    let ours = [env!("CARGO_BIN_EXE_swarmctl"), "-H", &host, "outdated", "--newest", "minor", "--json"];
    let ours: Vec<String> = ours.map(str::to_owned).to_vec();
    let fixed = |name: &str, command: Vec<String>| Contender::new(name, move |_| command.clone());
    let what = format!("`outdated --newest` of {REPOSITORIES} repositories of {TAGS} tags");
    let contenders = vec![
        fixed("curl, the lists alone, one connection", curl),
        fixed("curl -Z, 8 at a time", parallel),
        fixed("swarmctl", ours),
    ];
    let section = compare(&what, ROUNDS, contenders);
    let _ = std::fs::remove_dir_all(directory);
    section
}

/// Starts a registry that uses plain HTTP, and returns its port. It runs until this program exits.
fn serve_registry() -> u16 {
    let tags: Vec<String> = (0..TAGS).map(|n| format!("\"1.{}.{}\"", n / 10, n % 10)).collect();
    let body = format!("{{\"name\":\"x\",\"tags\":[{}]}}", tags.join(","));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let body = body.clone();
            let _ = stream.set_nodelay(true);
            thread::spawn(move || answer(stream.try_clone().unwrap(), stream, |_| body.clone()));
        }
    });
    port
}

/// Starts an engine with the services on the socket.
fn serve_engine(socket: PathBuf, port: u16) {
    let service = |n: usize| {
        format!(
            r#"{{"ID":"{n:025}","Version":{{"Index":9}},"CreatedAt":"2026-01-01T00:00:00Z","UpdatedAt":"2026-01-01T00:00:00Z","Spec":{{"Name":"app{n}","Mode":{{"Replicated":{{"Replicas":1}}}},"TaskTemplate":{{"ContainerSpec":{{"Image":"127.0.0.1:{port}/shop/app{n}:1.7.2@{DIGEST}"}}}}}}}}"#
        )
    };
    let services: Vec<String> = (0..REPOSITORIES).map(service).collect();
    let services = format!("[{}]", services.join(","));
    let digest = format!(r#"{{"Descriptor":{{"digest":"{DIGEST}"}},"Platforms":[]}}"#);
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (services, digest) = (services.clone(), digest.clone());
            thread::spawn(move || {
                answer(stream.try_clone().unwrap(), stream, |path| match path {
                    path if path.contains("/services") => services.clone(),
                    path if path.contains("/distribution/") => digest.clone(),
                    _ => "OK".to_owned(),
                });
            });
        }
    });
}

/// Responds to every request of a connection.
fn answer(from: impl Read, mut to: impl Write, body: impl Fn(&str) -> String) {
    let mut lines = BufReader::new(from).lines();
    while let Some(Ok(first)) = lines.next() {
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        // No request has a body.
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let body = body(&path);
        let head = format!(
            "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if to.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).is_err() {
            return;
        }
    }
}
