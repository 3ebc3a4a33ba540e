//! docker's client, as long as it runs: where it is told to end and is on no terminal, it closes a socket instead of
//! passing the signal on.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::thread;

use signal_hook::consts::SIGTERM;

use crate::cli::app;
use crate::cli::app::App;

/// Names the socket; a leading `@` stands for Linux's own name space of sockets.
const SOCKET: &str = "DOCKER_CLI_PLUGIN_SOCKET";

/// From now on the end of docker's client is a signal to end.
pub fn follow(app: &App) {
    let Some(socket) = app::variable(SOCKET).filter(|name| !name.is_empty()) else { return };
    // Older clients have no such socket, and send signals.
    let Ok(mut stream) = connect(&socket) else { return };
    let cancellation = app.cancellation();
    thread::spawn(move || {
        let mut byte = [0];
        while matches!(stream.read(&mut byte), Ok(1..)) {}
        // A signal that has come by itself says which one it is.
        if cancellation.signal().is_none() {
            cancellation.cancel(SIGTERM.unsigned_abs() as usize);
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

/// Other systems have no such name space; docker's client there names a file, `@` included.
#[cfg(not(target_os = "linux"))]
fn connect_abstract(name: &str) -> io::Result<UnixStream> {
    UnixStream::connect(format!("@{name}"))
}
