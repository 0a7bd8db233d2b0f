//! `range`.

use std::fmt;
use std::net::IpAddr;
use std::ops::{Bound as Edge, Range};

use jiff::tz::TimeZone;
use search_query::date::{Bound, zone};
use serde_json::Value;
use tantivy::query::{AllScorer, ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED};

use crate::Error;
use crate::mapping::{DateFormat, FieldType, Fill};
use crate::search::field::Field;
use crate::search::{date_math, refused, text};
use crate::split::schema::{DOC, TEXT, bool_term};

use super::column::{Between, ColumnRangeQuery};
use super::number::Number;
use super::term::{boolean, union};
use super::{Lowered, Lowering, constant, misfit, none};

impl Lowering<'_> {
    pub(super) fn range(
        &mut self,
        field: &str,
        from: &Bound,
        to: &Bound,
        format: Option<&str>,
        time_zone: Option<&str>,
    ) -> Result<Lowered, Error> {
        match Field::resolve(self.mapping, field) {
            Field::Leaf { path, kind: FieldType::Date { format: own } } => {
                let times = DateRange { format: format.or(own.as_deref()), zone: time_zone, now: self.now };
                let (from, to) = times.millis(from, to)?;
                if from.is_none() && to.is_none() {
                    return Ok(self.exists(path));
                }
                let range = from.unwrap_or(i64::MIN)..=to.unwrap_or(i64::MAX);
                Ok(self.column(path, Between::Millis(range)))
            }
            Field::Leaf { path, kind } => self.leaf_range(path, kind, from, to),
            Field::Copy { path } => Ok(self.column(path, Between::Text(string(from), string(to)))),
            Field::SeqNo => self.seq_no(from, to),
            Field::Id | Field::Index => {
                Err(misfit(format!("Field [{field}] of type [{field}] does not support range queries")))
            }
            Field::Object | Field::Unmapped => Ok(none()),
        }
    }

    fn leaf_range(&mut self, path: &str, kind: &FieldType, from: &Bound, to: &Bound) -> Result<Lowered, Error> {
        match kind {
            FieldType::Long { .. } => {
                let Some((from, to)) = whole(from, to)? else {
                    return Ok(none());
                };
                Ok(self.column(path, Between::Whole(from..=to)))
            }
            FieldType::Double { .. } => Ok(self.column(path, Between::Float(float(from)?, float(to)?))),
            FieldType::Keyword { .. } => Ok(self.column(path, Between::Text(string(from), string(to)))),
            FieldType::Text { .. } => {
                let (from, to) = (from.clone(), to.clone());
                let inside = move |word: &str| {
                    above(&from, word, |bound, word| text(bound).as_str() <= word)
                        && above(&to, word, |bound, word| text(bound).as_str() >= word)
                };
                Ok(self.pattern(TEXT, path, "", Box::new(inside)))
            }
            FieldType::Boolean => {
                let mut any = Vec::new();
                for value in [false, true] {
                    let inside = |bound: &Bound, sign: i8| -> Result<bool, Error> {
                        Ok(match bound {
                            Bound::Included(bound) => (value as i8 - boolean(bound)? as i8) * sign >= 0,
                            Bound::Excluded(bound) => (value as i8 - boolean(bound)? as i8) * sign > 0,
                            Bound::Unbounded => true,
                        })
                    };
                    if inside(from, 1)? && inside(to, -1)? {
                        any.push(self.exact(bool_term(path, value)));
                    }
                }
                Ok(constant(union(any)))
            }
            FieldType::Ip => {
                let Some((first, last)) = addresses(from, to)? else {
                    return Ok(none());
                };
                Ok(self.addresses(path, first, last))
            }
            FieldType::Date { .. } => Ok(none()),
        }
    }

    /// Addresses between two, both included. IPv4 ones are those mapped into IPv6, as Elasticsearch orders them.
    pub(super) fn addresses(&mut self, path: &str, first: IpAddr, last: IpAddr) -> Lowered {
        let range = ordered(first)..=ordered(last);
        let inside = move |text: &str| text.parse().is_ok_and(|address| range.contains(&ordered(address)));
        self.pattern(DOC, path, "", Box::new(inside))
    }

    fn column(&mut self, path: &str, between: Between) -> Lowered {
        self.wanted.columns.insert(path.to_string());
        constant(ColumnRangeQuery { path: path.to_string(), between })
    }

    fn seq_no(&mut self, from: &Bound, to: &Bound) -> Result<Lowered, Error> {
        let Some((from, to)) = whole(from, to)? else {
            return Ok(none());
        };
        let Some((rows, base)) = self.rows else {
            return Ok(none());
        };
        if to < 0 {
            return Ok(none());
        }
        let relative = |number: i64| (number.max(0) as u64).saturating_sub(base);
        if (to as u64) < base {
            return Ok(none());
        }
        let docs = rows.docs(relative(from)..relative(to).saturating_add(1));
        Ok(if docs.is_empty() { none() } else { constant(DocRangeQuery { docs }) })
    }
}

fn string(bound: &Bound) -> Edge<String> {
    match bound {
        Bound::Included(value) => Edge::Included(text(value)),
        Bound::Excluded(value) => Edge::Excluded(text(value)),
        Bound::Unbounded => Edge::Unbounded,
    }
}

fn float(bound: &Bound) -> Result<Edge<f64>, Error> {
    Ok(match bound {
        Bound::Included(value) => Edge::Included(Number::parse(value)?.as_f64()),
        Bound::Excluded(value) => Edge::Excluded(Number::parse(value)?.as_f64()),
        Bound::Unbounded => Edge::Unbounded,
    })
}

/// Whether a bound, included or not, lets a value pass.
fn above(bound: &Bound, word: &str, includes: impl Fn(&Value, &str) -> bool) -> bool {
    match bound {
        Bound::Included(value) => includes(value, word),
        Bound::Excluded(value) => includes(value, word) && text(value) != word,
        Bound::Unbounded => true,
    }
}

/// Both bounds as whole numbers, included; `None` if nothing lies between.
pub(in crate::search) fn whole(from: &Bound, to: &Bound) -> Result<Option<(i64, i64)>, Error> {
    let from = match from {
        Bound::Included(value) => Number::parse(value)?.ceil(),
        Bound::Excluded(value) => match Number::parse(value)? {
            Number::Whole(whole) => whole.checked_add(1),
            fraction => fraction.ceil(),
        },
        Bound::Unbounded => Some(i64::MIN),
    };
    let to = match to {
        Bound::Included(value) => Number::parse(value)?.floor(),
        Bound::Excluded(value) => match Number::parse(value)? {
            Number::Whole(whole) => whole.checked_sub(1),
            fraction => fraction.floor(),
        },
        Bound::Unbounded => Some(i64::MAX),
    };
    Ok(from.zip(to).filter(|(from, to)| from <= to))
}

fn ordered(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn addresses(from: &Bound, to: &Bound) -> Result<Option<(IpAddr, IpAddr)>, Error> {
    let parse = |value: &Value| match text(value).parse::<IpAddr>() {
        Ok(address) => Ok(ordered(address)),
        Err(_) => Err(misfit(format!("'{}' is not an IP string literal.", text(value)))),
    };
    let from = match from {
        Bound::Included(value) => Some(parse(value)?),
        Bound::Excluded(value) => parse(value)?.checked_add(1),
        Bound::Unbounded => Some(0),
    };
    let to = match to {
        Bound::Included(value) => Some(parse(value)?),
        Bound::Excluded(value) => parse(value)?.checked_sub(1),
        Bound::Unbounded => Some(u128::MAX),
    };
    Ok(from.zip(to).map(|(from, to)| (IpAddr::V6(from.into()), IpAddr::V6(to.into()))))
}

/// How the dates of a range's bounds are read.
#[derive(Debug, Clone, Copy)]
pub(in crate::search) struct DateRange<'a> {
    pub format: Option<&'a str>,
    pub zone: Option<&'a str>,
    pub now: i64,
}

impl DateRange<'_> {
    /// The first and the last millisecond of a range. What a bound leaves open counts so that `gt` and `lte` take all of it in, `gte`
    /// and `lt` begin with it (Elasticsearch's rounding of dates in ranges).
    pub fn millis(&self, from: &Bound, to: &Bound) -> Result<(Option<i64>, Option<i64>), Error> {
        let illegal = |reason: String| Error::Request { kind: "illegal_argument_exception", reason };
        let format = DateFormat::or_standard(self.format).map_err(|error| illegal(error.to_string()))?;
        let zone = match self.zone {
            Some(name) => zone(name).map_err(refused)?,
            None => TimeZone::UTC,
        };
        let at = |value: &Value, fill| date_math::resolve(value, &format, &zone, self.now, fill);
        let from = match from {
            Bound::Included(value) => Some(at(value, Fill::Down)?),
            Bound::Excluded(value) => Some(at(value, Fill::Up)?.saturating_add(1)),
            Bound::Unbounded => None,
        };
        let to = match to {
            Bound::Included(value) => Some(at(value, Fill::Up)?),
            Bound::Excluded(value) => Some(at(value, Fill::Down)?.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Ok((from.map(keepable), to.map(keepable)))
    }
}

/// The nearest moment that a column can have.
fn keepable(millis: i64) -> i64 {
    millis.clamp(i64::MIN / 1_000_000, i64::MAX / 1_000_000)
}

/// A stretch of documents: as they stand in the order of `_seq_no`, a range of it is one.
#[derive(Clone)]
struct DocRangeQuery {
    docs: Range<DocId>,
}

impl fmt::Debug for DocRangeQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Docs({:?})", self.docs)
    }
}

impl Query for DocRangeQuery {
    fn weight(&self, _scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for DocRangeQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let end = self.docs.end.min(reader.max_doc());
        if self.docs.start >= end {
            return Ok(Box::new(EmptyScorer));
        }
        if self.docs.start == 0 && end == reader.max_doc() && boost == 1.0 {
            return Ok(Box::new(AllScorer::new(end)));
        }
        Ok(Box::new(ConstScorer::new(DocRange { at: self.docs.start, end }, boost)))
    }

    fn explain(&self, _reader: &SegmentReader, _doc: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("documents of a range of _seq_no", 1.0))
    }
}

struct DocRange {
    at: DocId,
    end: DocId,
}

impl DocSet for DocRange {
    fn advance(&mut self) -> DocId {
        self.seek(self.at.saturating_add(1))
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.at = if target < self.end { target } else { TERMINATED };
        self.at
    }

    fn doc(&self) -> DocId {
        self.at
    }

    fn size_hint(&self) -> u32 {
        self.end.saturating_sub(self.at)
    }
}
