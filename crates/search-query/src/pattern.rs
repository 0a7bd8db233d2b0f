//! Names with `*`.

/// Whether a name fits a pattern in which `*` stands for any characters, dots included.
///
/// ```
/// assert!(search_query::pattern::matches("http.*.bytes", "http.response.body.bytes"));
/// assert!(!search_query::pattern::matches("http.*", "http"));
/// ```
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, mut rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(head) else {
        return false;
    };
    while let Some((part, after)) = rest.split_once('*') {
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
        rest = after;
    }
    name.ends_with(rest)
}

/// Whether a name is one.
pub fn is_pattern(name: &str) -> bool {
    name.contains('*')
}
