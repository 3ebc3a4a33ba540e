//! Image references: what is printed is parsed again to the same reference.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::registry::image_ref::{ImageRef, names_same_image};

fuzz_target!(|text: &str| {
    let _ = names_same_image(text, "docker.io/library/nginx:1");
    let Ok(image) = ImageRef::parse(text) else { return };
    let printed = image.familiar();
    let again = ImageRef::parse(&printed).expect("its own output is valid");
    assert_eq!(again.familiar(), printed);
    assert!(image.same_repository(&again));
    if let Some(tag) = image.tag() {
        assert!(image.with_tag(tag).is_ok());
    }
});
