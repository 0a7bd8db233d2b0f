//! Lucene's patterns as regular expressions of the `regex` crate, whose time is bounded.

use regex::{Regex, RegexBuilder};

use crate::Error;

/// Bytes of a compiled expression at most.
const MAX_COMPILED: usize = 1 << 20;

/// Characters of an expression at most (Elasticsearch's `index.max_regex_length`).
const MAX_LENGTH: usize = 1_000;

/// An expression for the whole of a term.
pub(super) fn compile(expression: &str, case_insensitive: bool) -> Result<Regex, Error> {
    if expression.chars().count() > MAX_LENGTH {
        return Err(illegal(format!(
            "The length of regex [{}] used in the Regexp Query request has exceeded the allowed maximum of [{MAX_LENGTH}]",
            expression.chars().count()
        )));
    }
    RegexBuilder::new(&format!("^(?:{expression})$"))
        .case_insensitive(case_insensitive)
        .dot_matches_new_line(true)
        .size_limit(MAX_COMPILED)
        .build()
        .map_err(|error| illegal(format!("invalid regular expression [{expression}]: {error}")))
}

/// `*`: any run of characters, `?`: any character, `\` takes the meaning from the next.
pub(super) fn from_wildcard(pattern: &str) -> String {
    let mut expression = String::new();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            '\\' => expression.push_str(&quote(chars.next().unwrap_or('\\'))),
            _ => expression.push_str(&quote(char)),
        }
    }
    expression
}

/// Lucene's syntax: `^` and `$` are plain characters, `@` is anything, `#` nothing, `"…"` is literal. Its intersection (`&`),
/// complement (`~`) and ranges of numbers (`<1-9>`) are not supported.
pub(super) fn from_lucene(pattern: &str) -> Result<String, Error> {
    let mut expression = String::new();
    let mut chars = pattern.chars();
    let mut class = false;
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                let escaped =
                    chars.next().ok_or_else(|| illegal(format!("unexpected end of regular expression [{pattern}]")))?;
                match escaped {
                    'd' | 'D' | 's' | 'S' | 'w' | 'W' => expression.extend(['\\', escaped]),
                    _ => expression.push_str(&quote(escaped)),
                }
            }
            '[' if !class => {
                class = true;
                expression.push('[');
                if let Some(rest) = chars.as_str().strip_prefix('^') {
                    expression.push('^');
                    chars = rest.chars();
                }
            }
            ']' if class => {
                class = false;
                expression.push(']');
            }
            '[' | '&' | '~' | '^' if class => expression.extend(['\\', char]),
            _ if class => expression.push(char),
            '@' => expression.push_str(".*"),
            '#' => expression.push_str("[^\\s\\S]"),
            '^' | '$' => expression.extend(['\\', char]),
            '"' => {
                let (literal, rest) = chars
                    .as_str()
                    .split_once('"')
                    .ok_or_else(|| illegal(format!("expected '\"' at the end of regular expression [{pattern}]")))?;
                expression.push_str(&regex::escape(literal));
                chars = rest.chars();
            }
            '&' | '~' | '<' => {
                return Err(illegal(format!(
                    "the operator [{char}] of regular expression [{pattern}] is not supported"
                )));
            }
            _ => expression.push(char),
        }
    }
    Ok(expression)
}

/// What every match begins with, as far as it is plain to see.
pub(super) fn literal_prefix(expression: &str) -> String {
    if expression.contains('|') {
        return String::new();
    }
    let plain = |char: char| char.is_alphanumeric() || matches!(char, '_' | ' ' | '/' | ':' | ',' | '=' | '@' | '-');
    let prefix: String = expression.chars().take_while(|char| plain(*char)).collect();
    let rest = &expression[prefix.len()..];
    // What follows may say that the last character need not be there.
    match rest.chars().next() {
        Some('*' | '?' | '{' | '+') => prefix.chars().take(prefix.chars().count().saturating_sub(1)).collect(),
        _ => prefix,
    }
}

fn quote(char: char) -> String {
    regex::escape(char.encode_utf8(&mut [0; 4]))
}

fn illegal(reason: String) -> Error {
    Error::Request { kind: "illegal_argument_exception", reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, matches: &[&str], others: &[&str]) {
        let regex = compile(expression, false).unwrap();
        let prefix = literal_prefix(expression);
        for text in matches {
            assert!(regex.is_match(text), "{expression} {text}");
            assert!(text.starts_with(&prefix), "{expression} {prefix}");
        }
        for text in others {
            assert!(!regex.is_match(text), "{expression} {text}");
        }
    }

    #[test]
    fn wildcards() {
        check(&from_wildcard("ab*d?"), &["abde", "abccd."], &["abd", "xabde"]);
        check(&from_wildcard(r"a\*.b"), &["a*.b"], &["axxb", "a*xb"]);
        check(&from_wildcard("*"), &["", "x\ny"], &[]);
    }

    #[test]
    fn expressions() {
        check(&from_lucene("ab+c?").unwrap(), &["ab", "abbc"], &["a", "abcx"]);
        check(&from_lucene("a|bc").unwrap(), &["a", "bc"], &["ac"]);
        check(&from_lucene("s.*y").unwrap(), &["sy", "scary"], &["sky!"]);
        check(&from_lucene("^a$").unwrap(), &["^a$"], &["a"]);
        check(&from_lucene("[^a&]@").unwrap(), &["bxyz"], &["abc", "&"]);
        check(&from_lucene("\"a.b\"[0-9]{2}").unwrap(), &["a.b12"], &["axb12"]);
        check(&from_lucene("#").unwrap(), &[], &["", "#"]);
        check(&from_lucene(r"\d+\.\w").unwrap(), &["12.a"], &["12xa"]);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for pattern in ["a&b", "~a", "<1-9>", "a\\", "\"a"] {
            assert!(from_lucene(pattern).unwrap_err().to_string().contains(pattern), "{pattern}");
        }
        assert!(compile("(", false).is_err());
        assert!(compile(&"a".repeat(1_001), false).is_err());
    }
}
