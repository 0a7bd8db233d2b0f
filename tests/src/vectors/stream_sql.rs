//! `sql` over `input` (or `raw_records`) → the rows of every stream, or the error with its place.

use serde_json::{Map, Value, json};
use stream_sql::{Application, Column, Event, Format, InputSchema, OutputRow, Source, SqlType, State};

use super::{Verdict, name, property};

/// Where raw records come in.
const SOURCE: &str = "SOURCE_SQL_STREAM_001";
/// How far numbers may differ: REAL has 32 bits.
const TOLERANCE: f64 = 1e-6;

/// Streams and their rows: every column and ROWTIME.
type Rows = Map<String, Value>;

struct Input {
    rowtime: i64,
    source: usize,
    arrival: i64,
    what: What,
}

enum What {
    Row(Vec<stream_sql::Value>),
    Record(String),
}

fn run(case: &Value) -> Result<Result<Rows, String>, String> {
    let sources = sources(case)?;
    let sql = case["sql"].as_str().unwrap_or_default();
    let tables = tables(case)?;
    let mut application = match Application::compile(sql, &sources, &tables) {
        Ok(application) => application,
        Err(error) => return Ok(Err(error.to_string())),
    };
    for table in &tables {
        let rows = case["reference"][&table.name]["rows"].as_array().into_iter().flatten();
        let records: Vec<String> = rows.map(Value::to_string).collect();
        application = application.with_table(&table.name, records.join("\n").as_bytes())?;
    }
    let names: Vec<String> = application.streams().into_iter().map(|(name, _)| name).collect();
    // A script without streams is about the mapping: the source's rows are asked for.
    let outputs: Vec<&str> = match sql.trim() {
        "" => names.iter().map(String::as_str).collect(),
        _ => names[sources.len()..].iter().map(String::as_str).collect(),
    };
    let application = application.with_outputs(&outputs).map_err(|name| format!("no stream {name}"))?;
    let rows = feed(&application, case, &sources)?;
    let streams = application.streams();
    let mut result: Rows = outputs.iter().map(|name| ((*name).to_owned(), json!([]))).collect();
    for row in rows {
        if let Some(Value::Array(list)) = result.get_mut(&streams[row.stream].0) {
            list.push(object(&application, &row)?);
        }
    }
    Ok(Ok(result))
}

/// Runs the events twice, the second time with the state stored and loaded between any two.
fn feed(application: &Application, case: &Value, sources: &[Source]) -> Result<Vec<OutputRow>, String> {
    let mut results = Vec::new();
    for reload in [false, true] {
        let (mut state, mut rows) = (State::default(), Vec::new());
        state.clock = case.get("clock").map(time).transpose()?;
        for input in inputs(case, sources)? {
            let Input { source, rowtime, arrival, what } = input;
            match what {
                What::Row(values) => {
                    application.run(&mut state, Event::Row { source, rowtime, arrival, values }, &mut rows)
                }
                What::Record(text) => {
                    application.run(
                        &mut state,
                        Event::Record { source, rowtime, arrival, origin: None, bytes: text.as_bytes() },
                        &mut rows,
                    );
                }
            }
            if reload {
                let stored = serde_json::to_vec(&state).map_err(|e| format!("the state cannot be stored: {e}"))?;
                state = serde_json::from_slice(&stored).map_err(|e| format!("the state cannot be loaded: {e}"))?;
            }
        }
        if let Some(bound) = case.get("advance_to") {
            application.run(&mut state, Event::Bound(time(bound)?), &mut rows);
        }
        results.push((rows, serde_json::to_vec(&state).map_err(|e| e.to_string())?));
    }
    let (first, second) = (results.swap_remove(0), results.swap_remove(0));
    if first != second {
        Err("the rows or the state differ after the state was stored in between".into())
    } else {
        Ok(first.0)
    }
}

fn sources(case: &Value) -> Result<Vec<Source>, String> {
    if let Some(schema) = case.get("input_schema") {
        let schema: InputSchema = serde_json::from_value(schema.clone()).map_err(|e| format!("input_schema: {e}"))?;
        return Ok(vec![schema.source(SOURCE)?]);
    }
    let Some(Value::Object(schema)) = case.get("schema") else { return Ok(Vec::new()) };
    schema.iter().map(|(name, columns)| source(name, columns)).collect()
}

fn tables(case: &Value) -> Result<Vec<Source>, String> {
    let Some(Value::Object(tables)) = case.get("reference") else { return Ok(Vec::new()) };
    tables.iter().map(|(name, table)| source(name, &table["schema"])).collect()
}

fn source(name: &str, columns: &Value) -> Result<Source, String> {
    let mut list = Vec::new();
    for column in columns.as_array().into_iter().flatten() {
        let text = |place: usize| column[place].as_str().unwrap_or_default();
        list.push(Column { name: text(0).to_owned(), sql_type: SqlType::parse(text(1))?, mapping: None });
    }
    Ok(Source { name: name.to_owned(), columns: list, format: Format::default() })
}

/// The rows of all streams by ROWTIME, ties in the schema's order, or in the order of `arrival`.
fn inputs(case: &Value, sources: &[Source]) -> Result<Vec<Input>, String> {
    let mut inputs = Vec::new();
    for record in case["raw_records"].as_array().into_iter().flatten() {
        let rowtime = time(&record["rowtime"])?;
        let text = record["data"].as_str().map_or_else(|| record["data"].to_string(), str::to_owned);
        inputs.push(Input { rowtime, source: 0, arrival: rowtime, what: What::Record(text) });
    }
    let row = |source: usize, row: &Value| -> Result<Input, String> {
        let rowtime = time(&row["rowtime"])?;
        let arrival = row.get("APPROXIMATE_ARRIVAL_TIME").map_or(Ok(rowtime), time)?;
        let values = sources[source].columns.iter().map(|column| value(&row[&column.name], column.sql_type));
        Ok(Input { rowtime, source, arrival, what: What::Row(values.collect::<Result<_, _>>()?) })
    };
    if let Some(arrivals) = case["arrival"].as_array() {
        for arrival in arrivals {
            let name = arrival[0].as_str().unwrap_or_default();
            let place = usize::try_from(arrival[1].as_u64().unwrap_or_default()).map_err(|e| e.to_string())?;
            let source = sources.iter().position(|source| source.name == name).ok_or(format!("no source {name}"))?;
            inputs.push(row(source, &case["input"][name][place])?);
        }
        return Ok(inputs);
    }
    for (place, source) in sources.iter().enumerate() {
        for input in case["input"][&source.name].as_array().into_iter().flatten() {
            inputs.push(row(place, input)?);
        }
    }
    inputs.sort_by_key(|input| input.rowtime);
    Ok(inputs)
}

fn time(value: &Value) -> Result<i64, String> {
    let text = value.as_str().ok_or_else(|| format!("{value} is no time"))?;
    let zoned = if text.ends_with('Z') { text.to_owned() } else { format!("{}Z", text.replace(' ', "T")) };
    zoned.parse::<jiff::Timestamp>().map(|time| time.as_millisecond()).map_err(|e| format!("{text}: {e}"))
}

fn value(value: &Value, sql_type: SqlType) -> Result<stream_sql::Value, String> {
    use stream_sql::Value as Sql;
    // A DECIMAL may be text.
    let number = || match value {
        Value::String(text) => text.parse::<f64>().map_err(|e| format!("{text}: {e}")),
        _ => value.as_f64().ok_or_else(|| format!("{value} is no {sql_type}")),
    };
    Ok(match sql_type {
        _ if value.is_null() => Sql::Null,
        SqlType::Boolean => Sql::Boolean(value.as_bool().ok_or_else(|| format!("{value} is no BOOLEAN"))?),
        SqlType::Real => Sql::Double(f64::from(number()? as f32)),
        SqlType::Double => Sql::Double(number()?),
        SqlType::Decimal { scale, .. } => {
            Sql::Decimal((number()? * 10f64.powi(i32::from(scale))).round() as i64, scale)
        }
        SqlType::Timestamp => Sql::Timestamp(time(value)?),
        SqlType::Date => {
            let midnight = format!("{}T00:00:00Z", value.as_str().unwrap_or_default());
            Sql::Date(i32::try_from(time(&midnight.into())?.div_euclid(86_400_000)).map_err(|e| e.to_string())?)
        }
        SqlType::Time => {
            let first_day = format!("1970-01-01T{}Z", value.as_str().unwrap_or_default());
            Sql::Time(i32::try_from(time(&first_day.into())?).map_err(|e| e.to_string())?)
        }
        SqlType::Char { .. } | SqlType::Varchar { .. } => {
            Sql::Text(value.as_str().map_or_else(|| value.to_string(), str::to_owned).into())
        }
        _ => Sql::Integer(value.as_i64().ok_or_else(|| format!("{value} is no {sql_type}"))?),
    })
}

fn object(application: &Application, row: &OutputRow) -> Result<Value, String> {
    let mut bytes = Vec::new();
    application.write_json(row, &mut bytes);
    let mut object: Map<String, Value> =
        serde_json::from_slice(&bytes).map_err(|e| format!("a row is no JSON: {e}"))?;
    let rowtime = jiff::Timestamp::from_millisecond(row.rowtime).map_err(|e| e.to_string())?;
    object.insert("ROWTIME".into(), rowtime.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string().into());
    Ok(Value::Object(object))
}

pub(super) fn emit(case: &Value) -> Result<String, String> {
    let mut line = json!({ "name": name(case)? });
    match run(case) {
        Ok(Ok(rows)) => line["output"] = Value::Object(rows),
        Ok(Err(error)) | Err(error) => line["error"] = error.into(),
    }
    Ok(line.to_string())
}

pub(super) fn judge(case: &Value) -> Result<Verdict, String> {
    let fail = |expected: String, got: String| Ok(Verdict::Fail { expected, got });
    let got = match run(case) {
        Ok(got) => got,
        Err(error) => return fail("rows".into(), error),
    };
    let expected_error = case.get("expected_error").and_then(Value::as_str);
    match (got, expected_error) {
        (Err(error), None) => fail("rows".into(), error),
        (Ok(rows), Some(expected)) => fail(format!("an error: {expected}"), Value::Object(rows).to_string()),
        (Err(error), Some(expected)) => {
            let place = case
                .get("expected_error_position")
                .map(|place| format!("line {}, column {}", place["line"], place["column"]));
            let here = place
                .as_ref()
                .is_none_or(|place| error.contains(&format!("{place} ")) || error.contains(&format!("{place}:")));
            if error.to_lowercase().contains(&expected.to_lowercase()) && here {
                return Ok(Verdict::Pass);
            }
            fail(format!("{expected} at {}", place.unwrap_or_default()), error)
        }
        (Ok(rows), None) if case.get("expected_property").is_some() => match property::check(case, &rows) {
            Ok(()) => Ok(Verdict::Pass),
            Err(error) => fail(case["expected_property"].to_string(), error),
        },
        (Ok(rows), None) => {
            let ordered = case["ordered"].as_bool().unwrap_or(true);
            for (stream, expected) in case["expected"].as_object().into_iter().flatten() {
                let (Some(expected), Some(Value::Array(got))) = (expected.as_array(), rows.get(stream)) else {
                    return fail(format!("rows of {stream}"), Value::Object(rows).to_string());
                };
                if !same_rows(expected, got, ordered) {
                    return fail(format!("{stream}: {}", json!(expected)), json!(got).to_string());
                }
            }
            Ok(Verdict::Pass)
        }
    }
}

fn same_rows(expected: &[Value], got: &[Value], ordered: bool) -> bool {
    if expected.len() != got.len() {
        return false;
    }
    if ordered {
        return expected.iter().zip(got).all(|(expected, got)| same_row(expected, got));
    }
    let mut rest: Vec<&Value> = got.iter().collect();
    expected.iter().all(|expected| match rest.iter().position(|got| same_row(expected, got)) {
        Some(place) => {
            rest.swap_remove(place);
            true
        }
        None => false,
    })
}

/// Only the columns that are named count.
fn same_row(expected: &Value, got: &Value) -> bool {
    expected
        .as_object()
        .into_iter()
        .flatten()
        .all(|(column, value)| got.get(column).is_some_and(|got| same(value, got)))
}

fn same(expected: &Value, got: &Value) -> bool {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    match (expected, got) {
        (Value::Number(_), _) | (_, Value::Number(_)) => match (number(expected), number(got)) {
            (Some(expected), Some(got)) => (expected - got).abs() <= TOLERANCE * expected.abs().max(got.abs()),
            _ => false,
        },
        _ => expected == got,
    }
}
