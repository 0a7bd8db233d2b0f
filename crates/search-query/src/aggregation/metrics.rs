//! Aggregations that give numbers.

use serde_json::Value;

use super::Kind;
use super::parse::Reading;
use crate::RequestError;
use crate::wire;

/// The percentiles by default.
const PERCENTS: [f64; 7] = [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0];

/// A metric of nothing but a field.
fn field(reading: &Reading) -> Result<String, RequestError> {
    let mut field = None;
    for (key, value) in reading.options() {
        option(reading, key, value, &mut field)?;
    }
    reading.required(field, "field, script")
}

fn option(reading: &Reading, key: &str, value: &Value, field: &mut Option<String>) -> Result<(), RequestError> {
    match key {
        "field" => *field = Some(wire::text(value, key)?),
        "script" | "missing" | "value_type" | "format" | "sigma" => reading.only(key, value.is_null())?,
        _ => return Err(reading.unknown(key)),
    }
    Ok(())
}

pub(super) fn stats(reading: Reading) -> Result<Kind, RequestError> {
    field(&reading).map(Kind::Stats)
}

pub(super) fn extended_stats(reading: Reading) -> Result<Kind, RequestError> {
    field(&reading).map(Kind::ExtendedStats)
}

pub(super) fn avg(reading: Reading) -> Result<Kind, RequestError> {
    field(&reading).map(Kind::Avg)
}

pub(super) fn sum(reading: Reading) -> Result<Kind, RequestError> {
    field(&reading).map(Kind::Sum)
}

pub(super) fn min(reading: Reading) -> Result<Kind, RequestError> {
    field(&reading).map(Kind::Min)
}

pub(super) fn max(reading: Reading) -> Result<Kind, RequestError> {
    field(&reading).map(Kind::Max)
}

pub(super) fn value_count(reading: Reading) -> Result<Kind, RequestError> {
    field(&reading).map(Kind::ValueCount)
}

/// `precision_threshold` is checked and has no effect.
pub(super) fn cardinality(reading: Reading) -> Result<Kind, RequestError> {
    let mut field = None;
    for (key, value) in reading.options() {
        match key {
            "precision_threshold" => {
                let threshold = wire::integer(value, key)?;
                if threshold < 0 {
                    return Err(RequestError::illegal(format!(
                        "[precisionThreshold] must be greater than or equal to 0. Found [{threshold}] in [{}]",
                        reading.name
                    )));
                }
            }
            "rehash" | "execution_hint" => {}
            _ => option(&reading, key, value, &mut field)?,
        }
    }
    reading.required(field, "field, script").map(Kind::Cardinality)
}

/// How they are estimated (`tdigest`, `hdr`) is checked and has no effect.
pub(super) fn percentiles(reading: Reading) -> Result<Kind, RequestError> {
    let mut field = None;
    let mut percents = PERCENTS.to_vec();
    for (key, value) in reading.options() {
        match key {
            "percents" => percents = percents_of(value)?,
            "keyed" => reading.only(key, wire::boolean(value, key)?)?,
            "tdigest" => tdigest(&reading, value)?,
            "hdr" => hdr(&reading, value)?,
            _ => option(&reading, key, value, &mut field)?,
        }
    }
    Ok(Kind::Percentiles { field: reading.required(field, "field, script")?, percents })
}

fn percents_of(value: &Value) -> Result<Vec<f64>, RequestError> {
    let Value::Array(items) = value else {
        return Err(RequestError::parsing(format!("[percents] must be an array, found [{}]", wire::token(value))));
    };
    if items.is_empty() {
        return Err(RequestError::illegal("[percents] must not be empty"));
    }
    let percent = |item: &Value| {
        let percent = item.as_f64().ok_or_else(|| {
            RequestError::parsing(format!("[percents] must be an array of numbers, found [{}]", wire::token(item)))
        })?;
        match (0.0..=100.0).contains(&percent) {
            true => Ok(percent),
            false => Err(RequestError::illegal(format!("percent must be in [0,100], got [{percent}]"))),
        }
    };
    items.iter().map(percent).collect()
}

fn tdigest(reading: &Reading, value: &Value) -> Result<(), RequestError> {
    for (key, value) in wire::object(value, "tdigest")? {
        match key.as_str() {
            "compression" => {
                let compression = wire::number(value, key)?;
                if compression < 0.0 {
                    return Err(RequestError::illegal(format!(
                        "[compression] must be greater than or equal to 0. Found [{compression:?}] in [{}]",
                        reading.name
                    )));
                }
            }
            "execution_hint" => {}
            _ => return Err(reading.unknown(key)),
        }
    }
    Ok(())
}

fn hdr(reading: &Reading, value: &Value) -> Result<(), RequestError> {
    for (key, value) in wire::object(value, "hdr")? {
        match key.as_str() {
            "number_of_significant_value_digits" if (0..=5).contains(&wire::integer(value, key)?) => {}
            "number_of_significant_value_digits" => {
                return Err(RequestError::illegal("[numberOfSignificantValueDigits] must be between 0 and 5"));
            }
            _ => return Err(reading.unknown(key)),
        }
    }
    Ok(())
}
