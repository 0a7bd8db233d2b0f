//! A day of an access log through the SQL engine, in the time of its lines, against the plain model.

use logmill_tests::sql_model::compare::{assert_same, by_stream};
use logmill_tests::sql_model::log::{DAY, MIDNIGHT, day};
use logmill_tests::sql_model::{PUMPS, Pump, SCHEMA, SOURCE, TABLE, TABLE_SCHEMA, Windows, source, table_records};
use stream_sql::{Application, Event, State};

/// Counts per minute, the error rate of nine minutes, sessions of a quarter of an hour.
const WINDOWS: Windows = Windows { step: 60_000, slide: 540_000, session: 900_000 };

fn lines() -> usize {
    if std::env::var_os("LOGMILL_LONG").is_some() { 200_000 } else { 30_000 }
}

fn compile(pumps: &[Pump]) -> Application {
    let sql: String = pumps.iter().map(|pump| (pump.statements)(&WINDOWS)).collect();
    let compiled = Application::compile(&sql, &[source(SCHEMA, SOURCE)], &[source(TABLE_SCHEMA, TABLE)]);
    let application = compiled.unwrap_or_else(|e| panic!("{e}\n{sql}"));
    application.with_table(TABLE, table_records().as_bytes()).expect("the table is read")
}

/// One application with all pumps over one source, all day long.
#[test]
fn a_day_of_an_access_log_gives_what_the_model_gives() {
    let application = compile(&PUMPS);
    let lines = day(20_261_120, lines());
    let (mut state, mut rows) = (State::default(), Vec::new());
    for line in &lines {
        let json = line.json();
        let event =
            Event::Record { source: 0, rowtime: line.at, arrival: line.at, origin: None, bytes: json.as_bytes() };
        application.run(&mut state, event, &mut rows);
    }
    application.run(&mut state, Event::Bound(MIDNIGHT + 2 * DAY), &mut rows);
    assert_eq!(state.counters.errors, 0);
    let streams = by_stream(&application, &rows);
    for pump in PUMPS {
        let expected = (pump.rows)(&lines, &WINDOWS);
        assert!(expected.len() > 100, "{} says too little: {} rows", pump.kind, expected.len());
        assert_same(pump.kind, &streams[pump.kind], &expected);
    }
}
