//! `expected_property`: what must hold of the rows of a stream where they cannot be listed, as with scores and clusters.
//!
//! - `row_count`: so many rows.
//! - `score_column`, with `zero_for_first_rows`: so many rows at the start score 0; with `top_n` and `top_n_where`: the so many rows of
//!   the highest scores are those that have these values.
//! - `json_column`, with `json_is_array_of`: an array of objects of these members; with `densest_hotspot_box_contains`: in rows after
//!   the `after_row`-th that have the values of `where`, the densest box lies in these ranges.

use serde_json::{Map, Value};

/// Fields with a meaning here: a case with another one is not judged by halves.
const FIELDS: [&str; 11] = [
    "stream",
    "row_count",
    "score_column",
    "zero_for_first_rows",
    "top_n",
    "top_n_where",
    "json_column",
    "json_is_array_of",
    "after_row",
    "where",
    "densest_hotspot_box_contains",
];

/// Whether the property of a case holds of its rows; or what does not.
pub(super) fn check(case: &Value, streams: &Map<String, Value>) -> Result<(), String> {
    let property = &case["expected_property"];
    let fields = property.as_object().ok_or("expected_property is no object")?;
    if let Some(unknown) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err(format!("expected_property: {unknown} is unknown"));
    }
    let stream = property["stream"].as_str().unwrap_or_default();
    let rows = streams.get(stream).and_then(Value::as_array).ok_or_else(|| format!("no stream {stream}"))?;
    if let Some(count) = property["row_count"].as_u64()
        && rows.len() as u64 != count
    {
        return Err(format!("{} rows, not {count}", rows.len()));
    }
    if let Some(column) = property["score_column"].as_str() {
        scores(property, column, rows)?;
    }
    if let Some(column) = property["json_column"].as_str() {
        hotspots(case, column, rows)?;
    }
    Ok(())
}

fn scores(property: &Value, column: &str, rows: &[Value]) -> Result<(), String> {
    let score = |row: &Value| row[column].as_f64().ok_or_else(|| format!("no score: {row}"));
    let scores = rows.iter().map(score).collect::<Result<Vec<f64>, _>>()?;
    let zeros = place(&property["zero_for_first_rows"]);
    if let Some(early) = scores.iter().take(zeros).position(|score| *score != 0.0) {
        return Err(format!("row {} scores {}", early + 1, scores[early]));
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let top = order.iter().take(place(&property["top_n"]));
    match top.map(|place| &rows[*place]).find(|row| !matches(row, &property["top_n_where"])) {
        Some(row) => Err(format!("among the highest scores: {row}")),
        None => Ok(()),
    }
}

fn hotspots(case: &Value, column: &str, rows: &[Value]) -> Result<(), String> {
    let property = &case["expected_property"];
    for (number, row) in (1..).zip(rows) {
        let wrong = |what: &str| format!("row {number}: {what}: {}", row[column]);
        let json: Value =
            serde_json::from_str(row[column].as_str().unwrap_or_default()).map_err(|_| wrong("no JSON"))?;
        let list = json.as_array().ok_or_else(|| wrong("no array"))?;
        let members = || property["json_is_array_of"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if list.iter().any(|object| members().any(|member| object.get(member).is_none())) {
            return Err(wrong("a member is missing"));
        }
        if number <= place(&property["after_row"]) || !matches(row, &property["where"]) {
            continue;
        }
        let Some(ranges) = property["densest_hotspot_box_contains"].as_object() else { continue };
        let density = |hotspot: &&Value| hotspot["density"].as_f64().unwrap_or_default();
        let densest =
            list.iter().max_by(|a, b| density(a).total_cmp(&density(b))).ok_or_else(|| wrong("no hotspot"))?;
        for (name, range) in ranges {
            let dimension = dimension(case, name).ok_or_else(|| format!("no numeric column {name}"))?;
            let at = |end: &str| densest[end][dimension].as_f64().unwrap_or(f64::NAN);
            let bound = |end: usize| range[end].as_f64().unwrap_or(f64::NAN);
            if !(bound(0) <= at("minValues") && at("maxValues") <= bound(1)) {
                return Err(wrong(&format!("the densest is not in the range of {name}")));
            }
        }
    }
    Ok(())
}

fn place(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

/// Whether a row has these values.
fn matches(row: &Value, wanted: &Value) -> bool {
    wanted.as_object().into_iter().flatten().all(|(column, value)| &row[column] == value)
}

/// Which of the numeric columns of its source a column is.
fn dimension(case: &Value, name: &str) -> Option<usize> {
    case["schema"].as_object()?.values().find_map(|columns| {
        let is_numeric = |column: &&Value| {
            let sql_type = column[1].as_str().unwrap_or_default().to_uppercase();
            !["CHAR", "VARCHAR", "BOOLEAN", "DATE", "TIME"].iter().any(|other| sql_type.starts_with(other))
        };
        columns.as_array()?.iter().filter(is_numeric).position(|column| column[0] == name)
    })
}
