//! Rows as JSON and as CSV, and values as text.

use std::fmt;
use std::io::Write as _;

use crate::application::{Application, OutputRow};
use crate::datetime::text;
use crate::expression::decimal_text;
use crate::value::{Datum, Value};

/// The longest DATA_ROW of `error_stream`.
const MAX_DATA_ROW: usize = 49_152;

impl Application {
    /// Appends a row as a JSON object: columns by their names as stored, without ROWTIME; TIMESTAMP as `yyyy-MM-dd HH:mm:ss.SSS`.
    pub fn write_json(&self, row: &OutputRow, out: &mut Vec<u8>) {
        out.push(b'{');
        let columns = self.streams.get(row.stream).map_or(&[][..], |stream| &stream.columns);
        for (place, (name, value)) in columns.iter().zip(&row.values).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write_text(name, out);
            out.push(b':');
            write_value(&value.borrow(), out);
        }
        out.push(b'}');
    }

    /// Appends a row as a line of CSV (RFC 4180), without its end: the columns in their order, values as in JSON but for the quotes;
    /// NULL is nothing, an empty text is `""`.
    pub fn write_csv(&self, row: &OutputRow, out: &mut Vec<u8>) {
        for (place, value) in row.values.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write_field(&value.borrow(), out);
        }
    }
}

fn write_field(value: &Datum<'_>, out: &mut Vec<u8>) {
    match value {
        Datum::Null => {}
        Datum::Double(value) if !value.is_finite() => {}
        Datum::Text(text) if text.is_empty() || text.contains([',', '"', '\r', '\n']) => {
            out.push(b'"');
            out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        }
        Datum::Text(text) => out.extend_from_slice(text.as_bytes()),
        Datum::Date(days) => text::write_date(i64::from(*days), out),
        Datum::Time(ms) => text::write_time(i64::from(*ms), true, out),
        Datum::Timestamp(ms) => text::write_timestamp(*ms, true, out),
        value => write_value(value, out),
    }
}

fn write_value(value: &Datum<'_>, out: &mut Vec<u8>) {
    // Writing to a Vec does not fail.
    let _ = match value {
        Datum::Null => out.write_all(b"null"),
        Datum::Boolean(value) => write!(out, "{value}"),
        Datum::Integer(value) | Datum::Interval(value) => write!(out, "{value}"),
        Datum::Double(value) if value.is_finite() => serde_json::to_writer(out, value).map_err(std::io::Error::from),
        // JSON has no such numbers.
        Datum::Double(_) => out.write_all(b"null"),
        Datum::Decimal(digits, scale) => out.write_all(decimal_text(*digits, *scale).as_bytes()),
        Datum::Text(text) => {
            write_text(text, out);
            Ok(())
        }
        Datum::Date(days) => quoted(out, |out| text::write_date(i64::from(*days), out)),
        Datum::Time(ms) => quoted(out, |out| text::write_time(i64::from(*ms), true, out)),
        Datum::Timestamp(ms) => quoted(out, |out| text::write_timestamp(*ms, true, out)),
    };
}

/// As JSON has it, without quotes; NULL is `NULL`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        match self {
            Value::Null => return f.write_str("NULL"),
            Value::Text(text) => return f.write_str(text),
            Value::Double(value) if !value.is_finite() => return write!(f, "{value}"),
            value => write_value(&value.borrow(), &mut out),
        }
        f.write_str(String::from_utf8_lossy(&out).trim_matches('"'))
    }
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> std::io::Result<()> {
    out.push(b'"');
    write(out);
    out.push(b'"');
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    // A text has no value that JSON lacks, and writing to a Vec does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// A failed row, as the hexadecimal digits of a JSON array.
pub(crate) fn hex_row(values: &[Datum<'_>]) -> String {
    let mut json = vec![b'['];
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            json.push(b',');
        }
        write_value(value, &mut json);
    }
    json.push(b']');
    hex(&json)
}

/// Bytes as hexadecimal digits, as many as DATA_ROW takes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes.iter().take(MAX_DATA_ROW / 2).flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_csv() {
        let check = |value: Datum<'_>, expected: &str| {
            let mut out = Vec::new();
            write_field(&value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{value:?}");
        };
        let text = |text: &'static str| Datum::Text(text.into());
        check(Datum::Null, "");
        check(text(""), "\"\"");
        check(text("a b; é"), "a b; é");
        check(text("a,b"), "\"a,b\"");
        check(text("say \"no\""), "\"say \"\"no\"\"\"");
        check(text("two\r\nlines"), "\"two\r\nlines\"");
        check(Datum::Boolean(true), "true");
        check(Datum::Integer(-5), "-5");
        check(Datum::Double(0.25), "0.25");
        check(Datum::Double(f64::NAN), "");
        check(Datum::Decimal(-50, 2), "-0.50");
        check(Datum::Date(1), "1970-01-02");
        check(Datum::Time(61_005), "00:01:01.005");
        check(Datum::Timestamp(61_005), "1970-01-01 00:01:01.005");
    }
}
