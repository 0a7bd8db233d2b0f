//! A split without its deleted documents, as the engine wants it: a file that names those that are left.

use std::path::PathBuf;

use serde_json::{Value, json};
use tantivy::directory::OwnedBytes;
use tantivy::fastfield::{AliveBitSet, write_alive_bitset};
use tantivy::{BitSet, SegmentReader, TantivyError};

use crate::Error;

use super::Deleted;
use super::directory::SplitDirectory;
use super::hot::Hot;

/// What the engine expects behind the footer of each of its files.
const FOOTER_MAGIC: u32 = 1337;
/// The engine numbers changes; this is the only one.
const OPSTAMP: u64 = 1;

/// The bytes of the set of the documents that are left.
fn alive(deleted: &Deleted, documents: u32) -> Result<Vec<u8>, Error> {
    let mut alive = BitSet::with_max_value_and_full(documents);
    deleted.iter().take_while(|&doc| doc < documents).for_each(|doc| alive.remove(doc));
    let mut bytes = Vec::new();
    write_alive_bitset(&alive, &mut bytes).map_err(TantivyError::from)?;
    Ok(bytes)
}

/// The documents that are left, as a filter for merging.
pub fn alive_set(deleted: &Deleted, documents: u32) -> Result<AliveBitSet, Error> {
    Ok(AliveBitSet::open(OwnedBytes::new(alive(deleted, documents)?)))
}

/// The split's directory without these documents.
pub fn without(
    directory: &SplitDirectory,
    hot: &Hot,
    segments: &[SegmentReader],
    deleted: &Deleted,
) -> Result<SplitDirectory, Error> {
    let Some(segment) = segments.first() else { return Ok(directory.clone()) };
    let mut meta: Value = serde_json::from_slice(&hot.meta).map_err(|error| Error::Engine(error.to_string()))?;
    meta["segments"][0]["deletes"] = json!({
        "num_deleted_docs": deleted.rank(segment.max_doc().saturating_sub(1)),
        "opstamp": OPSTAMP,
    });
    let mut bytes = alive(deleted, segment.max_doc())?;
    let footer = json!({ "version": tantivy::version(), "crc": crc32fast::hash(&bytes) }).to_string();
    bytes.extend_from_slice(footer.as_bytes());
    bytes.extend_from_slice(&(footer.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&FOOTER_MAGIC.to_le_bytes());
    let name = PathBuf::from(format!("{}.{OPSTAMP}.del", segment.segment_id().uuid_string()));
    Ok(directory.with(name, OwnedBytes::new(bytes), meta.to_string().into_bytes()))
}
