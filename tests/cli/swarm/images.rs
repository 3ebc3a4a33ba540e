//! `images` and `update-image --from` between real swarms: drift, promotion through a pipe, another registry.

use super::engine::{Engine, Removed, engine, small};
use super::registry::Registry;
use crate::support::exit::Exit;
use crate::support::secrets::PASSWORD;

const DRIFT: &[&str] = &["update-image", "--from", "-", "--dry-run", "--exit-code"];

fn image(engine: &Engine, name: &str) -> String {
    let service = engine.service(name);
    service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default().to_owned()
}

/// Creates a service with this image, and waits until its task runs.
fn running(engine: &'static Engine, name: &str, image: &str) -> Removed {
    let service = engine.create(&small(name, image));
    engine.wait_until("it runs", |engine| engine.running_tasks(service.id()) == 1);
    service
}

/// The output of `images` for this service. It must be pinned and have converged.
fn images(engine: &Engine, name: &str) -> String {
    engine.swarmctl(&["images", "--pinned", "--converged", name]).run().succeeds().stdout
}

#[test]
fn a_converged_swarm_has_no_drift_and_a_foreign_update_is_drift() {
    let engine = engine();
    let registry = Registry::open(engine, 5620);
    registry.push_new("1");
    let other = registry.push_new("2");
    let _service = running(engine, "im-drift", &registry.image("1"));
    engine.swarmctl(&["update-image", "--refresh", "im-drift"]).run().succeeds();
    let list = images(engine, "im-drift");
    engine.swarmctl(DRIFT).stdin(&list).run().succeeds();
    engine.change("im-drift", |spec| {
        let image = format!("{}@{other}", registry.image("2"));
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = image.into();
    });
    engine.swarmctl(DRIFT).stdin(&list).run().answers(Exit::Different);
    // After the list has been deployed, the service matches it.
    engine.swarmctl(&["update-image", "--from", "-"]).stdin(&list).run().succeeds();
    engine.swarmctl(DRIFT).stdin(&images(engine, "im-drift")).run().succeeds();
    assert_eq!(images(engine, "im-drift"), list);
}

#[test]
fn a_promotion_by_a_pipe_ends_with_equal_digests() {
    let staging = engine();
    let production: &'static Engine = Box::leak(Box::new(Engine::with_options("prod", &[])));
    let registry = Registry::open(staging, 5621);
    registry.push_new("1");
    let digest = registry.push_new("2");
    let _served = registry.also_in(production);
    let first = registry.image("1");
    let _services = [staging, production].map(|engine| running(engine, "im-web", &first));
    staging.swarmctl(&["update-image", "im-web", &registry.image("2")]).run().succeeds();
    let list = images(staging, "im-web");
    production.swarmctl(&["update-image", "--from", "-", "--canary", "1"]).stdin(&list).run().succeeds();
    assert_eq!(image(production, "im-web"), format!("{}@{digest}", registry.image("2")));
    assert_eq!(image(production, "im-web"), image(staging, "im-web"));
    // If the rollout fails in staging, the image is not promoted.
    staging.change("im-web", |spec| {
        let container = &mut spec["TaskTemplate"]["ContainerSpec"];
        container["Command"] = serde_json::json!(["/nosuch"]);
    });
    let refused = staging.swarmctl(&["images", "--pinned", "--converged", "im-web"]).run();
    assert_ne!(refused.code, Some(0), "{}", refused.report());
    assert_eq!(refused.stdout, "");
    let before = production.service("im-web");
    let run = production.swarmctl(&["update-image", "--from", "-"]).stdin(&refused.stdout).run();
    run.fails_with(Exit::Usage);
    assert_eq!(production.service("im-web"), before);
    drop(_services);
    production.swarmctl(&["ls", "-q"]).run().succeeds();
}

#[test]
fn images_are_mapped_to_a_registry_that_has_the_digest_and_to_no_other() {
    let engine = engine();
    let (from, to) = (Registry::open(engine, 5622), Registry::open(engine, 5623));
    from.push_new("1");
    let digest = from.push_new("2");
    let _service = running(engine, "im-map", &from.image("1"));
    let list = format!("im-map {}@{digest}\n", from.image("2"));
    let map = |to: &Registry| {
        let mapping = format!("{}={}", from.host, to.host);
        engine.swarmctl(&["update-image", "--from", "-", "--map-registry", &mapping]).stdin(&list).run()
    };
    // The other registry has the tag with another digest.
    to.push_new("2");
    let run = map(&to).fails_with(Exit::Failed);
    run.says(&["does not have", "copy it first", "docker buildx imagetools create -t"]);
    let closed = Registry::closed(engine, 5624, PASSWORD);
    map(&closed).fails_with(Exit::Failed).says(&["docker login"]);
    assert_eq!(image(engine, "im-map"), from.image("1"));
    assert_eq!(to.copy_from(&from, "2"), digest);
    map(&to).succeeds();
    assert_eq!(image(engine, "im-map"), format!("{}@{digest}", to.image("2")));
}
