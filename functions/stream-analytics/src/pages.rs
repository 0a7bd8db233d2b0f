//! Pages of long windows, apart from the head that names them (`stream_sql`'s `page`).
//!
//! A page is written before the head that names it first. Its key ends with the number of the head it was built on, so no two
//! heads name one by the same key anew: what the head does not name while it is committed again is garbage ([`crate::garbage`]).

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use lambda::Error;
use ledger::{Loaded, ObjectStore, Precondition, StoreError};
use stream_sql::PageId;
use tokio::sync::Mutex;

use crate::places;
use crate::state::State;

/// Bytes of pages that a process remembers: a page is needed by several commits, one after the other.
const MAX_REMEMBERED_BYTES: usize = 64 * 1024 * 1024;

/// The pages of all applications.
pub struct Pages {
    index: Arc<dyn ObjectStore>,
    remembered: Mutex<Remembered>,
}

/// By key, the oldest first.
#[derive(Default)]
struct Remembered {
    pages: VecDeque<(String, Bytes)>,
    bytes: usize,
}

impl Pages {
    /// In the index bucket.
    pub fn new(index: Arc<dyn ObjectStore>) -> Pages {
        Pages { index, remembered: Mutex::default() }
    }

    /// Gives pages to a state that names them. False: one is gone, so the head that was loaded is not the head any more.
    pub async fn give(&self, application: &str, state: &mut State, pages: &[PageId]) -> Result<bool, Error> {
        for page in pages {
            let head = state.pages.get(page).ok_or_else(|| format!("page {}: the head does not name it", page.0))?;
            let key = places::page(application, page, *head);
            let Some(bytes) = self.read(&key).await? else { return Ok(false) };
            state.engine.give(page, &bytes).map_err(|error| format!("{key}: {error}"))?;
        }
        Ok(true)
    }

    async fn read(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let mut remembered = self.remembered.lock().await;
        if let Some((_, bytes)) = remembered.pages.iter().find(|(known, _)| known == key) {
            return Ok(Some(bytes.clone()));
        }
        let bytes = match self.index.get(key).await {
            Ok(object) => object.body,
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        remembered.add(key, bytes.clone());
        Ok(Some(bytes))
    }

    /// Stores the pages that a fold has filled, before its head is committed.
    pub async fn store(&self, application: &str, loaded: &mut Loaded<State>) -> Result<(), StoreError> {
        let state = &mut loaded.state;
        for (page, bytes) in state.engine.take_pages() {
            let key = places::page(application, &page, loaded.sequence);
            match self.index.put(&key, Bytes::from(bytes), &Precondition::Absent).await {
                // Another who built on the same head made the same page.
                Ok(_) | Err(StoreError::Precondition { .. }) => {}
                Err(error) => return Err(error),
            }
            state.pages.insert(page, loaded.sequence);
        }
        if !state.pages.is_empty() {
            let named: std::collections::BTreeSet<PageId> = state.engine.pages().into_iter().collect();
            state.pages.retain(|page, _| named.contains(page));
        }
        Ok(())
    }
}

impl Remembered {
    fn add(&mut self, key: &str, bytes: Bytes) {
        self.bytes += bytes.len();
        self.pages.push_back((key.to_owned(), bytes));
        while self.bytes > MAX_REMEMBERED_BYTES {
            let Some((_, oldest)) = self.pages.pop_front() else { return };
            self.bytes -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut remembered = Remembered::default();
        let page = Bytes::from(vec![0; MAX_REMEMBERED_BYTES / 4 + 1]);
        for number in 0..9 {
            remembered.add(&number.to_string(), page.clone());
        }
        let keys: Vec<&str> = remembered.pages.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!((keys, remembered.bytes), (vec!["6", "7", "8"], 3 * page.len()));
    }
}
