//! Detects the end of docker's client. Without a terminal, the client does not forward a signal that ends it, but
//! closes a socket.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::thread;

use crate::api::cancellation::Signal;
use crate::cli::app::{self, App};

/// The variable with the name of the socket. A leading `@` denotes Linux's abstract socket namespace.
const SOCKET: &str = "DOCKER_CLI_PLUGIN_SOCKET";

/// Cancels the command when docker's client ends.
pub fn cancel_when_docker_cli_exits(app: &App) {
    let Some(socket) = app::variable(SOCKET).filter(|name| !name.is_empty()) else { return };
    // Without the socket, the end of the client is not noticed. Clients before version 25 have none.
    let Ok(mut stream) = connect(&socket) else { return };
    let cancellation = app.cancellation();
    thread::spawn(move || {
        let mut byte = [0];
        while matches!(stream.read(&mut byte), Ok(1..)) {}
        // If a signal was received, it is kept, because it is more precise.
        if cancellation.signal().is_none() {
            cancellation.cancel(Signal::Terminate);
        }
    });
}

fn connect(socket: &str) -> io::Result<UnixStream> {
    match socket.strip_prefix('@') {
        Some(name) => connect_abstract(name),
        None => UnixStream::connect(socket),
    }
}

#[cfg(target_os = "linux")]
fn connect_abstract(name: &str) -> io::Result<UnixStream> {
    use std::os::linux::net::SocketAddrExt as _;
    UnixStream::connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)
}

/// Other systems have no abstract namespace. On them, docker's client uses a file whose name includes the `@`.
#[cfg(not(target_os = "linux"))]
fn connect_abstract(name: &str) -> io::Result<UnixStream> {
    UnixStream::connect(format!("@{name}"))
}
