use super::super::unavailable::Unavailable;
use super::*;

#[test]
fn a_row_shows_what_is_known() {
    let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
    let (one, two) = (Ok(digest("1")), Ok(digest("2")));
    let refused = Err(Unavailable { why: "registry `r` denies access".to_owned(), unreachable: None });
    let unreachable = Some(("r".to_owned(), "connection refused".to_owned()));
    let unreachable =
        Err(Unavailable { why: "registry `r`: Get: connection refused".to_owned(), unreachable });
    let pinned = format!("r:5000/a:1@{}", digest("1"));
    let bare = format!("r:5000/a@{}", digest("1"));
    for (image, registry_digest, tag, status) in [
        (&pinned[..], Some(&one), "r:5000/a:1", "up to date"),
        (&pinned, Some(&two), "r:5000/a:1", "outdated"),
        (&pinned, Some(&refused), "r:5000/a:1", "registry `r` denies access"),
        (&pinned, Some(&unreachable), "r:5000/a:1", "registry unreachable"),
        (&bare, None, &bare, "has no tag"),
        ("a", Some(&one), "a:latest", "not pinned"),
        ("", None, "", "has no image from a registry"),
    ] {
        let row = OutdatedRow {
            name: "web",
            id: "id",
            written: image,
            image: ImageRef::parse(image).ok(),
            registry_digest,
            newest: None,
        };
        let cells = row.cells();
        assert_eq!((&*cells[1], &*cells[4]), (tag, status), "{image}");
    }
    assert_eq!(
        (short_digest(Some(&digest("1"))), short_digest(None)),
        ("sha256:111111111111".into(), "-".into())
    );
}
