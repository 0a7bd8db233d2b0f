//! Filters of ids in memory: a write asks those of all splits, and opens only the few that may have one of its ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::ids::Ids;

/// Bytes of filters that are kept: some two bytes for each of 30 million documents.
const MAX_KEPT: usize = 64 << 20;

/// Filters that were read, by their splits.
#[derive(Default)]
pub struct Filters {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    filters: HashMap<Arc<str>, Arc<Ids>>,
    bytes: usize,
}

impl Filters {
    /// The filter of a split, if it was read before.
    pub fn get(&self, key: &str) -> Option<Arc<Ids>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).filters.get(key).cloned()
    }

    /// Keeps one. When there are too many, all others go: splits that were joined leave filters that nobody asks for any more.
    pub(super) fn keep(&self, key: Arc<str>, filter: Arc<Ids>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = key.len() + filter.size();
        if kept.bytes + bytes > MAX_KEPT {
            *kept = Kept::default();
        }
        if kept.filters.insert(key, filter).is_none() {
            kept.bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_bounded() {
        let filters = Filters::default();
        let hashes: Vec<u64> = (0..200).collect();
        let filter = Arc::new(Ids::new(hashes));
        filters.keep(Arc::from("first"), filter.clone());
        assert!(filters.get("first").is_some() && filters.get("second").is_none());
        let each = filter.size() + 6;
        for n in 0..MAX_KEPT / each {
            filters.keep(Arc::from(format!("{n:06}")), filter.clone());
        }
        assert!(filters.get("first").is_none());
        assert!(filters.kept.lock().unwrap().bytes <= MAX_KEPT);
    }
}
