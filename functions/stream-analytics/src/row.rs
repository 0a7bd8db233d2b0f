//! An output row as a line of JSON.

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use stream_sql::{OutputRow, Value};

use crate::application::Stream;

/// What a row's `_id` is made of, besides its number.
#[derive(Clone, Debug)]
pub struct Identity {
    application: String,
    version: String,
    born: i64,
}

impl Identity {
    /// Of the rows of this version, in a state that was born at this time.
    pub fn new(application: &str, version: &str, born: i64) -> Identity {
        Identity { application: application.to_owned(), version: version.to_owned(), born }
    }

    /// The id of the row with this number: the same in every repetition.
    fn of(&self, stream: &str, number: u64) -> String {
        let mut hash = Sha256::new();
        for part in [self.application.as_str(), &self.version, stream] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(self.born.to_be_bytes());
        hash.update(number.to_be_bytes());
        hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Appends the row: its columns, then `_id`, and a newline.
pub fn write(stream: &Stream, row: &OutputRow, identity: &Identity, number: u64, out: &mut Vec<u8>) {
    out.push(b'{');
    for (key, value) in stream.keys.iter().zip(&row.values) {
        out.extend_from_slice(key.as_bytes());
        write_value(value, out);
        out.push(b',');
    }
    // Writing into memory cannot fail, here and below.
    let _ = writeln!(out, "\"_id\":\"{}\"}}", identity.of(&stream.name, number));
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    let _ = match value {
        Value::Null => write!(out, "null"),
        Value::Boolean(value) => write!(out, "{value}"),
        Value::Integer(value) => write!(out, "{value}"),
        // JSON has no infinity.
        Value::Double(value) if value.is_finite() => serde_json::to_writer(out, value).map_err(Into::into),
        Value::Double(_) => write!(out, "null"),
        Value::Decimal(digits, scale) => write!(out, "{}", decimal(*digits, *scale)),
        Value::Text(text) => serde_json::to_writer(out, text.as_ref()).map_err(Into::into),
        Value::Date(day) => write!(out, "\"{}\"", time(i64::from(*day) * 86_400_000, "%Y-%m-%d")),
        Value::Time(ms) => write!(out, "\"{}\"", time(i64::from(*ms), "%H:%M:%S%.3f")),
        Value::Timestamp(ms) => write!(out, "\"{}\"", time(*ms, "%Y-%m-%d %H:%M:%S%.3f")),
    };
}

/// As `TIMESTAMP_TO_CHAR` would show it: UTC, without a zone.
fn time(ms: i64, format: &str) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(at) => at.to_zoned(TimeZone::UTC).strftime(format).to_string(),
        Err(_) => ms.to_string(),
    }
}

fn decimal(digits: i64, scale: u8) -> String {
    if scale == 0 {
        return digits.to_string();
    }
    let scale = usize::from(scale);
    let unsigned = format!("{:0>width$}", digits.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = unsigned.split_at(unsigned.len() - scale);
    format!("{}{whole}.{fraction}", if digits < 0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_line_of_json() {
        let check = |value: Value, expected: &str| {
            let stream = Stream { name: "S".into(), keys: vec!["\"A\\\"B\":".into()], targets: Vec::new() };
            let row = OutputRow { stream: 0, rowtime: 0, values: vec![value] };
            let mut out = Vec::new();
            write(&stream, &row, &Identity::new("a", "v", 7), 3, &mut out);
            let line = String::from_utf8(out).unwrap();
            let id = Identity::new("a", "v", 7).of("S", 3);
            assert_eq!(line, format!("{{\"A\\\"B\":{expected},\"_id\":\"{id}\"}}\n"));
            serde_json::from_str::<serde_json::Value>(&line).unwrap();
        };
        check(Value::Null, "null");
        check(Value::Boolean(true), "true");
        check(Value::Integer(-5), "-5");
        check(Value::Double(1.5), "1.5");
        check(Value::Double(f64::NAN), "null");
        check(Value::Decimal(-5, 2), "-0.05");
        check(Value::Decimal(12345, 2), "123.45");
        check(Value::Decimal(12, 0), "12");
        check(Value::Text("a\"\n".into()), "\"a\\\"\\n\"");
        check(Value::Date(1), "\"1970-01-02\"");
        check(Value::Time(3_661_001), "\"01:01:01.001\"");
        check(Value::Timestamp(1_535_364_900_000), "\"2018-08-27 10:15:00.000\"");
    }

    #[test]
    fn ids_differ_by_all_that_they_are_made_of() {
        let ids = [
            Identity::new("a", "v", 1).of("S", 1),
            Identity::new("b", "v", 1).of("S", 1),
            Identity::new("a", "w", 1).of("S", 1),
            Identity::new("a", "v", 2).of("S", 1),
            Identity::new("a", "v", 1).of("T", 1),
            Identity::new("a", "v", 1).of("S", 2),
            Identity::new("av", "", 1).of("S", 1),
        ];
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
        assert_eq!(ids[0], Identity::new("a", "v", 1).of("S", 1));
    }
}
