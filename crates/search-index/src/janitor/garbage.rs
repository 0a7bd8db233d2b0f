//! Objects that no commit may name and no reader can hold.
//!
//! The head's generation goes up by one, a *turn*, at most once in [`GRACE`]. An object's name tells the generation in which it was
//! written, and a commit onto a head of generation G names none from before G − 1 that the head does not name already. So when a turn
//! to G is [`GRACE`] old, an object from before G − 1 that was not in the index at that turn is garbage:
//!
//! 1. No commit brings it (back) into the index: the commit would have to be onto a head from before the turn, and lose.
//! 2. No reader holds it: those that loaded before the turn are gone, and later ones saw the index of the turn or what came after.
//!
//! Then the next turn is made. What a generation drops is gone two turns later, and an index that does not change has no more turns.

use std::collections::HashSet;

use futures::future::try_join_all;
use ledger::{KEPT_DAYS, MAX_RACES, commit};

use crate::catalog::list;
use crate::manifest::{Grave, Kind, Names, Snapshot, Turn, View};
use crate::{Error, Index};

use super::{Report, Visit};

/// How long a reader may hold what it loaded (ms): a Lambda function lives 15 minutes at most, the time of the janitor's schedule may
/// be as much behind when it comes to an index, and clocks differ; so an hour.
pub const GRACE: i64 = 60 * 60 * 1000;

/// When the objects of an ended life are looked for once more (ms after its end): longer than anything is queued or tried again
/// (`ledger::KEPT_DAYS`), so that nobody who slept through the end is left to write some.
const SLEEP: i64 = KEPT_DAYS * 24 * GRACE;

/// Objects that one visit deletes at most: some minutes' work at [`DELETES`] at once.
const MAX_COLLECTED: usize = 100_000;

/// Deletions under way at once.
const DELETES: usize = 64;

/// Generations after the last change in which something is left to be collected: what was dropped then is found two turns later, and
/// the third one says that this was done.
const TURNS: u64 = 3;

impl Index {
    /// Deletes garbage, and begins a generation if it is time.
    pub(super) async fn collect(&self, visit: &Visit<'_>, report: &mut Report) -> Result<(), Error> {
        self.clear_graves(visit, report).await?;
        let view = self.view().await?;
        let head = &view.head.state;
        let is_due = head.turn.as_ref().is_none_or(|turn| turn.at.saturating_add(GRACE) <= visit.now);
        let Some(names) = head.names().filter(|_| is_due && head.generation < head.changed + TURNS) else {
            return Ok(());
        };
        if visit.is_over() {
            report.unfinished = true;
            return Ok(());
        }
        if let Some(turn) = &head.turn
            && !self.sweep(&view, &names, turn, visit, report).await?
        {
            report.unfinished = true;
            return Ok(());
        }
        self.turn(&names, visit).await
    }

    /// Deletes what was garbage at this turn; `false` if something is left.
    async fn sweep(
        &self,
        view: &View,
        names: &Names,
        turn: &Turn,
        visit: &Visit<'_>,
        report: &mut Report,
    ) -> Result<bool, Error> {
        let store = &*self.catalog.store;
        let Some(then) = Snapshot::read(store, &turn.snapshot).await? else {
            // Without it nothing is known. As a rule another janitor has made the next turn and collected it.
            return match self.view().await?.head.state.turn.as_ref() == Some(turn) {
                true => {
                    Err(Error::Corrupt { key: turn.snapshot.clone(), reason: "the snapshot is missing".to_owned() })
                }
                false => Ok(false),
            };
        };
        let splits = then.splits.iter().chain(&view.state.splits);
        let mut named: HashSet<&str> =
            splits.flat_map(|split| [Some(&split.key), split.deletes.as_ref()]).flatten().map(String::as_str).collect();
        named.insert(&turn.snapshot);
        named.extend(view.head.state.snapshot.as_deref());
        for kind in Kind::ALL {
            if visit.is_over() {
                return Ok(false);
            }
            let prefix = kind.prefix(&names.incarnation);
            let end = format!("{prefix}{:08x}", names.generation.saturating_sub(1));
            let listed: Vec<String> =
                list(store, &prefix, Some(&end)).await?.into_iter().map(|meta| meta.key).collect();
            let garbage: Vec<&str> = match kind {
                Kind::Positions => view.state.positions.garbage(&listed),
                _ => listed.iter().map(String::as_str).filter(|key| !named.contains(key)).collect(),
            };
            if !self.delete_all(&garbage, visit, report).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Begins a generation, unless another janitor has.
    async fn turn(&self, names: &Names, visit: &Visit<'_>) -> Result<(), Error> {
        let catalog = &self.catalog;
        let next = Names { incarnation: names.incarnation.clone(), generation: names.generation + 1 };
        for race in 1..=MAX_RACES {
            let view = self.view().await?;
            if view.head.state.names().as_ref() != Some(names) {
                return Ok(());
            }
            let (mut head, snapshot) = view.snapshotted(&*catalog.store, &next).await?;
            let Some(named) = head.state.snapshot.clone() else { return Ok(()) };
            head.state.generation = next.generation;
            head.state.turn = Some(Turn { at: visit.time(), snapshot: named });
            if catalog.views.commit(&catalog.store, &self.name, head, snapshot).await?.is_some() {
                return Ok(());
            }
            commit::jitter(race.min(4)).await;
        }
        Err(self.contended())
    }

    /// Deletes what ended lives have left; twice, because one who slept may write some more. The head stays:
    /// it could only be deleted together with the index that somebody creates just then, and a writer that slept through the end
    /// loses by it.
    async fn clear_graves(&self, visit: &Visit<'_>, report: &mut Report) -> Result<(), Error> {
        let view = self.view().await?;
        let mut cleared: Vec<&Grave> = Vec::new();
        for grave in &view.head.state.graves {
            let kept = if grave.swept { SLEEP } else { GRACE };
            if grave.at.saturating_add(kept) > visit.now {
                continue;
            }
            if !self.clear(grave, visit, report).await? {
                report.unfinished = true;
                break;
            }
            cleared.push(grave);
        }
        for race in 1..=MAX_RACES {
            if cleared.is_empty() {
                return Ok(());
            }
            let (mut head, snapshot) = self.view().await?.same();
            head.state.graves.retain(|grave| !(grave.swept && cleared.contains(&grave)));
            for grave in &mut head.state.graves {
                grave.swept |= cleared.iter().any(|cleared| cleared.incarnation == grave.incarnation);
            }
            if self.catalog.views.commit(&self.catalog.store, &self.name, head, snapshot).await?.is_some() {
                return Ok(());
            }
            commit::jitter(race.min(4)).await;
        }
        Err(self.contended())
    }

    async fn clear(&self, grave: &Grave, visit: &Visit<'_>, report: &mut Report) -> Result<bool, Error> {
        for kind in Kind::ALL {
            if visit.is_over() {
                return Ok(false);
            }
            let listed = list(&*self.catalog.store, &kind.prefix(&grave.incarnation), None).await?;
            let keys: Vec<&str> = listed.iter().map(|meta| meta.key.as_str()).collect();
            if !self.delete_all(&keys, visit, report).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes objects; `false` if some are left.
    async fn delete_all(&self, keys: &[&str], visit: &Visit<'_>, report: &mut Report) -> Result<bool, Error> {
        for some in keys.chunks(DELETES) {
            if visit.is_over() || report.collected >= MAX_COLLECTED {
                return Ok(false);
            }
            try_join_all(some.iter().map(|key| self.delete_object(key))).await?;
            report.collected += some.len();
        }
        Ok(true)
    }

    async fn delete_object(&self, key: &str) -> Result<(), Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.catalog.store.delete(key).await {
                Ok(()) => return Ok(()),
                Err(error) => commit::retry(error, tries).await?,
            }
        }
    }
}
