//! Registries that refuse temporarily, endless lists, and time limits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{printed, tags};
use crate::support::exit::Exit;
use crate::support::fake_registry::{FakeRegistry, refused, tags as page};
use crate::support::server::{Answer, Framing, ResponseFault};

/// A registry that sends `refusal` to the first `times` requests, and a list of tags to later ones.
fn refusing(times: usize, refusal: impl Fn() -> Answer + Send + 'static) -> FakeRegistry {
    let asked = AtomicUsize::new(0);
    FakeRegistry::plain(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        n if n < times => refusal(),
        _ => page(&["1.0.0"]),
    })
}

fn too_many() -> Answer {
    refused(429, "TOOMANYREQUESTS", "pull rate limit")
}

#[test]
fn a_requested_delay_is_observed() {
    let seconds = refusing(1, || too_many().header("Retry-After", "1"));
    let run = tags(&seconds.image("shop/web")).run().succeeds();
    let run = run.says(&["`127.0.0.1` responded with 429; retrying in 1 s"]);
    assert!((1.0..8.0).contains(&run.took.as_secs_f32()), "{}", run.report());
    let date = refusing(1, || {
        let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
        let then = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap();
        Answer::page(503).header("Retry-After", &then)
    });
    let run = tags(&date.image("shop/web")).run().succeeds();
    assert!((0.9..8.0).contains(&run.took.as_secs_f32()), "{}", run.report());
    assert_eq!(printed(&run), ["1.0.0"]);
}

#[test]
fn a_request_is_repeated_three_times_and_no_more() {
    let registry = refusing(3, too_many);
    tags(&registry.image("shop/web")).run().succeeds();
    let registry = refusing(4, too_many);
    let run = tags(&registry.image("shop/web")).run().fails_with(Exit::Failed);
    assert_eq!(registry.lines().len(), 4);
    assert!(
        run.stderr.contains("still responds with 429 after 3 retries: pull rate limit"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_list_of_more_than_200_pages_or_64_mib_is_an_error() {
    let registry = FakeRegistry::plain(|request| {
        let n: usize = request.param("last").map_or(0, |last| last.parse().unwrap());
        page(&[format!("1.{n}")]).header("Link", &format!("</?last={}>; rel=next", n + 1))
    });
    let run = tags(&registry.image("shop/web")).run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("more than 200 pages"), "{}", run.stderr);
    assert_eq!(registry.lines().len(), 200);
    let registry =
        FakeRegistry::plain(|_| Answer::json(200, "x".repeat((64 << 20) + 1)).framed(Framing::Length));
    let run =
        tags(&registry.image("shop/web")).timeouts("registry_request=90000").run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("longer than 64 MiB"), "{}", run.stderr);
}

#[test]
fn requests_to_a_silent_registry_time_out() {
    let registry = FakeRegistry::plain(|_| page(&["1.0.0"]).broken(ResponseFault::Stall(10)));
    let run =
        tags(&registry.image("shop/web")).timeouts("registry_request=600").run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("no response to `GET http://127.0.0.1:"), "{}", run.stderr);
    assert!(run.took < Duration::from_secs(8), "{}", run.report());
}

#[test]
fn a_registry_that_does_not_listen_is_reported() {
    let run = tags("127.0.0.1:1/shop/web").run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("cannot connect to `https://127.0.0.1:1`"), "{}", run.stderr);
}
