//! Lists with several pages: all pages are read, or the command fails.

use super::{printed, tags};
use crate::support::exit::Exit;
use crate::support::fake_registry::{FakeRegistry, refused, tags as page};
use crate::support::server::{Answer, Framing};

fn numbered(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("1.{n}.0")).collect()
}

/// Some registries refuse a page size above a limit (Amazon's: 1000). The limit here is 100, so `n=1000` is refused.
#[test]
fn a_page_size_that_is_refused_is_left_out() {
    let registry = FakeRegistry::plain(|request| match (request.param("n"), request.param("last")) {
        (Some("1000"), _) => refused(400, "PAGINATION_NUMBER_INVALID", "n must be at most 100"),
        (None, None) => {
            page(&numbered(0..100)).header("Link", r#"</v2/shop/web/tags/list?last=1.99.0>; rel="next""#)
        }
        (None, Some("1.99.0")) => page(&numbered(100..150)),
        _ => refused(500, "UNKNOWN", "not asked for"),
    });
    let run = tags(&registry.image("shop/web:1.0.0")).run().succeeds();
    assert_eq!(printed(&run).len(), 150);
    let path = "GET /v2/shop/web/tags/list";
    assert_eq!(registry.lines(), [format!("{path}?n=1000"), path.to_owned(), format!("{path}?last=1.99.0")]);
    let registry = FakeRegistry::plain(|request| match request.param("n") {
        Some(_) => Answer::page(405),
        None => page(&["1.0.0"]),
    });
    assert_eq!(printed(&tags(&registry.image("shop/web")).run().succeeds()), ["1.0.0"]);
    let registry = FakeRegistry::plain(|_| refused(400, "UNSUPPORTED", "no lists here"));
    let run = tags(&registry.image("shop/web")).run().fails_with(Exit::Failed);
    assert_eq!(registry.lines().len(), 2, "once without `n`, and no more");
    assert!(run.stderr.contains("no lists here"), "{}", run.stderr);
}

/// GitHub's registry lists the oldest tags first, so the newest tags are on the last page. Quay's pages can be empty or
/// shorter than `n`.
#[test]
fn short_pages_and_empty_ones_with_a_next_page_do_not_end_the_list() {
    let registry = FakeRegistry::plain(|request| {
        let link =
            |last: &str| format!("<https://{}/v2/shop/web/tags/list?n=1000&last={last}>; rel=\"next\"", "x");
        let relative = |last: &str| link(last).replace("https://x", "");
        match request.param("last") {
            None => page(&["0.9.0", "latest"]).header("Link", &relative("a")),
            Some("a") => page::<&str>(&[]).header("Link", &relative("b")),
            Some("b") => {
                Answer::json(200, r#"{"name": "shop/web", "tags": null}"#).header("Link", &relative("c"))
            }
            Some(_) => page(&["1.0.0", "1.1.0"]),
        }
    });
    let run = tags(&registry.image("shop/web:0.9.0")).run().succeeds();
    assert_eq!(printed(&run), ["1.1.0", "1.0.0", "0.9.0", "latest"]);
}

/// Artifactory serves a repository below a prefix that its links do not have.
#[test]
fn the_next_page_is_the_same_path_with_the_query_of_the_link() {
    let registry = FakeRegistry::plain(|request| match (request.path.as_str(), request.param("last")) {
        ("/v2/docker-local/shop/web/tags/list", None) => {
            page(&["1.0.0"]).header("Link", r#"</v2/shop/web/tags/list?last=1.0.0&n=1000>; rel="next""#)
        }
        ("/v2/docker-local/shop/web/tags/list", Some(_)) => page(&["1.1.0"]),
        _ => Answer::page(404),
    });
    let run = tags(&registry.image("docker-local/shop/web")).run().succeeds();
    assert_eq!(printed(&run), ["1.1.0", "1.0.0"]);
}

#[test]
fn ten_thousand_tags_are_read() {
    let registry = FakeRegistry::plain(|request| {
        let from: usize = request.param("last").map_or(0, |last| last.parse().unwrap());
        let page = page(&numbered(from..from + 1000));
        match from + 1000 {
            10_000 => page,
            next => {
                page.header("Link", &format!("</v2/shop/web/tags/list?n=1000&last={next}>; rel=\"next\""))
            }
        }
    });
    let run = tags(&registry.image("shop/web:1.0.0")).run().succeeds();
    let printed = printed(&run);
    assert_eq!((printed.len(), printed[0].as_str()), (10_000, "1.9999.0"));
}

#[test]
fn an_incomplete_list_is_never_used() {
    let next =
        |target: &'static str| move || page(&["1.0.0"]).header("Link", &format!("<{target}>; rel=\"next\""));
    let looping = next("/v2/shop/web/tags/list?n=1000");
    type MakeAnswer = Box<dyn Fn() -> Answer + Send>;
    let cases: Vec<(MakeAnswer, &str)> = vec![
        (Box::new(looping), "its next page was read already"),
        (
            Box::new(next("https://127.0.0.1:1/v2/shop/web/tags/list?last=1")),
            "its next page is on `https://127.0.0.1:1`",
        ),
        (Box::new(next("http://other.example.com/v2/shop/web/tags/list?last=1")), "which is not followed"),
        (
            Box::new(|| page(&["1.0.0"]).header("Link", "/v2/shop/web/tags/list?last=1; rel=next")),
            "malformed",
        ),
        (Box::new(|| Answer::json(200, r#"{"name": "shop/web"}"#)), "missing field `tags`"),
        (Box::new(|| Answer::json(200, r#"{"tags": ["1.0.0""#)), "invalid response"),
        (Box::new(|| Answer::json(200, "<html>")), "invalid response"),
        (Box::new(|| page(&["1.0.0"]).framed(Framing::WrongLength(4000))), "the connection was lost"),
        (Box::new(|| Answer::page(500)), "status 500"),
    ];
    for (answer, why) in cases {
        let registry = FakeRegistry::plain(move |_| answer());
        let run = tags(&registry.image("shop/web:1.0.0")).run().fails_with(Exit::Failed);
        assert_eq!(run.stdout, "");
        let what = format!("error: cannot list the tags of `{}/shop/web`", registry.host());
        assert!(run.stderr.starts_with(&what) && run.stderr.contains(why), "{why}: {}", run.stderr);
    }
}

/// The first page is complete, and the second one is broken.
#[test]
fn a_later_page_that_breaks_off_is_an_error() {
    let registry = FakeRegistry::plain(|request| match request.param("last") {
        None => page(&["1.0.0"]).header("Link", "</v2/shop/web/tags/list?last=1.0.0>; rel=next"),
        Some(_) => page(&["1.1.0"]).framed(Framing::WrongLength(4000)),
    });
    let run = tags(&registry.image("shop/web")).run().fails_with(Exit::Failed);
    assert_eq!(run.stdout, "");
    // A 404 for the second page does not mean that the repository does not exist.
    let registry = FakeRegistry::plain(|request| match request.param("last") {
        None => page(&["1.0.0"]).header("Link", "</v2/shop/web/tags/list?last=1.0.0>; rel=next"),
        Some(_) => refused(404, "NAME_UNKNOWN", "not here"),
    });
    let run = tags(&registry.image("shop/web")).run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("status 404"), "{}", run.stderr);
}

#[test]
fn an_empty_list_is_a_list() {
    let registry = FakeRegistry::plain(|_| Answer::json(200, r#"{"name": "shop/web", "tags": null}"#));
    assert!(printed(&tags(&registry.image("shop/web")).run().succeeds()).is_empty());
}

#[test]
fn a_missing_repository_is_not_found() {
    let registry =
        FakeRegistry::plain(|_| refused(404, "NAME_UNKNOWN", "repository name not known to registry"));
    let run = tags(&registry.image("shop/web")).run().fails_with(Exit::NotFound);
    assert!(run.stderr.contains("has no repository `shop/web`: repository name not known"), "{}", run.stderr);
}

#[test]
fn texts_that_cannot_be_tags_are_ignored() {
    let registry =
        FakeRegistry::plain(|_| page(&["1.0.0", "", "a b", "\u{1b}[31m", "-x", "1.0.0", &"9".repeat(129)]));
    assert_eq!(printed(&tags(&registry.image("shop/web")).run().succeeds()), ["1.0.0"]);
}
