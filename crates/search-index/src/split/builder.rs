//! Documents in, a split out.

use crate::Error;

use super::{Built, Row};

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldValue<'a> {
    /// Words.
    Text(&'a str),
    /// Words, and the whole string as an exact value.
    TextAndKeyword(&'a str),
    /// An exact string.
    Keyword(&'a str),
    /// A whole number.
    Long(i64),
    /// A floating number.
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
    /// Paths (`a.b`) and their values, in any order.
    pub values: &'a [(&'a str, FieldValue<'a>)],
    /// Paths that have a value which is not indexed exactly (text without a keyword copy, ignored ones): for `exists`.
    pub names: &'a [&'a str],
}

/// What a builder is told about an index.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Keyword fields whose values the split's meta lists.
    pub tag_fields: Vec<String>,
}

/// Collects documents in memory.
pub struct Builder {}

impl Builder {
    /// An empty one.
    pub fn new(_options: &BuildOptions) -> Result<Builder, Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// Adds a document after those that are there, and tells its number. `row.seq_no` must be larger than that of the one before.
    pub fn add(&mut self, _document: &Document<'_>, _row: Row) -> Result<u32, Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// Documents so far.
    pub fn documents(&self) -> u32 {
        0
    }

    /// Bytes of memory that it holds, about.
    pub fn memory(&self) -> usize {
        0
    }

    /// The split. Takes CPU time: call it where blocking is allowed.
    pub fn finish(self) -> Result<Built, Error> {
        Err(Error::Engine("to be written".into()))
    }
}
