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
pub const WITH_NEWEST: Columns = Columns {
    table: &[
        ("Name", "NAME"),
        ("Image", "IMAGE"),
        ("Runs", "RUNS"),
        ("Registry", "REGISTRY"),
        ("Status", "STATUS"),
        ("Newest", "NEWEST"),
    ],
    extra: &[
        ("Age", "AGE"),
        ("ID", "ID"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("RegistryDigest", "REGISTRY DIGEST"),
        ("Outdated", "OUTDATED"),
        ("Error", "ERROR"),
    ],
};

/// The columns with `--min-age`.
pub const WITH_AGE: Columns = Columns {
    table: &[
        ("Name", "NAME"),
        ("Image", "IMAGE"),
        ("Runs", "RUNS"),
        ("Registry", "REGISTRY"),
        ("Status", "STATUS"),
        ("Newest", "NEWEST"),
        ("Age", "AGE"),
    ],
    extra: &[
        ("ID", "ID"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("RegistryDigest", "REGISTRY DIGEST"),
        ("Outdated", "OUTDATED"),
        ("Error", "ERROR"),
    ],
};
