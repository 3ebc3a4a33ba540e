//! https: authorities and client certificates in certs.d, insecure registries, and no fallback to http.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{ENTRY, login, printed, tags};
use crate::support::certificates::{Authority, CertifiedKey, Validity};
use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_registry::{FakeRegistry, Proxy, tags as page, unauthorized};
use crate::support::run::{Swarmctl, swarmctl};
use crate::support::server::Answer;

/// The host name of a registry. It is not this machine, so swarmctl asks the engine whether the registry is insecure.
const NAME: &str = "registry.example.com";

fn certs(directory: &Path, host: &str, files: &[(&str, &str)]) {
    let directory = directory.join(host);
    fs::create_dir_all(&directory).unwrap();
    for (name, text) in files {
        fs::write(directory.join(name), text).unwrap();
    }
}

/// `tags` of the registry `NAME`, with this engine. A proxy connects the name to `registry`.
fn named(registry: &FakeRegistry, engine: &str) -> Swarmctl {
    let proxy = Proxy::start(&[(NAME, registry.port())]);
    let subject = format!("{NAME}/shop/web");
    let run = swarmctl(["tags", "--json", subject.as_str()]).host(engine);
    run.env("HTTPS_PROXY", &proxy.url).env("HTTP_PROXY", &proxy.url)
}

fn info(config: &serde_json::Value) -> Engine {
    let info = json!({ "Name": "n", "RegistryConfig": config }).to_string();
    Engine::ordered([get("/v1.41/info").answers(Answer::json(200, info))])
}

#[test]
fn an_authority_and_a_client_certificate_of_certs_d_are_used() {
    let (authority, clients) = (Authority::new("ours"), Authority::new("clients"));
    let pair = authority.engine(&[NAME], Validity::Now);
    let registry = FakeRegistry::tls(&pair, Some(&clients), |_| page(&["1.0.0"]));
    let CertifiedKey { cert, key } = clients.client(Validity::Now);
    let directory = tempfile::tempdir().unwrap();
    certs(directory.path(), NAME, &[("ca.crt", &authority.pem), ("own.cert", &cert), ("own.key", &key)]);
    let directory_name = directory.path().to_str().unwrap();
    // The engine is contacted only if https fails, so none is needed.
    let run =
        || named(&registry, "unix:///nonexistent").env("SWARMCTL_TEST_CERTS_DIRECTORY", directory_name).run();
    assert_eq!(printed(&run().succeeds()), ["1.0.0"]);
    // Docker uses the directory `NAME:443` if the image reference contains the default port.
    let with_port = format!("{NAME}:443");
    fs::rename(directory.path().join(NAME), directory.path().join(&with_port)).unwrap();
    assert_eq!(printed(&run().succeeds()), ["1.0.0"]);
    fs::rename(directory.path().join(&with_port), directory.path().join(NAME)).unwrap();
    fs::remove_file(directory.path().join(NAME).join("own.key")).unwrap();
    let run = run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("has no key"), "{}", run.stderr);
}

#[test]
fn a_certificate_without_a_trusted_authority_is_refused() {
    let pair = Authority::new("theirs").engine(&[NAME], Validity::Now);
    let registry = FakeRegistry::tls(&pair, None, |_| page(&["1.0.0"]));
    for config in
        [json!({}), json!({ "IndexConfigs": { NAME: { "Secure": true } }, "InsecureRegistryCIDRs": null })]
    {
        let engine = info(&config);
        let run = named(&registry, &engine.host()).run().fails_with(Exit::Failed);
        assert!(run.stderr.contains(&format!("cannot connect to `https://{NAME}`")), "{}", run.stderr);
        assert!(run.stderr.contains("the registry's certificate is not signed by"), "{}", run.stderr);
        assert!(registry.lines().is_empty());
    }
    // If the engine refuses the request, no registry counts as insecure.
    let engine = Engine::ordered([get("/v1.41/info").answers(Answer::error(403, "forbidden"))]);
    named(&registry, &engine.host()).run().fails_with(Exit::Failed);
}

#[test]
fn a_registry_that_the_engine_lists_as_insecure_is_used_without_verification_or_tls() {
    let insecure = json!({ "IndexConfigs": { NAME: { "Secure": false } } });
    let pair = Authority::new("theirs").engine(&["other.example.com"], Validity::Past);
    let registry = FakeRegistry::tls(&pair, None, |_| page(&["1.0.0"]));
    let engine = info(&insecure);
    assert_eq!(printed(&named(&registry, &engine.host()).run().succeeds()), ["1.0.0"]);
    // Registries on this machine are insecure by default, so no engine is needed.
    let run = tags(&registry.image("shop/web")).run().succeeds();
    assert_eq!(printed(&run), ["1.0.0"]);
}

#[test]
fn a_redirect_from_https_to_http_is_not_followed() {
    let plain = FakeRegistry::plain(|_| page(&["1.0.0"]));
    let to = format!("http://{}/v2/", plain.host());
    let pair = Authority::new("ours").engine(&["127.0.0.1"], Validity::Now);
    let registry = FakeRegistry::tls(&pair, None, move |_| Answer::page(307).header("Location", &to));
    let run = tags(&registry.image("shop/web")).run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("a redirect from https to `http://"), "{}", run.stderr);
    assert!(plain.lines().is_empty());
}

#[test]
fn an_https_registry_does_not_send_credentials_to_an_http_realm() {
    let realm = FakeRegistry::plain(|_| Answer::json(200, r#"{"token": "t1"}"#));
    let challenge = format!(r#"Bearer realm="http://{}/token",service="r""#, realm.host());
    let pair = Authority::new("ours").engine(&["127.0.0.1"], Validity::Now);
    let registry = FakeRegistry::tls(&pair, None, move |_| unauthorized(&challenge));
    let config = login(&registry.host(), ENTRY);
    let run = tags(&registry.image("shop/web")).env("DOCKER_CONFIG", config.path().to_str().unwrap());
    let run = run.run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("does not use https"), "{}", run.stderr);
    assert!(realm.lines().is_empty());
}
