//! Property tests of parsers of `api`, with random values: no parser may panic, hang, or violate its property. The
//! coverage-guided targets are in fuzz/.
//!
//! `SWARMCTL_TEST_PROPERTY_CASES` is the number of cases of each test (default 500; `scripts/reliability properties` sets more).
//! `SWARMCTL_TEST_PROPERTY_TABLE` names a file to which each test appends its number of cases.

mod pieces;

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};

use pieces::with_random_damage;
pub use pieces::{random_json, random_text};

use super::config::contexts;
use super::config::docker_config::DockerConfig;
use super::config::endpoint::Endpoint;
use super::config::headers;
use super::config::proxy::Proxy;
use super::http::request_path::Path;
use super::registry::image_ref::ImageRef;
use super::resources::logs;
use super::resources::service::Service;
use super::spec::splice::splice;
use super::spec::{Document, Edit, Place, apply_all, changes};

/// Calls a parser with random inputs. Fails if one call takes 10 s or more.
pub fn check_random_inputs(what: &str, mut parse: impl FnMut(&mut Rng)) {
    let cases = std::env::var_os("SWARMCTL_TEST_PROPERTY_CASES")
        .and_then(|cases| cases.to_str()?.parse().ok())
        .unwrap_or(500);
    let mut random = Rng::with_seed(cases);
    for case in 0..cases {
        let (seed, began) = (random.u64(..), Instant::now());
        parse(&mut Rng::with_seed(seed));
        assert!(began.elapsed() < Duration::from_secs(10), "{what}: case {case}, seed {seed}, took too long");
    }
    if let Some(path) = std::env::var_os("SWARMCTL_TEST_PROPERTY_TABLE") {
        let mut table = OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(table, "{what}\t{cases}").unwrap();
    }
}

#[test]
fn an_image_reference_is_read_as_it_is_printed() {
    check_random_inputs("image references", |random| {
        let text = random_text(random);
        if let Ok(image) = ImageRef::parse(&text) {
            let again = ImageRef::parse(&image.familiar()).expect("the printed form can be parsed");
            assert_eq!(again.familiar(), image.familiar(), "{text:?}");
        }
    });
}

#[test]
fn an_endpoint_is_read_as_it_is_printed() {
    check_random_inputs("endpoints", |random| {
        let text = random_text(random);
        if let Ok(endpoint) = Endpoint::parse(&text, None) {
            assert_eq!(Endpoint::parse(&endpoint.to_string(), None).as_ref(), Ok(&endpoint), "{text:?}");
        }
    });
}

#[test]
fn a_name_stays_one_segment_of_a_path() {
    check_random_inputs("path segments", |random| {
        let text = random_text(random);
        let path = Path::new(&["services", &text]);
        let segment = path.as_str().strip_prefix("/services/").expect("a segment");
        assert!(!segment.contains(['/', '?', '#']) && segment.is_ascii(), "{text:?}");
    });
}

#[test]
fn log_frames_are_decoded_likewise_however_they_are_split() {
    check_random_inputs("log frames", |random| {
        let mut bytes: Vec<u8> = Vec::new();
        for _ in 0..random.usize(0..6) {
            let text = random_text(random);
            let size =
                if random.u8(..8) == 0 { random.u32(..) } else { u32::try_from(text.len()).unwrap_or(0) };
            bytes.extend([random.u8(0..5), 0, 0, u8::from(random.u8(..30) == 0)]);
            bytes.extend(size.to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        let read = |steps: &mut dyn FnMut() -> usize| {
            let (mut frames, mut messages, mut at) = (logs::FrameDecoder::default(), VecDeque::new(), 0);
            while at < bytes.len() {
                let end = bytes.len().min(at + steps());
                if let Err(why) = frames.push(&bytes[at..end], &mut messages) {
                    return (messages, Err(why));
                }
                at = end;
            }
            (messages, Ok(frames.is_at_boundary()))
        };
        let whole = read(&mut || usize::MAX / 2);
        let cut = read(&mut || random.usize(1..9));
        assert_eq!(whole, cut, "the result depends on how it is split");
        for (_, message) in whole.0 {
            let _ = (logs::timed_entry(&message), logs::entry(&message), logs::details(&message));
        }
    });
}

#[test]
fn config_files_never_panic() {
    check_random_inputs("config.json", |random| {
        let mut text = format!(
            r#"{{"auths":{{"{}":{{"auth":"{}"}}}},"credHelpers":{{"{}":"{}"}},"credsStore":"x"}}"#,
            random_text(random),
            random_text(random),
            random_text(random),
            random_text(random)
        );
        text = with_random_damage(random, text);
        let parsed =
            [DockerConfig::parse("p", text.as_bytes()), DockerConfig::parse_variable(text.as_bytes())];
        for config in parsed.into_iter().flatten() {
            let registry = random_text(random);
            let _ = (config.helper(&registry), config.credentials(&registry), config.secrets().count());
        }
    });
}

#[test]
fn hosts_variables_and_contexts_never_panic() {
    check_random_inputs("contexts, headers, proxies", |random| {
        let context = format!(
            r#"{{"Name":"{}","Metadata":{},"Endpoints":{{"docker":{{"Host":"{}","SkipTLSVerify":{}}}}}}}"#,
            random_text(random),
            random_json(random, 2),
            random_text(random),
            random_json(random, 1)
        );
        let _ = contexts::parse(with_random_damage(random, context).as_bytes());
        for header in headers::parse_variable(&random_text(random)).into_iter().flatten() {
            assert_eq!(headers::check(&header), Ok(()), "what is sent can be a header");
        }
        let variables = [random_text(random), random_text(random)];
        let variable = |name: &str| Some(variables[usize::from(name.starts_with("NO"))].clone());
        if let Ok(endpoint) = Endpoint::parse(&format!("tcp://{}", random_text(random)), None) {
            let _ = Proxy::find(&endpoint, variable);
        }
    });
}

/// A service that is kept as text equals the parsed service, and has the same fields.
#[test]
fn a_service_that_is_kept_as_text_equals_the_parsed_one() {
    check_random_inputs("services kept as text", |random| {
        let mut service = json!({
            "ID": "abc",
            "Version": { "Index": random.u64(..) },
            "Spec": { "Name": random_text(random), "Mode": { "GlobalJob": {} }, "More": random_json(random, 3) },
        });
        if random.bool() {
            service["Spec"]["TaskTemplate"] = json!({ "ContainerSpec": { "Image": random_text(random) } });
        }
        let text = with_random_damage(random, service.to_string());
        let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        let read = values.next().and_then(Result::ok).and_then(Service::new);
        let Ok((held, length)) = Service::parse_first(&text) else { return };
        assert_eq!(length, values.byte_offset(), "{text}");
        let read = read.expect("a service that is kept as text can be parsed");
        let known = |it: &Service| {
            (
                it.id().to_owned(),
                it.name().to_owned(),
                it.version(),
                it.is_job(),
                it.image().map(str::to_owned),
            )
        };
        assert_eq!(known(&held), known(&read), "{text}");
        assert_eq!(held, read, "{text}");
        if let Some(spec) = held.spec_text() {
            assert_eq!(serde_json::from_str::<Value>(spec).ok().as_ref(), Some(held.spec()), "{text}");
        }
    });
}

#[test]
fn texts_set_without_parsing_the_spec_give_the_same_result_as_edits() {
    check_random_inputs("texts set in specs", |random| {
        let mut spec = json!({ "Name": random_text(random), "More": random_json(random, 4), "Labels": random_json(random, 2) });
        spec["TaskTemplate"]["ContainerSpec"] =
            json!({ "Image": random_text(random), "More": random_json(random, 3) });
        let text = with_random_damage(random, spec.to_string());
        let mut edits = Vec::new();
        for _ in 0..random.usize(1..3) {
            // A place, which usually exists.
            let (mut place, mut at): (Option<Place>, &Value) = (None, &spec);
            while let Value::Object(map) = at
                && !map.is_empty()
                && (place.is_none() || random.u8(..) > 9)
            {
                let (key, below) = map.iter().nth(random.usize(..map.len())).expect("one of them");
                place = Some(match place {
                    Some(place) => place.key(key),
                    None => Place::top(key),
                });
                at = below;
            }
            edits.push(Edit::set(place.expect("a place"), Value::from(random_text(random))));
        }
        let Some((set, changed)) = splice(&text, &edits) else { return };
        // The damaged text may be invalid JSON, which `splice` need not notice: real specs are validated before.
        let Ok(before) = serde_json::from_str::<Value>(&text) else { return };
        let mut after = before.clone();
        apply_all(&mut after, &edits);
        assert_eq!(serde_json::from_str::<Value>(&set).ok().as_ref(), Some(&after), "{text} {edits:?}");
        assert_eq!(changed.len(), changes(&before, &after).len(), "{text} {edits:?}");
        assert!(changes(&before, &after).iter().all(|change| changed.contains(change)), "{text} {edits:?}");
    });
}

#[test]
fn merging_a_spec_twice_equals_merging_it_once() {
    check_random_inputs("specs of --spec", |random| {
        let mut text = random_json(random, 4).to_string();
        text = with_random_damage(random, text);
        let Ok(document) = Document::parse(&text) else { return };
        let mut made = json!({});
        apply_all(&mut made, &document.as_new());
        let into = random_json(random, 3);
        if let (true, Ok(edits)) = (into.is_object(), document.as_merged(&into)) {
            let mut once = into.clone();
            apply_all(&mut once, &edits);
            let mut twice = once.clone();
            apply_all(&mut twice, &edits);
            assert_eq!(once, twice, "a second merge changes nothing: {text}");
        }
    });
}
