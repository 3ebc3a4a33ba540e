//! `ls src/api` and `ls src/cli` explain the program.

use std::path::Path;

/// With more entries, a listing is no longer an overview.
const MAX_ENTRIES: usize = 16;

#[test]
fn the_folders_at_the_top_have_few_entries() {
    for folder in ["src", "src/api", "src/cli"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = std::fs::read_dir(path).expect("a folder").count();
        assert!(entries <= MAX_ENTRIES, "{folder} has {entries} entries; put some of them into one folder");
    }
}
