//! Ranges of objects in memory.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::directory::OwnedBytes;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::filters::Filters;

/// Ranges of one object. None lies within another.
#[derive(Debug, Default, Clone)]
pub struct Pieces {
    /// Beginning → bytes.
    pieces: BTreeMap<u64, OwnedBytes>,
}

impl Pieces {
    /// The bytes of a range, if one piece has them all.
    pub fn get(&self, range: &Range<u64>) -> Option<OwnedBytes> {
        let (start, bytes) = self.around(range)?;
        Some(bytes.slice((range.start - start) as usize..(range.end - start) as usize))
    }

    /// All bytes, one piece after the other.
    pub fn concat(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.pieces.values().map(|piece| piece.len()).sum());
        self.pieces.values().for_each(|piece| bytes.extend_from_slice(piece));
        bytes
    }

    /// The piece that has the range. As none lies within another, they end in the order in which they begin: only the last one that
    /// begins early enough can.
    fn around(&self, range: &Range<u64>) -> Option<(u64, &OwnedBytes)> {
        let (&start, bytes) = self.pieces.range(..=range.start).next_back()?;
        (range.end <= start + bytes.len() as u64).then_some((start, bytes))
    }

    /// Adds a piece; returns the beginnings and lengths of those that lie within it and leave.
    pub fn insert(&mut self, start: u64, bytes: OwnedBytes) -> Vec<(u64, usize)> {
        let end = start + bytes.len() as u64;
        if self.around(&(start..end)).is_some() {
            return Vec::new();
        }
        let within = |(&at, piece): (&u64, &OwnedBytes)| (at + piece.len() as u64 <= end).then_some((at, piece.len()));
        let gone: Vec<_> = self.pieces.range(start..end.max(start)).filter_map(within).collect();
        for (at, _) in &gone {
            self.pieces.remove(at);
        }
        self.pieces.insert(start, bytes);
        gone
    }
}

/// Ranges of splits that were read, least recently used first out. Shared by all readers of a process.
///
/// A reader keeps what it has read itself until it is dropped, whatever leaves the cache meanwhile: so a running query never loses
/// what it has prefetched.
pub struct Cache {
    capacity: usize,
    kept: Mutex<Kept>,
    reads: Semaphore,
    filters: Filters,
}

#[derive(Default)]
struct Kept {
    objects: HashMap<Arc<str>, Pieces>,
    /// Last use → which piece; and back.
    order: BTreeMap<u64, (Arc<str>, u64)>,
    used: HashMap<(Arc<str>, u64), u64>,
    clock: u64,
    bytes: usize,
}

impl Cache {
    /// Of this many bytes, with at most `reads` requests to the store at once.
    pub fn new(bytes: usize, reads: usize) -> Arc<Cache> {
        Arc::new(Cache {
            capacity: bytes,
            kept: Mutex::default(),
            reads: Semaphore::new(reads.max(1)),
            filters: Filters::default(),
        })
    }

    /// Filters of ids.
    pub(crate) fn filters(&self) -> &Filters {
        &self.filters
    }

    /// Waits until one more request may be under way.
    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.reads.acquire().await.ok()
    }

    /// The piece that has the range: its beginning and its bytes.
    pub(super) fn get(&self, key: &Arc<str>, range: &Range<u64>) -> Option<(u64, OwnedBytes)> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, bytes) = kept.objects.get(key)?.around(range)?;
        let found = (start, bytes.clone());
        kept.touch(key, start);
        Some(found)
    }

    /// Keeps a piece, and lets older ones go for it.
    pub(super) fn insert(&self, key: &Arc<str>, start: u64, bytes: OwnedBytes) {
        if bytes.len() > self.capacity {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let pieces = kept.objects.entry(key.clone()).or_default();
        if pieces.around(&(start..start + bytes.len() as u64)).is_some() {
            return;
        }
        let (len, gone) = (bytes.len(), pieces.insert(start, bytes));
        for (at, len) in gone {
            kept.forget(key, at, len);
        }
        kept.bytes += len;
        kept.touch(key, start);
        while kept.bytes > self.capacity {
            let Some((key, start)) = kept.order.first_key_value().map(|(_, piece)| piece.clone()) else { return };
            kept.evict(&key, start);
        }
    }

    /// Bytes that are kept.
    pub fn bytes(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

impl Kept {
    fn touch(&mut self, key: &Arc<str>, start: u64) {
        self.clock += 1;
        if let Some(last) = self.used.insert((key.clone(), start), self.clock) {
            self.order.remove(&last);
        }
        self.order.insert(self.clock, (key.clone(), start));
    }

    fn forget(&mut self, key: &Arc<str>, start: u64, len: usize) {
        self.bytes -= len;
        if let Some(last) = self.used.remove(&(key.clone(), start)) {
            self.order.remove(&last);
        }
    }

    fn evict(&mut self, key: &Arc<str>, start: u64) {
        let Some(pieces) = self.objects.get_mut(key) else { return };
        let len = pieces.pieces.remove(&start).map_or(0, |bytes| bytes.len());
        if pieces.pieces.is_empty() {
            self.objects.remove(key);
        }
        self.forget(key, start, len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(range: Range<u64>) -> OwnedBytes {
        OwnedBytes::new(range.map(|n| n as u8).collect::<Vec<u8>>())
    }

    #[test]
    fn the_piece_that_has_a_range() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.insert(10, bytes(10..20)), []);
        assert_eq!(pieces.insert(15, bytes(15..40)), []);
        assert_eq!(pieces.insert(50, bytes(50..60)), []);
        assert_eq!(pieces.get(&(12..18)).unwrap().as_slice(), [12, 13, 14, 15, 16, 17]);
        assert_eq!(pieces.get(&(18..39)).unwrap().len(), 21);
        assert!(pieces.get(&(12..22)).is_none());
        assert!(pieces.get(&(45..52)).is_none());
        assert_eq!(pieces.insert(5, bytes(5..55)), [(10, 10), (15, 25)]);
        assert_eq!(pieces.get(&(12..55)).unwrap().len(), 43);
        assert_eq!(pieces.insert(30, bytes(30..35)), []);
        assert_eq!(pieces.pieces.len(), 2);
    }

    #[test]
    fn the_least_recently_used_leaves() {
        let (cache, a, b) = (Cache::new(30, 1), Arc::from("a"), Arc::from("b"));
        cache.insert(&a, 0, bytes(0..10));
        cache.insert(&a, 20, bytes(20..30));
        cache.insert(&b, 0, bytes(0..10));
        assert!(cache.get(&a, &(1..3)).is_some());
        cache.insert(&b, 100, bytes(100..110));
        assert_eq!(cache.bytes(), 30);
        assert!(cache.get(&a, &(20..30)).is_none());
        assert!(cache.get(&a, &(0..10)).is_some());
        // One that holds others takes their place.
        cache.insert(&b, 0, bytes(0..20));
        assert_eq!(cache.bytes(), 30);
        assert!(cache.get(&b, &(5..20)).is_some());
        // One that cannot fit leaves the others alone.
        cache.insert(&b, 0, bytes(0..31));
        assert_eq!(cache.bytes(), 30);
    }
}
