//! Hints about connections that fail.

use crate::api::error::ConnectErrorKind;
use crate::cli::messages::shell;

/// The hint for a failed connection to `endpoint`. `context` is the Docker context that selected it.
pub fn hint(kind: ConnectErrorKind, endpoint: &str, context: Option<&str>) -> String {
    let ssh_command = || {
        let address = endpoint.trim_start_matches("ssh://").split('/').next().unwrap_or_default();
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, format!(" -p {port}")),
            _ => (address, String::new()),
        };
        format!("`ssh{port} {} docker version`", host.replace(['[', ']'], ""))
    };
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
        ConnectErrorKind::Ssh => format!("check whether this works: {}", ssh_command()),
        ConnectErrorKind::DockerNotInstalled => {
            format!("docker must be in the PATH of a login without a terminal; check {}", ssh_command())
        }
        ConnectErrorKind::NotAnEngine => {
            "a login without a terminal must not print anything: check its ~/.bashrc or /etc/profile".to_owned()
        }
        ConnectErrorKind::TooManyConnections => "the engine may be slow; try again".to_owned(),
    }
}
