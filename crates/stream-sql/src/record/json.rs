//! JSON records.

use smallvec::{SmallVec, smallvec};

use super::convert::convert;
use super::path::Path;
use super::scan::{Cursor, Malformed, Raw, unescape};
use super::{SYSTEM_COLUMNS, Sink};
use crate::schema::Column;
use crate::value::{Datum, SqlType};

#[derive(Debug, Clone)]
pub(crate) struct JsonReader {
    row_path: Vec<String>,
    /// What is wanted of a row's object.
    wanted: Level,
    /// What is wanted of each element of the array that is flattened.
    elements: Option<Level>,
    /// Of all columns, used or not: name and type.
    columns: Vec<(String, SqlType)>,
    /// Places of the used ones.
    used: Vec<usize>,
}

/// The wanted members of an object.
#[derive(Debug, Clone, Default)]
struct Level {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    key: String,
    /// Columns whose value this is.
    columns: Vec<usize>,
    inner: Level,
    /// This array is flattened.
    is_array: bool,
}

type Slots<'r> = SmallVec<[Raw<'r>; 16]>;

impl Level {
    fn entry(&mut self, path: &[String]) -> Option<&mut Entry> {
        let (key, rest) = path.split_first()?;
        let place = self.entries.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
            self.entries.push(Entry { key: key.clone(), ..Entry::default() });
            self.entries.len() - 1
        });
        if rest.is_empty() { Some(&mut self.entries[place]) } else { self.entries[place].inner.entry(rest) }
    }

    #[inline]
    fn find(&self, key: &[u8]) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.as_bytes() == key)
    }

    /// Scans an object; its wanted values go to their slots, the array to flatten to the one behind the last column.
    fn scan<'r>(&self, cursor: &mut Cursor<'r>, slots: &mut Slots<'r>) -> Result<(), Malformed> {
        if !cursor.take(b'{') {
            return Err(Malformed);
        }
        if cursor.take(b'}') {
            return Ok(());
        }
        loop {
            let (key, escaped) = cursor.key()?;
            let entry = if escaped { self.find(unescape(key).ok_or(Malformed)?.as_bytes()) } else { self.find(key) };
            match entry {
                None => cursor.skip()?,
                Some(entry) => entry.scan(cursor, slots)?,
            }
            if cursor.take(b',') {
                continue;
            }
            return if cursor.take(b'}') { Ok(()) } else { Err(Malformed) };
        }
    }
}

impl Entry {
    #[inline]
    fn scan<'r>(&self, cursor: &mut Cursor<'r>, slots: &mut Slots<'r>) -> Result<(), Malformed> {
        let value = cursor.value()?;
        for column in &self.columns {
            slots[*column] = value;
        }
        if let Raw::Nested(nested) = value {
            if self.is_array
                && let Some(last) = slots.last_mut()
            {
                *last = value;
            }
            if !self.inner.entries.is_empty() && nested.first() == Some(&b'{') {
                self.inner.scan(&mut Cursor::new(nested), slots)?;
            }
        }
        Ok(())
    }
}

impl JsonReader {
    pub(super) fn new(columns: &[Column], used: &[bool], row_path: &[String]) -> JsonReader {
        let (mut wanted, mut elements) = (Level::default(), None);
        let mut places = Vec::new();
        for (place, column) in columns.iter().enumerate() {
            // A path that is no path has been refused with the schema; without one, nothing is there to be found.
            let Ok(path) = Path::of(column) else { continue };
            let is_used = used.get(place).copied().unwrap_or_default();
            if is_used {
                places.push(place);
            }
            match path.inner {
                // The array says how many rows there are, whether its values are used or not.
                Some(inner) => {
                    let level = elements.get_or_insert_with(Level::default);
                    if let Some(entry) = wanted.entry(&path.outer) {
                        entry.is_array = true;
                    }
                    if is_used && let Some(entry) = level.entry(&inner) {
                        entry.columns.push(place);
                    }
                }
                None if is_used => {
                    if let Some(entry) = wanted.entry(&path.outer) {
                        entry.columns.push(place);
                    }
                }
                None => {}
            }
        }
        let columns = columns.iter().map(|column| (column.name.clone(), column.sql_type)).collect();
        JsonReader { row_path: row_path.to_vec(), wanted, elements, columns, used: places }
    }

    /// A record holds one object, or several behind each other.
    pub(super) fn read<'r>(&'r self, record: &'r [u8], sink: &mut Sink<'_, 'r>) {
        let mut cursor = Cursor::new(record);
        loop {
            let result = if self.row_path.is_empty() {
                self.object(&mut cursor, sink)
            } else {
                cursor.value().and_then(|value| self.below(value, &self.row_path, sink))
            };
            if result.is_err() {
                sink.piece = record;
                return sink.fail("the record is not a JSON object");
            }
            if cursor.peek().is_none() {
                return;
            }
        }
    }

    /// The rows of what the row path leads to.
    fn below<'r>(&'r self, value: Raw<'r>, path: &[String], sink: &mut Sink<'_, 'r>) -> Result<(), Malformed> {
        let Raw::Nested(nested) = value else { return Err(Malformed) };
        let mut cursor = Cursor::new(nested);
        let Some((name, rest)) = path.split_first() else {
            return match cursor.peek() {
                Some(b'[') => each_element(nested, |element| match element {
                    Raw::Nested(element) => self.object(&mut Cursor::new(element), sink),
                    _ => Err(Malformed),
                }),
                _ => self.object(&mut cursor, sink),
            };
        };
        let level = Level { entries: vec![Entry { key: name.clone(), columns: vec![0], ..Entry::default() }] };
        let mut slots: Slots<'r> = smallvec![Raw::Null];
        level.scan(&mut cursor, &mut slots)?;
        self.below(slots[0], rest, sink)
    }

    fn object<'r>(&'r self, cursor: &mut Cursor<'r>, sink: &mut Sink<'_, 'r>) -> Result<(), Malformed> {
        let mut slots: Slots<'r> = smallvec![Raw::Null; self.columns.len() + 1];
        let start = cursor.rest();
        self.wanted.scan(cursor, &mut slots)?;
        sink.piece = &start[..start.len() - cursor.rest().len()];
        let Some(level) = &self.elements else {
            self.row(&slots, sink);
            return Ok(());
        };
        let mut rows = 0;
        if let Some(Raw::Nested(array @ [b'[', ..])) = slots.last().copied() {
            each_element(array, |element| {
                let mut slots = slots.clone();
                if let Raw::Nested(object @ [b'{', ..]) = element {
                    level.scan(&mut Cursor::new(object), &mut slots)?;
                }
                rows += 1;
                self.row(&slots, sink);
                Ok(())
            })?;
        }
        if rows == 0 {
            self.row(&slots, sink);
        }
        Ok(())
    }

    fn row<'r>(&'r self, slots: &Slots<'r>, sink: &mut Sink<'_, 'r>) {
        let mut values = Vec::with_capacity(self.columns.len() + SYSTEM_COLUMNS);
        values.resize(self.columns.len(), Datum::Null);
        for place in &self.used {
            let (name, sql_type) = &self.columns[*place];
            match convert(slots[*place], *sql_type, &mut sink.truncated) {
                Some(value) => values[*place] = value,
                None => return sink.fail(format!("column {name:?}: the value is no {sql_type}")),
            }
        }
        (sink.take)(Ok(&mut values));
    }
}

fn each_element<'r>(array: &'r [u8], mut take: impl FnMut(Raw<'r>) -> Result<(), Malformed>) -> Result<(), Malformed> {
    let mut cursor = Cursor::new(array);
    if !cursor.take(b'[') {
        return Err(Malformed);
    }
    if cursor.take(b']') {
        return Ok(());
    }
    loop {
        take(cursor.value()?)?;
        if !cursor.take(b',') {
            return if cursor.take(b']') { Ok(()) } else { Err(Malformed) };
        }
    }
}
