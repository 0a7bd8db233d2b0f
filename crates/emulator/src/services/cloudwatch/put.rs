//! PutMetricData: the rules of a datum, and its row.

use serde::Deserialize;

use super::{combination, invalid_value, missing};
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::types::{Number, Timestamp};

/// Data in one call (PutMetricData).
const MAX_DATA: usize = 1000;

/// Bytes of one call (PutMetricData: 1 MB; counted here before compression, the stricter reading).
const MAX_REQUEST_BYTES: usize = 1024 * 1024;

/// Characters in a namespace, a metric's or dimension's name (service model).
const MAX_NAME: usize = 255;

/// Characters in a dimension's value (service model).
const MAX_DIMENSION_VALUE: usize = 1024;

/// Dimensions of a metric (service model).
const MAX_DIMENSIONS: usize = 30;

/// Unique values in one datum (MetricDatum).
const MAX_VALUES: usize = 150;

/// The largest value either way: 2^360 (MetricDatum).
const MAX_VALUE: f64 = 2.348_542_582_773_833_4e108;

/// How old a datum may be: two weeks (PutMetricData).
const MAX_AGE_MS: i64 = 14 * 24 * 3_600_000;

/// How far ahead a datum may be: two hours (PutMetricData).
const MAX_AHEAD_MS: i64 = 2 * 3_600_000;

/// How long data are kept: as long as the service keeps those of one minute (user guide, "Metrics retention").
const RETENTION_MS: i64 = 15 * 24 * 3_600_000;

/// How many old data a put removes at most: bounds what one put costs, and is more than it adds.
const EXPIRE_AT_ONCE: i64 = 2000;

/// `StandardUnit` of the service model.
const UNITS: &[&str] = &[
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Input {
    namespace: Option<String>,
    metric_data: Option<Vec<Datum>>,
    entity_metric_data: Option<Vec<EntityData>>,
}

/// Data with the entity they belong to, which is not kept.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EntityData {
    metric_data: Option<Vec<Datum>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Datum {
    metric_name: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    timestamp: Option<Timestamp>,
    value: Option<Number>,
    statistic_values: Option<StatisticSet>,
    values: Option<Vec<Number>>,
    counts: Option<Vec<Number>>,
    unit: Option<String>,
    storage_resolution: Option<Number>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Dimension {
    name: Option<String>,
    value: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct StatisticSet {
    sample_count: Option<Number>,
    sum: Option<Number>,
    minimum: Option<Number>,
    maximum: Option<Number>,
}

/// A datum that keeps the rules.
struct Row {
    name: String,
    dimensions: String,
    at: i64,
    unit: String,
    resolution: i64,
    samples: Samples,
}

#[derive(Debug)]
struct Samples {
    count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
    /// JSON; of several values only.
    values: Option<String>,
}

/// Refuses a body that is too large.
pub fn check_size(bytes: usize) -> Result<(), ApiError> {
    if bytes <= MAX_REQUEST_BYTES {
        return Ok(());
    }
    let message = format!("request of {bytes} bytes: PutMetricData takes at most {MAX_REQUEST_BYTES}");
    Err(ApiError::new(http::StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message))
}

/// Stores all data of a call, or, when one of them breaks a rule, none.
pub fn put_metric_data(tx: &Tx<'_>, input: Input) -> Result<(), ApiError> {
    let namespace = input.namespace.ok_or_else(|| missing("The parameter Namespace is required."))?;
    check_text("Namespace", &namespace, MAX_NAME)?;
    if namespace.starts_with(':') {
        return Err(invalid_value(format!("The value {namespace} for parameter Namespace is invalid.")));
    }
    if input.metric_data.is_none() && input.entity_metric_data.is_none() {
        return Err(missing("The parameter MetricData is required."));
    }
    let of_entities = input.entity_metric_data.unwrap_or_default().into_iter().filter_map(|entity| entity.metric_data);
    let data: Vec<Datum> = input.metric_data.unwrap_or_default().into_iter().chain(of_entities.flatten()).collect();
    if data.len() > MAX_DATA {
        return Err(invalid_value(format!("The collection MetricData must not have a size greater than {MAX_DATA}.")));
    }
    for (index, datum) in data.into_iter().enumerate() {
        let row = check(datum, &format!("MetricData.member.{}", index + 1), tx.now())?;
        store(tx, &namespace, &row)?;
    }
    expire(tx)
}

fn store(tx: &Tx<'_>, namespace: &str, row: &Row) -> Result<(), ApiError> {
    let metric: i64 = tx
        .prepare_cached(
            "INSERT INTO cloudwatch_metrics (namespace, name, dimensions, last_put) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET last_put = max(last_put, excluded.last_put) RETURNING id",
        )?
        .query_row((namespace, &row.name, &row.dimensions, tx.now()), |row| row.get(0))?;
    let Samples { count, sum, minimum, maximum, values } = &row.samples;
    tx.prepare_cached(
        "INSERT INTO cloudwatch_data (metric, at, unit, resolution, sample_count, sum, minimum, maximum, samples)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((metric, row.at, &row.unit, row.resolution, count, sum, minimum, maximum, values))?;
    Ok(())
}

fn expire(tx: &Tx<'_>) -> Result<(), ApiError> {
    let horizon = tx.now() - RETENTION_MS;
    for statement in [
        "DELETE FROM cloudwatch_data WHERE rowid IN (SELECT rowid FROM cloudwatch_data WHERE at < ?1 LIMIT ?2)",
        "DELETE FROM cloudwatch_metrics WHERE id IN (SELECT id FROM cloudwatch_metrics WHERE last_put < ?1 LIMIT ?2)",
    ] {
        tx.prepare_cached(statement)?.execute((horizon, EXPIRE_AT_ONCE))?;
    }
    Ok(())
}

fn check(datum: Datum, path: &str, now: i64) -> Result<Row, ApiError> {
    let samples = samples(&datum, path)?;
    let name = text(datum.metric_name, &format!("{path}.MetricName"), MAX_NAME)?;
    let unit = datum.unit.unwrap_or_else(|| "None".to_owned());
    if !UNITS.contains(&unit.as_str()) {
        return Err(invalid_value(format!("The value {unit} for parameter {path}.Unit is invalid.")));
    }
    let resolution = match datum.storage_resolution {
        None => 60,
        Some(Number(seconds)) if seconds == 1.0 || seconds == 60.0 => seconds as i64,
        Some(Number(other)) => {
            let message = format!("The value {other} for parameter {path}.StorageResolution is invalid: 1 or 60.");
            return Err(invalid_value(message));
        }
    };
    let at = datum.timestamp.map_or(now, |at| at.0);
    if at < now - MAX_AGE_MS {
        let message = format!("The parameter {path}.Timestamp must specify a time within the past two weeks.");
        return Err(invalid_value(message));
    }
    if at > now + MAX_AHEAD_MS {
        let message =
            format!("The parameter {path}.Timestamp must specify a time no more than two hours in the future.");
        return Err(invalid_value(message));
    }
    let dimensions = dimensions(datum.dimensions.unwrap_or_default(), &format!("{path}.Dimensions"))?;
    Ok(Row { name, dimensions, at, unit, resolution, samples })
}

fn dimensions(dimensions: Vec<Dimension>, path: &str) -> Result<String, ApiError> {
    if dimensions.len() > MAX_DIMENSIONS {
        let message = format!("The collection {path} must not have a size greater than {MAX_DIMENSIONS}.");
        return Err(invalid_value(message));
    }
    let mut pairs = Vec::with_capacity(dimensions.len());
    for (index, dimension) in dimensions.into_iter().enumerate() {
        let path = format!("{path}.member.{}", index + 1);
        let name = text(dimension.name, &format!("{path}.Name"), MAX_NAME)?;
        let value = text(dimension.value, &format!("{path}.Value"), MAX_DIMENSION_VALUE)?;
        pairs.push((name, value));
    }
    pairs.sort();
    if let Some(pair) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(invalid_value(format!("The dimension {} is given twice in {path}.", pair[0].0)));
    }
    serde_json::to_string(&pairs).map_err(ApiError::internal)
}

fn samples(datum: &Datum, path: &str) -> Result<Samples, ApiError> {
    let given = [
        ("Value", datum.value.is_some()),
        ("Values", datum.values.is_some()),
        ("StatisticValues", datum.statistic_values.is_some()),
    ];
    let given: Vec<&str> = given.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect();
    if let [first, second, ..] = given[..] {
        return Err(combination(format!(
            "The parameters {path}.{first} and {path}.{second} are mutually exclusive and you have specified both."
        )));
    }
    if let Some(Number(value)) = datum.value {
        let value = check_value(value, &format!("{path}.Value"))?;
        return Ok(Samples { count: 1.0, sum: value, minimum: value, maximum: value, values: None });
    }
    if let Some(set) = &datum.statistic_values {
        return of_set(set, &format!("{path}.StatisticValues"));
    }
    match &datum.values {
        Some(values) => of_values(values, datum.counts.as_deref(), path),
        None => Err(missing(format!(
            "At least one of the parameters {path}.Value, {path}.Values and {path}.StatisticValues must be specified."
        ))),
    }
}

fn of_set(set: &StatisticSet, path: &str) -> Result<Samples, ApiError> {
    let member = |value: Option<Number>, name: &str| {
        let path = format!("{path}.{name}");
        let Number(value) = value.ok_or_else(|| missing(format!("The parameter {path} is required.")))?;
        check_value(value, &path)
    };
    let samples = Samples {
        count: member(set.sample_count, "SampleCount")?,
        sum: member(set.sum, "Sum")?,
        minimum: member(set.minimum, "Minimum")?,
        maximum: member(set.maximum, "Maximum")?,
        values: None,
    };
    if samples.count <= 0.0 {
        let message = format!("The value {} for parameter {path}.SampleCount is invalid.", samples.count);
        return Err(invalid_value(message));
    }
    if samples.minimum > samples.maximum {
        let message = format!("The value of {path}.Minimum is greater than that of {path}.Maximum.");
        return Err(invalid_value(message));
    }
    Ok(samples)
}

fn of_values(values: &[Number], counts: Option<&[Number]>, path: &str) -> Result<Samples, ApiError> {
    if values.is_empty() {
        return Err(missing(format!("The parameter {path}.Values is required.")));
    }
    if values.len() > MAX_VALUES {
        let message = format!("The collection {path}.Values must not have a size greater than {MAX_VALUES}.");
        return Err(invalid_value(message));
    }
    if counts.is_some_and(|counts| counts.len() != values.len()) {
        let message = format!("The parameters {path}.Values and {path}.Counts must be of the same size.");
        return Err(invalid_value(message));
    }
    let mut samples = Samples { count: 0.0, sum: 0.0, minimum: f64::MAX, maximum: f64::MIN, values: None };
    let mut pairs = Vec::with_capacity(values.len());
    for (index, Number(value)) in values.iter().enumerate() {
        let value = check_value(*value, &format!("{path}.Values.member.{}", index + 1))?;
        let count = counts.and_then(|counts| counts.get(index)).map_or(1.0, |count| count.0);
        let count_path = format!("{path}.Counts.member.{}", index + 1);
        if check_value(count, &count_path)? <= 0.0 {
            return Err(invalid_value(format!("The value {count} for parameter {count_path} is invalid.")));
        }
        samples.count += count;
        samples.sum += value * count;
        samples.minimum = samples.minimum.min(value);
        samples.maximum = samples.maximum.max(value);
        pairs.push((value, count));
    }
    samples.values = Some(serde_json::to_string(&pairs).map_err(ApiError::internal)?);
    Ok(samples)
}

fn check_value(value: f64, path: &str) -> Result<f64, ApiError> {
    if value.is_finite() && value.abs() <= MAX_VALUE {
        return Ok(value);
    }
    Err(invalid_value(format!("The value {value} for parameter {path} is invalid.")))
}

fn text(value: Option<String>, path: &str, max: usize) -> Result<String, ApiError> {
    let value = value.ok_or_else(|| missing(format!("The parameter {path} is required.")))?;
    check_text(path, &value, max)?;
    Ok(value)
}

/// ASCII without control characters, and not blank.
fn check_text(path: &str, value: &str, max: usize) -> Result<(), ApiError> {
    let length = value.chars().count();
    if value.trim().is_empty() {
        return Err(invalid_value(format!("The parameter {path} must not be empty.")));
    }
    if length > max {
        return Err(invalid_value(format!(
            "The parameter {path} must be at most {max} characters long: it has {length}."
        )));
    }
    if value.chars().any(|c| !c.is_ascii() || c.is_ascii_control()) {
        return Err(invalid_value(format!("The value {value:?} for parameter {path} is invalid: ASCII is expected.")));
    }
    Ok(())
}
