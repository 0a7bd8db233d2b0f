//! Sort keys: what they read of a split, how they compare there and between splits, and how answers show them.

use std::cmp::Ordering;

use jiff::tz::TimeZone;
use search_query::sort::{Key, Missing, Order, Sort};
use serde_json::{Value, json};

use crate::Error;
use crate::mapping::{DateFormat, FieldType, Fill};

use super::field::Field;
use super::lower::Lowering;
use super::{fielddata, text};

/// A sort key in one index.
#[derive(Debug, Clone)]
pub(super) struct SortKey {
    pub by: By,
    pub class: Class,
    pub order: Order,
    pub missing: Missing,
    /// How dates are shown; as numbers without.
    pub format: Option<DateFormat>,
    /// How dates in `search_after` and `missing` are read.
    pub reads: Option<DateFormat>,
}

/// What is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum By {
    Score,
    Doc,
    SeqNo,
    Column(String),
    /// A field that this index does not know.
    Absent,
}

/// What kind of values a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Whole,
    Float,
    Text,
}

/// A value that a hit was sorted by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SortValue {
    Whole(i64),
    Float(f64),
    Text(String),
    /// No string. (Numbers that are missing are the largest or smallest one, as in Elasticsearch.)
    None,
}

/// The sort keys of a request for one index.
pub(super) fn plan(sorts: &[Sort], lowering: &mut Lowering<'_>) -> Result<Vec<SortKey>, Error> {
    sorts.iter().map(|sort| key(sort, lowering)).collect()
}

fn key(sort: &Sort, lowering: &mut Lowering<'_>) -> Result<SortKey, Error> {
    let plain =
        |by, class| SortKey { by, class, order: sort.order, missing: sort.missing.clone(), format: None, reads: None };
    let field = match &sort.key {
        Key::Score => return Ok(plain(By::Score, Class::Float)),
        Key::Doc => return Ok(plain(By::Doc, Class::Whole)),
        Key::SeqNo => return Ok(plain(By::SeqNo, Class::Whole)),
        Key::Field(field) => field,
    };
    let resolved = Field::resolve(lowering.mapping, field);
    let kind = match resolved {
        Field::Copy { path } => {
            lowering.wanted.columns.insert(path.into());
            return Ok(plain(By::Column(path.into()), Class::Text));
        }
        Field::Leaf { kind, .. } => kind,
        Field::SeqNo => return Ok(plain(By::SeqNo, Class::Whole)),
        Field::Id => {
            return Err(illegal("Fielddata access on the _id field is disallowed, you can re-enable it by updating the dynamic cluster setting: indices.id_field_data.enabled".into()));
        }
        Field::Index => return Err(illegal("sorting on [_index] is not supported".into())),
        Field::Object | Field::Unmapped => {
            let class = match sort.unmapped_type.as_deref() {
                Some("keyword" | "text" | "ip" | "wildcard" | "constant_keyword") => Class::Text,
                Some("float" | "double" | "half_float" | "scaled_float") => Class::Float,
                Some(_) => Class::Whole,
                None => {
                    return Err(Error::Request {
                        kind: "query_shard_exception",
                        reason: format!("No mapping found for [{field}] in order to sort on"),
                    });
                }
            };
            return Ok(plain(By::Absent, class));
        }
    };
    let class = match kind {
        FieldType::Text { .. } => return Err(fielddata(field, lowering.index)),
        FieldType::Keyword { .. } | FieldType::Ip => Class::Text,
        FieldType::Double { .. } => Class::Float,
        FieldType::Long { .. } | FieldType::Date { .. } | FieldType::Boolean => Class::Whole,
    };
    let mut key = plain(By::Absent, class);
    if let Some(path) = resolved.column() {
        lowering.wanted.columns.insert(path.into());
        key.by = By::Column(path.into());
    }
    if let FieldType::Date { format } = kind {
        let parse = |format: Option<&str>| DateFormat::or_standard(format).map_err(|error| illegal(error.to_string()));
        key.format = sort.format.as_deref().map(|format| parse(Some(format))).transpose()?;
        key.reads = Some(parse(sort.format.as_deref().or(format.as_deref()))?);
    }
    Ok(key)
}

/// Keys of several indices that compare with each other.
pub(super) fn check(names: &[Sort], plans: &[&[SortKey]]) -> Result<(), Error> {
    for (place, sort) in names.iter().enumerate() {
        let mut classes = plans.iter().filter_map(|keys| keys.get(place)).filter(|key| key.by != By::Absent);
        let first = classes.next().map(|key| key.class == Class::Text);
        if classes.any(|key| Some(key.class == Class::Text) != first) {
            let field = if let Key::Field(field) = &sort.key { field } else { "_score" };
            return Err(illegal(format!(
                "Can't sort on field [{field}]; the field has incompatible sort types: [STRING] and [LONG] across shards!"
            )));
        }
    }
    Ok(())
}

impl SortKey {
    /// What a document without a value counts as.
    pub fn missing_value(&self) -> Result<SortValue, Error> {
        let last = matches!(self.missing, Missing::Last);
        // The largest value comes last if the smallest come first.
        let largest = last == (self.order == Order::Asc);
        match (&self.missing, self.class) {
            (Missing::Value(value), _) => self.read(value),
            (_, Class::Text) => Ok(SortValue::None),
            (_, Class::Whole) => Ok(SortValue::Whole(if largest { i64::MAX } else { i64::MIN })),
            (_, Class::Float) => Ok(SortValue::Float(if largest { f64::INFINITY } else { f64::NEG_INFINITY })),
        }
    }

    /// A value of `search_after` or `missing`.
    pub fn read(&self, value: &Value) -> Result<SortValue, Error> {
        let written = text(value);
        let refuse = || illegal(format!("Failed to parse search_after value for field [{}]", self.name()));
        match self.class {
            Class::Text if value.is_null() => Ok(SortValue::None),
            Class::Text => Ok(SortValue::Text(written)),
            // Scores have 32 bits, however many digits of them came.
            Class::Float if self.by == By::Score => {
                written.parse::<f32>().map(|score| SortValue::Float(score.into())).map_err(|_| refuse())
            }
            Class::Float => written.parse().map(SortValue::Float).map_err(|_| refuse()),
            Class::Whole => {
                if let Ok(whole) = written.parse::<i64>() {
                    // A date's number is milliseconds, whatever its format.
                    return Ok(SortValue::Whole(whole));
                }
                let date = self.reads.as_ref().and_then(|format| format.parse(&written, Fill::Down, &TimeZone::UTC));
                let boolean = match written.as_str() {
                    "true" => Some(1),
                    "false" => Some(0),
                    _ => None,
                };
                let number = written.parse::<f64>().ok().map(|number| number as i64);
                date.or(boolean).or(number).map(SortValue::Whole).ok_or_else(refuse)
            }
        }
    }

    fn name(&self) -> &str {
        match &self.by {
            By::Score => "_score",
            By::Doc => "_doc",
            By::SeqNo => "_seq_no",
            By::Column(path) => path,
            By::Absent => "unmapped",
        }
    }

    /// A value as the answer shows it.
    pub fn show(&self, value: &SortValue) -> Value {
        match value {
            SortValue::None => Value::Null,
            SortValue::Text(text) => json!(text),
            SortValue::Whole(millis) => match &self.format {
                Some(format) if *millis != i64::MAX && *millis != i64::MIN => {
                    json!(format.format(*millis, &TimeZone::UTC))
                }
                _ => json!(millis),
            },
            SortValue::Float(number) if number.is_infinite() => {
                json!(if *number > 0.0 { "Infinity" } else { "-Infinity" })
            }
            SortValue::Float(number) if self.by == By::Score => json!(*number as f32),
            SortValue::Float(number) => json!(number),
        }
    }

    /// Which of two comes first.
    pub fn compare(&self, a: &SortValue, b: &SortValue) -> Ordering {
        let ordering = match (a, b) {
            (SortValue::None, SortValue::None) => return Ordering::Equal,
            (SortValue::None, _) => return self.none_first(),
            (_, SortValue::None) => return self.none_first().reverse(),
            (SortValue::Whole(a), SortValue::Whole(b)) => a.cmp(b),
            (SortValue::Text(a), SortValue::Text(b)) => a.cmp(b),
            (SortValue::Float(a), SortValue::Float(b)) => a.total_cmp(b),
            (SortValue::Whole(a), SortValue::Float(b)) => (*a as f64).total_cmp(b),
            (SortValue::Float(a), SortValue::Whole(b)) => a.total_cmp(&(*b as f64)),
            // Kept apart by `check`.
            (SortValue::Text(_), _) => Ordering::Greater,
            (_, SortValue::Text(_)) => Ordering::Less,
        };
        if self.order == Order::Asc { ordering } else { ordering.reverse() }
    }

    fn none_first(&self) -> Ordering {
        if matches!(self.missing, Missing::First) { Ordering::Less } else { Ordering::Greater }
    }
}

fn illegal(reason: String) -> Error {
    Error::Request { kind: "illegal_argument_exception", reason }
}
