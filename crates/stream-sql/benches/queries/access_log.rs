//! Lines as firehose-transform writes them.

/// Rows in one pass, over ten minutes.
pub const ROWS: usize = 100_000;
pub const MINUTE: i64 = 60_000;

/// Hosts that ask.
pub const HOSTS: usize = 1_000;

/// A line, and the time at which it arrived.
pub type Line = (i64, String);

/// The schema of the lines.
pub const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON", "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}}},
    "RecordEncoding": "UTF-8", "RecordColumns": [
        {"Name": "host", "SqlType": "VARCHAR(16)", "Mapping": "$.host"},
        {"Name": "datetime", "SqlType": "VARCHAR(32)", "Mapping": "$.datetime"},
        {"Name": "request", "SqlType": "VARCHAR(256)", "Mapping": "$.request"},
        {"Name": "response", "SqlType": "INTEGER", "Mapping": "$.response"},
        {"Name": "bytes", "SqlType": "INTEGER", "Mapping": "$.bytes"}]}"#;

/// So many lines over ten minutes.
pub fn lines(count: usize) -> Vec<Line> {
    let line = |n: usize| {
        let rowtime = 1_700_000_040_000 + (n as i64) * (10 * MINUTE) / (count as i64);
        let line = format!(
            r#"{{"host":"{}","ident":null,"authuser":null,"datetime":"14/Nov/2023:22:{:02}:36 +0000","request":"GET /api/v1/items/{n}?q=shoes HTTP/1.1","response":"{}","bytes":"{}","referer":"https://www.example.com/list?page=2","agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","@ingested":{rowtime}}}"#,
            host(n * 7_919 % HOSTS),
            n % 60,
            [200, 200, 200, 304, 404, 500][n % 6],
            100 + n * 37 % 90_000
        );
        (rowtime, line)
    };
    (0..count).map(line).collect()
}

/// The host of this number.
pub fn host(number: usize) -> String {
    format!("10.{}.{}.7", number / 256, number % 256)
}
