//! Statements, operators and functions as the pages of the SQL reference describe them.

mod expressions;
mod messages;
mod queries;
mod records;
mod statements;

use stream_sql::{Application, Event, InputSchema, Origin, SqlError, State};

const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "K", "SqlType": "VARCHAR(8)", "Mapping": "$.k"}, {"Name": "N", "SqlType": "INTEGER", "Mapping": "$.n"},
    {"Name": "F", "SqlType": "DOUBLE", "Mapping": "$.f"}, {"Name": "T", "SqlType": "TIMESTAMP", "Mapping": "$.t"}]}"#;

fn compile(sql: &str) -> Result<Application, SqlError> {
    let schema: InputSchema = serde_json::from_str(SCHEMA).unwrap();
    Application::compile(sql, &[schema.source("S").unwrap()], &[])
}

/// What happens at a time: a record, or nothing earlier will come.
type Step<'a> = (i64, Option<&'a str>);

/// Runs a script over records; `stream ROWTIME row` of each row. The state is stored and loaded between any two events, or not: both
/// must agree.
fn run(sql: &str, steps: &[Step<'_>]) -> (Vec<String>, State) {
    let application = compile(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"));
    let mut runs = [false, true].map(|reload| {
        let (mut state, mut rows) = (State::default(), Vec::new());
        for (time, record) in steps {
            let origin = Origin { partition_key: "pk", sequence_number: "42", shard_id: "shardId-0" };
            let event = match record {
                Some(record) => Event::Record {
                    source: 0,
                    rowtime: *time,
                    arrival: *time - 1,
                    origin: (*time != 1).then_some(origin),
                    bytes: record.as_bytes(),
                },
                None => Event::Bound(*time),
            };
            application.run(&mut state, event, &mut rows);
            if reload {
                state = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
            }
        }
        (rows, state)
    });
    assert_eq!(runs[0], runs[1]);
    let (rows, state) = std::mem::take(&mut runs[0]);
    let names = application.streams();
    let shown = rows.iter().map(|row| {
        let mut json = Vec::new();
        application.write_json(row, &mut json);
        format!("{} {} {}", names[row.stream].0, row.rowtime, String::from_utf8(json).unwrap())
    });
    (shown.collect(), state)
}

fn check(sql: &str, steps: &[Step<'_>], expected: &[&str]) {
    assert_eq!(run(sql, steps).0, expected, "{sql}");
}

/// `(type, expression, JSON)`: what an expression is, in a column of that type; `error` where its row fails.
fn values(prelude: &str, cases: &[(&str, &str, &str)]) {
    let record = r#"{"k":"abc","n":7,"f":2.5,"t":"2004-09-30 13:48:23.123"}"#;
    for (sql_type, expr, expected) in cases {
        let sql = format!(
            "{prelude} CREATE STREAM o (v {sql_type}); CREATE PUMP p AS INSERT INTO o SELECT STREAM {expr} FROM s;"
        );
        let (rows, _) = run(&sql, &[(60_000, Some(record))]);
        let shown = match &rows[..] {
            [row] => row.strip_prefix(r#"O 60000 {"V":"#).and_then(|row| row.strip_suffix('}')).unwrap_or("error"),
            _ => "no row",
        };
        assert_eq!(shown, *expected, "{expr} as {sql_type}: {rows:?}");
    }
}

/// `(script, place, part of the message)`
fn refused(cases: &[(&str, (u32, u32), &str)]) {
    for (sql, place, message) in cases {
        let error = compile(sql).map(|_| ()).expect_err(sql);
        assert!(error.to_string().contains(message), "{sql}\n{error}");
        assert_eq!((error.line, error.column), *place, "{sql}\n{error}");
    }
}
