//! Files of variables, secrets and configs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::spec::values::{env_file, file};

fuzz_target!(|bytes: &[u8]| {
    let known = |key: &str| (key.len() == 1).then(|| "value".to_owned());
    for variable in env_file::variables(bytes, &known).into_iter().flatten() {
        assert!(variable.find('=').is_some_and(|at| at > 0));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (file::secret(text), file::config(text));
});
