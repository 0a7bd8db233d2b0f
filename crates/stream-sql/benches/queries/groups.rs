//! What a row costs in a window of few groups and of many.

use std::time::{Duration, Instant};

use crate::access_log::Line;
use crate::engine;

const ROWS: usize = 2_000_000;

/// Passes, of which the shortest counts: others work on the machine.
const PASSES: usize = 3;

const SCHEMA: &str =
    r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [{"Name": "k", "SqlType": "INTEGER"}]}"#;
const SQL: &str = r#"CREATE STREAM "COUNTS" (k INTEGER, n INTEGER);
CREATE PUMP "P" AS INSERT INTO "COUNTS" SELECT STREAM "k", COUNT(*) FROM "SOURCE_SQL_STREAM_001"
GROUP BY "k", FLOOR("SOURCE_SQL_STREAM_001".ROWTIME TO HOUR);"#;

/// Prints nanoseconds a row, its window's end included.
pub fn print() {
    let application = engine::compile(SCHEMA, SQL);
    println!("\ncounts of {ROWS} rows in one window, {{\"k\":…}} each");
    for groups in [10, 1_000, 100_000, 1_000_000] {
        // In an order that no cache foresees.
        let line = |n: usize| (0, format!(r#"{{"k":{}}}"#, n.wrapping_mul(2_654_435_761) % groups));
        let lines: Vec<Line> = (0..ROWS).map(line).collect();
        let pass = || {
            let start = Instant::now();
            let found = engine::run(&application, &lines);
            (start.elapsed(), found)
        };
        let passes: Vec<(Duration, usize)> = (0..PASSES).map(|_| pass()).collect();
        let shortest = passes.iter().map(|(time, _)| time.as_nanos()).min().unwrap_or_default();
        let found = passes.first().map_or(0, |(_, found)| *found);
        println!("{found:>9} groups {:>6} ns a row", shortest / ROWS as u128);
    }
}
