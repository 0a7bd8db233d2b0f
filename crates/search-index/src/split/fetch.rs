//! Reading ranges of one object, whole blocks at a time, checked.

use std::ops::Range;
use std::sync::{Arc, RwLock};

use futures::future::try_join_all;
use ledger::ObjectStore;
use tantivy::directory::OwnedBytes;

use crate::Error;

use super::cache::{Cache, Pieces};
use super::directory::Held;
use super::format::{aligned, intact};
use super::hot::Hot;

/// Ranges that are so near to each other are read by one request: about what a request transfers while another would still be
/// waiting for its first byte.
pub const GAP: u64 = 64 << 10;
/// Whole objects are read in parts of so many bytes, at once.
const PART: u64 = 8 << 20;

/// The bytes of one object: those that a reader holds, and the way to others.
pub struct Fetcher {
    store: Arc<dyn ObjectStore>,
    pub cache: Arc<Cache>,
    pub held: Arc<Held>,
}

impl Fetcher {
    pub fn new(store: Arc<dyn ObjectStore>, cache: Arc<Cache>, key: &str) -> Fetcher {
        let held = Held { key: Arc::from(key), pieces: RwLock::new(Pieces::default()) };
        Fetcher { store, cache, held: Arc::new(held) }
    }

    pub fn corrupt(&self, reason: impl Into<String>) -> Error {
        Error::Corrupt { key: self.held.key.to_string(), reason: reason.into() }
    }

    /// A range that the caller checks, and then keeps.
    pub async fn unchecked(&self, range: &Range<u64>) -> Result<OwnedBytes, Error> {
        match self.cache.get(&self.held.key, range) {
            Some((start, bytes)) => Ok(bytes.slice((range.start - start) as usize..(range.end - start) as usize)),
            None => self.get(range.clone()).await,
        }
    }

    /// Leaves a piece that was checked to the cache.
    pub fn keep(&self, start: u64, bytes: OwnedBytes) {
        self.cache.insert(&self.held.key, start, bytes);
    }

    /// Reads ranges of the body in one round trip; those that are there already are not read again.
    pub async fn fetch(&self, ranges: Vec<Range<u64>>, body: &Body<'_>) -> Result<(), Error> {
        let mut missing: Vec<_> =
            ranges.iter().filter(|range| !self.recall(range)).map(|range| aligned(range, body.len)).collect();
        missing.sort_unstable_by_key(|range| range.start);
        let mut reads: Vec<Range<u64>> = Vec::new();
        for range in missing {
            match reads.last_mut() {
                Some(last) if range.start <= last.end + GAP => last.end = last.end.max(range.end),
                _ => reads.push(range),
            }
        }
        try_join_all(reads.into_iter().map(|range| self.read(range, body))).await?;
        Ok(())
    }

    /// Whether the range is held, or was in the cache and now is.
    fn recall(&self, range: &Range<u64>) -> bool {
        self.held.get(range).is_some()
            || self.cache.get(&self.held.key, range).map(|(start, bytes)| self.held.insert(start, bytes)).is_some()
    }

    async fn read(&self, range: Range<u64>, body: &Body<'_>) -> Result<(), Error> {
        let bytes = self.get(range.clone()).await?;
        self.check(&range, &bytes, body)?;
        self.keep(range.start, bytes.clone());
        self.held.insert(range.start, bytes);
        Ok(())
    }

    /// Reads the whole body, without keeping it in the cache.
    pub async fn whole(&self, body: &Body<'_>) -> Result<(), Error> {
        if self.held.get(&(0..body.len)).is_some() {
            return Ok(());
        }
        let starts = (0..body.len).step_by(PART as usize);
        let parts = try_join_all(starts.map(|start| self.get(start..body.len.min(start + PART)))).await?;
        let bytes = parts.iter().map(OwnedBytes::as_slice).collect::<Vec<_>>().concat();
        self.check(&(0..body.len), &bytes, body)?;
        self.held.insert(0, OwnedBytes::new(bytes));
        Ok(())
    }

    /// Compares bytes of the body with their checksums.
    pub fn check(&self, range: &Range<u64>, bytes: &[u8], body: &Body<'_>) -> Result<(), Error> {
        let good = intact(range.start, bytes, body.checksums);
        if good { Ok(()) } else { Err(self.corrupt(format!("checksum of bytes {}..{}", range.start, range.end))) }
    }

    async fn get(&self, range: Range<u64>) -> Result<OwnedBytes, Error> {
        let _permit = self.cache.permit().await;
        let object = self.store.get_range(&self.held.key, range.clone()).await?;
        if object.body.len() as u64 != range.end - range.start {
            return Err(self.corrupt(format!(
                "{} bytes at {}, {} expected",
                object.body.len(),
                range.start,
                range.end - range.start
            )));
        }
        Ok(OwnedBytes::new(Vec::from(object.body)))
    }
}

/// The body of an object: its length, and the checksums of its blocks.
#[derive(Clone, Copy)]
pub struct Body<'a> {
    pub len: u64,
    pub checksums: &'a [u32],
}

impl Body<'_> {
    pub fn of(hot: &Hot) -> Body<'_> {
        Body { len: hot.body(), checksums: &hot.checksums }
    }
}
