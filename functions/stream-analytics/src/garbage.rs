//! What no head names any more, and applications whose files are gone.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use ledger::{ObjectStore, StoreError};

use crate::places;

/// How often a tick looks.
const EVERY_MINUTES: i64 = 10;

/// Positions of days before this many are named by no head: they are kept for 15 (`ledger`), and a commit takes minutes.
const KEPT_DAYS: i64 = 17;

/// Whether this tick looks.
pub fn is_due(now: i64) -> bool {
    now.div_euclid(60_000) % EVERY_MINUTES == 0
}

/// Applications that have state: one whose files are gone is to end, too.
pub async fn applications(index: &dyn ObjectStore) -> Result<BTreeSet<String>, StoreError> {
    let mut names = BTreeSet::new();
    let mut start_after = None;
    loop {
        let page = index.list(places::ROOT, start_after.as_deref()).await?;
        let name = page.last().and_then(|meta| meta.key[places::ROOT.len()..].split('/').next());
        let Some(name) = name.map(str::to_owned) else { return Ok(names) };
        names
            .extend(page.iter().filter_map(|meta| meta.key[places::ROOT.len()..].split('/').next()).map(str::to_owned));
        // Past everything of the last one.
        start_after = Some(format!("{}{name}/~", places::ROOT));
    }
}

/// Deletes positions that are too old to be named.
pub async fn collect(index: &dyn ObjectStore, application: &str, now: i64) -> Result<(), StoreError> {
    let prefix = places::positions_prefix(application);
    let Some(oldest) = oldest(now) else { return Ok(()) };
    for meta in index.list(&prefix, None).await? {
        // `<date>/<random>`, the oldest first.
        if meta.key[prefix.len()..] >= *oldest {
            break;
        }
        index.delete(&meta.key).await?;
    }
    Ok(())
}

fn oldest(now: i64) -> Option<String> {
    let today = Timestamp::from_millisecond(now).ok()?.to_zoned(TimeZone::UTC).date();
    today.checked_sub(KEPT_DAYS.days()).ok().map(|date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{FileStore, Precondition};

    #[tokio::test]
    async fn old_positions_go_and_applications_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::open(folder.path()).unwrap();
        let keys =
            ["a/head", "a/positions/2018-08-09/x", "a/positions/2018-08-10/x", "b/segments/lake/s/x", "c-d/head"];
        for key in keys {
            store.put(&format!("analytics/{key}"), "x".into(), &Precondition::None).await.unwrap();
        }
        assert_eq!(Vec::from_iter(applications(&store).await.unwrap()), ["a", "b", "c-d"]);
        collect(&store, "a", 1_535_364_960_000).await.unwrap();
        let left = store.list("analytics/a/positions/", None).await.unwrap();
        assert_eq!(left.len(), 1);
        assert!(left[0].key.contains("2018-08-10"));
    }
}
