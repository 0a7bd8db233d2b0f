//! Rows against rows.

use std::collections::BTreeMap;

use serde_json::Value;
use stream_sql::{Application, OutputRow};

use super::Row;

/// The rows of each stream, in their order.
pub fn by_stream(application: &Application, rows: &[OutputRow]) -> BTreeMap<String, Vec<Row>> {
    let names = application.streams();
    let (mut streams, mut json): (BTreeMap<String, Vec<Row>>, Vec<u8>) = (BTreeMap::new(), Vec::new());
    for row in rows {
        json.clear();
        application.write_json(row, &mut json);
        let columns: Value = serde_json::from_slice(&json).expect("a row is JSON");
        streams.entry(names[row.stream].0.clone()).or_default().push(Row { rowtime: row.rowtime, columns });
    }
    streams
}

/// Panics at the first row that is another.
pub fn assert_same(what: &str, found: &[Row], expected: &[Row]) {
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found, expected, "{what}: row {place}");
    }
    assert_eq!(
        found.len(),
        expected.len(),
        "{what}: rows, of which the first {} agree",
        found.len().min(expected.len())
    );
}
