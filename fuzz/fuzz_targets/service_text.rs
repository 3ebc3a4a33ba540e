//! A service that is kept as text is equal to the service that a JSON parser produces from the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Deserializer, Value};
use swarmctl::api::resources::service::Service;
use swarmctl::api::spec::{hazard_of_spec, hazard_of_text};

fuzz_target!(|text: &str| {
    let Ok((held, length)) = Service::parse_first(text) else { return };
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    let parsed = values.next().and_then(Result::ok).and_then(Service::new).expect("it is valid as a whole");
    assert_eq!(length, values.byte_offset());
    assert_eq!(
        (held.id(), held.name(), held.version(), held.is_job(), held.image()),
        (parsed.id(), parsed.name(), parsed.version(), parsed.is_job(), parsed.image())
    );
    assert_eq!(held, parsed);
    if let Some(spec) = held.spec_text() {
        let _ = (hazard_of_text(spec), hazard_of_spec(held.spec()));
    }
});
