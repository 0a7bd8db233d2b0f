//! A Java expression, compiled: `regex` where it can say it (linear time), else `fancy-regex` with a bound on its steps.

use crate::PatternError;
use crate::translate::{Anchoring, translate};

/// Backtracking steps after which a text is given up (the `fancy-regex` default; Java would go on until its stack ends).
pub const MAX_STEPS: usize = 1_000_000;

/// Byte offsets of a match and of its groups: the match first; a group that took no part is `None`.
pub type Spans = Vec<Option<(usize, usize)>>;

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Pattern {
    engine: Engine,
    groups: usize,
    names: Vec<(String, usize)>,
}

#[derive(Debug, Clone)]
enum Engine {
    Linear(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
}

/// Patterns are equal if they are written alike.
impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text() == other.text()
    }
}

impl Pattern {
    /// Matches a text as a whole.
    pub fn whole(java: &str) -> Result<Pattern, PatternError> {
        Pattern::new(java, Anchoring::Whole)
    }

    /// Matches anywhere in a text.
    pub fn anywhere(java: &str) -> Result<Pattern, PatternError> {
        Pattern::new(java, Anchoring::Anywhere)
    }

    fn new(java: &str, anchoring: Anchoring) -> Result<Pattern, PatternError> {
        let translated = translate(java, anchoring)?;
        let engine = if translated.backtracking {
            let built = fancy_regex::RegexBuilder::new(&translated.text).backtrack_limit(MAX_STEPS).build();
            Engine::Backtracking(Box::new(built.map_err(|error| PatternError::Unsupported(error.to_string()))?))
        } else {
            let built = regex::Regex::new(&translated.text);
            Engine::Linear(built.map_err(|error| PatternError::Unsupported(last_line(&error.to_string())))?)
        };
        Ok(Pattern { engine, groups: translated.groups, names: translated.names })
    }

    /// The expression in the engine's syntax.
    fn text(&self) -> &str {
        match &self.engine {
            Engine::Linear(regex) => regex.as_str(),
            Engine::Backtracking(regex) => regex.as_str(),
        }
    }

    /// How many capturing groups the expression has.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The number of a named group.
    pub fn group_named(&self, name: &str) -> Option<usize> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, group)| *group)
    }

    /// Whether there is a match; `Err` when the step bound is reached, here and below.
    pub fn is_match(&self, text: &str) -> Result<bool, String> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex.is_match(text)),
            Engine::Backtracking(regex) => regex.is_match(text).map_err(|error| error.to_string()),
        }
    }

    /// The groups of the first match (a group that took no part is `None`).
    pub fn captures<'a>(&self, text: &'a str) -> Result<Option<Vec<Option<&'a str>>>, String> {
        let parts = |spans: Spans| spans.iter().skip(1).map(|span| span.map(|(from, to)| &text[from..to])).collect();
        Ok(self.spans_at(text, 0)?.map(parts))
    }

    /// The first match at or after `from`, with its groups.
    pub fn spans_at(&self, text: &str, from: usize) -> Result<Option<Spans>, String> {
        Ok(match &self.engine {
            Engine::Linear(regex) => {
                let mut found = regex.capture_locations();
                let spans = |found: regex::CaptureLocations| (0..=self.groups).map(|group| found.get(group)).collect();
                regex.captures_read_at(&mut found, text, from).is_some().then(|| spans(found))
            }
            Engine::Backtracking(regex) => {
                let found = regex.captures_from_pos(text, from).map_err(|error| error.to_string())?;
                let span = |part: fancy_regex::Match<'_>| (part.start(), part.end());
                found.map(|found| (0..=self.groups).map(|group| found.get(group).map(span)).collect())
            }
        })
    }

    /// The first match at or after `from`, as byte offsets.
    pub fn find_at(&self, text: &str, from: usize) -> Result<Option<(usize, usize)>, String> {
        Ok(match &self.engine {
            Engine::Linear(regex) => regex.find_at(text, from).map(|found| (found.start(), found.end())),
            Engine::Backtracking(regex) => {
                let found = regex.find_from_pos(text, from).map_err(|error| error.to_string())?;
                found.map(|found| (found.start(), found.end()))
            }
        })
    }
}

/// The cause in a message of the `regex` crate, whose first lines draw the translated expression.
fn last_line(message: &str) -> String {
    message.lines().last().unwrap_or(message).trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Some(groups)` when the whole text matches.
    fn check(java: &str, text: &str, expected: Option<&[Option<&str>]>) {
        let pattern = Pattern::whole(java).unwrap_or_else(|error| panic!("{java:?}: {error}"));
        let got = pattern.captures(text).unwrap();
        assert_eq!(got.as_deref(), expected, "{java:?} on {text:?}");
    }

    fn check_matches(java: &str, yes: &[&str], no: &[&str]) {
        let pattern = Pattern::whole(java).unwrap_or_else(|error| panic!("{java:?}: {error}"));
        for (texts, expected) in [(yes, true), (no, false)] {
            for text in texts {
                assert_eq!(pattern.captures(text).unwrap().is_some(), expected, "{java:?} on {text:?}");
            }
        }
    }

    #[test]
    fn groups() {
        check("(a)|(b)", "b", Some(&[None, Some("b")]));
        check("(?<x>a)(?:b)(c)", "abc", Some(&[Some("a"), Some("c")]));
        check(r"(\w+) \1", "ab ab", Some(&[Some("ab")]));
        check(r"(?<w>\w)\k<w>", "aa", Some(&[Some("a")]));
        let ten = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(Some);
        check(r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\11", "abcdefghija1", Some(&ten));
        check(r"(a)\11", "aa1", Some(&[Some("a")]));
        check("(a*+)(.*)", "aab", Some(&[Some("aa"), Some("b")]));
        check("((?>a|ab))(.*)", "abc", Some(&[Some("a"), Some("bc")]));
    }

    #[test]
    fn classes() {
        check_matches(r"\w+", &["a_9"], &["é", "", "a b"]);
        check_matches(r"(?U)\w+", &["é"], &["-"]);
        check_matches(r"\s", &[" ", "\t", "\u{b}", "\n"], &["\u{a0}", "\u{85}"]);
        check_matches(r"\h", &["\t", "\u{a0}", "\u{3000}"], &["\n", "x"]);
        check_matches(r"\v", &["\n", "\u{2028}"], &[" "]);
        check_matches(r"\R", &["\r\n", "\r", "\u{85}"], &["a"]);
        check_matches("[a-z&&[^aeiou]]", &["b"], &["a", "B", "&"]);
        check_matches("[a-d[m-p]]", &["b", "n"], &["f"]);
        check_matches("[^a[b]]", &["c"], &["a", "b"]);
        check_matches("[]a]", &["]", "a"], &["b"]);
        check_matches("[a~~b&|[--/]]+", &["~-ab&|."], &["d"]);
        check_matches(r"[\w.-]+", &["a.-_"], &["/"]);
        check_matches(r"[\d\-x]+", &["1-x"], &["y"]);
        check_matches(r"[[:alpha:]]+", &[":alph"], &["b"]);
        check_matches(r"\p{Alpha}\p{Punct}\pL\p{IsGreek}\P{Digit}", &["a!éωx"], &["é!éωx", "a!éωx1"]);
        check_matches(r"\p{javaUpperCase}\p{Lu}\p{IsAlphabetic}", &["ÄÖx"], &["ab1"]);
        check_matches(r"[\x41\u0042\x{43}\0104\t\cA]+", &["ABCD\t\u{1}"], &["E"]);
    }

    #[test]
    fn ends_and_lines() {
        check_matches("a.b", &["axb", "a\u{1F389}b"], &["a\nb", "a\rb", "a\u{85}b", "a\u{2028}b"]);
        check_matches("(?s)a.b", &["a\nb"], &[]);
        check_matches("(?d)a.b", &["a\rb"], &["a\nb"]);
        check_matches("^a$", &["a"], &["a\n", "ba"]);
        check_matches("(a$)\n?", &["a", "a\n"], &["a\n\n"]);
        check_matches(r"a\Z\s*", &["a", "a\n"], &["a x"]);
        check_matches("(?m)a$\n^b", &["a\nb"], &["ab"]);
        check_matches(r"\Aa\z|\Gb", &["a", "b"], &["ab"]);
    }

    #[test]
    fn flags_quotes_and_comments() {
        check_matches("(?i)ab[c-e]", &["ABD", "abc"], &["\u{212a}bc", "abf"]);
        check_matches("(?i)k", &["K"], &["\u{212a}"]);
        check_matches("(?iu)é", &["É"], &["e"]);
        check_matches("(?i)é", &["é"], &["É"]);
        check_matches("a(?i:b)c", &["aBc"], &["aBC"]);
        check_matches("((?i)b)c", &["Bc"], &["BC"]);
        check_matches(r"\Qa.b\E+", &["a.b", "a.bb"], &["axb"]);
        check_matches("(?x) a b # comment\n c", &["abc"], &["a b"]);
        check_matches("a{2}{3}b|{2}x|(?i){1,2}y", &["aab", "x", "Y"], &["aaaaaab", "b"]);
        check_matches(r"(?=a)*\w(?<=a)?+(?!b)+(?:)*(?:\b)?\1*", &["a", "x"], &["", "ab"]);
        check_matches("a{2}b{1,}c{0,1}?", &["aab", "aabbc"], &["ab"]);
        check_matches(r"(?=a)\w+(?<!b)", &["ac"], &["ab", "ca"]);
    }

    #[test]
    fn illegal_and_unsupported_expressions_say_what() {
        let cases = [
            ("(a", "unclosed group"),
            ("a)", "unmatched )"),
            ("[a", "unclosed character class"),
            ("*a", "dangling *"),
            ("a**", "dangling *"),
            ("a{x}", "illegal repetition"),
            ("a{xö}", "illegal repetition"),
            ("[z-a]", "illegal character range"),
            (r"\y", r"illegal escape \y"),
            (r"\X", r"\X is not supported"),
            (r"\p{InGreek}", "block"),
            ("(?z)", "unknown flag z"),
            (r"\k<no>", "no group named no"),
            ("a\\", "ends in a backslash"),
        ];
        for (java, part) in cases {
            let error = Pattern::whole(java).unwrap_err().to_string();
            assert!(error.contains(part), "{java:?}: {error}");
        }
    }

    #[test]
    fn a_catastrophic_expression_stops_at_the_bound() {
        let pattern = Pattern::whole(r"(?:(a+)(?=.))+\1b").unwrap();
        let error = pattern.captures(&("a".repeat(40) + "bc")).unwrap_err();
        assert!(error.to_lowercase().contains("backtrack"), "{error}");
    }
}
