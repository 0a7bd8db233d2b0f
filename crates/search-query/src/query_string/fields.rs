//! Leaves of a text, over the fields that it names or leaves open.

use serde_json::Value;

use super::QueryStringOptions;
use super::lexer::{Range, unescaped};
use crate::date::Bound;
use crate::pattern::is_pattern;
use crate::query::compound::any_of;
use crate::query::parse::boosted;
use crate::query::{Operator, Query};

/// Makes leaves.
pub(crate) struct Fields<'a> {
    options: &'a QueryStringOptions,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(options: &'a QueryStringOptions) -> Fields<'a> {
        Fields { options }
    }

    pub(crate) fn operator(&self) -> Operator {
        self.options.operator
    }

    pub(crate) fn leading_wildcard(&self) -> bool {
        self.options.leading_wildcard
    }

    /// The one field that a leaf is over, if it is one.
    fn one<'f>(&'f self, field: Option<&'f str>) -> Option<(&'f str, f32)> {
        let (field, boost) = match (field, self.options.fields.as_slice()) {
            (Some(field), _) => (field, 1.0),
            (None, [(field, boost)]) => (field.as_str(), *boost),
            (None, _) => return None,
        };
        (!is_pattern(field)).then_some((field, boost))
    }

    /// Fields for [`Query::MultiMatch`].
    fn several(&self, field: Option<&str>) -> Vec<(String, f32)> {
        match field {
            None => self.options.fields.clone(),
            Some("*") => Vec::new(),
            Some(field) => vec![(field.to_owned(), 1.0)],
        }
    }

    /// A query for each field, of which one must match; of open fields, one query over the pattern of all.
    fn each(&self, field: Option<&str>, query: impl Fn(String) -> Query) -> Query {
        match (field, self.options.fields.as_slice()) {
            (Some(field), _) => query(field.to_owned()),
            (None, []) => query("*".to_owned()),
            (None, fields) => {
                any_of(fields.iter().map(|(field, boost)| boosted(query(field.clone()), *boost)).collect())
            }
        }
    }

    /// A single term; after a field also `>5`, `<=5`.
    pub(super) fn term(&self, field: Option<&str>, text: String) -> Query {
        match (field, text.as_bytes()) {
            (Some("_exists_"), _) => Query::Exists { field: text },
            (Some(_), [b'>' | b'<', rest @ ..]) if !rest.is_empty() && rest != b"=" => self.comparison(field, &text),
            _ => self.words(field, text),
        }
    }

    /// Words that are analysed together.
    pub(crate) fn words(&self, field: Option<&str>, text: String) -> Query {
        let (value, operator) = (Value::String(text), self.options.operator);
        match self.one(field) {
            Some((field, boost)) => {
                let query = Query::Match { field: field.to_owned(), value, operator, minimum_should_match: None };
                boosted(query, boost)
            }
            _ => Query::MultiMatch { fields: self.several(field), value, operator, phrase: false },
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a slop is small, and saturates
    pub(crate) fn phrase(&self, field: Option<&str>, text: String, slop: Option<f32>) -> Query {
        let slop = slop.map_or(self.options.phrase_slop, |slop| slop as u32);
        match self.one(field) {
            Some(("_exists_", _)) => Query::Exists { field: text },
            Some((field, boost)) => boosted(Query::MatchPhrase { field: field.to_owned(), value: text, slop }, boost),
            _ if slop == 0 => Query::MultiMatch {
                fields: self.several(field),
                value: Value::String(text),
                operator: self.options.operator,
                phrase: true,
            },
            _ => self.each(field, |field| Query::MatchPhrase { field, value: text.clone(), slop }),
        }
    }

    /// `abc~`, `abc~1`; a fraction is the older similarity, from which edits follow by length.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // at most 2
    pub(crate) fn fuzzy(&self, field: Option<&str>, text: String, distance: Option<f32>) -> Query {
        let distance = distance.map(|distance| match distance {
            whole if whole >= 1.0 => whole.min(2.0) as u8,
            0.0 => 0,
            similarity => ((1.0 - similarity) * text.chars().count() as f32).min(2.0) as u8,
        });
        self.each(field, |field| Query::Fuzzy { field, value: text.clone(), distance })
    }

    pub(crate) fn prefix(&self, field: Option<&str>, text: String) -> Query {
        self.each(field, |field| Query::Prefix { field, value: text.clone(), case_insensitive: false })
    }

    pub(super) fn wildcard(&self, field: Option<&str>, pattern: String) -> Query {
        self.each(field, |field| Query::Wildcard { field, value: pattern.clone(), case_insensitive: false })
    }

    pub(super) fn regexp(&self, field: Option<&str>, expression: String) -> Query {
        self.each(field, |field| Query::Regexp { field, value: expression.clone(), case_insensitive: false })
    }

    /// `*`: everything, or whatever has the field.
    pub(super) fn anything(&self, field: Option<&str>) -> Query {
        match (field, self.options.fields.as_slice()) {
            (Some("*"), _) | (None, []) => Query::MatchAll,
            _ => self.each(field, |field| Query::Exists { field }),
        }
    }

    pub(super) fn range(&self, field: Option<&str>, range: &Range) -> Query {
        let bound = |text: &Option<String>, included| match text {
            None => Bound::Unbounded,
            Some(text) if included => Bound::Included(Value::String(text.clone())),
            Some(text) => Bound::Excluded(Value::String(text.clone())),
        };
        self.between(field, &bound(&range.from, range.from_included), &bound(&range.to, range.to_included))
    }

    fn comparison(&self, field: Option<&str>, text: &str) -> Query {
        let (above, rest) = (text.starts_with('>'), &text[1..]);
        let bound = match rest.strip_prefix('=') {
            Some(value) => Bound::Included(Value::String(unescaped(value))),
            None => Bound::Excluded(Value::String(unescaped(rest))),
        };
        match above {
            true => self.between(field, &bound, &Bound::Unbounded),
            false => self.between(field, &Bound::Unbounded, &bound),
        }
    }

    fn between(&self, field: Option<&str>, from: &Bound, to: &Bound) -> Query {
        self.each(field, |field| Query::Range {
            field,
            from: from.clone(),
            to: to.clone(),
            format: None,
            time_zone: self.options.time_zone.clone(),
        })
    }
}
