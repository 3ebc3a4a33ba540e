use proptest::prelude::*;

use super::*;

const D: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn familiar(text: &str) -> Option<String> {
    ImageRef::parse(text).ok().map(|image| image.familiar())
}

/// Recorded from docker 28.2.2; the two differences are marked.
#[test]
fn writes_references_as_docker_does() {
    let pinned = format!("nginx@sha256:{D}");
    let both = format!("nginx:1@sha256:{D}");
    let long_digest = format!("nginx@sha512:{D}{D}");
    let table = [
        ("nginx", "nginx:latest"),
        ("nginx:1.25", "nginx:1.25"),
        ("nginx:_", "nginx:_"),
        ("nginx:Latest", "nginx:Latest"),
        ("library/nginx", "nginx:latest"),
        ("docker.io/nginx", "nginx:latest"),
        ("docker.io/library/nginx", "nginx:latest"),
        ("index.docker.io/library/nginx", "nginx:latest"),
        ("index.docker.io/nginx", "nginx:latest"),
        ("docker.io/library/a/b", "library/a/b:latest"),
        ("index.docker.io/a/b", "a/b:latest"),
        ("docker.io:443/foo", "docker.io:443/foo:latest"),
        ("docker.io", "docker.io:latest"),
        ("foo/bar", "foo/bar:latest"),
        ("localhost", "localhost:latest"),
        ("localhost/bar", "localhost/bar:latest"),
        ("localhost:5000", "localhost:5000"),
        ("localhost:5000/bar", "localhost:5000/bar:latest"),
        ("LOCALHOST/x", "LOCALHOST/x:latest"),
        ("foo:5000/bar", "foo:5000/bar:latest"),
        ("a:80/c", "a:80/c:latest"),
        ("foo.com/bar", "foo.com/bar:latest"),
        ("FOO/bar", "FOO/bar:latest"),
        ("foo.com:99999/x", "foo.com:99999/x:latest"),
        ("foo_bar.com/x", "foo_bar.com/x:latest"),
        ("1.2.3.4:5/a", "1.2.3.4:5/a:latest"),
        ("[::1]/a", "[::1]/a:latest"),
        ("[2001:db8::1]:5000/foo", "[2001:db8::1]:5000/foo:latest"),
        ("a.b", "a.b:latest"),
        ("a--b", "a--b:latest"),
        ("a__b", "a__b:latest"),
        (&pinned, &pinned),
        (&both, &both),
        (&long_digest, &long_digest),
        // Docker writes these two without `docker.io/`, which is another image.
        ("docker.io/foo.bar/baz", "docker.io/foo.bar/baz:latest"),
        ("docker.io/localhost/baz", "docker.io/localhost/baz:latest"),
    ];
    for (text, want) in table {
        assert_eq!(familiar(text).as_deref(), Some(want), "{text}");
    }
    let id_as_name = format!("foo/{D}");
    assert_eq!(familiar(&id_as_name), Some(format!("{id_as_name}:latest")));
}

#[test]
fn refuses_what_docker_refuses() {
    let short = format!("nginx@sha256:{}", &D[..32]);
    let loud = format!("nginx@sha256:{}", D.to_uppercase());
    let wrong_length = format!("nginx@sha512:{D}");
    let twice = format!("nginx@sha256:{D}@sha256:{D}");
    let long_tag = format!("nginx:{}", "x".repeat(129));
    let long_name = format!("library/{}", "b".repeat(250));
    let table = [
        "",
        "/",
        ":x",
        "a//b",
        "/a",
        "a/",
        "a/b/",
        "a-",
        "-a",
        "_a",
        "a___b",
        "a._b",
        "a..b",
        "foo/Bar",
        "Nginx",
        "FOO",
        "docker.io/",
        "docker.io/FOO",
        "docker.io/Foo/bar",
        "a:b/c",
        "foo-.com/x",
        "foo.com:/x",
        "foo.com:a/x",
        "[::1]x/a",
        "[::1]:/a",
        "[]/a",
        "nginx:",
        "nginx:-x",
        "nginx:é",
        "nginx:1:2",
        "nginx:1@",
        "nginx@sha256",
        "a@b",
        "nginx@md5:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "a b",
        "nginx ",
        " nginx",
        "é/x",
        "https://a/b",
        "Not A Ref!",
        D,
        &short,
        &loud,
        &wrong_length,
        &twice,
        &long_tag,
        &long_name,
    ];
    for text in table {
        let refused = ImageRef::parse(text).expect_err(text);
        assert!(
            refused.to_string().starts_with(&format!("`{text}` is not a valid image reference: ")),
            "{refused}"
        );
    }
    assert_eq!(familiar(&format!("foo.com/{}", "a".repeat(255))).map(|s| s.len()), Some(270));
    assert_eq!(familiar(&format!("foo.com/{}", "a".repeat(256))), None);
    assert!(familiar(&format!("nginx:{}", "x".repeat(128))).is_some());
}

#[test]
fn distinguishes_same_pinned_and_other_images() {
    let pinned = format!("nginx:latest@sha256:{D}");
    for (requested, running, want) in [
        ("nginx", "docker.io/library/nginx:latest", Likeness::Same),
        ("nginx", &pinned, Likeness::Pinned),
        (&pinned, &pinned, Likeness::Same),
        (&pinned, "nginx", Likeness::Other),
        ("nginx:1", &pinned, Likeness::Other),
        ("nginx", "nginx:1", Likeness::Other),
        ("nginx", "team/nginx", Likeness::Other),
        ("nginx", "Not A Ref!", Likeness::Other),
        ("Not A Ref!", "Not A Ref!", Likeness::Same),
    ] {
        assert_eq!(names_same_image(requested, running), want, "{requested} {running}");
    }
}

#[test]
fn takes_a_reference_apart_and_changes_it() {
    let image = ImageRef::parse("nginx:1").unwrap();
    assert_eq!(
        (image.domain(), image.path(), image.repository().as_str(), image.tag(), image.digest()),
        ("docker.io", "library/nginx", "docker.io/library/nginx", Some("1"), None)
    );
    let pinned = image.with_digest(&format!("sha256:{D}")).unwrap();
    assert_eq!(pinned.familiar(), format!("nginx:1@sha256:{D}"));
    assert_eq!(pinned.familiar_without_digest(), "nginx:1");
    assert_eq!(pinned.with_tag("2").unwrap().familiar(), "nginx:2");
    assert!(pinned.same_repository(&image));
    assert!(image.with_tag("a b").is_err());
    assert!(image.with_digest("sha256:1").is_err());
    assert_eq!(image.to_string(), "docker.io/library/nginx:1");
}

proptest! {
    #[test]
    fn what_is_written_reads_as_the_same(
        domain in "(([a-z0-9]{1,5}(\\.[a-z]{2,3})?(:[0-9]{1,4})?|localhost|docker\\.io|FOO)/)?",
        path in "[a-z0-9]{1,6}((\\.|_|__|-{1,3})[a-z0-9]{1,4})?(/[a-z0-9]{1,6}){0,2}",
        tag in "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,8})?",
        digest in "(@sha256:[0-9a-f]{64})?",
    ) {
        let image = ImageRef::parse(&format!("{domain}{path}{tag}{digest}"));
        prop_assume!(image.is_ok());
        let image = image.unwrap();
        prop_assert_eq!(&ImageRef::parse(&image.familiar()).unwrap(), &image);
        prop_assert_eq!(&ImageRef::parse(&image.to_string()).unwrap(), &image);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        if let Ok(image) = ImageRef::parse(&text) {
            prop_assert_eq!(ImageRef::parse(&image.familiar()).unwrap(), image);
        }
    }
}
