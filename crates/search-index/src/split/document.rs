//! Documents as they are handed to the engine.

use std::sync::Arc;

use tantivy::schema::document::{ReferenceValue, ReferenceValueLeaf};
use tantivy::schema::{Field, Value};

use super::schema::{DOC, FIELD_NAMES, ID, MAX_TERM, SOURCE, TEXT, date};

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldValue<'a> {
    /// Words.
    Text(&'a str),
    /// Words, and the whole string as an exact value.
    TextAndKeyword(&'a str),
    /// An exact string; one longer than [`MAX_TERM`] bytes is not indexed.
    Keyword(&'a str),
    /// A whole number.
    Long(i64),
    /// A floating number; one that is not finite is not indexed.
    Double(f64),
    /// A moment, epoch ms.
    Date(i64),
    /// True or false.
    Bool(bool),
}

/// A document to be indexed. One path has values of one type only (those of an array stand one after the other), in all documents
/// of an index.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// `_id`.
    pub id: &'a str,
    /// `_source`, as it came.
    pub source: &'a [u8],
    /// Paths (`a.b`) and their values, in any order. A path with a control character U+0000 or U+0001 is not indexed.
    pub values: &'a [(&'a str, FieldValue<'a>)],
    /// Paths that have a value which is not indexed exactly (text without a keyword copy, ignored ones): for `exists`.
    pub names: &'a [&'a str],
}

/// A copy of a document in buffers that are used again and again: the engine wants documents that own what they have, and this way
/// no field allocates.
#[derive(Debug, Default)]
pub struct Flat {
    strings: String,
    source: Vec<u8>,
    id: Span,
    values: Vec<(Span, Kind)>,
    names: Vec<Span>,
}

/// A part of `strings`.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: usize,
    end: usize,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text(Span),
    TextAndKeyword(Span),
    Keyword(Span),
    Long(i64),
    Double(f64),
    Date(i64),
    Bool(bool),
}

impl Flat {
    /// Becomes a copy of this document.
    pub fn set(&mut self, document: &Document<'_>) {
        self.strings.clear();
        self.source.clear();
        self.values.clear();
        self.names.clear();
        self.id = self.keep(document.id);
        self.source.extend_from_slice(document.source);
        // The engine ends and divides paths with these bytes: a name that has one cannot be told from others.
        let nameable = |(path, _): &&(&str, _)| !path.bytes().any(|byte| byte <= 1);
        for (path, value) in document.values.iter().filter(nameable) {
            // Values of one object often follow each other under one path: an array's.
            let path = match self.values.last() {
                Some((last, _)) if self.text(*last) == *path => *last,
                _ => self.keep(path),
            };
            let kind = self.kind(value);
            self.values.push((path, kind));
        }
        for name in document.names {
            let name = self.keep(name);
            self.names.push(name);
        }
    }

    fn kind(&mut self, value: &FieldValue<'_>) -> Kind {
        match *value {
            FieldValue::Text(text) => Kind::Text(self.keep(text)),
            FieldValue::TextAndKeyword(text) => Kind::TextAndKeyword(self.keep(text)),
            FieldValue::Keyword(text) => Kind::Keyword(self.keep(text)),
            FieldValue::Long(value) => Kind::Long(value),
            FieldValue::Double(value) => Kind::Double(value),
            FieldValue::Date(millis) => Kind::Date(millis),
            FieldValue::Bool(value) => Kind::Bool(value),
        }
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = self.strings.len();
        self.strings.push_str(text);
        Span { start, end: self.strings.len() }
    }

    fn text(&self, span: Span) -> &str {
        &self.strings[span.start..span.end]
    }

    /// What is indexed of a value as words, or exactly.
    fn leaf(&self, kind: Kind, exact: bool) -> Option<ReferenceValueLeaf<'_>> {
        Some(match kind {
            Kind::Text(text) | Kind::TextAndKeyword(text) if !exact => ReferenceValueLeaf::Str(self.text(text)),
            Kind::TextAndKeyword(text) | Kind::Keyword(text) if exact && text.end - text.start <= MAX_TERM => {
                ReferenceValueLeaf::Str(self.text(text))
            }
            Kind::Long(value) if exact => ReferenceValueLeaf::I64(value),
            Kind::Double(value) if exact && value.is_finite() => ReferenceValueLeaf::F64(value),
            Kind::Date(millis) if exact => ReferenceValueLeaf::Date(date(millis)),
            Kind::Bool(value) if exact => ReferenceValueLeaf::Bool(value),
            _ => return None,
        })
    }
}

/// The document that the engine sees.
#[derive(Debug, Clone)]
pub struct Shared(pub Arc<Flat>);

impl tantivy::Document for Shared {
    type Value<'a> = Part<'a>;
    type FieldsValuesIter<'a> = Fields<'a>;

    fn iter_fields_and_values(&self) -> Fields<'_> {
        Fields { flat: &self.0, next: 0 }
    }
}

/// The fields of a document, in the order of the schema.
pub struct Fields<'a> {
    flat: &'a Flat,
    next: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Field, Part<'a>);

    fn next(&mut self) -> Option<(Field, Part<'a>)> {
        let flat = self.flat;
        self.next += 1;
        Some(match self.next - 1 {
            0 => (ID, Part::Leaf(ReferenceValueLeaf::Str(flat.text(flat.id)))),
            1 => (SOURCE, Part::Leaf(ReferenceValueLeaf::Bytes(&flat.source))),
            2 => (TEXT, Part::Object { flat, exact: false }),
            3 => (DOC, Part::Object { flat, exact: true }),
            n => (FIELD_NAMES, Part::Leaf(ReferenceValueLeaf::Str(flat.text(*flat.names.get(n - 4)?)))),
        })
    }
}

/// A part of a document.
#[derive(Debug, Clone)]
pub enum Part<'a> {
    Leaf(ReferenceValueLeaf<'a>),
    Object { flat: &'a Flat, exact: bool },
}

impl<'a> Value<'a> for Part<'a> {
    type ArrayIter = std::iter::Empty<Part<'a>>;
    type ObjectIter = Paths<'a>;

    fn as_value(&self) -> ReferenceValue<'a, Part<'a>> {
        match self {
            Part::Leaf(leaf) => ReferenceValue::Leaf(leaf.clone()),
            Part::Object { flat, exact } => ReferenceValue::Object(Paths { flat, exact: *exact, next: 0 }),
        }
    }
}

/// The paths of a document that are indexed as words, or exactly, with their values.
pub struct Paths<'a> {
    flat: &'a Flat,
    exact: bool,
    next: usize,
}

impl<'a> Iterator for Paths<'a> {
    type Item = (&'a str, Part<'a>);

    fn next(&mut self) -> Option<(&'a str, Part<'a>)> {
        loop {
            let (path, kind) = *self.flat.values.get(self.next)?;
            self.next += 1;
            if let Some(leaf) = self.flat.leaf(kind, self.exact) {
                return Some((self.flat.text(path), Part::Leaf(leaf)));
            }
        }
    }
}
