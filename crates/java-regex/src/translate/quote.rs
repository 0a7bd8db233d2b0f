//! Quotes.

/// `\Q…\E` as single escaped characters.
pub(super) fn unquote(java: &str) -> Vec<char> {
    let mut chars = Vec::with_capacity(java.len());
    let mut rest = java;
    while let Some(at) = rest.find('\\') {
        chars.extend(rest[..at].chars());
        rest = &rest[at + 1..];
        if let Some(quoted) = rest.strip_prefix('Q') {
            let (literal, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            for c in literal.chars() {
                if !c.is_alphanumeric() {
                    chars.push('\\');
                }
                chars.push(c);
            }
            rest = after;
        } else {
            chars.push('\\');
            let escaped = rest.chars().next();
            chars.extend(escaped);
            rest = &rest[escaped.map_or(0, char::len_utf8)..];
        }
    }
    chars.extend(rest.chars());
    chars
}
