//! LIKE, SIMILAR TO and Java's regular expressions, all as one kind of compiled pattern.

use std::str::Chars;

use super::RowError;

/// What language a pattern is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatternKind {
    Like,
    SimilarTo,
    /// `SUBSTRING(s SIMILAR 'a#"b#"c' ESCAPE '#')`: the middle part.
    SimilarPart,
    Regex,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern {
    kind: PatternKind,
    pub(super) regex: java_regex::Pattern,
}

pub(super) fn failed(error: impl std::fmt::Display) -> RowError {
    RowError(format!("pattern: {error}"))
}

impl Pattern {
    /// Compiles a pattern; or says what is wrong with it.
    pub(crate) fn new(kind: PatternKind, pattern: &str, escape: Option<&str>) -> Result<Pattern, String> {
        let escape = match escape.map(|escape| (escape.chars().next(), escape.chars().count())) {
            None => None,
            Some((Some(c), 1)) => Some(c),
            Some(_) => return Err("ESCAPE is not one character".into()),
        };
        let regex = match kind {
            PatternKind::Regex => java_regex::Pattern::anywhere(pattern),
            PatternKind::Like => java_regex::Pattern::whole(&format!("(?s){}", like(pattern, escape)?)),
            PatternKind::SimilarTo => java_regex::Pattern::whole(&format!("(?s){}", similar(pattern, escape)?)),
            PatternKind::SimilarPart => {
                let escape = escape.ok_or("ESCAPE is missing")?;
                let quote = format!("{escape}\"");
                let parts: Vec<&str> = pattern.split(&quote).collect();
                let [before, middle, after] = parts[..] else {
                    return Err(format!("{pattern:?} does not have {quote} twice"));
                };
                let part = |part| similar(part, Some(escape));
                let regex = format!("(?s)(?:{})(?<part>{})(?:{})", part(before)?, part(middle)?, part(after)?);
                java_regex::Pattern::anywhere(&regex)
            }
        };
        Ok(Pattern { kind, regex: regex.map_err(|error| format!("{pattern:?} is not a pattern: {error}"))? })
    }

    pub(super) fn is_match(&self, text: &str) -> Result<bool, RowError> {
        self.regex.is_match(text).map_err(failed)
    }

    /// The bytes of the first match, or of the middle part.
    pub(super) fn find(&self, text: &str) -> Result<Option<(usize, usize)>, RowError> {
        if self.kind == PatternKind::SimilarPart {
            let group = self.regex.group_named("part").unwrap_or_default();
            let spans = self.regex.spans_at(text, 0).map_err(failed)?;
            return Ok(spans.and_then(|spans| spans.get(group).copied().flatten()));
        }
        self.regex.find_at(text, 0).map_err(failed)
    }
}

/// A character that means itself.
fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

fn like(pattern: &str, escape: Option<char>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            c if Some(c) == escape => match rest.next() {
                Some(c) if matches!(c, '%' | '_') || Some(c) == escape => literal(c, &mut out),
                _ => return Err(format!("{pattern:?}: the escape character stands before no %, _ or itself")),
            },
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            c => literal(c, &mut out),
        }
    }
    Ok(out)
}

/// SIMILAR TO: `% _ () [] [^] | * + ? {n,m}`.
fn similar(pattern: &str, escape: Option<char>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            c if Some(c) == escape => literal(escaped(pattern, &mut rest)?, &mut out),
            '[' => class(pattern, &mut rest, escape, &mut out)?,
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '(' | ')' | '|' | '*' | '+' | '?' | '{' | '}' | ',' => out.push(c),
            c => literal(c, &mut out),
        }
    }
    Ok(out)
}

fn escaped(pattern: &str, rest: &mut Chars<'_>) -> Result<char, String> {
    rest.next().ok_or_else(|| format!("{pattern:?} ends with the escape character"))
}

/// After `[`: `[a-z]`, `[^a-z]`, `[a-z^m]` (a to z, but not m), `[[:DIGIT:]_]`.
fn class(pattern: &str, rest: &mut Chars<'_>, escape: Option<char>, out: &mut String) -> Result<(), String> {
    let open = || format!("{pattern:?} has a [ without ]");
    let (mut is_first, mut is_except) = (true, false);
    out.push('[');
    loop {
        match rest.next().ok_or_else(open)? {
            c if Some(c) == escape => literal(escaped(pattern, rest)?, out),
            ']' => break,
            '^' if is_first => out.push('^'),
            '^' if !is_except => {
                is_except = true;
                out.push_str("&&[^");
            }
            '[' if rest.as_str().starts_with(':') => {
                let (name, after) = rest.as_str()[1..].split_once(":]").ok_or_else(open)?;
                out.push_str(named_class(name).ok_or_else(|| format!("{pattern:?}: unknown class [:{name}:]"))?);
                *rest = after.chars();
            }
            '-' => out.push('-'),
            c => literal(c, out),
        }
        is_first = false;
    }
    out.push_str(if is_except { "]]" } else { "]" });
    Ok(())
}

/// The classes of SQL:2003.
fn named_class(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_uppercase().as_str() {
        "ALPHA" => r"\p{Alpha}",
        "UPPER" => r"\p{Upper}",
        "LOWER" => r"\p{Lower}",
        "DIGIT" => r"\p{Digit}",
        "ALNUM" => r"\p{Alnum}",
        "SPACE" => " ",
        "WHITESPACE" => r"\s",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_to() {
        let cases = [
            ("%TECH%", "BIOTECHNOLOGY", true),
            ("a(b|c)+", "abcb", true),
            ("a(b|c)+", "abcd", false),
            ("[a-z]{2,3}", "abc", true),
            ("[a-z^m]", "m", false),
            ("[a-z^m]", "n", true),
            ("[a-z^\\]m]", "m", false),
            ("[^0-9]_", "a.", true),
            ("[a\\-z]", "b", false),
            ("[a\\-z]", "-", true),
            ("[-az]", "-", true),
            ("[[:DIGIT:]_]+", "4_2", true),
            ("[[:alpha:]]", "é", false),
            ("a.c", "abc", false),
            ("$^", "$^", true),
            ("\\%", "%", true),
            ("\\%", "x", false),
            ("a|b", "b", true),
            ("_", "\n", true),
            ("a{2}", "aa", true),
        ];
        for (pattern, text, expected) in cases {
            let compiled = Pattern::new(PatternKind::SimilarTo, pattern, Some("\\")).unwrap();
            assert_eq!(compiled.is_match(text), Ok(expected), "{pattern:?} {text}");
        }
        for wrong in ["[a", "a\\", "*", "(a", "[[:x:]]", "[[:ALPHA]]", "[]"] {
            assert!(Pattern::new(PatternKind::SimilarTo, wrong, Some("\\")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn like_escapes() {
        let cases =
            [("a!%%", "a%b", true), ("a!%", "ab", false), ("!!_", "!x", true), ("\\d", "\\d", true), ("(", "(", true)];
        for (pattern, text, expected) in cases {
            let compiled = Pattern::new(PatternKind::Like, pattern, Some("!")).unwrap();
            assert_eq!(compiled.is_match(text), Ok(expected), "{pattern:?} {text}");
        }
        for (pattern, escape) in [("a!b", "!"), ("a!", "!"), ("a", "!!"), ("a", "")] {
            assert!(Pattern::new(PatternKind::Like, pattern, Some(escape)).is_err(), "{pattern} {escape}");
        }
    }

    #[test]
    fn regular_expressions_are_javas() {
        let cases = [
            (r"\d+", "x٣4", Some("4")),
            (r"\p{Alpha}++", "1ab2", Some("ab")),
            ("[a-z&&[^b]]+", "bac", Some("ac")),
            (r"\Qa.b\E", "a.b", Some("a.b")),
            ("(?<n>a)\\k<n>", "baa", Some("aa")),
            ("a$", "a\n", Some("a")),
            (r"\u0041\0102", "xAB", Some("AB")),
            ("(?i)AB", "xab", Some("ab")),
            ("x", "abc", None),
        ];
        for (pattern, text, expected) in cases {
            let found = Pattern::new(PatternKind::Regex, pattern, None).unwrap().find(text).unwrap();
            assert_eq!(found.map(|(from, to)| &text[from..to]), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn endless_backtracking_fails_the_row() {
        let pattern = Pattern::new(PatternKind::Regex, "^(?:a(?=a)|a)*c", None).unwrap();
        assert!(pattern.find(&"a".repeat(60)).is_err());
    }
}
