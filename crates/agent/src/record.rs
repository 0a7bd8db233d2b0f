//! One line on its way into a batch: converted, given its id, cut to the record limit, given its partition key.

use std::fmt;

use line_convert::{Converter, Outcome};
use md5::{Digest, Md5};
use rand::RngExt;
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use crate::config::{Destination, Flow, PartitionKey};

/// The original's random keys: the text of a number below this.
const RANDOM_KEYS: f64 = 1e6;

/// What becomes of a line.
#[derive(Debug, PartialEq)]
pub enum Shaped<'a> {
    /// It goes into the batch.
    Record {
        /// What is sent.
        data: &'a [u8],
        /// For Kinesis.
        key: Option<String>,
        /// What happened to it.
        notes: Notes,
    },
    /// The converters drop it.
    Skip,
}

/// What happened to a record.
#[derive(Debug, Default, PartialEq)]
pub struct Notes {
    /// A converter made it.
    pub transformed: bool,
    /// A converter failed, so the line goes as it is: why.
    pub raw: Option<String>,
    /// It was cut: its length before.
    pub truncated_from: Option<usize>,
    /// It has no place for an id: not a JSON object, or the field is there.
    pub without_id: bool,
}

/// Shapes the lines of a flow. Its buffer is reused.
pub struct Shaper {
    converter: Converter,
    identity: bool,
    id_field: Option<IdField>,
    terminator: Vec<u8>,
    limit: usize,
    key: Option<PartitionKey>,
    buffer: Vec<u8>,
}

struct IdField {
    name: String,
    /// `"NAME":"`
    quoted: Vec<u8>,
}

impl Shaper {
    /// For a flow; the error is the converter's.
    pub fn new(flow: &Flow) -> Result<Shaper, line_convert::ConfigError> {
        let converter = Converter::new(&flow.options)?;
        let quoted = |name: &String| format!("{}:\"", serde_json::Value::from(name.as_str())).into_bytes();
        Ok(Shaper {
            identity: converter.is_identity(),
            converter,
            id_field: flow.record_id_field.as_ref().map(|name| IdField { name: name.clone(), quoted: quoted(name) }),
            terminator: flow.truncated_terminator.clone(),
            limit: flow.destination.limits().record,
            key: matches!(flow.destination, Destination::Kinesis(_)).then_some(flow.partition_key),
            buffer: Vec::new(),
        })
    }

    /// Whether lines need ids.
    pub fn needs_ids(&self) -> bool {
        self.id_field.is_some()
    }

    /// Shapes one line, its newline included. `id` is asked for where the flow needs ids.
    pub fn shape<'a>(&'a mut self, line: &'a [u8], id: impl FnOnce() -> String) -> Shaped<'a> {
        let mut notes = Notes::default();
        let mut in_buffer = false;
        if !self.identity {
            self.buffer.clear();
            match self.converter.convert(line, &mut self.buffer) {
                Outcome::Skip => return Shaped::Skip,
                Outcome::Converted => (notes.transformed, in_buffer) = (true, true),
                Outcome::Raw(reason) => notes.raw = Some(reason),
            }
        }
        if let Some(field) = &self.id_field {
            let data = if in_buffer { self.buffer.as_slice() } else { line };
            match place_for(&field.name, data) {
                None => notes.without_id = true,
                Some(place) => {
                    if !in_buffer {
                        self.buffer.clear();
                        self.buffer.extend_from_slice(line);
                        in_buffer = true;
                    }
                    let comma: &[u8] = if place.empty { b"" } else { b"," };
                    let id = [comma, &field.quoted, id().as_bytes(), b"\""].concat();
                    self.buffer.splice(place.at..place.at, id);
                }
            }
        }
        let length = if in_buffer { self.buffer.len() } else { line.len() };
        let random = match self.key {
            Some(PartitionKey::Random) => Some((rand::rng().random::<f64>() * RANDOM_KEYS).to_string()),
            _ => None,
        };
        let key_length = match self.key {
            Some(PartitionKey::Deterministic) => 2 * Md5::output_size(),
            _ => random.as_ref().map_or(0, String::len),
        };
        if length + key_length > self.limit {
            notes.truncated_from = Some(length);
            let limit = self.limit - key_length;
            if !in_buffer {
                self.buffer.clear();
                self.buffer.extend_from_slice(&line[..limit]);
                in_buffer = true;
            }
            self.buffer.truncate(limit);
            // The configuration keeps the terminator shorter than a record without its key.
            let terminator = &self.terminator[..self.terminator.len().min(limit)];
            self.buffer[limit - terminator.len()..].copy_from_slice(terminator);
        }
        let data = if in_buffer { self.buffer.as_slice() } else { line };
        let key = random.or_else(|| self.key.map(|_| hex(&Md5::digest(data))));
        Shaped::Record { data, key, notes }
    }

    /// Gives the buffer's memory back.
    pub fn rest(&mut self) {
        self.buffer = Vec::new();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a field can be added to a JSON object.
#[derive(Debug, PartialEq)]
struct Place {
    /// Offset of the closing brace.
    at: usize,
    /// The object has no other field.
    empty: bool,
}

/// The place for a field in a record that is a JSON object without it.
fn place_for(field: &str, record: &[u8]) -> Option<Place> {
    let at = record.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
    if record[at] != b'}' {
        return None;
    }
    let mut json = serde_json::Deserializer::from_slice(record);
    let fields = json.deserialize_map(Fields(field)).ok()?;
    json.end().ok()?;
    (!fields.found).then_some(Place { at, empty: fields.count == 0 })
}

/// Looks at an object's keys alone.
struct Fields<'a>(&'a str);

struct Found {
    count: usize,
    found: bool,
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        let mut fields = Found { count: 0, found: false };
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            map.next_value::<IgnoredAny>()?;
            fields.count += 1;
            fields.found |= key == self.0;
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests;
