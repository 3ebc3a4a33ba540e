//! The header `WWW-Authenticate`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::registry::protocol::{Url, challenges};

fuzz_target!(|text: &str| {
    for challenge in challenges(text.lines()) {
        let _ = challenge.is("Bearer");
        if let Some(realm) = challenge.parameter("realm") {
            let _ = Url::parse(realm);
        }
    }
});
