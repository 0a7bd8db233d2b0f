//! The hot part: everything that opening a split reads, and the maps that spare later reads a round trip.

use std::ops::Range;

use tantivy::directory::OwnedBytes;

use super::format::{BLOCK, Cursor, Malformed, add, put_bytes, put_varint};
use super::terms::PostingsMap;

/// Names of this crate's own files; the others are the engine's.
pub const IDS: &str = "ids";
pub const ROWS: &str = "rows";

/// A file within the object's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub range: Range<u64>,
}

/// The hot part, read.
#[derive(Debug, Clone)]
pub struct Hot {
    /// Files, in the order in which they fill the body.
    pub files: Vec<File>,
    /// The engine's `meta.json`.
    pub meta: Vec<u8>,
    /// Where the postings of terms are.
    pub postings: Vec<PostingsMap>,
    /// Of the blocks of the body.
    pub checksums: Vec<u32>,
    /// Ranges of the body that every open reads, in order and apart from each other.
    pub ranges: Vec<(Range<u64>, OwnedBytes)>,
}

impl Hot {
    /// Bytes of the body, which is all that stands before the hot part.
    pub fn body(&self) -> u64 {
        self.files.last().map_or(0, |file| file.range.end)
    }

    /// Where a file is.
    pub fn file(&self, name: &str) -> Option<Range<u64>> {
        self.files.iter().find(|file| file.name == name).map(|file| file.range.clone())
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.files.len() as u64);
        for file in &self.files {
            put_bytes(&mut out, file.name.as_bytes());
            put_varint(&mut out, file.range.end - file.range.start);
        }
        put_bytes(&mut out, &self.meta);
        put_varint(&mut out, self.postings.len() as u64);
        for map in &self.postings {
            map.encode(&mut out);
        }
        for checksum in &self.checksums {
            out.extend_from_slice(&checksum.to_le_bytes());
        }
        put_varint(&mut out, self.ranges.len() as u64);
        let mut end = 0;
        for (range, bytes) in &self.ranges {
            put_varint(&mut out, range.start - end);
            put_bytes(&mut out, bytes);
            end = range.end;
        }
        out
    }

    pub fn decode(hot: &OwnedBytes) -> Result<Hot, Malformed> {
        let mut cursor = Cursor::new(hot.as_slice());
        let files = files(&mut cursor)?;
        let body = files.last().map_or(0, |file| file.range.end);
        let meta = cursor.bytes()?.to_vec();
        let maps = cursor.count()?;
        let postings = (0..maps).map(|_| PostingsMap::decode(&mut cursor)).collect::<Result<_, _>>()?;
        let blocks = usize::try_from(body.div_ceil(BLOCK)).map_err(|_| "a body too large")?;
        let table = cursor.take(blocks.checked_mul(4).ok_or("a body too large")?)?;
        let checksums = table.chunks_exact(4).map(|crc| u32::from_le_bytes([crc[0], crc[1], crc[2], crc[3]])).collect();
        let ranges = ranges(&mut cursor, hot)?;
        Ok(Hot { files, meta, postings, checksums, ranges })
    }
}

fn files(cursor: &mut Cursor<'_>) -> Result<Vec<File>, Malformed> {
    let mut start = 0;
    let count = cursor.count()?;
    let file = |_| {
        let name = std::str::from_utf8(cursor.bytes()?).map_err(|_| "a file's name")?.to_owned();
        let range = start..add(start, cursor.varint()?)?;
        start = range.end;
        Ok(File { name, range })
    };
    (0..count).map(file).collect()
}

fn ranges(cursor: &mut Cursor<'_>, hot: &OwnedBytes) -> Result<Vec<(Range<u64>, OwnedBytes)>, Malformed> {
    let mut end = 0;
    let count = cursor.count()?;
    let range = |_| {
        let start = add(end, cursor.varint()?)?;
        let len = cursor.bytes()?.len();
        let at = hot.len() - cursor.rest().len();
        end = add(start, len as u64)?;
        Ok((start..end, hot.slice(at - len..at)))
    };
    (0..count).map(range).collect()
}
