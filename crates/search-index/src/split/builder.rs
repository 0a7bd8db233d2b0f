//! Documents in, a split out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tantivy::directory::RamDirectory;
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::{IndexBuilder, IndexSettings, SingleSegmentIndexWriter};

use crate::Error;

use super::analyzer::analyzers;
use super::document::{Flat, Shared};
use super::pack::{Contents, pack};
use super::schema::{MAX_TERM, schema};
use super::{Built, Document, FieldValue, Row, Rows};

/// Values of a tag field that a split's meta lists at most: it stands in the manifest, which every search reads.
pub const MAX_TAGS: usize = 128;
/// The longest of them, in bytes; a field with a longer one is not listed.
const MAX_TAG: usize = 256;

/// What the engine sizes its first table of terms by (it grows).
const TABLE_BUDGET: usize = 15_000_000;

/// What a builder is told about an index.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Keyword fields whose values the split's meta lists.
    pub tag_fields: Vec<String>,
}

/// Collects documents in memory.
pub struct Builder {
    writer: SingleSegmentIndexWriter<Shared>,
    directory: RamDirectory,
    flat: Arc<Flat>,
    contents: Contents,
}

impl Builder {
    /// An empty one.
    pub fn new(options: &BuildOptions) -> Result<Builder, Error> {
        let directory = RamDirectory::create();
        let writer = IndexBuilder::new()
            .schema(schema())
            .tokenizers(analyzers())
            .settings(settings())
            .single_segment_index_writer(directory.clone(), TABLE_BUDGET)?;
        let tags = options.tag_fields.iter().map(|path| (path.clone(), BTreeSet::new())).collect();
        let contents = Contents { rows: Rows::default(), source_bytes: 0, times: BTreeMap::new(), tags };
        Ok(Builder { writer, directory, flat: Arc::default(), contents })
    }

    /// Adds a document after those that are there, and tells its number. `row.seq_no` must be larger than that of the one before.
    pub fn add(&mut self, document: &Document<'_>, row: Row) -> Result<u32, Error> {
        if document.id.len() > MAX_TERM {
            return Err(Error::Engine(format!("an _id of {} bytes", document.id.len())));
        }
        if !self.contents.rows.push(row) {
            return Err(Error::Engine(format!("[{}]: _seq_no {} is not above the last one", document.id, row.seq_no)));
        }
        self.contents.source_bytes += document.source.len() as u64;
        for (path, value) in document.values {
            self.contents.note(path, value);
        }
        // The engine has dropped the last document's handle by now.
        if Arc::get_mut(&mut self.flat).is_none() {
            self.flat = Arc::default();
        }
        if let Some(flat) = Arc::get_mut(&mut self.flat) {
            flat.set(document);
        }
        self.writer.add_document(Shared(self.flat.clone()))?;
        Ok(self.documents() - 1)
    }

    /// Documents so far.
    pub fn documents(&self) -> u32 {
        self.contents.rows.documents()
    }

    /// Bytes of memory that it holds, about.
    pub fn memory(&self) -> usize {
        self.writer.mem_usage() + self.directory.total_mem_usage()
    }

    /// The split. Takes CPU time: call it where blocking is allowed.
    pub fn finish(self) -> Result<Built, Error> {
        let index = self.writer.finalize()?;
        pack(&index, &self.directory, self.contents)
    }
}

/// The engine's settings; they become part of `meta.json`. Compression happens on the caller's thread: a Lambda function has one core
/// or two, and several splits are built at once.
fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compression: Compressor::Zstd(ZstdCompressor { compression_level: None }),
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}

impl Contents {
    fn note(&mut self, path: &str, value: &FieldValue<'_>) {
        match *value {
            FieldValue::Date(millis) => match self.times.get_mut(path) {
                Some((from, to)) => (*from, *to) = (millis.min(*from), millis.max(*to)),
                None => _ = self.times.insert(path.to_owned(), (millis, millis)),
            },
            FieldValue::Keyword(tag) | FieldValue::TextAndKeyword(tag) if !self.tags.is_empty() => self.tag(path, tag),
            _ => {}
        }
    }

    fn tag(&mut self, path: &str, tag: &str) {
        let Some(tags) = self.tags.get_mut(path) else { return };
        if !tags.contains(tag) {
            tags.insert(tag.to_owned());
        }
        if tags.len() > MAX_TAGS || tag.len() > MAX_TAG {
            self.tags.remove(path);
        }
    }
}
