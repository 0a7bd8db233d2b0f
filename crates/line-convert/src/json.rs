//! JSON as Jackson writes it: insertion order, `"`, `\` and control characters escaped (hex in capitals), all else as it is.

use serde_json::{Number, Value};

/// `jsonFormat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Compact,
    Pretty,
}

/// The keys of a flat object, each rendered with what stands before it, and the column of the source that fills it.
#[derive(Debug)]
pub(crate) struct Keys {
    columns: Vec<(Vec<u8>, usize)>,
    close: &'static [u8],
}

impl Keys {
    /// A name that comes twice keeps its first place and takes the last value, as in a Java map.
    pub(crate) fn new<S: AsRef<str>>(names: &[S], layout: Layout) -> Keys {
        let mut unique: Vec<(&str, usize)> = Vec::with_capacity(names.len());
        for (column, name) in names.iter().enumerate() {
            match unique.iter_mut().find(|(known, _)| *known == name.as_ref()) {
                Some(known) => known.1 = column,
                None => unique.push((name.as_ref(), column)),
            }
        }
        let columns = unique.iter().enumerate().map(|(place, (name, column))| {
            let mut key = Vec::new();
            key.extend_from_slice(match (layout, place) {
                (Layout::Compact, 0) => b"{",
                (Layout::Compact, _) => b",",
                (Layout::Pretty, 0) => b"{\n  ",
                (Layout::Pretty, _) => b",\n  ",
            });
            string(name, &mut key);
            key.extend_from_slice(if layout == Layout::Pretty { b" : " } else { b":" });
            (key, *column)
        });
        let close: &[u8] = match (layout, names.is_empty()) {
            (Layout::Compact, false) => b"}",
            (Layout::Compact, true) => b"{}",
            (Layout::Pretty, false) => b"\n}",
            (Layout::Pretty, true) => b"{ }",
        };
        Keys { columns: columns.collect(), close }
    }

    /// Writes the object; `value(column)` is the column's text, `None` is null.
    pub(crate) fn write<'a>(&self, value: impl Fn(usize) -> Option<&'a str>, out: &mut Vec<u8>) {
        for (key, column) in &self.columns {
            out.extend_from_slice(key);
            match value(*column) {
                Some(text) => string(text, out),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(self.close);
    }
}

/// Appends `text` as a JSON string.
pub fn string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.push(b'"');
    if bytes.iter().fold(false, |found, &byte| found | needs_escape(byte)) {
        escaped(bytes, out);
    } else {
        out.extend_from_slice(bytes);
    }
    out.push(b'"');
}

fn needs_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cold]
fn escaped(bytes: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate().filter(|(_, byte)| needs_escape(**byte)) {
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// Appends any JSON value, `depth` objects deep in a pretty document.
pub(crate) fn value(value: &Value, layout: Layout, depth: usize, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(bool) => out.extend_from_slice(if *bool { b"true" } else { b"false" }),
        Value::Number(value) => out.extend_from_slice(number(value).as_bytes()),
        Value::String(text) => string(text, out),
        Value::Array(items) => array(items, layout, depth, out),
        Value::Object(fields) if fields.is_empty() => {
            out.extend_from_slice(if layout == Layout::Pretty { b"{ }" } else { b"{}" });
        }
        Value::Object(fields) => {
            let mut separator = b'{';
            for (name, field) in fields {
                out.push(separator);
                separator = b',';
                new_line(layout, depth + 1, out);
                string(name, out);
                out.extend_from_slice(if layout == Layout::Pretty { b" : " } else { b":" });
                self::value(field, layout, depth + 1, out);
            }
            new_line(layout, depth, out);
            out.push(b'}');
        }
    }
}

/// Jackson's pretty printer keeps the items of an array on one line, with blanks between.
fn array(items: &[Value], layout: Layout, depth: usize, out: &mut Vec<u8>) {
    let blank: &[u8] = if layout == Layout::Pretty { b" " } else { b"" };
    out.push(b'[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(blank);
        value(item, layout, depth, out);
    }
    out.extend_from_slice(blank);
    out.push(b']');
}

fn new_line(layout: Layout, depth: usize, out: &mut Vec<u8>) {
    if layout == Layout::Pretty {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', 2 * depth));
    }
}

/// A number as Java prints it.
pub(crate) fn number(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => java_double(float),
        _ => number.to_string(),
    }
}

/// `Double.toString`: plain from 10^-3 up to 10^7, else `d.dE±n`; always a digit after the point.
fn java_double(float: f64) -> String {
    let size = float.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{float:?}");
    }
    let text = format!("{float:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => format!("{digits}E{exponent}"),
        Some((digits, exponent)) => format!("{digits}.0E{exponent}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_as_jackson_writes_them() {
        let nested = json!({"a": {}, "b": [1, {"c": null}, []], "d": 1e10, "e": 0.5, "f": 1e-5, "g": "\u{1f}\u{7f}/"});
        let mut out = Vec::new();
        value(&nested, Layout::Compact, 0, &mut out);
        let compact = r#"{"a":{},"b":[1,{"c":null},[]],"d":1.0E10,"e":0.5,"f":1.0E-5,"g":"\u001F"#;
        assert_eq!(String::from_utf8(out).unwrap(), format!("{compact}\u{7f}/\"}}"));
        let mut out = Vec::new();
        value(&json!({"a": {}, "b": [1, {"c": null}, []]}), Layout::Pretty, 0, &mut out);
        let pretty = "{\n  \"a\" : { },\n  \"b\" : [ 1, {\n    \"c\" : null\n  }, [ ] ]\n}";
        assert_eq!(String::from_utf8(out).unwrap(), pretty);
    }

    #[test]
    fn a_name_that_comes_twice_keeps_its_place_and_takes_the_last_value() {
        let mut out = Vec::new();
        Keys::new(&["a", "b", "a"], Layout::Compact).write(|column| ["1", "2", "3"].get(column).copied(), &mut out);
        assert_eq!(out, br#"{"a":"3","b":"2"}"#);
    }
}
