//! Keeping an index small: retention, joining splits, garbage.
//!
//! ```text
//! visit ─ retention: splits past their time leave the manifest
//!       ─ policy: which neighbours to join ─ join: merged, deletes of the meantime carried over, committed ─ again until nothing is to do
//!       ─ garbage: objects that no commit may name and no reader can hold
//! ```
//!
//! Each step is a commit like any writer's. Several janitors at once, or one that dies anywhere, leave an index as good as before.

mod garbage;
mod join;
mod policy;
mod retention;

use std::time::Duration;

use crate::{Error, Index};

pub use garbage::GRACE;

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

/// What a visit may use.
struct Visit<'a> {
    /// When it began (epoch ms).
    now: i64,
    budget: Duration,
    elapsed: &'a (dyn Fn() -> Duration + Send + Sync),
}

impl Visit<'_> {
    /// No work is begun any more.
    fn is_over(&self) -> bool {
        (self.elapsed)() >= self.budget
    }

    /// The time (epoch ms).
    fn time(&self) -> i64 {
        self.now.saturating_add((self.elapsed)().as_millis() as i64)
    }
}

impl Index {
    /// Drops splits past retention, joins small ones, deletes what no reader can hold; stops starting work when `budget` is used up
    /// (as `elapsed` tells it). `now` is when the visit began (epoch ms). An index that does not exist is left alone, but for what
    /// its lives have left.
    pub async fn tidy(
        &self,
        now: i64,
        budget: Duration,
        elapsed: impl Fn() -> Duration + Send + Sync,
    ) -> Result<Report, Error> {
        let visit = Visit { now, budget, elapsed: &elapsed };
        let mut report = Report::default();
        self.expire(&visit, &mut report).await?;
        // A split that cannot be joined does not keep garbage from being collected.
        let joined = self.join(&visit, &mut report).await;
        self.collect(&visit, &mut report).await?;
        joined?;
        Ok(report)
    }
}
