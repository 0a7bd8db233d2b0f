//! The indexes, behind a trait: what the janitor asks of them.

use std::future::Future;
use std::time::{Duration, Instant};

use search_index::janitor::Report;
use search_index::{Catalog, Error};

/// The indexes of a bucket.
pub trait Indexes {
    /// All names, those of deleted indexes that leave something to be collected among them; sorted.
    fn names(&self) -> impl Future<Output = Result<Vec<String>, Error>>;

    /// Visits an index; no work is begun after `budget`.
    fn tidy(&self, name: &str, now: i64, budget: Duration) -> impl Future<Output = Result<Report, Error>>;
}

impl Indexes for Catalog {
    async fn names(&self) -> Result<Vec<String>, Error> {
        Ok(self.names_with_tombstones().await?.into_iter().collect())
    }

    async fn tidy(&self, name: &str, now: i64, budget: Duration) -> Result<Report, Error> {
        let begun = Instant::now();
        self.index(name)?.tidy(now, budget, || begun.elapsed()).await
    }
}
