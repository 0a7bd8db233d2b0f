//! A script over lines.

use stream_sql::{Application, Event, InputSchema, Source, State};

use crate::access_log::Line;

/// Compiles a script over `SOURCE_SQL_STREAM_001` of this schema.
pub fn compile(schema: &str, sql: &str) -> Application {
    Application::compile(sql, &[source("SOURCE_SQL_STREAM_001", schema)], &[]).expect("the script is right")
}

/// The source or table of this schema.
pub fn source(name: &str, schema: &str) -> Source {
    let schema: InputSchema = serde_json::from_str(schema).expect("the schema is JSON");
    schema.source(name).expect("the schema is right")
}

/// The number of rows that come out of the lines, all windows closed.
pub fn run(application: &Application, lines: &[Line]) -> usize {
    let (mut state, mut rows, mut count) = (State::default(), Vec::new(), 0);
    for line in lines {
        application.run(&mut state, record(line), &mut rows);
        count += rows.len();
        rows.clear();
    }
    application.run(&mut state, Event::Bound(i64::MAX), &mut rows);
    assert_eq!(state.counters.errors, 0);
    count + rows.len()
}

pub fn record((rowtime, line): &Line) -> Event<'_> {
    Event::Record { source: 0, rowtime: *rowtime, arrival: *rowtime, origin: None, bytes: line.as_bytes() }
}
