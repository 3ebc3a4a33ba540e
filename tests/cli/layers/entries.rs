//! A listing of `src/api`, `src/cli` or `src/cli/messages` gives an overview: the directories have few entries.

use std::path::Path;

/// Maximum number of entries: with more, a listing is no longer an overview.
const MAX_ENTRIES: usize = 16;

#[test]
fn the_directories_at_the_top_have_few_entries() {
    let messages =
        ["changes", "errors", "findings", "outcomes"].map(|name| format!("src/cli/messages/{name}"));
    let top = ["src", "src/api", "src/cli", "src/cli/messages"].map(str::to_owned);
    for directory in top.into_iter().chain(messages) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&directory);
        let entries = std::fs::read_dir(path).expect("a directory").count();
        assert!(
            entries <= MAX_ENTRIES,
            "{directory} has {entries} entries; put some of them into one directory"
        );
    }
}
