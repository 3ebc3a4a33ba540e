//! What to use instead of a name that does not exist.

/// The maximum number of names that are suggested.
const MAX_NAMES: usize = 3;

/// What to use instead of a name that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suggestion {
    /// Objects of the same kind with similar names.
    Similar(Vec<String>),
    /// The stack with this name: a stack's name was given instead of a service's.
    Stack,
    /// The services of this run in the journal.
    Run(u64),
}

impl Suggestion {
    /// Returns the most similar one of `names`, or several that are equally similar. `None` if none is similar.
    ///
    /// A name is similar if it differs in a few letters or in case, or if it is `name` with a prefix or suffix, such as
    /// a stack (`shop_web` for `web`).
    pub fn most_similar<S: AsRef<str>>(name: &str, names: impl IntoIterator<Item = S>) -> Option<Self> {
        let mut found: Vec<(usize, String)> = names
            .into_iter()
            .filter_map(|other| Some((dissimilarity(name, other.as_ref())?, other.as_ref().to_owned())))
            .collect();
        found.sort();
        found.dedup();
        // Less similar ones would distract from the best.
        let best = found.first().map_or(0, |(dissimilarity, _)| *dissimilarity);
        found.retain(|(dissimilarity, _)| *dissimilarity == best);
        found.truncate(MAX_NAMES);
        (!found.is_empty()).then(|| Self::Similar(found.into_iter().map(|(_, name)| name).collect()))
    }
}

/// Returns how different two names are: the edit distance, or 1 if `other` is `given` with a prefix or suffix. `None`
/// if they are not similar.
fn dissimilarity(given: &str, other: &str) -> Option<usize> {
    let (given, other) = (given.to_lowercase(), other.to_lowercase());
    if given.is_empty() {
        return None;
    }
    let is_part = other.len() > given.len() && {
        let with_stack =
            other.ends_with(&given) && other[..other.len() - given.len()].ends_with(['_', '-', '.']);
        let with_suffix = other.starts_with(&given) && other[given.len()..].starts_with(['_', '-', '.']);
        with_stack || with_suffix
    };
    if is_part {
        return Some(1);
    }
    let (given, other): (Vec<char>, Vec<char>) = (given.chars().collect(), other.chars().collect());
    // At most a third of the letters differ, rounded up, and never all of them.
    let max_edits = given.len().max(other.len()).div_ceil(3).min(given.len().saturating_sub(1));
    if given.len().abs_diff(other.len()) > max_edits {
        return None;
    }
    Some(edit_distance(&given, &other)).filter(|distance| *distance <= max_edits)
}

/// The optimal string alignment distance: the number of letters to insert, remove, replace or swap with the next
/// letter, to convert one name to the other.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut fewest = (rows[i][j] + usize::from(from != to)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                fewest = fewest.min(rows[i - 1][j - 1] + 1);
            }
            row.push(fewest);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similar(name: &str, names: &[&str]) -> Vec<String> {
        match Suggestion::most_similar(name, names) {
            Some(Suggestion::Similar(names)) => names,
            _ => Vec::new(),
        }
    }

    #[test]
    fn only_the_most_similar_names_are_suggested() {
        let names = ["web", "web2", "worker", "shop_api", "shop_db", "Metrics", "db-backup"];
        for (given, expected) in [
            ("wbe", &["web"][..]),
            ("weeb", &["web"]),
            ("WEB", &["web"]),
            ("api", &["shop_api"]),
            ("db", &["db-backup", "shop_db"]),
            ("metrics", &["Metrics"]),
            ("wokrer", &["worker"]),
            ("shop_ap", &["shop_api"]),
            ("nosuch", &[]),
            ("x", &[]),
            ("", &[]),
        ] {
            assert_eq!(similar(given, &names), expected, "{given}");
        }
    }

    #[test]
    fn at_most_three_names_are_suggested() {
        assert_eq!(similar("web", &["web1", "web2", "web3", "web4"]), ["web1", "web2", "web3"]);
    }

    #[test]
    fn exchanged_letters_are_one_edit() {
        let distance =
            |a: &str, b: &str| edit_distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(distance("abcd", "abdc"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
