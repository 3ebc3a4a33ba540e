//! A list of services that arrives in parts: the result does not depend on where the list is cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::http::json_array::{JsonArrayParser, parse_first};
use swarmctl::api::resources::rows::ServiceRow;

fn names(body: &[u8], cuts: &[u8]) -> Result<Vec<String>, String> {
    let mut rows = JsonArrayParser::new(|text| parse_first(text, |row: ServiceRow| row.name().to_owned()));
    let (mut held, mut rest) = (Vec::new(), body);
    for cut in cuts {
        let (part, more) = rest.split_at(rest.len().min(usize::from(*cut)));
        held.extend_from_slice(part);
        rows.feed(&mut held);
        rest = more;
    }
    held.extend_from_slice(rest);
    rows.finish(held)
}

fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (cuts, body) = input;
    let (whole, cut) = (names(body, &[]), names(body, &cuts));
    assert_eq!(whole.is_ok(), cut.is_ok());
    if let (Ok(whole), Ok(cut)) = (whole, cut) {
        assert_eq!(whole, cut);
    }
});
