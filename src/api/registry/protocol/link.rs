//! The header `Link` (RFC 8288): the next page of a list.

/// The target of the first link with the relation `next`; `None` if there is none.
///
/// # Errors
/// The header is malformed. It may have named a next page, so the list must not be treated as complete.
pub fn next_link<'h>(headers: impl IntoIterator<Item = &'h str>) -> Result<Option<String>, String> {
    for header in headers {
        let mut rest = header.trim();
        while !rest.is_empty() {
            let (target, is_next, after) =
                one_link(rest).ok_or_else(|| format!("the header `Link` is malformed: `{header:.200}`"))?;
            if is_next {
                return Ok(Some(target.trim().to_owned()));
            }
            rest = after.trim_start_matches([',', ' ', '\t']);
        }
    }
    Ok(None)
}

/// Parses `<TARGET>; name=value; name="value"`. Returns the target, whether it is the next page, and the rest.
fn one_link(text: &str) -> Option<(&str, bool, &str)> {
    let (target, mut rest) = text.strip_prefix('<')?.split_once('>')?;
    let mut relation: Option<String> = None;
    loop {
        rest = rest.trim_start();
        let Some(parameter) = rest.strip_prefix(';') else { break };
        let parameter = parameter.trim_start();
        let end = parameter.find(['=', ';', ',']).unwrap_or(parameter.len());
        let name = parameter[..end].trim();
        rest = &parameter[end..];
        let Some(value) = rest.strip_prefix('=') else { continue };
        let (value, after) = take_value(value.trim_start())?;
        rest = after;
        // Only the first `rel` counts.
        if name.eq_ignore_ascii_case("rel") && relation.is_none() {
            relation = Some(value);
        }
    }
    if !rest.is_empty() && !rest.starts_with(',') {
        return None;
    }
    let is_next =
        relation.is_some_and(|all| all.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case("next")));
    Some((target, is_next, rest))
}

/// Splits off a token or a quoted string. Returns the value and the rest.
pub(super) fn take_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let (mut value, mut chars) = (String::new(), quoted.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_next_page_among_links() {
        for (header, target) in [
            (r#"</v2/a/tags/list?last=x&n=2>; rel="next""#, Some("/v2/a/tags/list?last=x&n=2")),
            ("<https://r/x?page=2>; rel=next", Some("https://r/x?page=2")),
            (r#"<a>; rel="prev", <b>;title="x, y";rel="last next""#, Some("b")),
            (r#"<a>;REL="NEXT""#, Some("a")),
            (r#"<a>; rel="prev""#, None),
            (r#"<a>; rel="prev"; rel="next""#, None),
            ("<a>", None),
            ("<a>; crossorigin; rel=next", Some("a")),
            ("", None),
        ] {
            assert_eq!(next_link([header]).unwrap().as_deref(), target, "{header}");
        }
        assert_eq!(next_link(["<a>; rel=prev", "<b>; rel=next"]).unwrap().as_deref(), Some("b"));
        for header in ["a; rel=next", "<a; rel=next", r#"<a>; rel="next"#, "<a> rel=next"] {
            assert!(next_link([header]).is_err(), "{header}");
        }
    }
}
