//! The header `Link`, and the URL that it contains.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::registry::protocol::{Url, next_link};

fuzz_target!(|text: &str| {
    let base = Url::parse("https://registry.example.com:5000/v2/shop/web/tags/list?n=1000").expect("a URL");
    let target = next_link(text.lines()).ok().flatten();
    for reference in [Some(text.to_owned()), target].into_iter().flatten() {
        let Ok(url) = base.join(&reference) else { continue };
        // This is the URL as it is requested. `Display` cannot be used, because it hides the query of another host.
        let requested = Url::parse(&format!("{}{}", url.origin(), url.target()));
        assert_eq!(requested, Ok(Url { is_query_secret: false, ..url }));
    }
});
