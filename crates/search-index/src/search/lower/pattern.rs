//! Terms by their shape: `prefix`, `wildcard`, `regexp`, `fuzzy`, and whatever else tests terms one by one.

use std::fmt;
use std::sync::Arc;

use tantivy::BitSet;
use tantivy::query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::{Field as Part, IndexRecordOption};
use tantivy::{DocId, Score, SegmentReader};

use crate::Error;
use crate::mapping::FieldType;
use crate::search::field::{Field, wildcard};
use crate::split::Pattern;
use crate::split::schema::{DOC, ID, TEXT, id_term, string_term, word_term};

use super::regexp;
use super::{Lowered, Lowering, all, constant, misfit, none};

/// A test of terms.
pub(super) type Test = Box<dyn Fn(&str) -> bool + Send + Sync>;

impl<'a> Lowering<'a> {
    pub(super) fn prefix(&mut self, field: &str, value: &str, case_insensitive: bool) -> Result<Lowered, Error> {
        let Some(place) = self.place("prefix", field)? else {
            return Ok(self.index_name(field, |index| index.starts_with(value)));
        };
        let value = self.normal(place.0, value);
        if case_insensitive {
            let value = value.to_lowercase();
            return Ok(self.pattern(
                place.0,
                place.1,
                "",
                Box::new(move |term| term.to_lowercase().starts_with(&value)),
            ));
        }
        Ok(self.pattern(place.0, place.1, &value, Box::new(|_| true)))
    }

    pub(super) fn wildcard(&mut self, field: &str, value: &str, case_insensitive: bool) -> Result<Lowered, Error> {
        let Some(place) = self.place("wildcard", field)? else {
            return Ok(self.index_name(field, |index| wildcard(value, index)));
        };
        // Elasticsearch normalises the patterns of `wildcard` on text always.
        let value = if place.0 == TEXT { value.to_lowercase() } else { value.to_string() };
        self.expression(place, &regexp::from_wildcard(&value), case_insensitive)
    }

    pub(super) fn regexp(&mut self, field: &str, value: &str, case_insensitive: bool) -> Result<Lowered, Error> {
        let Some(place) = self.place("regexp", field)? else {
            return Ok(none());
        };
        let value = self.normal(place.0, value);
        self.expression(place, &regexp::from_lucene(&value)?, case_insensitive)
    }

    pub(super) fn fuzzy(&mut self, field: &str, value: &str, distance: Option<u8>) -> Result<Lowered, Error> {
        let Some(place) = self.place("fuzzy", field)? else {
            return Ok(none());
        };
        let value: Vec<char> = self.normal(place.0, value).chars().collect();
        // `AUTO`: none up to two characters, one up to five, then two.
        let edits = distance.unwrap_or(match value.len() {
            0..=2 => 0,
            3..=5 => 1,
            _ => 2,
        });
        Ok(self.pattern(place.0, place.1, "", Box::new(move |term| within(&value, term, usize::from(edits)))))
    }

    /// `term` without looking at case; `None` where case means nothing.
    pub(super) fn term_without_case(&mut self, field: &str, value: &str) -> Option<Lowered> {
        let (part, path) = self.place("term", field).ok().flatten()?;
        let value = value.to_lowercase();
        Some(self.pattern(part, path, "", Box::new(move |term| term.to_lowercase() == value)))
    }

    /// Where the terms of a field are; `None` where there is none (`_index`, unmapped).
    fn place(&self, kind: &str, field: &str) -> Result<Option<(Part, &'a str)>, Error> {
        let resolved = Field::resolve(self.mapping, field);
        Ok(match resolved {
            Field::Leaf { path, kind: FieldType::Text { .. } } => Some((TEXT, path)),
            Field::Leaf { path, kind: FieldType::Keyword { .. } } | Field::Copy { path } => Some((DOC, path)),
            Field::Id => Some((ID, "")),
            Field::Index | Field::Object | Field::Unmapped => None,
            _ => {
                return Err(misfit(format!(
                    "Can only use {kind} queries on keyword, text and wildcard fields - not on [{field}] which is of type [{}]",
                    resolved.type_name()
                )));
            }
        })
    }

    fn index_name(&self, field: &str, test: impl Fn(&str) -> bool) -> Lowered {
        if field == "_index" && test(self.index) { all() } else { none() }
    }

    fn normal(&self, part: Part, value: &str) -> String {
        if self.normalised && part == TEXT { value.to_lowercase() } else { value.to_string() }
    }

    fn expression(&mut self, place: (Part, &str), expression: &str, case_insensitive: bool) -> Result<Lowered, Error> {
        let regex = regexp::compile(expression, case_insensitive)?;
        let prefix = if case_insensitive { String::new() } else { regexp::literal_prefix(expression) };
        Ok(self.pattern(place.0, place.1, &prefix, Box::new(move |term| regex.is_match(term))))
    }

    /// The documents with any term that begins so and passes the test.
    pub(super) fn pattern(&mut self, part: Part, path: &str, prefix: &str, test: Test) -> Lowered {
        self.terms_of(part, path, prefix, usize::MAX, test)
    }

    /// The documents with any of the first terms that begin so.
    pub(super) fn first_with_prefix(&mut self, path: &str, prefix: &str, limit: usize) -> Lowered {
        self.terms_of(TEXT, path, prefix, limit, Box::new(|_| true))
    }

    fn terms_of(&mut self, part: Part, path: &str, prefix: &str, limit: usize, test: Test) -> Lowered {
        let skip = serialised(part, path, "").len();
        let test =
            move |term: &[u8]| term.get(skip..).and_then(|text| std::str::from_utf8(text).ok()).is_some_and(&test);
        let pattern = Pattern { test: Some(Arc::new(test)), ..range(part, path, prefix, limit, false) };
        self.wanted.patterns.push(pattern.clone());
        constant(PatternQuery { pattern })
    }

    /// Has the first terms that begin so read, without a query of its own.
    pub(super) fn want_prefix(&mut self, part: Part, path: &str, prefix: &str, limit: usize, positions: bool) {
        self.wanted.patterns.push(range(part, path, prefix, limit, positions));
    }
}

fn range(part: Part, path: &str, prefix: &str, limit: usize, positions: bool) -> Pattern {
    let from = serialised(part, path, prefix);
    let mut to = from.clone();
    // The first that no longer begins so. UTF-8 has no 0xff, and the marks before the value are small.
    to.push(0xff);
    Pattern { field: part, range: from..to, test: None, limit, positions }
}

fn serialised(part: Part, path: &str, value: &str) -> Vec<u8> {
    let term = match part {
        TEXT => word_term(path, value),
        DOC => string_term(path, value),
        _ => id_term(value),
    };
    term.serialized_value_bytes().to_vec()
}

/// Documents with any of the terms of a pattern.
#[derive(Clone)]
struct PatternQuery {
    pattern: Pattern,
}

impl fmt::Debug for PatternQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Terms({:?}, {:?})", self.pattern.field, self.pattern.range)
    }
}

impl Query for PatternQuery {
    fn weight(&self, _scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for PatternQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let pattern = &self.pattern;
        let inverted = reader.inverted_index(pattern.field)?;
        let mut docs = BitSet::with_max_value(reader.max_doc());
        let mut terms = inverted.terms().range().ge(&pattern.range.start).lt(&pattern.range.end).into_stream()?;
        let mut found = 0;
        while found < pattern.limit && terms.advance() {
            if pattern.test.as_ref().is_some_and(|test| !test(terms.key())) {
                continue;
            }
            found += 1;
            let mut postings = inverted.read_block_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)?;
            while !postings.docs().is_empty() {
                postings.docs().iter().for_each(|doc| _ = docs.insert(*doc));
                postings.advance();
            }
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(docs), boost)))
    }

    fn explain(&self, _reader: &SegmentReader, _doc: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("documents with a term of a pattern", 1.0))
    }
}

/// Whether a term is at most so many edits (insertions, deletions, changes, swaps of neighbours) away.
fn within(value: &[char], term: &str, edits: usize) -> bool {
    let term: Vec<char> = term.chars().collect();
    if value.len().abs_diff(term.len()) > edits {
        return false;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=term.len()).collect();
    for (i, from) in value.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in term.iter().enumerate() {
            let mut cost = (row[j] + usize::from(from != to)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *from == term[j - 1] && value[i - 1] == *to {
                cost = cost.min(before[j - 1] + 1);
            }
            next.push(cost);
        }
        if next.iter().min().is_some_and(|least| *least > edits) {
            return false;
        }
        before = std::mem::replace(&mut row, next);
    }
    row[term.len()] <= edits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits() {
        for (value, term, edits, expected) in [
            ("abc", "abc", 0, true),
            ("abc", "abd", 0, false),
            ("abc", "abd", 1, true),
            ("abc", "acb", 1, true),
            ("abc", "bca", 1, false),
            ("abc", "bca", 2, true),
            ("kitten", "sitting", 2, false),
            ("quick", "qick", 1, true),
            ("é", "e", 1, true),
            ("ab", "abcd", 1, false),
        ] {
            let chars: Vec<char> = value.chars().collect();
            assert_eq!(within(&chars, term, edits), expected, "{value} {term} {edits}");
        }
    }
}
