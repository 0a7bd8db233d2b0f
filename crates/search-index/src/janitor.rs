//! Keeping an index small: joining splits, retention, garbage.

use std::time::Duration;

use crate::{Error, Index};

/// What a visit did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Splits that were joined.
    pub joined: usize,
    /// Splits that they became.
    pub into: usize,
    /// Splits dropped by retention.
    pub expired: usize,
    /// Objects deleted.
    pub collected: usize,
    /// There is more to do: time ran out.
    pub unfinished: bool,
}

impl Index {
    /// Joins small splits, drops those past retention, deletes what no reader can hold; stops starting work when `budget` is used up
    /// (as `elapsed` tells it).
    pub async fn tidy(
        &self,
        _now: i64,
        _budget: Duration,
        _elapsed: impl Fn() -> Duration + Send + Sync,
    ) -> Result<Report, Error> {
        Err(Error::Engine("to be written".into()))
    }
}
