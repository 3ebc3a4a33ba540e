//! Exit codes of services as the text of a label: `0=5,3-9=10`.

use crate::api::records::fields::MAX_SERVICES;

/// Maximum length of the text.
pub(super) const MAX_CODES_LEN: usize = 4 << 10;
/// The end of a text from which codes were left out.
const LEFT_OUT: &str = ",...";

/// Formats positions of services and their exit codes. Adjacent services with the same code are one range. Ranges
/// beyond [`MAX_CODES_LEN`] are left out, and the text then ends with `,...`.
pub(super) fn to_text(codes: &[(usize, u8)]) -> String {
    let mut ranges: Vec<(usize, usize, u8)> = Vec::new();
    for &(at, code) in codes {
        match ranges.last_mut() {
            Some((_, last, same)) if *last + 1 == at && *same == code => *last = at,
            _ => ranges.push((at, at, code)),
        }
    }
    let mut text = String::new();
    for (first, last, code) in ranges {
        let last = if last == first { String::new() } else { format!("-{last}") };
        let one = format!("{}{first}{last}={code}", if text.is_empty() { "" } else { "," });
        if text.len() + one.len() + LEFT_OUT.len() > MAX_CODES_LEN {
            return text + LEFT_OUT;
        }
        text += &one;
    }
    text
}

/// Whether codes were left out of the text.
pub(super) fn lacks_codes(text: &str) -> bool {
    text.ends_with(LEFT_OUT)
}

/// Parses the text. Invalid ranges are ignored. At most [`MAX_SERVICES`] codes are returned, which limits the work for a
/// forged label.
pub(super) fn parse(text: &str) -> Vec<(usize, u8)> {
    let range = |text: &str| {
        let (range, code) = text.split_once('=')?;
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        let code: u8 = code.parse().ok()?;
        (last < MAX_SERVICES).then(|| (first..=last).map(move |at| (at, code)))
    };
    text.split(',').filter_map(range).flatten().take(MAX_SERVICES).collect()
}
