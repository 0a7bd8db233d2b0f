//! The indexes, behind a trait: what the writer asks of them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use search_index::write::{Op, Part, Refused, Taken};
use search_index::{Catalog, Error};

use crate::rules::Defaults;

/// How long an index that was seen is taken to be there: one that a user deletes is made again with its rule's fields, except within
/// this time.
const SEEN_FOR: Duration = Duration::from_secs(10);

/// The indexes of a bucket.
pub trait Indexes {
    /// Carries out the parts in one commit, and creates the index with `defaults` if there is none.
    fn write(
        &self,
        index: &str,
        defaults: &Defaults,
        parts: &[Part],
        now: i64,
    ) -> impl Future<Output = Result<Vec<Taken>, Error>>;

    /// What the index refused of a part that it took before: place in the part, and why.
    fn refused(&self, index: &str, part: &Part) -> impl Future<Output = Result<Vec<(usize, Refused)>, Error>>;
}

/// The indexes of the index bucket.
pub struct Catalogued {
    catalog: Catalog,
    /// Indexes that were seen, and when.
    seen: Mutex<HashMap<String, Instant>>,
}

impl Catalogued {
    /// Of this catalog.
    pub fn new(catalog: Catalog) -> Catalogued {
        Catalogued { catalog, seen: Mutex::default() }
    }

    async fn ensure(&self, index: &str, defaults: &Defaults, now: i64) -> Result<(), Error> {
        let seen = |seen: &mut HashMap<String, Instant>| {
            seen.retain(|_, at| at.elapsed() < SEEN_FOR);
            seen.contains_key(index)
        };
        if self.seen.lock().is_ok_and(|mut held| seen(&mut held)) {
            return Ok(());
        }
        match self.catalog.create(index, defaults.settings.clone(), defaults.mapping.clone(), now).await {
            Ok(_) => tracing::info!(index, "index created"),
            Err(Error::Exists(_)) => {}
            Err(error) => return Err(error),
        }
        if let Ok(mut seen) = self.seen.lock() {
            seen.insert(index.to_owned(), Instant::now());
        }
        Ok(())
    }
}

impl Indexes for Catalogued {
    async fn write(&self, index: &str, defaults: &Defaults, parts: &[Part], now: i64) -> Result<Vec<Taken>, Error> {
        self.ensure(index, defaults, now).await?;
        self.catalog.index(index)?.write(parts, &defaults.settings, now).await
    }

    /// A mapping only grows, and a field's type never changes: it refuses now what it refused then, in the same words.
    async fn refused(&self, index: &str, part: &Part) -> Result<Vec<(usize, Refused)>, Error> {
        let reader = self.catalog.index(index)?.reader().await?;
        let mut refused = Vec::new();
        for (place, op) in part.ops.iter().enumerate() {
            let (Op::Index { source, .. } | Op::Create { source, .. }) = op else { continue };
            if let Err(error) = reader.state.mapping.parse("", source) {
                refused.push((place, Refused { id: None, kind: error.kind, reason: error.reason, status: 400 }));
            }
        }
        Ok(refused)
    }
}
