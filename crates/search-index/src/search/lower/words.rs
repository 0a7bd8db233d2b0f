//! Text: `match`, `match_phrase`, `match_phrase_prefix`, `multi_match`.

use search_query::query::Operator;
use serde_json::Value;
use tantivy::query::{BooleanQuery, BoostQuery, DisjunctionMaxQuery, Occur, PhrasePrefixQuery, PhraseQuery};

use crate::Error;
use crate::mapping::FieldType;
use crate::search::field::{Field, matching};
use crate::search::text;
use crate::split::analyzer;
use crate::split::schema::{TEXT, word_term};

use super::compound::minimum;
use super::{Lowered, Lowering, misfit, none};

/// Terms that the last word of a phrase prefix may be (Elasticsearch's `max_expansions`).
const MAX_EXPANSIONS: usize = 50;

/// Fields that a text is searched in at most (Elasticsearch's `indices.query.bool.max_clause_count`, its oldest value).
pub(super) const MAX_MULTI_FIELDS: usize = 1_024;

impl Lowering<'_> {
    pub(super) fn match_words(
        &mut self,
        field: &str,
        value: &Value,
        operator: Operator,
        minimum_should_match: Option<&str>,
    ) -> Result<Lowered, Error> {
        let Field::Leaf { path, kind: FieldType::Text { .. } } = Field::resolve(self.mapping, field) else {
            return self.term(field, value, false);
        };
        let words = words(&text(value));
        let mut each: Vec<Lowered> = words.iter().map(|(_, word)| self.word(path, word)).collect();
        if each.len() <= 1 {
            return Ok(each.pop().unwrap_or_else(none));
        }
        let required = match (operator, minimum_should_match) {
            (Operator::And, _) => each.len(),
            (Operator::Or, Some(text)) => minimum(text, each.len())?.clamp(1, each.len()),
            (Operator::Or, None) => 1,
        };
        if required == each.len() {
            return Ok(Box::new(BooleanQuery::new(each.into_iter().map(|query| (Occur::Must, query)).collect())));
        }
        Ok(Box::new(BooleanQuery::union_with_minimum_required_clauses(each, required)))
    }

    pub(super) fn match_phrase(&mut self, field: &str, value: &str, slop: u32) -> Result<Lowered, Error> {
        let Field::Leaf { path, kind: FieldType::Text { .. } } = Field::resolve(self.mapping, field) else {
            return self.term(field, &Value::from(value), false);
        };
        let words = words(value);
        if let [] | [_] = words.as_slice() {
            return Ok(words.first().map_or_else(none, |(_, word)| self.word(path, word)));
        }
        let terms: Vec<_> = words.iter().map(|(position, word)| (*position, word_term(path, word))).collect();
        for (_, term) in &terms {
            self.wanted.terms.insert(term.clone(), true);
        }
        Ok(Box::new(PhraseQuery::new_with_offset_and_slop(terms, slop)))
    }

    pub(super) fn match_phrase_prefix(&mut self, field: &str, value: &str) -> Result<Lowered, Error> {
        let resolved = Field::resolve(self.mapping, field);
        let path = match resolved {
            Field::Leaf { path, kind: FieldType::Text { .. } } => path,
            Field::Object | Field::Unmapped => return Ok(none()),
            _ => {
                return Err(misfit(format!(
                    "Can only use phrase prefix queries on text fields - not on [{field}] which is of type [{}]",
                    resolved.type_name()
                )));
            }
        };
        let words = words(value);
        let Some(((_, last), first)) = words.split_last() else {
            return Ok(none());
        };
        if first.is_empty() {
            return Ok(self.first_with_prefix(path, last, MAX_EXPANSIONS));
        }
        for (_, word) in first {
            self.wanted.terms.insert(word_term(path, word), true);
        }
        self.want_prefix(TEXT, path, last, MAX_EXPANSIONS, true);
        let terms = words.iter().map(|(position, word)| (*position, word_term(path, word))).collect();
        let mut phrase = PhrasePrefixQuery::new_with_offset(terms);
        phrase.set_max_expansions(MAX_EXPANSIONS as u32);
        Ok(Box::new(phrase))
    }

    pub(super) fn multi_match(
        &mut self,
        fields: &[(String, f32)],
        value: &Value,
        operator: Operator,
        phrase: bool,
    ) -> Result<Lowered, Error> {
        let mut named: Vec<(String, f32, bool)> = Vec::new();
        if fields.is_empty() {
            named.extend(matching(self.mapping, "*").into_iter().map(|name| (name, 1.0, true)));
        }
        for (name, boost) in fields {
            if name.contains('*') {
                named.extend(matching(self.mapping, name).into_iter().map(|name| (name, *boost, true)));
            } else {
                named.push((name.clone(), *boost, false));
            }
        }
        if named.len() > MAX_MULTI_FIELDS {
            return Err(Error::Request {
                kind: "illegal_argument_exception",
                reason: format!(
                    "field expansion matches too many fields, limit: {MAX_MULTI_FIELDS}, got: {}",
                    named.len()
                ),
            });
        }
        let mut any: Vec<Lowered> = Vec::new();
        for (name, boost, lenient) in named {
            let one = match phrase {
                true => self.match_phrase(&name, &text(value), 0),
                false => self.match_words(&name, value, operator, None),
            };
            match one {
                Ok(query) if boost == 1.0 => any.push(query),
                Ok(query) => any.push(Box::new(BoostQuery::new(query, boost))),
                // A field that a pattern named need not understand the text.
                Err(Error::Request { .. }) if lenient => {}
                Err(error) => return Err(error),
            }
        }
        match any.len() {
            0 | 1 => Ok(any.pop().unwrap_or_else(none)),
            _ => Ok(Box::new(DisjunctionMaxQuery::new(any))),
        }
    }
}

/// The words of a text with their positions.
pub(super) fn words(text: &str) -> Vec<(usize, String)> {
    let mut analyzer = analyzer();
    let mut stream = analyzer.token_stream(text);
    let mut words = Vec::new();
    while stream.advance() {
        let token = stream.token();
        words.push((token.position, token.text.clone()));
    }
    words
}
