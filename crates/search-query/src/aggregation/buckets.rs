//! Aggregations whose buckets are values, ranges or queries.

use serde_json::Value;

use super::parse::Reading;
use super::{BucketOrder, DEFAULT_TERMS, Kind};
use crate::RequestError;
use crate::query::Query;
use crate::sort::Order;
use crate::wire;

/// Filters of one `filters` aggregation, and ranges of one `range`, at most: as the clauses of a query.
pub(super) const MAX_BUCKETS_NAMED: usize = crate::query::MAX_CLAUSES;

pub(super) fn terms(reading: Reading) -> Result<Kind, RequestError> {
    let (mut field, mut size, mut missing) = (None, DEFAULT_TERMS, None);
    let (mut order, mut min_doc_count) = (vec![BucketOrder::Count(Order::Desc)], 1);
    for (key, value) in reading.options() {
        match key {
            "field" => field = Some(wire::text(value, key)?),
            "size" => size = size_of(&reading, value)?,
            "order" => order = orders(value)?,
            "min_doc_count" => min_doc_count = wire::unsigned(value, key)?,
            "missing" => missing = Some(wire::scalar(value, key)?),
            // They say how shards are asked; here every bucket is counted whole.
            "shard_size" | "shard_min_doc_count" | "execution_hint" | "collect_mode" => {}
            "show_term_doc_count_error" => reading.only(key, !wire::boolean(value, key)?)?,
            "include" | "exclude" | "script" | "value_type" | "format" => reading.only(key, wire::is_nothing(value))?,
            _ => return Err(reading.unknown(key)),
        }
    }
    if !matches!(order.last(), Some(BucketOrder::Key(_))) {
        order.push(BucketOrder::Key(Order::Asc));
    }
    Ok(Kind::Terms { field: reading.required(field, "field, script")?, size, order, min_doc_count, missing })
}

fn size_of(reading: &Reading, value: &Value) -> Result<u32, RequestError> {
    let size = wire::integer(value, "size")?;
    match u32::try_from(size) {
        Ok(size) if size > 0 => Ok(size),
        _ => Err(RequestError::illegal(format!("[size] must be greater than 0. Found [{size}] in [{}]", reading.name))),
    }
}

/// `{"_count": "asc"}`, or several in an array.
fn orders(value: &Value) -> Result<Vec<BucketOrder>, RequestError> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    items.iter().map(order).collect()
}

fn order(value: &Value) -> Result<BucketOrder, RequestError> {
    let object = wire::object(value, "order")?;
    let (Some((key, direction)), 1) = (object.iter().next(), object.len()) else {
        return Err(RequestError::parsing("Must specify at least one field for [order], and one in each object"));
    };
    let direction = wire::text(direction, "order")?;
    let Some(direction) = Order::of(&direction) else {
        return Err(RequestError::parsing(format!("Unknown order direction [{direction}]")));
    };
    Ok(match key.as_str() {
        "_count" => BucketOrder::Count(direction),
        // Older names of the same.
        "_key" | "_term" | "_time" => BucketOrder::Key(direction),
        metric => BucketOrder::Metric(metric.to_owned(), direction),
    })
}

/// Order of the buckets of a histogram or of ranges: only by key, upwards.
pub(super) fn by_key(value: &Value) -> Result<bool, RequestError> {
    Ok(orders(value)?.as_slice() == [BucketOrder::Key(Order::Asc)])
}

pub(super) fn range(reading: Reading) -> Result<Kind, RequestError> {
    let (mut field, mut ranges) = (None, Vec::new());
    for (key, value) in reading.options() {
        match key {
            "field" => field = Some(wire::text(value, key)?),
            "ranges" => {
                let items = value.as_array().ok_or_else(|| RequestError::parsing("[ranges] must be an array"))?;
                ranges = items.iter().map(|item| one_range(&reading, item)).collect::<Result<_, _>>()?;
            }
            "keyed" => reading.only(key, !wire::boolean(value, key)?)?,
            "script" | "missing" | "format" => reading.only(key, value.is_null())?,
            _ => return Err(reading.unknown(key)),
        }
    }
    if ranges.is_empty() {
        return Err(RequestError::illegal(format!("No [ranges] specified for the [{}] aggregation", reading.name)));
    }
    bounded(&reading, ranges.len())?;
    Ok(Kind::Range { field: reading.required(field, "field, script")?, ranges })
}

type Range = (Option<String>, Option<f64>, Option<f64>);

fn one_range(reading: &Reading, value: &Value) -> Result<Range, RequestError> {
    let mut range: Range = (None, None, None);
    for (key, value) in wire::object(value, "ranges")? {
        let number = || if value.is_null() { Ok(None) } else { wire::number(value, key).map(Some) };
        match key.as_str() {
            "key" => range.0 = Some(wire::text(value, key)?),
            "from" => range.1 = number()?,
            "to" => range.2 = number()?,
            _ => return Err(reading.unknown(key)),
        }
    }
    Ok(range)
}

pub(super) fn filter(reading: Reading) -> Result<Kind, RequestError> {
    reading.queries.query(reading.body).map(Kind::Filter)
}

pub(super) fn filters(reading: Reading) -> Result<Kind, RequestError> {
    let mut filters = None;
    for (key, value) in reading.options() {
        match key {
            "filters" => filters = Some(value),
            "other_bucket" => reading.only(key, !wire::boolean(value, key)?)?,
            "other_bucket_key" => return Err(reading.unsupported(key)),
            "keyed" => reading.only(key, wire::boolean(value, key)?)?,
            _ => return Err(reading.unknown(key)),
        }
    }
    let filters = match filters {
        Some(Value::Object(filters)) if !filters.is_empty() => filters,
        Some(Value::Array(items)) if !items.is_empty() => return Err(reading.unsupported("filters without names")),
        _ => return Err(RequestError::illegal("[filters] cannot be empty")),
    };
    bounded(&reading, filters.len())?;
    let read = |(name, query): (&String, &Value)| Ok((name.clone(), reading.queries.query(query)?));
    Ok(Kind::Filters(filters.iter().map(read).collect::<Result<Vec<(String, Query)>, RequestError>>()?))
}

fn bounded(reading: &Reading, count: usize) -> Result<(), RequestError> {
    match count <= MAX_BUCKETS_NAMED {
        true => Ok(()),
        false => Err(RequestError::illegal(format!(
            "[{}] has [{count}] buckets, more than [{MAX_BUCKETS_NAMED}]",
            reading.name
        ))),
    }
}
