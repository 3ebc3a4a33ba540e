//! Exit codes of services as the text of a label: `0=5,3=4`.

/// Maximum length of the text.
pub(super) const MAX_CODES_LEN: usize = 4 << 10;

/// Formats positions of services and their exit codes. Pairs beyond [`MAX_CODES_LEN`] are left out.
pub(super) fn to_text(codes: &[(usize, u8)]) -> String {
    let mut text = String::new();
    for (at, code) in codes {
        let one = format!("{}{at}={code}", if text.is_empty() { "" } else { "," });
        if text.len() + one.len() > MAX_CODES_LEN {
            break;
        }
        text += &one;
    }
    text
}

/// Parses the text. Invalid pairs are left out.
pub(super) fn parse(text: &str) -> Vec<(usize, u8)> {
    let pair = |pair: &str| {
        let (at, code) = pair.split_once('=')?;
        Some((at.parse().ok()?, code.parse().ok()?))
    };
    text.split(',').filter_map(pair).collect()
}
