//! Which splits can match at all, as far as the manifest tells: by time, by tag, by `_seq_no`.

use search_query::date::Bound;
use search_query::query::Query;
use serde_json::Value;

use crate::manifest::Split;
use crate::mapping::{FieldType, Mapping};

use super::field::{Field, inside, wildcard};
use super::lower::{DateRange, whole};
use super::text;

/// What the manifest is asked.
pub(super) struct Pruning<'a> {
    pub mapping: &'a Mapping,
    pub index: &'a str,
    pub now: i64,
}

impl Pruning<'_> {
    /// `false` only if no document of the split can match.
    pub fn may_match(&self, query: &Query, split: &Split) -> bool {
        match query {
            // Fields that a pattern names are looked up where the query is lowered.
            _ if query.pattern().is_some() => true,
            Query::MatchNone => false,
            Query::Term { field, value, case_insensitive: false } | Query::Match { field, value, .. } => {
                self.value(field, value, split)
            }
            Query::Terms { field, values } => values.iter().any(|value| self.value(field, value, split)),
            Query::Range { field, from, to, format, time_zone } => {
                self.range(field, from, to, format.as_deref(), time_zone.as_deref(), split)
            }
            Query::Exists { field } => self.exists(field, split),
            Query::Bool { must, filter, should, minimum_should_match, .. } => {
                let optional = minimum_should_match.is_some() || !must.is_empty() || !filter.is_empty();
                must.iter().chain(filter).all(|query| self.may_match(query, split))
                    && (optional || should.is_empty() || should.iter().any(|query| self.may_match(query, split)))
            }
            Query::ConstantScore { filter: query, .. } | Query::Boost { query, .. } | Query::QueryString(query) => {
                self.may_match(query, split)
            }
            _ => true,
        }
    }

    fn value(&self, field: &str, value: &Value, split: &Split) -> bool {
        let tag = |path: &str| split.meta.tags.get(path).is_none_or(|tags| tags.contains(&text(value)));
        match Field::resolve(self.mapping, field) {
            Field::Copy { path } | Field::Leaf { path, kind: FieldType::Keyword { .. } } => tag(path),
            Field::Leaf { kind: FieldType::Date { .. }, .. } | Field::SeqNo => {
                let bound = Bound::Included(value.clone());
                self.range(field, &bound, &bound, None, None, split)
            }
            Field::Index => wildcard(&text(value), self.index),
            Field::Object | Field::Unmapped => false,
            Field::Leaf { .. } | Field::Id => true,
        }
    }

    fn range(
        &self,
        field: &str,
        from: &Bound,
        to: &Bound,
        format: Option<&str>,
        zone: Option<&str>,
        split: &Split,
    ) -> bool {
        match Field::resolve(self.mapping, field) {
            Field::Leaf { path, kind: FieldType::Date { format: own } } => {
                let Some((first, last)) = split.meta.times.get(path) else {
                    return false;
                };
                let range = DateRange { format: format.or(own.as_deref()), zone, now: self.now };
                // What cannot be read is for the query itself to say.
                range.millis(from, to).map_or(true, |(from, to)| {
                    from.is_none_or(|from| from <= *last) && to.is_none_or(|to| to >= *first)
                })
            }
            Field::SeqNo => match whole(from, to) {
                Ok(Some((from, to))) => {
                    from <= i64::try_from(split.seq.1).unwrap_or(i64::MAX)
                        && to >= i64::try_from(split.seq.0).unwrap_or(i64::MAX)
                }
                Ok(None) => false,
                Err(_) => true,
            },
            Field::Unmapped | Field::Object => false,
            _ => true,
        }
    }

    fn exists(&self, field: &str, split: &Split) -> bool {
        let has = |path: &str, kind: &FieldType| match kind {
            FieldType::Date { .. } => split.meta.times.contains_key(path),
            _ => true,
        };
        match Field::resolve(self.mapping, field) {
            Field::Leaf { path, kind } => has(path, kind),
            Field::Object => inside(self.mapping, field).any(|(path, kind)| has(path, kind)),
            Field::Unmapped => false,
            _ => true,
        }
    }
}
