//! Hints about connections that fail.

use crate::api::config::endpoint::Endpoint;
use crate::api::error::ConnectErrorKind;
use crate::cli::messages::shell;

/// The hint for a failed connection to `endpoint`. `context` is the Docker context that selected it.
pub fn hint(kind: ConnectErrorKind, endpoint: &str, context: Option<&str>) -> String {
    let is_about_files = matches!(
        kind,
        ConnectErrorKind::UntrustedCertificate
            | ConnectErrorKind::ClientCertificate
            | ConnectErrorKind::TlsFile
    );
    // Flags do not override the TLS files of a context.
    if let Some(context) = context.filter(|_| is_about_files) {
        return format!(
            "give the context other files: `docker context update {} --docker \
             host={endpoint},ca=FILE,cert=FILE,key=FILE`",
            shell::word(context)
        );
    }
    match kind {
        ConnectErrorKind::HostNotFound => "check the name in `-H`, DOCKER_HOST or the context".to_owned(),
        ConnectErrorKind::TlsUnsupported => {
            "use the port with TLS (usually 2376), or remove `--tls`, DOCKER_TLS_VERIFY and similar settings".to_owned()
        }
        ConnectErrorKind::TlsRequired => "use TLS with `--tlsverify` or DOCKER_TLS_VERIFY=1".to_owned(),
        ConnectErrorKind::UntrustedCertificate => {
            "specify the CA that signed it with `--tlscacert FILE` before the subcommand".to_owned()
        }
        ConnectErrorKind::ExpiredCertificate => {
            "renew the engine's certificate (the file in its `tlscert` setting), and restart the engine".to_owned()
        }
        ConnectErrorKind::CertificateVersion => {
            "issue a new certificate with extensions for the engine's `tlscert` setting: for example with \
             `openssl x509 -req -extfile FILE`, and `subjectAltName=DNS:HOST` in FILE"
                .to_owned()
        }
        ConnectErrorKind::InvalidCertificate => {
            "use a host name that the certificate contains, or issue a new certificate".to_owned()
        }
        ConnectErrorKind::ClientCertificate => {
            "specify a certificate signed by the engine's CA with `--tlscert FILE --tlskey FILE` before the subcommand"
                .to_owned()
        }
        ConnectErrorKind::TlsFile => {
            "select other files with `--tlscacert`, `--tlscert` and `--tlskey` before the subcommand, or with DOCKER_CERT_PATH"
                .to_owned()
        }
        ConnectErrorKind::Proxy => "add hosts that need no proxy to NO_PROXY".to_owned(),
        ConnectErrorKind::ProxyAuthentication => {
            "check the user and password in the proxy's URL (`http://USER:PASSWORD@HOST:PORT` in HTTP_PROXY or \
             HTTPS_PROXY), or add hosts that need no proxy to NO_PROXY"
                .to_owned()
        }
        ConnectErrorKind::Ssh => format!("check whether this works: {}", ssh_command(endpoint)),
        ConnectErrorKind::DockerNotInstalled => {
            format!("docker must be in the PATH of a login without a terminal; check {}", ssh_command(endpoint))
        }
        ConnectErrorKind::NotAnEngine => {
            "a login without a terminal must not print anything: check its ~/.bashrc or /etc/profile".to_owned()
        }
        ConnectErrorKind::TooManyConnections => "the engine may be slow; try again".to_owned(),
    }
}

/// A command that uses the same engine over ssh. The path of the socket is quoted for two shells: the local one and the
/// one on the remote host.
fn ssh_command(endpoint: &str) -> String {
    let Ok(Endpoint::Ssh(ssh)) = Endpoint::parse(endpoint, None) else {
        return "`ssh HOST docker version`".to_owned();
    };
    let port = ssh.port.map_or_else(String::new, |port| format!(" -p {port}"));
    let user = ssh.user.map_or_else(String::new, |user| format!("{user}@"));
    let address = format!("{user}{}", ssh.host);
    let command = match ssh.path.map(|path| format!("unix://{path}")) {
        None => "docker version".to_owned(),
        Some(socket) => match shell::argument(socket.as_bytes()) {
            plain if plain == socket => format!("docker -H {plain} version"),
            quoted => shell::argument(format!("docker -H {quoted} version").as_bytes()).into_owned(),
        },
    };
    format!("`ssh{port} {} {command}`", shell::word(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ssh_command_uses_the_socket_of_the_endpoint() {
        for (endpoint, command) in [
            ("ssh://eng", "`ssh eng docker version`"),
            ("ssh://me@eng:23", "`ssh -p 23 me@eng docker version`"),
            ("ssh://[fd00::1]:23", "`ssh -p 23 fd00::1 docker version`"),
            ("ssh://eng/run/x.sock", "`ssh eng docker -H unix:///run/x.sock version`"),
            ("ssh://eng/a b", r"`ssh eng 'docker -H '\''unix:///a b'\'' version'`"),
        ] {
            assert_eq!(ssh_command(endpoint), command);
        }
    }
}
