//! Splits whose time is over.

use ledger::{MAX_RACES, commit};

use crate::manifest::{Change, Settings, Split};
use crate::{Error, Index};

use super::{Report, Visit};

const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

impl Index {
    /// Drops splits whose newest time is past retention.
    pub(super) async fn expire(&self, visit: &Visit<'_>, report: &mut Report) -> Result<(), Error> {
        for race in 1..=MAX_RACES {
            let view = self.view().await?;
            let past = view.state.splits.iter().filter(|split| is_past(&view.state.settings, split, visit.now));
            let removed: Vec<String> = past.map(|split| split.key.clone()).collect();
            if removed.is_empty() {
                return Ok(());
            }
            if visit.is_over() {
                report.unfinished = true;
                return Ok(());
            }
            let expired = removed.len();
            let (mut next, snapshot) = view.next(&*self.catalog.store).await?;
            next.state.push(Change { removed, ..Change::default() });
            if self.catalog.views.commit(&self.catalog.store, &self.name, next, snapshot).await?.is_some() {
                report.expired += expired;
                return Ok(());
            }
            commit::jitter(race.min(4)).await;
        }
        Err(self.contended())
    }
}

/// One without a time stays: nothing tells how old it is.
fn is_past(settings: &Settings, split: &Split, now: i64) -> bool {
    let (Some(days), Some(field)) = (settings.retention_days, &settings.time_field) else { return false };
    let oldest = now.saturating_sub(i64::from(days) * MS_PER_DAY);
    split.meta.times.get(field).is_some_and(|(_, newest)| *newest < oldest)
}
