//! Table functions: what they give for which rows, what they hold back, and what is refused where.

mod forest;
mod fuzz;
mod group_rank;
mod hotspots;
mod refused;
mod tumbling;

use stream_sql::{Application, Event, InputSchema, State};

const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "k", "SqlType": "VARCHAR(4)"}, {"Name": "n", "SqlType": "INTEGER"}, {"Name": "x", "SqlType": "DOUBLE"},
    {"Name": "y", "SqlType": "REAL"}, {"Name": "d", "SqlType": "DECIMAL(9, 2)"}]}"#;

fn compile(sql: &str) -> Result<Application, stream_sql::SqlError> {
    let schema: InputSchema = serde_json::from_str(SCHEMA).unwrap();
    Application::compile(sql, &[schema.source("S").unwrap()], &[])
}

/// A pump that inserts what a FROM clause gives into `o`.
fn pump(columns: &str, from: &str) -> String {
    format!("CREATE STREAM o ({columns});\nCREATE PUMP p AS INSERT INTO o\nSELECT STREAM * FROM {from}")
}

/// What happens at a time: a record, or nothing earlier will come.
type Step = (i64, Option<String>);

fn at(time: i64, record: &str) -> Step {
    (time, Some(record.to_owned()))
}

/// Runs a script over records; `ROWTIME row` of each row of `o`, `error` of one that failed. The state is stored and loaded after
/// every `reload` events in JSON, and never: both must agree.
fn run(sql: &str, steps: &[Step], reload: usize) -> (Vec<String>, State) {
    let application = compile(sql).unwrap();
    let mut runs = [reload, usize::MAX].map(|reload| {
        let (mut state, mut rows) = (State::default(), Vec::new());
        for (place, (time, record)) in steps.iter().enumerate() {
            let event = match record {
                Some(record) => {
                    Event::Record { source: 0, rowtime: *time, arrival: *time, origin: None, bytes: record.as_bytes() }
                }
                None => Event::Bound(*time),
            };
            application.run(&mut state, event, &mut rows);
            if (place + 1) % reload == 0 {
                state = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
            }
        }
        (rows, state)
    });
    assert_eq!(runs[0].0, runs[1].0, "{sql}");
    assert!(runs[0].1 == runs[1].1, "the state is another after it was stored: {sql}");
    let (rows, state) = std::mem::take(&mut runs[0]);
    let names = application.streams();
    let shown = rows.iter().map(|row| {
        let mut json = Vec::new();
        application.write_json(row, &mut json);
        match names[row.stream].0.as_str() {
            "O" => format!("{} {}", row.rowtime, String::from_utf8(json).unwrap()),
            _ => "error".to_owned(),
        }
    });
    (shown.collect(), state)
}

fn check(sql: &str, steps: &[Step], expected: &[&str]) {
    assert_eq!(run(sql, steps, 1).0, expected, "{sql}");
}

/// Numbers that look random and are always the same.
fn noise(n: i64) -> f64 {
    ((n * 7_919 + 31) * (n + 104_729) % 1_009) as f64 / 1_009.0
}
