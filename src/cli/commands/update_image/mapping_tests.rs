use proptest::prelude::*;

use super::*;

fn digest() -> String {
    format!("sha256:{}", "1".repeat(64))
}

fn mapped(mappings: &[&str], image: &str) -> Result<String, String> {
    let mappings: Vec<Mapping> =
        mappings.iter().map(|text| Mapping::parse(text)).collect::<Result<_, _>>().map_err(|e| e.why)?;
    let images = vec![("web".to_owned(), ImageRef::parse(image).unwrap())];
    map_all(&mappings, images, "`images.txt`").map(|images| images[0].1.image.familiar()).map_err(|e| e.why)
}

#[test]
fn the_longest_matching_prefix_of_whole_path_segments_is_replaced() {
    let pinned = format!("s.example.com/shop/web:1.8@{}", digest());
    let expected = format!("r.example.com/shop/web:1.8@{}", digest());
    for (mappings, image, result) in [
        (&["s.example.com=r.example.com"][..], "s.example.com/shop/web:1.8", "r.example.com/shop/web:1.8"),
        (&["s.example.com=r.example.com"], &pinned, &expected),
        (&["s:5000=r:6000/mirror"], "s:5000/a", "r:6000/mirror/a:latest"),
        (&["s.io/a/b=r.io/c"], "s.io/a/b:1", "r.io/c:1"),
        (&["s.io/a/b=r.io/c"], "s.io/a/b/d:1", "r.io/c/d:1"),
        (&["s.io=r.io", "s.io/a=t.io"], "s.io/a/b:1", "t.io/b:1"),
        (&["s.io/a=t.io", "s.io=r.io"], "s.io/a/b:1", "t.io/b:1"),
        (&["docker.io=r.io"], "nginx", "r.io/library/nginx:latest"),
        (&["docker.io/library/nginx=r.io/proxy"], "nginx:1", "r.io/proxy:1"),
        (&["docker.io/library=r.io"], "nginx:1", "r.io/nginx:1"),
        (&["index.docker.io=r.io"], "acme/x:1", "r.io/acme/x:1"),
        (&["s.io=docker.io"], "s.io/acme/x:1", "acme/x:1"),
        (&["s.io=docker.io/acme"], "s.io/x:1", "acme/x:1"),
        (&["localhost=r.io"], "localhost/x:1", "r.io/x:1"),
    ] {
        let given = mapped(mappings, image);
        // Only the longer of two mappings applies, and the other one is reported as unused.
        if mappings.len() == 2 {
            assert!(given.unwrap_err().contains("a longer mapping applies"), "{mappings:?}");
            let longest = mappings.iter().max_by_key(|text| text.len()).unwrap();
            assert_eq!(mapped(&[longest], image).as_deref(), Ok(result));
            continue;
        }
        assert_eq!(given.as_deref(), Ok(result), "{mappings:?} {image}");
    }
}

#[test]
fn a_mapping_that_is_applied_to_no_image_is_an_error() {
    for (mapping, image) in [
        ("s.io/a/b=r.io", "s.io/a/bc:1"),
        ("s.io=r.io", "s.io:5000/a:1"),
        ("s.io/a/b=r.io", "s.io/a:1"),
        ("docker.io/nginx=r.io", "nginx:1"),
        ("example.com=r.io", "s.example.com/a:1"),
    ] {
        let why = mapped(&[mapping], image).unwrap_err();
        let from = mapping.split('=').next().unwrap();
        assert_eq!(why, format!("`--map-registry {mapping}`: no image in `images.txt` starts with `{from}`"));
    }
}

#[test]
fn what_cannot_be_a_registry_or_a_prefix_is_refused() {
    for text in [
        "",
        "s.io",
        "=",
        "s.io=",
        "=r.io",
        "a=b",
        "acme/x=r.io",
        "s.io=r",
        "s.io/=r.io",
        "s.io=r.io/",
        "s.io//a=r.io",
        "s.io/A=r.io",
        "s.io/a:1=r.io",
        "s.io/a@sha256:1=r.io",
        "s.io:port=r.io",
        "https://s.io=r.io",
        "-s.io=r.io",
        "s.io=r.io=t.io",
        "s.io=r.io t",
    ] {
        assert!(Mapping::parse(text).is_err(), "{text}");
    }
    let why = |text: &str| Mapping::parse(text).unwrap_err().why;
    assert_eq!([why("=r.io"), why("s.io=")], ["`=r.io` is not `FROM=TO`", "`s.io=` is not `FROM=TO`"]);
    assert!(mapped(&["s.io/a=r.io"], "s.io/a:1").unwrap_err().contains("no repository"));
    assert!(mapped(&["s.io=r.io", "s.io=t.io"], "s.io/a:1").unwrap_err().contains("twice"));
    let many: Vec<String> = (0..101).map(|i| format!("s{i}.io=r.io")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(mapped(&many, "s0.io/a:1").unwrap_err().contains("at most 100"));
}

proptest! {
    #[test]
    fn tag_digest_and_the_rest_of_the_name_are_kept(
        path in "[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}",
        tag in proptest::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}"),
        hex in proptest::option::of("[0-9a-f]{64}"),
    ) {
        let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = hex.map(|hex| format!("@sha256:{hex}")).unwrap_or_default();
        let image = format!("s.io:5000/{path}{tag}{digest}");
        let there = mapped(&["s.io:5000=r.io/m"], &image).unwrap();
        let back = mapped(&["r.io/m=s.io:5000"], &there).unwrap();
        prop_assert_eq!(&back, &ImageRef::parse(&image).unwrap().familiar());
        let rest = there.strip_prefix("r.io/m/").unwrap();
        prop_assert!(rest.starts_with(&path));
    }

    #[test]
    fn the_parser_returns_an_error_and_never_panics(text in "[a-z.:/=@ A-Z0-9-]{0,40}") {
        if let Ok(mapping) = Mapping::parse(&text) {
            prop_assert!(mapping.from.contains(['.', ':']) || mapping.from.starts_with("localhost"));
            let image = ImageRef::parse(&format!("{}/a/b:1", mapping.from)).unwrap();
            prop_assert!(mapping.matches(&image.repository()));
        }
    }
}
