//! Filter patterns, as far as they go here: plain terms and quoted phrases, all of which must occur. The whole language is
//! refused by name, never misread.

use super::errors;
use crate::error::ApiError;

/// Characters of a pattern (FilterLogEvents).
const MAX_PATTERN: usize = 1_024;

/// Texts that an event must contain.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern(Vec<String>);

impl Pattern {
    /// Reads a pattern; an empty one matches everything.
    pub fn parse(pattern: &str) -> Result<Pattern, ApiError> {
        if pattern.chars().count() > MAX_PATTERN {
            return Err(errors::invalid(format!("filterPattern: more than {MAX_PATTERN} characters")));
        }
        let mut terms = Vec::new();
        let mut rest = pattern.trim_start();
        while let Some(first) = rest.chars().next() {
            let (term, after) = match first {
                '"' => phrase(&rest[1..])?,
                '{' | '[' | '%' | '?' | '-' => {
                    return Err(errors::invalid(format!(
                        "filterPattern {pattern:?}: the emulator does not emulate patterns with {first:?} yet (only terms and \
                         quoted phrases)"
                    )));
                }
                _ => word(rest)?,
            };
            // A blank phrase matches every event, whether it has a blank or not.
            if !term.trim().is_empty() {
                terms.push(term);
            }
            rest = after.trim_start();
        }
        Ok(Pattern(terms))
    }

    /// Whether a message contains all of it: terms are found inside words too, and case matters.
    pub fn matches(&self, message: &str) -> bool {
        self.0.iter().all(|term| message.contains(term.as_str()))
    }
}

/// The text up to the closing quote, and what follows it; `\"` is a quote.
fn phrase(text: &str) -> Result<(String, &str), ApiError> {
    let mut phrase = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if escaped => phrase.push('"'),
            '"' => return Ok((phrase, &text[at + 1..])),
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            c if escaped => phrase.extend(['\\', c]),
            c => phrase.push(c),
        }
        escaped = false;
    }
    Err(errors::invalid("filterPattern: a quoted phrase is not closed"))
}

fn word(text: &str) -> Result<(String, &str), ApiError> {
    let end = text.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(text.len());
    let word = &text[..end];
    if !word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(errors::invalid(format!("Invalid character(s) in term '{word}': quote it")));
    }
    Ok((word.to_owned(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_and_phrases_must_all_occur() {
        for (pattern, message, expected) in [
            ("", "anything", true),
            ("   ", "anything", true),
            ("ERROR", "Exiting with ERRORCODE: -1", true),
            ("error", "ERROR", false),
            ("ERROR 42", "42 times ERROR", true),
            ("ERROR 42", "ERROR 41", false),
            ("\"status: 500\" GET", "GET / status: 500", true),
            ("\"status: 500\"", "status: 404", false),
            (r#""say \"hi\"""#, r#"they say "hi""#, true),
            (r#""a\b""#, r"a\b", true),
            ("\" \"", "word", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(message), expected, "{pattern} {message}");
        }
    }

    #[test]
    fn other_patterns_are_refused() {
        for (pattern, expected) in [
            ("{ $.a = 1 }", "does not emulate patterns with '{' yet"),
            ("[ip, user]", "'['"),
            ("%x%", "'%'"),
            ("?a ?b", "'?'"),
            ("a -b", "'-'"),
            ("a:b", "Invalid character(s) in term 'a:b'"),
            ("\"open", "not closed"),
            (&"a".repeat(1025), "more than 1024"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert_eq!(error.code, "InvalidParameterException");
            assert!(error.message.contains(expected), "{pattern}: {}", error.message);
        }
    }
}
