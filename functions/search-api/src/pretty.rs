//! `pretty`: JSON for people, with Elasticsearch's spacing (`"a" : 1`, `{ }`, `[ ]`).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// The value on many lines, ending with a newline.
pub fn to_vec(value: &Value) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, Spaced::default()))?;
    text.push(b'\n');
    Ok(text)
}

#[derive(Default)]
struct Spaced {
    inner: PrettyFormatter<'static>,
    /// Something was written since the last bracket opened.
    filled: bool,
}

impl Formatter for Spaced {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.filled = false;
        self.inner.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end_if_empty(writer)?;
        self.inner.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        // Elasticsearch puts the elements of an array on lines of their own, too.
        self.inner.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.filled = true;
        self.inner.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.filled = false;
        self.inner.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end_if_empty(writer)?;
        self.inner.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" : ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.filled = true;
        self.inner.end_object_value(writer)
    }
}

impl Spaced {
    fn end_if_empty<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.filled { Ok(()) } else { writer.write_all(b" ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_elasticsearch_spaces_it() {
        let value = serde_json::json!({"a": [1, []], "b": {}});
        let text = String::from_utf8(to_vec(&value).unwrap()).unwrap();
        assert_eq!(text, "{\n  \"a\" : [\n    1,\n    [ ]\n  ],\n  \"b\" : { }\n}\n");
    }
}
