//! REGEX_REPLACE, as Java's `Matcher` replaces.

use java_regex::Spans;

use super::RowError;
use super::pattern::{Pattern, failed};

fn invalid<T>(what: impl std::fmt::Display) -> Result<T, RowError> {
    Err(RowError(format!("REGEX_REPLACE: {what}")))
}

impl Pattern {
    /// Replaces the match of this number, or all with 0, looking from a character on.
    pub(super) fn replace(&self, text: &str, by: &str, start: i64, occurrence: i64) -> Result<String, RowError> {
        if start < 1 || occurrence < 0 {
            return invalid("the start is below 1 or the occurrence below 0");
        }
        let skip = usize::try_from(start - 1).map_err(failed)?;
        let Some((mut at, _)) = text.char_indices().nth(skip) else { return Ok(text.to_owned()) };
        let mut result = String::with_capacity(text.len());
        let (mut copied, mut number) = (0, 0);
        while let Some(spans) = self.regex.spans_at(text, at).map_err(failed)? {
            let Some(Some((from, to))) = spans.first().copied() else { break };
            number += 1;
            if occurrence == 0 || number == occurrence {
                result.push_str(&text[copied..from]);
                self.expand(by, text, &spans, &mut result)?;
                copied = to;
            }
            // Behind a match that is empty, the next one begins a character later.
            let step = if to > from { 0 } else { text[to..].chars().next().map_or(1, char::len_utf8) };
            at = to + step;
            if number == occurrence || at > text.len() {
                break;
            }
        }
        result.push_str(&text[copied..]);
        Ok(result)
    }

    /// Appends a replacement: `$1` and `${name}` are groups, `\` escapes.
    fn expand(&self, by: &str, text: &str, spans: &Spans, out: &mut String) -> Result<(), RowError> {
        let mut rest = by.chars();
        while let Some(c) = rest.next() {
            match c {
                '\\' => match rest.next() {
                    Some(c) => out.push(c),
                    None => return invalid("the replacement ends with \\"),
                },
                '$' => {
                    let (group, after) = self.group(rest.as_str())?;
                    rest = after.chars();
                    if let Some((from, to)) = spans.get(group).copied().flatten() {
                        out.push_str(&text[from..to]);
                    }
                }
                c => out.push(c),
            }
        }
        Ok(())
    }

    /// The group that is named behind a `$`, and what follows: as many digits as make a group that is there.
    fn group<'b>(&self, by: &'b str) -> Result<(usize, &'b str), RowError> {
        if let Some(named) = by.strip_prefix('{') {
            let Some((name, rest)) = named.split_once('}') else { return invalid("${ without }") };
            return match self.regex.group_named(name) {
                Some(group) => Ok((group, rest)),
                None => invalid(format_args!("there is no group {name}")),
            };
        }
        let digit = |text: &str| text.chars().next().and_then(|c| c.to_digit(10)).map(|digit| digit as usize);
        let Some(mut group) = digit(by) else { return invalid("a $ stands before no group: \\$ is the character") };
        if group > self.regex.groups() {
            return invalid(format_args!("there is no group {group}"));
        }
        let mut rest = &by[1..];
        while let Some(longer) = digit(rest).map(|digit| group * 10 + digit).filter(|n| *n <= self.regex.groups()) {
            group = longer;
            rest = &rest[1..];
        }
        Ok((group, rest))
    }
}

#[cfg(test)]
mod tests {
    use crate::expression::{Pattern, PatternKind};

    #[test]
    fn replacements_are_javas() {
        let cases = [
            ("(a)(.)", "abac", "$2\\$", 1, 0, Some("b$c$")),
            ("(a)(.)", "abac", "-", 2, 1, Some("ab-")),
            ("(a)(.)", "abac", "-", 1, 2, Some("ab-")),
            ("(a)(.)", "abac", "-", 1, 3, Some("abac")),
            ("(a)(.)", "abac", "-", 9, 0, Some("abac")),
            ("(a)(.)", "abac", "$1$0$12", 1, 1, Some("aaba2ac")),
            ("(?<x>a)", "ab", "<${x}>", 1, 0, Some("<a>b")),
            ("a*", "baaac", "-", 1, 0, Some("-b--c-")),
            ("^a", "aa", "-", 2, 0, Some("aa")),
            ("", "äö", ".", 1, 0, Some(".ä.ö.")),
            ("(a)|b", "b", "[$1]", 1, 0, Some("[]")),
            ("a", "a", "\\\\", 1, 0, Some("\\")),
            ("a", "a", "-", 0, 0, None),
            ("a", "a", "-", 1, -1, None),
            ("a", "a", "$1", 1, 0, None),
            ("a", "a", "$", 1, 0, None),
            ("a", "a", "${x}", 1, 0, None),
            ("a", "a", "\\", 1, 0, None),
        ];
        for (pattern, text, by, start, occurrence, expected) in cases {
            let compiled = Pattern::new(PatternKind::Regex, pattern, None).unwrap();
            let result = compiled.replace(text, by, start, occurrence);
            assert_eq!(result.ok().as_deref(), expected, "{pattern} {text} {by}");
        }
    }
}
