//! The engine's files into one object.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tantivy::directory::{Directory, OwnedBytes, RamDirectory};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Index, SegmentReader, TantivyError};

use crate::Error;

use super::cache::Pieces;
use super::directory::{Recorder, SplitDirectory, searcher};
use super::format::{checksums, seal};
use super::hot::{File, Hot, IDS, ROWS};
use super::ids::{Ids, hash};
use super::schema::{DOC_NAME, ID, TEXT};
use super::terms::{PostingsMap, Sampler};
use super::{Built, Rows, SplitMeta};

/// The engine's files in their order in the object: what a query reads together stands together.
const ENGINE_FILES: [&str; 6] = ["term", "idx", "pos", "fieldnorm", "fast", "store"];
/// Bytes between two ranges of the hot part up to which they are joined: less than naming one more costs.
const JOIN: u64 = 8;

/// What the engine does not know about the documents.
pub struct Contents {
    pub rows: Rows,
    pub source_bytes: u64,
    pub times: BTreeMap<String, (i64, i64)>,
    pub tags: BTreeMap<String, BTreeSet<String>>,
}

/// Makes a split of an index with one segment. The directory is emptied on the way.
pub fn pack(index: &Index, directory: &RamDirectory, contents: Contents) -> Result<Built, Error> {
    let (files, pieces) = engine_files(index, directory)?;
    let meta = directory.atomic_read(Path::new("meta.json")).map_err(TantivyError::from)?;
    // The files are opened once more through a directory that remembers what that takes.
    let recorder = Recorder::new(pieces.clone());
    let (postings, ids) = open(&recorder, &files, &meta)?;
    let ranges = joined(recorder.take());

    let mut body = Body { files, bytes: pieces.concat() };
    drop((pieces, recorder));
    let bytes = |range: &Range<u64>| OwnedBytes::new(body.bytes[range.start as usize..range.end as usize].to_vec());
    let ranges = ranges.into_iter().map(|range| (range.clone(), bytes(&range))).collect();
    let ids = body.add(IDS, &ids.encode());
    let rows = body.add(ROWS, &contents.rows.encode());
    let hot = Hot { files: body.files, meta, postings, checksums: checksums(&body.bytes), ranges };
    let start = body.bytes.len() as u64;
    body.bytes.extend_from_slice(&seal(hot.encode()));
    let meta = SplitMeta {
        documents: contents.rows.documents(),
        size: body.bytes.len() as u64,
        source_bytes: contents.source_bytes,
        hot: start..body.bytes.len() as u64,
        ids,
        rows,
        times: contents.times,
        tags: contents.tags,
    };
    Ok(Built { bytes: Bytes::from(body.bytes), meta })
}

/// The files of the index's segment, where they will be in the object, and their bytes there.
fn engine_files(index: &Index, directory: &RamDirectory) -> Result<(Vec<File>, Pieces), Error> {
    let (mut files, mut pieces, mut end) = (Vec::new(), Pieces::default(), 0);
    for segment in index.searchable_segments()? {
        for extension in ENGINE_FILES {
            let name = format!("{}.{extension}", segment.id().uuid_string());
            let file = directory.open_read(Path::new(&name)).map_err(TantivyError::from)?;
            let bytes = file.read_bytes().map_err(TantivyError::from)?;
            let range = end..end + bytes.len() as u64;
            end = range.end;
            pieces.insert(range.start, bytes);
            directory.delete(Path::new(&name)).map_err(|error| Error::Engine(error.to_string()))?;
            files.push(File { name, range });
        }
    }
    Ok((files, pieces))
}

struct Body {
    files: Vec<File>,
    bytes: Vec<u8>,
}

impl Body {
    fn add(&mut self, name: &str, bytes: &[u8]) -> Range<u64> {
        let start = self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        let range = start..self.bytes.len() as u64;
        self.files.push(File { name: name.to_owned(), range: range.clone() });
        range
    }
}

/// Opens all that a query may open, so that the recorder knows it. Returns what the dictionaries tell on the way.
fn open(recorder: &Arc<Recorder>, files: &[File], meta: &[u8]) -> Result<(Vec<PostingsMap>, Ids), Error> {
    let index = SplitDirectory::new(recorder.clone(), files, meta.to_vec()).index()?;
    let searcher = searcher(&index)?;
    let (mut postings, mut ids) = (Vec::new(), Vec::new());
    for segment in searcher.segment_readers() {
        // Lists all columns.
        segment.fast_fields().dynamic_subpath_column_handles(DOC_NAME)?;
        let schema = segment.schema().clone();
        for (field, _) in schema.fields().filter(|(_, entry)| entry.is_indexed()) {
            segment.inverted_index(field)?;
        }
        let opened = recorder.take();
        for (field, _) in schema.fields().filter(|(_, entry)| entry.is_indexed()) {
            postings.extend(sample(recorder, segment, field, &mut ids)?);
        }
        recorder.put(opened);
    }
    Ok((postings, Ids::new(ids)))
}

/// Goes through a field's terms. Those of [`ID`] are hashed on the way.
fn sample(
    recorder: &Recorder,
    segment: &SegmentReader,
    field: Field,
    ids: &mut Vec<u64>,
) -> Result<Option<PostingsMap>, Error> {
    let inverted = segment.inverted_index(field)?;
    let mut terms = inverted.terms().stream().map_err(TantivyError::from)?;
    let mut sampler = None;
    while terms.advance() {
        let info = terms.value();
        if sampler.is_none() {
            // Where the first postings are read is where the field's begin.
            recorder.take();
            let all = IndexRecordOption::WithFreqsAndPositions;
            inverted.read_postings_from_terminfo(info, all).map_err(TantivyError::from)?;
            let mut starts = recorder.take().into_iter().map(|range| range.start);
            let postings = starts.next().unwrap_or(0).saturating_sub(info.postings_range.start as u64);
            let positions =
                starts.next().filter(|_| field == TEXT).unwrap_or(0).saturating_sub(info.positions_range.start as u64);
            sampler = Some(Sampler::new(field.field_id(), postings, positions));
        }
        if let Some(sampler) = &mut sampler {
            sampler.add(terms.key(), info);
        }
        if field == ID {
            ids.push(hash(terms.key()));
        }
    }
    Ok(sampler.map(Sampler::finish))
}

/// Ranges in order, with those that touch or nearly do made one.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end + JOIN => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}
