use proptest::prelude::*;

use super::*;
use crate::cli::commands::images::list::object_text;

fn read_with(text: &str, stack: Option<&str>) -> Result<Vec<String>, ListError> {
    let shown = |(service, image): (String, ImageRef)| format!("{service} {}", image.familiar());
    parse(text, stack).map(|images| images.into_iter().map(shown).collect())
}

fn read(text: &str) -> Result<Vec<String>, ListError> {
    read_with(text, None)
}

fn why(result: Result<Vec<String>, ListError>) -> String {
    match result.unwrap_err() {
        ListError::Stack(why) | ListError::Invalid(why) => why,
    }
}

#[test]
fn lists_of_lines_and_of_every_kind_of_json_are_read() {
    let expected = Ok(vec!["web shop/web:1.8".to_owned(), "api shop/api:latest".to_owned()]);
    for text in [
        "web shop/web:1.8\napi\tshop/api\n",
        "# comment\r\n\r\n  web   shop/web:1.8  \r\napi shop/api\r\nweb shop/web:1.8",
        r#"{"web": "shop/web:1.8", "api": "shop/api"}"#,
        r#"{"web": "shop/web:1.8", "api": "shop/api", "web": "shop/web:1.8"}"#,
        r#"[{"service": "web", "image": "shop/web:1.8"}, {"name": "api", "image": "shop/api"}]"#,
        "{\"service\": \"web\", \"image\": \"shop/web:1.8\"}\n{\"id\": \"api\", \"image\": \"shop/api\"}\n",
        r#"[["web", "shop/web:1.8"], ["api", "shop/api"]]"#,
        r#"[{"ID": "x", "Spec": {"Name": "web", "TaskTemplate": {"ContainerSpec": {"Image": "shop/web:1.8"}}}},
            {"service": "api", "image": "shop/api"}]"#,
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_is_reported_with_its_place() {
    for (text, place) in [
        ("web a:1\nweb a:2", "line 2"),
        ("web", "line 1"),
        ("web a:1 b:2", "line 1"),
        ("\nweb UPPER", "line 2"),
        ("[1]", "entry 1"),
        ("[{\"service\": \"web\"}]", "entry 1"),
        (r#"[["", "a:1"]]"#, "entry 1"),
        (r#"{"web": "a:1", "api": "b:1", "web": "a:2"}"#, "entry 3"),
        ("{\"web\": \"a:1\"", "invalid JSON"),
        (&format!("{}{}", "[".repeat(200), "]".repeat(200)), "invalid JSON"),
    ] {
        let why = why(read(text));
        assert!(why.contains(place), "{text}: {why}");
    }
    assert_eq!(read("# nothing\n"), Ok(Vec::new()));
}

#[test]
fn services_may_have_the_names_of_keys() {
    for (text, expected) in [
        (r#"{"services": "a:1", "web": "b:1"}"#, vec!["services a:1", "web b:1"]),
        (r#"{"image": "a:1", "web": "b:1"}"#, vec!["image a:1", "web b:1"]),
        (r#"{"image": "a:1"}"#, vec!["image a:1"]),
        (r#"{"image": "a:1", "name": "b:1"}"#, vec!["image a:1", "name b:1"]),
        (r#"{"image": "a:1", "name": "web"}"#, vec!["web a:1"]),
        (r#"{"service": "a:1", "name": "b:1"}"#, vec!["service a:1", "name b:1"]),
    ] {
        assert_eq!(read(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn a_compose_file_gives_the_services_of_a_stack() {
    let text = r#"{"name": "other", "services": {
        "web": {"build": {"context": "."}, "image": "shop/web:1.8", "environment": {"image": "x"}},
        "api": {"image": "shop/api", "depends_on": ["web"]}}, "networks": {"default": null}}"#;
    assert_eq!(read_with(text, Some("shop")).unwrap(), ["shop_web shop/web:1.8", "shop_api shop/api:latest"]);
    assert!(matches!(read(text), Err(ListError::Stack(why)) if why.contains("its `name` is `other`")));
    for (text, place) in [
        (r#"{"services": {}}"#, "`services` is empty"),
        (r#"{"services": {"web": {"image": "a:1"}, "api": {"build": "."}}}"#, "service `api` has no `image`"),
        (r#"{"services": {"web": {"image": ""}}}"#, "service `web` has no `image`"),
        (r#"{"services": {"web": {"image": 1}}}"#, "service `web` has no `image`"),
        (r#"{"services": {"web": {"image": "UPPER"}}}"#, "service `shop_web`"),
        (r#"{"services": {"web": {"image": "a:1"}, "web": {"image": "a:2"}}}"#, "another image"),
        (r#"{"services": {"web": null}}"#, "not a Compose file"),
        (r#"{"services": [{"image": "a:1"}]}"#, "not a Compose file"),
        ("shop_web a:1", "not a Compose file"),
        (r#"{"web": "a:1"}"#, "not a Compose file"),
        (
            r#"{"services": {"web": {"image": "a:1"}}} {"services": {"api": {"image": "a:1"}}}"#,
            "not a Compose",
        ),
    ] {
        let why = why(read_with(text, Some("shop")));
        assert!(why.contains(place), "{text}: {why}");
    }
    // This is not a valid list of services either.
    assert!(read(r#"{"services": {"web": null}}"#).is_err());
}

#[test]
fn a_long_list_is_read_in_no_time() {
    let lines: String = (0..50_000).map(|i| format!("service-{i} a:1\n")).collect();
    let started = std::time::Instant::now();
    assert_eq!(parse(&lines, None).unwrap().len(), 50_000);
    // A quadratic algorithm would take minutes.
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
}

/// Images with and without registry, port, tag and digest.
fn image() -> impl Strategy<Value = String> {
    (
        "(([a-z]{1,5}\\.io|localhost|[a-z]{1,4}:[0-9]{2,4})/)?",
        "[a-z0-9]{1,6}((\\.|_|__|-{1,3})[a-z0-9]{1,4})?(/[a-z0-9]{1,6}){0,2}",
        "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,10})?",
        "(@sha256:[0-9a-f]{64})?",
    )
        .prop_map(|(registry, path, tag, digest)| format!("{registry}{path}{tag}{digest}"))
        .prop_filter("a valid reference", |text| ImageRef::parse(text).is_ok())
}

/// Valid service names, including those that are also keys of the JSON formats.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9]([a-zA-Z0-9_-]{0,20}[a-zA-Z0-9])?",
        1 => prop_oneof![Just("services"), Just("image"), Just("Spec"), Just("ID")].prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn both_forms_of_images_are_read_back_to_the_same_pairs(
        images in proptest::collection::btree_map(name(), image(), 1..8)
    ) {
        let expected: Vec<(String, ImageRef)> =
            images.iter().map(|(name, image)| (name.clone(), ImageRef::parse(image).unwrap())).collect();
        let lines: String = images.iter().map(|(name, image)| format!("{name} {image}\n")).collect();
        prop_assert_eq!(parse(&lines, None).unwrap(), expected.clone());
        let object = object_text(images.iter().map(|(name, image)| (&**name, &**image))).unwrap();
        prop_assert_eq!(parse(&object, None).unwrap(), expected);
    }
}
