//! Aggregations whose buckets are stretches of time or numbers.

use serde_json::Value;

use super::buckets::by_key;
use super::parse::Reading;
use super::{Kind, interval};
use crate::RequestError;
use crate::wire;

pub(super) fn date_histogram(reading: Reading) -> Result<Kind, RequestError> {
    let mut field = None;
    let mut interval = None;
    let (mut format, mut time_zone, mut offset) = (None, None, 0);
    let (mut min_doc_count, mut extended_bounds) = (0, None);
    for (key, value) in reading.options() {
        match key {
            "field" => field = Some(wire::text(value, key)?),
            "calendar_interval" | "fixed_interval" | "interval" => {
                let found = match key {
                    "calendar_interval" => interval::calendar(&wire::text(value, key)?)?,
                    "fixed_interval" => interval::fixed(&wire::text(value, key)?)?,
                    _ => interval::either(value)?,
                };
                if let Some((first, _)) = interval.replace((key, found)) {
                    return Err(RequestError::illegal(format!(
                        "Cannot use [{key}] with [{first}] configuration option."
                    )));
                }
            }
            "format" => format = Some(wire::text(value, key)?),
            "time_zone" => {
                let zone = wire::text(value, key)?;
                crate::date::zone(&zone)?;
                time_zone = Some(zone);
            }
            "offset" => offset = interval::offset(value)?,
            "min_doc_count" => min_doc_count = wire::unsigned(value, key)?,
            "extended_bounds" => extended_bounds = bounds(&reading, value)?,
            "order" => reading.only(key, by_key(value)?)?,
            "keyed" => reading.only(key, !wire::boolean(value, key)?)?,
            "hard_bounds" | "missing" | "script" => reading.only(key, value.is_null())?,
            _ => return Err(reading.unknown(key)),
        }
    }
    let (_, interval) = reading.required(interval, "interval, calendar_interval, fixed_interval")?;
    let field = reading.required(field, "field, script")?;
    Ok(Kind::DateHistogram { field, interval, format, time_zone, offset, min_doc_count, extended_bounds })
}

pub(super) fn histogram(reading: Reading) -> Result<Kind, RequestError> {
    let (mut field, mut interval, mut offset, mut min_doc_count) = (None, None, 0.0, 0);
    for (key, value) in reading.options() {
        match key {
            "field" => field = Some(wire::text(value, key)?),
            "interval" => interval = Some(wire::number(value, key)?),
            "offset" => offset = wire::number(value, key)?,
            "min_doc_count" => min_doc_count = wire::unsigned(value, key)?,
            "order" => reading.only(key, by_key(value)?)?,
            "keyed" => reading.only(key, !wire::boolean(value, key)?)?,
            "extended_bounds" | "hard_bounds" | "missing" | "script" | "format" => {
                reading.only(key, wire::is_nothing(value))?
            }
            _ => return Err(reading.unknown(key)),
        }
    }
    let interval = reading.required(interval, "interval")?;
    if interval <= 0.0 {
        return Err(RequestError::illegal(format!(
            "[interval] must be >0 for histogram aggregation [{}]",
            reading.name
        )));
    }
    Ok(Kind::Histogram { field: reading.required(field, "field, script")?, interval, offset, min_doc_count })
}

fn bounds(reading: &Reading, value: &Value) -> Result<Option<(Value, Value)>, RequestError> {
    if value.is_null() {
        return Ok(None);
    }
    let (mut min, mut max) = (Value::Null, Value::Null);
    for (key, value) in wire::object(value, "extended_bounds")? {
        let bound = if value.is_null() { Value::Null } else { wire::scalar(value, key)? };
        match key.as_str() {
            "min" => min = bound,
            "max" => max = bound,
            _ => return Err(reading.unknown(key)),
        }
    }
    Ok(Some((min, max)))
}
