//! Joining neighbours into one split, while others write.

use std::sync::Arc;

use futures::future::try_join_all;
use ledger::{MAX_RACES, StoreError, commit};
use roaring::RoaringBitmap;

use crate::manifest::{Change, Kind, Names, Split, State};
use crate::split::{BuildOptions, Built, Input, Merged, merge};
use crate::write::put_deletes;
use crate::{Error, Index};

use super::policy::{Size, joins};
use super::{Report, Visit};

/// Rounds of one visit: a round makes of eight splits and more one, so that as many are enough for any index that there can be. What
/// writers add meanwhile is left to the next visit.
const MAX_ROUNDS: usize = 16;

/// Splits as they were when they were merged (their deletes are left out), and what they became.
struct Joined<'a> {
    inputs: &'a [Arc<Split>],
    merged: Merged,
}

impl Index {
    /// Joins until nothing is to do or the time is used up.
    pub(super) async fn join(&self, visit: &Visit<'_>, report: &mut Report) -> Result<(), Error> {
        for _ in 0..MAX_ROUNDS {
            let state = self.view().await?.state;
            let sizes: Vec<Size> = state.splits.iter().map(|split| Size::of(split)).collect();
            let before = report.joined;
            for join in joins(&sizes, self.catalog.options.join_bytes) {
                if visit.is_over() {
                    report.unfinished = true;
                    return Ok(());
                }
                self.join_these(&state, &state.splits[join], report).await?;
            }
            if report.joined == before {
                return Ok(());
            }
        }
        report.unfinished = true;
        Ok(())
    }

    async fn join_these(&self, state: &State, inputs: &[Arc<Split>], report: &mut Report) -> Result<(), Error> {
        let joined = match self.merge(state, inputs).await {
            Ok(joined) => joined,
            // Another janitor has joined and collected them, or their deletes.
            Err(Error::Store(StoreError::NotFound { .. })) if !unchanged(&self.view().await?.state, inputs) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if let Some(into) = self.replace(state, &joined).await? {
            report.joined += inputs.len();
            report.into += into;
        }
        Ok(())
    }

    async fn merge<'a>(&self, state: &State, inputs: &'a [Arc<Split>]) -> Result<Joined<'a>, Error> {
        let catalog = &self.catalog;
        let deleted = try_join_all(inputs.iter().map(|split| catalog.deleted(split))).await?;
        let readers = try_join_all(inputs.iter().map(|split| catalog.open(split))).await?;
        let opened = readers.into_iter().zip(deleted).zip(inputs);
        let opened: Vec<Input> =
            opened.map(|((reader, deleted), split)| Input { reader, deleted, seq_base: split.seq_base }).collect();
        let options = BuildOptions { tag_fields: state.settings.tag_fields.clone() };
        let merged = merge(&opened, &options).await?;
        Ok(Joined { inputs, merged })
    }

    /// Commits a join; tells how many splits it became. `None`: one of the inputs is gone, the join is given up.
    async fn replace(&self, before: &State, joined: &Joined<'_>) -> Result<Option<usize>, Error> {
        let catalog = &self.catalog;
        let mut stored: Option<String> = None;
        for race in 1..=MAX_RACES {
            let view = self.view().await?;
            let Some(names) = view.head.state.names().filter(|_| view.state.incarnation == before.incarnation) else {
                return Ok(None);
            };
            let Some(there) = current(&view.state, joined.inputs) else { return Ok(None) };
            let gone = self.gone_since(joined, &there).await?;
            let mut change =
                Change { removed: joined.inputs.iter().map(|split| split.key.clone()).collect(), ..Change::default() };
            let left = joined.merged.built.as_ref().filter(|built| gone.len() < u64::from(built.meta.documents));
            if let Some(built) = left {
                let key = match stored.take().filter(|key| names.admits(Kind::Split, key)) {
                    Some(key) => key,
                    None => self.put_split(&names, built).await?,
                };
                stored = Some(key.clone());
                change.added.push(self.added(&names, joined, built, key, gone).await?);
            }
            let into = change.added.len();
            let (mut next, snapshot) = view.next(&*catalog.store).await?;
            next.state.push(change);
            if catalog.views.commit(&catalog.store, &self.name, next, snapshot).await?.is_some() {
                return Ok(Some(into));
            }
            commit::jitter(race.min(4)).await;
        }
        Err(self.contended())
    }

    async fn put_split(&self, names: &Names, built: &Built) -> Result<String, Error> {
        let key = names.object(Kind::Split);
        commit::put_new(&*self.catalog.store, &key, built.bytes.clone()).await?;
        Ok(key)
    }

    /// Documents of the new split that were deleted while it was made.
    async fn gone_since(&self, joined: &Joined<'_>, there: &[&Arc<Split>]) -> Result<RoaringBitmap, Error> {
        let mut gone = RoaringBitmap::new();
        for (input, (now, then)) in there.iter().zip(joined.inputs).enumerate() {
            if now.deletes == then.deletes {
                continue;
            }
            let deleted = self.catalog.deleted(now).await?;
            // Those that were left out have no new number.
            gone.extend(
                deleted.iter().flat_map(|deleted| deleted.iter()).filter_map(|doc| joined.merged.moved(input, doc)),
            );
        }
        Ok(gone)
    }

    async fn added(
        &self,
        names: &Names,
        joined: &Joined<'_>,
        built: &Built,
        key: String,
        gone: RoaringBitmap,
    ) -> Result<Arc<Split>, Error> {
        let deleted = gone.len() as u32;
        let deletes = match deleted {
            0 => None,
            _ => Some(put_deletes(&self.catalog, names, gone).await?),
        };
        let first = joined.inputs.first().map_or(0, |split| split.seq.0);
        let last = joined.inputs.last().map_or(0, |split| split.seq.1);
        Ok(Arc::new(Split { key, seq_base: 0, seq: (first, last), deletes, deleted, meta: built.meta.clone() }))
    }
}

/// Whether the splits and their deletes are what they were.
fn unchanged(state: &State, inputs: &[Arc<Split>]) -> bool {
    let same = |there: Vec<&Arc<Split>>| there.iter().zip(inputs).all(|(now, then)| now.deletes == then.deletes);
    current(state, inputs).is_some_and(same)
}

/// The splits as they are now; `None` if one is gone.
fn current<'a>(state: &'a State, inputs: &[Arc<Split>]) -> Option<Vec<&'a Arc<Split>>> {
    let find = |input: &Arc<Split>| {
        let at = state.splits.binary_search_by_key(&input.seq.0, |split| split.seq.0).ok()?;
        state.splits.get(at).filter(|split| split.key == input.key)
    };
    inputs.iter().map(find).collect()
}
