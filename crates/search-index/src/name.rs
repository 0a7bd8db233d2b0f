//! Names of indexes and patterns of them, by Elasticsearch's rules (`MetadataCreateIndexService.validateIndexOrAliasName`).

use crate::Error;

/// Bytes of a name at most (Elasticsearch's `MAX_INDEX_NAME_BYTES`).
pub const MAX_BYTES: usize = 255;

/// What a name must be.
pub fn check(name: &str) -> Result<(), Error> {
    match fault(name) {
        None => Ok(()),
        Some(reason) => Err(Error::InvalidName { name: name.to_owned(), reason }),
    }
}

fn fault(name: &str) -> Option<&'static str> {
    const FORBIDDEN: &[char] = &['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ','];
    if name.is_empty() {
        Some("must not be empty")
    } else if name.contains(FORBIDDEN) || name.contains(char::is_control) {
        Some("must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]")
    } else if name.contains('#') {
        Some("must not contain '#'")
    } else if name.contains(':') {
        Some("must not contain ':'")
    } else if name.starts_with(['_', '-', '+']) {
        Some("must not start with '_', '-', or '+'")
    } else if name.len() > MAX_BYTES {
        Some("index name is too long, (more than 255 bytes)")
    } else if name == "." || name == ".." {
        Some("must not be '.' or '..'")
    } else if name.chars().any(char::is_uppercase) {
        Some("must be lowercase")
    } else {
        None
    }
}

/// Whether a pattern names any index that there may be, and not one.
pub fn is_wildcard(pattern: &str) -> bool {
    pattern == "_all" || pattern.contains('*')
}

/// Whether a name is one that the pattern means: `*` is any run of characters, `_all` is everything.
pub fn matches(pattern: &str, name: &str) -> bool {
    if pattern == "_all" {
        return true;
    }
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return left.ends_with(piece);
        }
        match left.find(piece) {
            Some(at) => left = &left[at + piece.len()..],
            None => return false,
        }
    }
    true
}

/// What every name that the pattern means begins with.
pub fn prefix(pattern: &str) -> &str {
    if pattern == "_all" { "" } else { pattern.split('*').next().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "x".repeat(MAX_BYTES + 1);
        for (name, expected) in [
            ("access-log-2026.11.20", None),
            (".kibana", None),
            ("a+b_c-d", None),
            ("ä", None),
            ("request_data", None),
            (&long[1..], None),
            (&long, Some("too long")),
            ("", Some("empty")),
            (".", Some("'.' or '..'")),
            ("..", Some("'.' or '..'")),
            ("Logs", Some("lowercase")),
            ("_logs", Some("start with")),
            ("-logs", Some("start with")),
            ("+logs", Some("start with")),
            ("a#b", Some("'#'")),
            ("a:b", Some("':'")),
            ("a b", Some("following characters")),
            ("a\nb", Some("following characters")),
            ("a*", Some("following characters")),
            ("a/b", Some("following characters")),
            ("a\\b", Some("following characters")),
            ("a,b", Some("following characters")),
        ] {
            let got = fault(name);
            assert_eq!(got.is_some(), expected.is_some(), "{name}: {got:?}");
            assert!(got.unwrap_or_default().contains(expected.unwrap_or_default()), "{name}: {got:?}");
        }
    }

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("_all", "a", true),
            ("*", "a", true),
            ("a*", "a", true),
            ("a*", "b", false),
            ("*-log", "access-log", true),
            ("*-log", "access-logs", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*b*", "abc", true),
            ("**", "abc", true),
            ("abc", "abc", true),
            ("abc", "abcd", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
            assert!(!expected || name.starts_with(prefix(pattern)));
        }
    }
}
