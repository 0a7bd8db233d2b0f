//! FAST_REGEX_LOG_PARSE: expressions of their own kind, matched step by step without going back.
//!
//! The pattern is cut into searches ("FAST_REGEX_LOG_PARSER"): one for each part in and between parentheses, after what has a fixed
//! length at the start of a part has moved to the end of the one before. Each search takes as little as it can; `_+` at the end of one
//! that no field has a part in takes all there is (example B). A search that has matched is never tried again, so the searches are
//! atomic groups of one regular expression, and the fields lie between marks: empty groups.

use super::fast_syntax::{Item, Node, parse};
use super::field::{Field, Fields, default_fields};
use crate::expression::RowError;
use crate::value::Datum;

#[derive(Debug, Clone)]
pub(crate) struct FastRegexLog {
    /// Two groups for each field: where it begins and where it ends.
    pattern: java_regex::Pattern,
    fields: Fields,
}

/// A piece of a search.
enum Piece {
    Node { node: Node, is_field: bool },
    Mark,
}

impl FastRegexLog {
    pub(crate) fn new(pattern: &str) -> Result<FastRegexLog, String> {
        let items = parse(pattern).map_err(|error| format!("{pattern:?} is not a fast regular expression: {error}"))?;
        let count = items.iter().filter(|item| item.is_field).count();
        if count == 0 {
            return Err(format!("{pattern:?} has no parentheses: each pair of them is a column"));
        }
        let compiled = java_regex::Pattern::whole(&expression(searches(items)));
        let pattern = compiled.map_err(|error| format!("{pattern:?} cannot be compiled: {error}"))?;
        Ok(FastRegexLog { pattern, fields: default_fields(count)? })
    }

    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Example A: a line that does not match gives no row.
    pub(super) fn parse<'t>(&self, line: &'t str, out: &mut Vec<Datum<'t>>) -> Result<bool, RowError> {
        let Some(spans) = self.pattern.spans_at(line, 0).map_err(RowError)? else {
            return Err(RowError(format!("FAST_REGEX_LOG_PARSE: {line:?} does not match the pattern")));
        };
        for (field, marks) in self.fields.iter().zip(spans[1..].chunks_exact(2)) {
            let text = match marks {
                [Some((_, from)), Some((to, _))] => Some(line[*from..*to].into()),
                _ => None,
            };
            out.push(field.value(text)?);
        }
        Ok(true)
    }
}

/// The searches of a pattern, in their order.
fn searches(items: Vec<Item>) -> Vec<Vec<Piece>> {
    let mut searches = vec![Vec::new()];
    for (place, Item { nodes, is_field }) in items.into_iter().enumerate() {
        let mut current = searches.pop().unwrap_or_default();
        if is_field {
            current.push(Piece::Mark);
        }
        let mut moves = true;
        for node in nodes.into_iter().flat_map(Node::unrolled) {
            if moves && node.length().is_none() {
                moves = false;
                if place > 0 {
                    searches.push(std::mem::take(&mut current));
                }
            }
            current.push(Piece::Node { node, is_field });
        }
        if is_field {
            current.push(Piece::Mark);
        }
        searches.push(current);
    }
    searches
}

/// The regular expression (Java's) that makes the searches one after the other.
fn expression(searches: Vec<Vec<Piece>>) -> String {
    let mut out = String::from("(?s)");
    let last = searches.len() - 1;
    for (number, search) in searches.into_iter().enumerate() {
        // The last search goes on to the end, so it must not be content with the first match.
        out.push_str(if number < last { "(?>" } else { "(?:" });
        let end = search.iter().rposition(|piece| matches!(piece, Piece::Node { .. }));
        for (place, piece) in search.into_iter().enumerate() {
            match piece {
                Piece::Mark => out.push_str("()"),
                Piece::Node { node, is_field } => node.write(is_field || Some(place) != end, &mut out),
            }
        }
        out.push(')');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_searched() {
        let mary = "Mary_had_a_little_lamb";
        let cases = [
            ("(.*)_+(.*)", "Mary____had_a_little_lamb", Some(vec!["Mary", "had_a_little_lamb"])),
            ("(.*)_+(<Alpha>.*)", "Mary____had_a_little_lamb", Some(vec!["Mary", "had_a_little_lamb"])),
            // By the rules, where the page's own first example gives the second column the rest of the line.
            ("(.*)_(._.*)_.*", mary, Some(vec!["Mary_had", "a_little"])),
            ("(.*)_(._.*)_.", mary, None),
            ("(.*)_+(._.*)", mary, None),
            ("(.*)_(.*)", "x", None),
            ("([^ ]*) +\\[(.*)\\] \\\"(.*)\\\".*", "a   [b] \"c\" d", Some(vec!["a", "b", "c"])),
            (" *(<Digit>{2,3}) (a|bc)(x?)", "  123 bc", Some(vec!["123", "bc", ""])),
            ("(<1-12>)/(<01-31>)", "12/07", Some(vec!["12", "07"])),
            ("(<1-12>)/(<01-31>)", "13/07", None),
            ("(a(b|c)*)\"d.\"(@)", "abcbd.\nx", Some(vec!["abcb", "\nx"])),
            ("()(.)(<XDigit>+)", "xAf", Some(vec!["x", "Af"])),
            ("(.*)#", "x", None),
            ("(.*)ö(.*)", "äöü", Some(vec!["ä", "ü"])),
        ];
        for (pattern, line, expected) in cases {
            let mut out = Vec::new();
            let is_match = FastRegexLog::new(pattern).unwrap().parse(line, &mut out) == Ok(true);
            let texts = out.iter().map(|value| if let Datum::Text(text) = value { text } else { "-" });
            assert_eq!(is_match.then(|| texts.collect()), expected, "{pattern} {line}");
        }
    }

    #[test]
    fn wrong_patterns_say_what() {
        let cases = [
            ("abc", "has no parentheses"),
            ("(a", "expected )"),
            ("a)", "unmatched )"),
            ("([a", "expected ]"),
            ("(<Foo>)", "<Foo>"),
            ("(<1-9999999>)", "numbers"),
            ("(<9-1>)", "<9-1>"),
            ("(a&b)", "&"),
            ("(a)|(b)", "within parentheses"),
            ("(*)", "nothing to repeat"),
            ("(a{3,1})", "{3,1}"),
            ("(a{})", "{}"),
            ("(a{9999999})", "{9999999}"),
            ("(\\", "backslash"),
            ("(\"a)", "expected \""),
        ];
        for (pattern, part) in cases {
            let error = FastRegexLog::new(pattern).unwrap_err();
            assert!(error.contains(part), "{pattern}: {error}");
        }
        assert!(FastRegexLog::new(&"(".repeat(10_000)).is_err());
        assert!(FastRegexLog::new(&format!("({}.*)", "<1-1000>".repeat(500))).is_err());
    }
}
