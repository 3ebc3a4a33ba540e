//! Docker Hub: its registry has another host name, and its token server a third one.

use super::{BASIC, ENTRY, login, printed};
use crate::support::certificates::{Authority, Validity};
use crate::support::fake_registry::{FakeRegistry, Proxy, tags as page, unauthorized};
use crate::support::run::swarmctl;
use crate::support::server::Answer;

#[test]
fn docker_hub_is_contacted_at_its_registry_host() {
    let authority = Authority::new("everybody's");
    let pair = authority.engine(&["registry-1.docker.io", "auth.docker.io"], Validity::Now);
    let auth = FakeRegistry::tls(&pair, None, |request| match request.header("Authorization") {
        Some(BASIC) => Answer::json(200, r#"{"token": "t1", "expires_in": 300}"#),
        _ => Answer::page(401),
    });
    let hub = FakeRegistry::tls(&pair, None, |request| match request.header("Authorization") {
        Some("Bearer t1") => page(&["1.25.3", "1.27.0", "latest"]),
        _ => unauthorized(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull""#,
        ),
    });
    let proxy = Proxy::start(&[("registry-1.docker.io", hub.port()), ("auth.docker.io", auth.port())]);
    let trust = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(trust.path(), &authority.pem).unwrap();
    let config = login("https://index.docker.io/v1/", ENTRY);
    for (subject, path) in [("nginx:1.25.3", "library/nginx"), ("docker.io/shop/web:1.25.3", "shop/web")] {
        let run = swarmctl(["tags", "--json", subject]).host("unix:///nonexistent");
        let run = run
            .env("HTTPS_PROXY", &proxy.url)
            .env("SSL_CERT_FILE", trust.path().to_str().unwrap())
            .env("DOCKER_CONFIG", config.path().to_str().unwrap())
            .run()
            .succeeds();
        assert_eq!(printed(&run), ["1.27.0", "1.25.3", "latest"]);
        let last = auth.lines().pop().unwrap();
        assert_eq!(last, format!("GET /token?service=registry.docker.io&scope=repository:{path}:pull"));
        assert_eq!(hub.lines().pop().unwrap(), format!("GET /v2/{path}/tags/list?n=1000"));
        assert_eq!(hub.requests().pop().unwrap().header("Host"), Some("registry-1.docker.io"));
    }
}
