//! LIKE, SIMILAR TO and Java's regular expressions, all as one kind of compiled pattern.

use fancy_regex::{Regex, RegexBuilder};

use super::RowError;

/// Steps a pattern may take on one text: what backtracks longer fails its row.
const BACKTRACK_LIMIT: usize = 100_000;

/// What language a pattern is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatternKind {
    Like,
    SimilarTo,
    /// `SUBSTRING(s SIMILAR 'a#"b#"c' ESCAPE '#')`: the middle part.
    SimilarPart,
    Regex,
}

#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    kind: PatternKind,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.kind == other.kind && self.regex.as_str() == other.regex.as_str()
    }
}

fn failed(error: impl std::fmt::Display) -> RowError {
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
            PatternKind::Regex => pattern.to_owned(),
            PatternKind::Like => format!("(?s)\\A(?:{})\\z", like(pattern, escape)?),
            PatternKind::SimilarTo => format!("(?s)\\A(?:{})\\z", similar(pattern, escape)?),
            PatternKind::SimilarPart => {
                let escape = escape.ok_or("ESCAPE is missing")?;
                let quote = format!("{escape}\"");
                let parts: Vec<&str> = pattern.split(&quote).collect();
                let [before, middle, after] = parts[..] else {
                    return Err(format!("{pattern:?} does not have {quote} twice"));
                };
                let part = |part| similar(part, Some(escape));
                // The parts around the middle take as little as they can (SQL:2003).
                format!("(?s)(?:{})({})(?:{})", part(before)?, part(middle)?, part(after)?)
            }
        };
        let regex = RegexBuilder::new(&regex).backtrack_limit(BACKTRACK_LIMIT).build();
        Ok(Pattern { kind, regex: regex.map_err(|error| format!("{pattern:?} is not a pattern: {error}"))? })
    }

    pub(super) fn is_match(&self, text: &str) -> Result<bool, RowError> {
        self.regex.is_match(text).map_err(failed)
    }

    /// The bytes of the first match, or of the middle part.
    pub(super) fn find(&self, text: &str) -> Result<Option<(usize, usize)>, RowError> {
        if self.kind == PatternKind::SimilarPart {
            let groups = self.regex.captures(text).map_err(failed)?;
            return Ok(groups.and_then(|groups| groups.get(1)).map(|group| (group.start(), group.end())));
        }
        Ok(self.regex.find(text).map_err(failed)?.map(|found| (found.start(), found.end())))
    }

    /// Replaces the match of this number, or all with 0, looking from a character on.
    pub(super) fn replace(&self, text: &str, by: &str, start: i64, occurrence: i64) -> Result<String, RowError> {
        if start < 1 || occurrence < 0 {
            return Err(RowError("REGEX_REPLACE: the start is below 1 or the occurrence below 0".into()));
        }
        let skip = usize::try_from(start - 1).map_err(failed)?;
        let Some((from, _)) = text.char_indices().nth(skip) else { return Ok(text.to_owned()) };
        let (head, tail) = text.split_at(from);
        let mut result = head.to_owned();
        let mut copied = 0;
        for (place, groups) in self.regex.captures_iter(tail).enumerate() {
            let groups = groups.map_err(failed)?;
            let Some(found) = groups.get(0) else { continue };
            if occurrence != 0 && place as i64 + 1 != occurrence {
                continue;
            }
            result.push_str(&tail[copied..found.start()]);
            expand(by, &groups, &mut result);
            copied = found.end();
        }
        result.push_str(&tail[copied..]);
        Ok(result)
    }
}

/// A replacement as Java reads it: `$1` is a group, `\` escapes.
fn expand(by: &str, groups: &fancy_regex::Captures<'_, str>, out: &mut String) {
    let mut rest = by.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.extend(rest.next()),
            '$' => match rest.as_str().chars().next().and_then(|digit| digit.to_digit(10)) {
                Some(group) => {
                    rest.next();
                    out.push_str(groups.get(group as usize).map_or("", |group| group.as_str()));
                }
                None => out.push('$'),
            },
            c => out.push(c),
        }
    }
}

fn literal(c: char, out: &mut String) {
    if !c.is_alphanumeric() && c.is_ascii() && !c.is_ascii_control() && c != ' ' {
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
    let mut in_class = false;
    while let Some(c) = rest.next() {
        match c {
            c if Some(c) == escape => match rest.next() {
                Some(c) => literal(c, &mut out),
                None => return Err(format!("{pattern:?} ends with the escape character")),
            },
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            // `[a-z^m]`: a to z, but not m.
            '^' if in_class && !out.ends_with('[') => {
                let class: String = rest.by_ref().take_while(|c| *c != ']').collect();
                in_class = false;
                out.push_str("&&[^");
                class.chars().for_each(|c| if c == '-' { out.push(c) } else { literal(c, &mut out) });
                out.push_str("]]");
            }
            '-' | '^' if in_class => out.push(c),
            c if in_class => literal(c, &mut out),
            '[' => {
                in_class = true;
                out.push('[');
            }
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '(' | ')' | '|' | '*' | '+' | '?' | '{' | '}' => out.push(c),
            ',' => out.push(','),
            c => literal(c, &mut out),
        }
    }
    if in_class { Err(format!("{pattern:?} has a [ without ]")) } else { Ok(out) }
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
            ("[^0-9]_", "a.", true),
            ("a.c", "abc", false),
        ];
        for (pattern, text, expected) in cases {
            let pattern = Pattern::new(PatternKind::SimilarTo, pattern, None).unwrap();
            assert_eq!(pattern.is_match(text), Ok(expected), "{pattern:?} {text}");
        }
        assert!(Pattern::new(PatternKind::SimilarTo, "[a", None).is_err());
    }

    #[test]
    fn replacements_are_javas() {
        let replace = |by, start, occurrence| {
            Pattern::new(PatternKind::Regex, "(a)(.)", None).unwrap().replace("abac", by, start, occurrence)
        };
        assert_eq!(replace("$2\\$", 1, 0).unwrap(), "b$c$");
        assert_eq!(replace("-", 2, 1).unwrap(), "ab-");
        assert_eq!(replace("-", 9, 0).unwrap(), "abac");
        assert!(replace("-", 0, 0).is_err());
    }

    #[test]
    fn endless_backtracking_fails_the_row() {
        let pattern = Pattern::new(PatternKind::Regex, "^(?:a(?=a)|a)*c", None).unwrap();
        assert!(pattern.find(&"a".repeat(60)).is_err());
    }
}
