//! An aggregation as one index understands it: fields looked up, filters lowered, what is read noted.

use jiff::tz::TimeZone;
use search_query::aggregation::{Aggregation, BucketOrder, Kind};
use search_query::sort::Order;
use serde_json::Value;

use crate::Error;
use crate::mapping::{DateFormat, FieldType, Fill};
use crate::search::field::Field;
use crate::search::lower::{Lowered, Lowering};
use crate::search::{date_math, fielddata, refused, text};

use super::partial::{Bucket, Buckets, Key, Partial, Stats};
use super::rounding::Rounding;

/// Aggregations inside each other at most.
const MAX_DEPTH: usize = 20;

/// Terms of a split that go on to be joined with those of others, at least: beyond it `doc_count_error_upper_bound` says how much a
/// count may be short.
const MAX_KEPT_TERMS: usize = 1 << 16;

/// What an aggregation is computed from, and how its values are shown.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The path of the column; `None` if the index does not know the field.
    pub path: Option<String>,
    pub class: Class,
}

/// How a field's values are shown.
#[derive(Debug, Clone)]
pub(crate) enum Class {
    /// Of a field that the index does not know.
    Unknown,
    Whole,
    Float,
    Date(DateFormat),
    Boolean,
    Text,
}

impl Source {
    /// Keys are floating numbers.
    pub fn floats(&self) -> bool {
        matches!(self.class, Class::Float)
    }
}

/// An aggregation of one index.
pub(crate) struct Node {
    pub kind: NodeKind,
    pub subs: Vec<Node>,
}

pub(crate) enum NodeKind {
    Terms { source: Source, missing: Option<Key>, keep: usize },
    DateHistogram { source: Source, rounding: Rounding, zone: TimeZone, bounds: (Option<i64>, Option<i64>) },
    Histogram { source: Source, interval: f64, offset: f64 },
    Range { source: Source, ranges: Vec<(f64, f64)> },
    Filters(Vec<Lowered>),
    Stats(Source),
    Cardinality(Source),
    Percentiles(Source),
}

/// All aggregations of a request, for one index.
pub(crate) fn plan(aggregations: &[(String, Aggregation)], lowering: &mut Lowering<'_>) -> Result<Vec<Node>, Error> {
    nodes(aggregations, lowering, 0)
}

fn nodes(
    aggregations: &[(String, Aggregation)],
    lowering: &mut Lowering<'_>,
    depth: usize,
) -> Result<Vec<Node>, Error> {
    if depth > MAX_DEPTH {
        return Err(illegal(format!("aggregations are nested more than [{MAX_DEPTH}] deep")));
    }
    let node = |(name, aggregation): &(String, Aggregation)| {
        let kind = kind(name, aggregation, lowering)?;
        Ok(Node { kind, subs: nodes(&aggregation.aggregations, lowering, depth + 1)? })
    };
    aggregations.iter().map(node).collect()
}

fn kind(name: &str, aggregation: &Aggregation, lowering: &mut Lowering<'_>) -> Result<NodeKind, Error> {
    Ok(match &aggregation.kind {
        Kind::Terms { field, size, min_doc_count, missing, order } => {
            if *min_doc_count == 0 {
                return Err(illegal(format!("[min_doc_count] of [{name}] of type [terms] is not supported as [0]")));
            }
            let source = source(field, lowering)?;
            let missing = missing.as_ref().map(|missing| key(missing, &source.class, lowering.now)).transpose()?;
            // Only by count can what a split has little of be left out.
            let keep = match order.first() {
                Some(BucketOrder::Count(Order::Desc)) | None => (*size as usize).max(MAX_KEPT_TERMS),
                _ => usize::MAX,
            };
            NodeKind::Terms { source, missing, keep }
        }
        Kind::DateHistogram { field, interval, format, time_zone: zone, offset, extended_bounds, .. } => {
            let mut source = source(field, lowering)?;
            let own = match &source.class {
                Class::Date(format) => format.clone(),
                Class::Unknown => DateFormat::standard(),
                _ => return Err(unfit(field, "date_histogram", &source.class)),
            };
            let shown = match format {
                Some(format) => format.parse::<DateFormat>().map_err(|error| illegal(error.to_string()))?,
                None => own,
            };
            let zone = match zone {
                Some(name) => search_query::date::zone(name).map_err(refused)?,
                None => TimeZone::UTC,
            };
            let bound = |value: &Value| match value {
                Value::Null => Ok(None),
                value => date_math::resolve(value, &shown, &zone, lowering.now, Fill::Down).map(Some),
            };
            let bounds = match extended_bounds {
                Some((from, to)) => (bound(from)?, bound(to)?),
                None => (None, None),
            };
            source.class = Class::Date(shown);
            NodeKind::DateHistogram { source, rounding: Rounding::new(interval, &zone, *offset), zone, bounds }
        }
        Kind::Histogram { field, interval, offset, .. } => {
            if interval.is_nan() || *interval <= 0.0 {
                return Err(illegal(format!("[interval] must be >0 for histogram aggregation [{name}]")));
            }
            let source = numbers(field, "histogram", lowering)?;
            NodeKind::Histogram { source, interval: *interval, offset: *offset }
        }
        Kind::Range { field, ranges } => {
            let source = numbers(field, "range", lowering)?;
            let bound = |bound: Option<f64>, open| bound.unwrap_or(open);
            let ranges = ranges
                .iter()
                .map(|(_, from, to)| (bound(*from, f64::NEG_INFINITY), bound(*to, f64::INFINITY)))
                .collect();
            NodeKind::Range { source, ranges }
        }
        Kind::Filter(query) => NodeKind::Filters(vec![lowering.unscored(query)?]),
        Kind::Filters(queries) => {
            NodeKind::Filters(queries.iter().map(|(_, query)| lowering.unscored(query)).collect::<Result<_, _>>()?)
        }
        Kind::Stats(field) => NodeKind::Stats(numbers(field, "stats", lowering)?),
        Kind::ExtendedStats(field) => NodeKind::Stats(numbers(field, "extended_stats", lowering)?),
        Kind::Avg(field) => NodeKind::Stats(numbers(field, "avg", lowering)?),
        Kind::Sum(field) => NodeKind::Stats(numbers(field, "sum", lowering)?),
        Kind::Min(field) => NodeKind::Stats(numbers(field, "min", lowering)?),
        Kind::Max(field) => NodeKind::Stats(numbers(field, "max", lowering)?),
        Kind::ValueCount(field) => NodeKind::Stats(source(field, lowering)?),
        Kind::Cardinality(field) => NodeKind::Cardinality(source(field, lowering)?),
        Kind::Percentiles { field, .. } => NodeKind::Percentiles(numbers(field, "percentiles", lowering)?),
    })
}

fn source(field: &str, lowering: &mut Lowering<'_>) -> Result<Source, Error> {
    let resolved = Field::resolve(lowering.mapping, field);
    let class = match resolved {
        Field::Copy { .. } => Class::Text,
        Field::Leaf { kind, .. } => match kind {
            FieldType::Text { .. } => return Err(fielddata(field, lowering.index)),
            FieldType::Keyword { .. } | FieldType::Ip => Class::Text,
            FieldType::Long { .. } => Class::Whole,
            FieldType::Double { .. } => Class::Float,
            FieldType::Boolean => Class::Boolean,
            FieldType::Date { format } => {
                Class::Date(DateFormat::or_standard(format.as_deref()).map_err(|error| illegal(error.to_string()))?)
            }
        },
        Field::Object | Field::Unmapped => Class::Unknown,
        Field::Id | Field::Index | Field::SeqNo => {
            return Err(illegal(format!("aggregations on the field [{field}] are not supported")));
        }
    };
    let path = resolved.column().map(String::from);
    lowering.wanted.columns.extend(path.clone());
    Ok(Source { path, class })
}

fn numbers(field: &str, aggregation: &str, lowering: &mut Lowering<'_>) -> Result<Source, Error> {
    let source = source(field, lowering)?;
    match source.class {
        Class::Text => Err(unfit(field, aggregation, &source.class)),
        _ => Ok(source),
    }
}

fn unfit(field: &str, aggregation: &str, class: &Class) -> Error {
    let name = match class {
        Class::Text => "keyword",
        Class::Whole => "long",
        Class::Float => "double",
        Class::Boolean => "boolean",
        Class::Date(_) => "date",
        Class::Unknown => "unmapped",
    };
    illegal(format!("Field [{field}] of type [{name}] is not supported for aggregation [{aggregation}]"))
}

/// `missing` as a key.
fn key(value: &Value, class: &Class, now: i64) -> Result<Key, Error> {
    let number = || text(value).parse::<f64>().map_err(|_| illegal(format!("For input string: \"{}\"", text(value))));
    Ok(match class {
        Class::Text => Key::Text(text(value)),
        Class::Unknown => match value {
            Value::Number(number) if number.is_i64() => Key::Whole(number.as_i64().unwrap_or_default()),
            Value::Number(number) => Key::float(number.as_f64().unwrap_or_default()),
            _ => Key::Text(text(value)),
        },
        Class::Whole => Key::Whole(number()? as i64),
        Class::Float => Key::float(number()?),
        Class::Boolean => Key::Whole(i64::from(matches!(text(value).as_str(), "true" | "1"))),
        Class::Date(format) => Key::Whole(date_math::resolve(value, format, &TimeZone::UTC, now, Fill::Down)?),
    })
}

impl Node {
    /// What a split without any document contributes.
    pub fn empty(&self) -> Partial {
        let bucket = || Bucket { count: 0, subs: self.subs.iter().map(Node::empty).collect() };
        match &self.kind {
            NodeKind::Terms { .. } | NodeKind::DateHistogram { .. } | NodeKind::Histogram { .. } => {
                Partial::Keyed(Buckets::default())
            }
            NodeKind::Range { ranges, .. } => Partial::Listed(ranges.iter().map(|_| bucket()).collect()),
            NodeKind::Filters(filters) => Partial::Listed(filters.iter().map(|_| bucket()).collect()),
            NodeKind::Stats(_) => Partial::Stats(Stats::default()),
            NodeKind::Cardinality(_) => Partial::Distinct(Default::default()),
            NodeKind::Percentiles(_) => Partial::Percentiles(Default::default()),
        }
    }

    /// Takes over how values are shown from an index that knows fields which this one does not.
    pub fn learn(&mut self, other: &Node) {
        if let (Some(ours), Some(theirs)) = (self.source_mut(), other.source())
            && matches!(ours.class, Class::Unknown)
        {
            ours.class = theirs.class.clone();
        }
        self.subs.iter_mut().zip(&other.subs).for_each(|(ours, theirs)| ours.learn(theirs));
    }

    pub fn source(&self) -> Option<&Source> {
        match &self.kind {
            NodeKind::Terms { source, .. }
            | NodeKind::DateHistogram { source, .. }
            | NodeKind::Histogram { source, .. }
            | NodeKind::Range { source, .. }
            | NodeKind::Stats(source)
            | NodeKind::Cardinality(source)
            | NodeKind::Percentiles(source) => Some(source),
            NodeKind::Filters(_) => None,
        }
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        match &mut self.kind {
            NodeKind::Terms { source, .. }
            | NodeKind::DateHistogram { source, .. }
            | NodeKind::Histogram { source, .. }
            | NodeKind::Range { source, .. }
            | NodeKind::Stats(source)
            | NodeKind::Cardinality(source)
            | NodeKind::Percentiles(source) => Some(source),
            NodeKind::Filters(_) => None,
        }
    }
}

fn illegal(reason: String) -> Error {
    Error::Request { kind: "illegal_argument_exception", reason }
}
