//! Natural order of names: `t2` before `t10`.

use std::cmp::Ordering;

/// Compares runs of digits as numbers and everything else byte by byte, as docker sorts its lists. Digits come before
/// all other characters: `web2` before `web-x`.
///
/// Of two equal numbers, the one with fewer leading zeros comes first.
pub fn natural_cmp(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    // Skips the common prefix, but not a number at its end: that must be compared as a whole.
    let common = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let number = a[..common].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    (a, b) = (&a[common - number..], &b[common - number..]);
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (left, right) = (digits(a), digits(b));
                let (m, n) = (without_zeros(left), without_zeros(right));
                // Without leading zeros, the longer number is the greater one, so that numbers of any length can be
                // compared.
                let order = m.len().cmp(&n.len()).then_with(|| m.cmp(n)).then(left.len().cmp(&right.len()));
                if order.is_ne() {
                    return order;
                }
                (a, b) = (&a[left.len()..], &b[right.len()..]);
            }
            (Some(x), Some(y)) if x == y => (a, b) = (&a[1..], &b[1..]),
            (Some(x), Some(_)) if x.is_ascii_digit() => return Ordering::Less,
            (Some(_), Some(y)) if y.is_ascii_digit() => return Ordering::Greater,
            (Some(x), Some(y)) => return x.cmp(y),
        }
    }
}

fn digits(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|b| *b != b'0').unwrap_or(digits.len());
    &digits[start..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sorts_numbers_as_numbers() {
        let sorted = [
            "",
            "0",
            "1",
            "01",
            "2",
            "10",
            "99999999999999999999998",
            "99999999999999999999999",
            "a",
            "t2",
            "t02",
        ];
        let more = [
            "1", "-1", "t2a1", "t2a10", "t10", "t10-1", "t10b", "t-1", "web", "web2", "web10", "web-2",
            "web-10", "web-x", "web_1",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(natural_cmp(a, b), i.cmp(&j), "{a} and {b}");
            }
        }
        assert!(more.windows(2).all(|pair| natural_cmp(pair[0], pair[1]).is_lt()));
    }

    proptest! {
        #[test]
        fn is_an_order(mut names in proptest::collection::vec("[-a0-3]{0,6}", 0..20)) {
            names.sort_by(|a, b| natural_cmp(a, b));
            for (i, a) in names.iter().enumerate() {
                for b in &names[i..] {
                    prop_assert!(natural_cmp(a, b).is_le(), "{} and {}", a, b);
                    prop_assert_eq!(natural_cmp(a, b).reverse(), natural_cmp(b, a));
                }
                prop_assert_eq!(natural_cmp(a, a), Ordering::Equal);
            }
        }
    }
}
