//! The columns of `outdated`.

use crate::output::Columns;

/// The columns without `--newest`. Templates can use the fields of `--json` as well.
pub const COLUMNS: Columns = Columns {
    table: &[
        ("Name", "NAME"),
        ("Image", "IMAGE"),
        ("Runs", "RUNS"),
        ("Registry", "REGISTRY"),
        ("Status", "STATUS"),
    ],
    extra: &[
        ("ID", "ID"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("RegistryDigest", "REGISTRY DIGEST"),
        ("Outdated", "OUTDATED"),
        ("Error", "ERROR"),
        ("Newest", "NEWEST"),
        ("Age", "AGE"),
    ],
};

/// The columns with `--newest`.
pub const WITH_NEWEST: Columns = with_newest(6);

/// The columns with `--newest` and `--min-age`.
pub const WITH_AGE: Columns = with_newest(7);

/// All columns with `--newest`. The table shows the first `shown` columns.
const fn with_newest(shown: usize) -> Columns {
    const ALL: &[(&str, &str)] = &[
        ("Name", "NAME"),
        ("Image", "IMAGE"),
        ("Runs", "RUNS"),
        ("Registry", "REGISTRY"),
        ("Status", "STATUS"),
        ("Newest", "NEWEST"),
        ("Age", "AGE"),
        ("ID", "ID"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("RegistryDigest", "REGISTRY DIGEST"),
        ("Outdated", "OUTDATED"),
        ("Error", "ERROR"),
    ];
    let (table, extra) = ALL.split_at(shown);
    Columns { table, extra }
}
