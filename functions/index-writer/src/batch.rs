//! Portions of many objects, committed index by index.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use search_index::Error;
use search_index::write::{Done, Part, Refused, Taken};

use crate::failed::{self, Failure};
use crate::indexes::Indexes;
use crate::lake::Lake;
use crate::portion::{Portion, Share, forget_source};
use crate::rules::Defaults;

/// Bytes of lines that are held before they are committed: they, their operations and the splits built of them are to fit into
/// the function's memory of 2 GB.
pub const MAX_BATCH_BYTES: usize = 128 * 1024 * 1024;

/// Lines that are held before they are committed: a commit has room for 2²⁰ operations.
pub const MAX_BATCH_LINES: usize = 1 << 20;

/// HTTP's word for a `create` that finds its id taken.
const CONFLICT: u16 = 409;

/// Portions that wait for their commit, each with the place of its object among the invocation's.
#[derive(Default)]
pub struct Batch {
    portions: Vec<(usize, Portion)>,
}

/// Counts for the log.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Operations carried out.
    pub done: usize,
    /// Lines that failed.
    pub failed: usize,
    /// Parts that were taken before.
    pub known: usize,
}

/// What every commit of an invocation needs.
pub struct Destination<'c, I, L> {
    /// The indexes.
    pub indexes: &'c I,
    /// Where failures are written down.
    pub lake: &'c L,
    /// The time of the invocation's newest event.
    pub now: i64,
}

impl Batch {
    /// Whether there is room for this portion.
    pub fn has_room(&self, portion: &Portion) -> bool {
        let sum = |of: fn(&Portion) -> usize| self.portions.iter().map(|(_, portion)| of(portion)).sum::<usize>();
        self.portions.is_empty()
            || (sum(|portion| portion.bytes) + portion.bytes <= MAX_BATCH_BYTES
                && sum(|portion| portion.lines) + portion.lines <= MAX_BATCH_LINES)
    }

    /// Adds a portion of an object.
    pub fn push(&mut self, object: usize, mut portion: Portion) {
        portion.seal();
        self.portions.push((object, portion));
    }

    /// Commits everything, and writes down what failed. Gives the objects that have to come again.
    pub async fn commit<I: Indexes, L: Lake>(
        &mut self,
        destination: &Destination<'_, I, L>,
        counts: &mut Counts,
    ) -> BTreeSet<usize> {
        let mut again = BTreeSet::new();
        for (index, shares) in self.by_index() {
            let portions = &mut self.portions;
            for (place, outcome) in destination.commit_index(portions, &index, shares, counts).await {
                let (object, portion) = &mut portions[place];
                match outcome {
                    Ok(failures) => portion.failures.extend(failures),
                    Err(error) => {
                        let source = &portion.source.key;
                        tracing::error!(index, source, error = %error, "not committed, the object comes again");
                        again.insert(*object);
                    }
                }
            }
        }
        for (object, portion) in self.portions.drain(..) {
            // What failed of an object that comes again is found again, and all of it is written down then.
            if !portion.failures.is_empty() && !again.contains(&object) {
                counts.failed += portion.failures.len();
                if !destination.write_down(portion).await {
                    again.insert(object);
                }
            }
        }
        again
    }

    /// Takes the shares out of their portions.
    fn by_index(&mut self) -> BTreeMap<String, Vec<(usize, Share)>> {
        let mut by_index: BTreeMap<String, Vec<(usize, Share)>> = BTreeMap::new();
        for (place, (_, portion)) in self.portions.iter_mut().enumerate() {
            for (index, share) in std::mem::take(&mut portion.shares) {
                by_index.entry(index).or_default().push((place, share));
            }
        }
        by_index
    }
}

/// Of a portion: what failed, or why it has to come again.
type Outcome = (usize, Result<Vec<Failure>, Rc<Error>>);

impl<I: Indexes, L: Lake> Destination<'_, I, L> {
    /// The shares of one index, in one commit.
    async fn commit_index(
        &self,
        portions: &[(usize, Portion)],
        index: &str,
        shares: Vec<(usize, Share)>,
        counts: &mut Counts,
    ) -> Vec<Outcome> {
        let Some((first, _)) = shares.first() else { return Vec::new() };
        let defaults = &portions[*first].1.rule.defaults;
        let mut parts = Vec::with_capacity(shares.len());
        let mut origins = Vec::with_capacity(shares.len());
        for (place, share) in shares {
            parts.push(share.part);
            origins.push((place, share.origins));
        }
        let taken = self.write(index, defaults, &parts).await;
        let mut outcomes = Vec::with_capacity(parts.len());
        for (((place, origins), part), taken) in origins.into_iter().zip(parts).zip(taken) {
            let failure = |at: usize, refused: Refused| Failure {
                line: Some(origins[at].line),
                index: Some(index.to_owned()),
                kind: refused.kind.into(),
                reason: refused.reason,
                raw: Some(origins[at].raw.clone()),
            };
            let portion = &portions[place].1;
            let settled = match taken {
                Ok(Taken::Stale) if portion.replay.is_none() => {
                    outcomes.push((place, Ok(vec![stale(index)])));
                    continue;
                }
                Ok(taken) => self.settle(index, defaults, part, taken, counts).await,
                Err(error) => Err(error),
            };
            let failures = match settled {
                Ok(refused) => Ok(refused.into_iter().map(|(at, refused)| failure(at, refused)).collect()),
                Err(error) => match finally(&error) {
                    Some(refused) => Ok((0..origins.len()).map(|at| failure(at, refused.clone())).collect()),
                    None => Err(error),
                },
            };
            outcomes.push((place, failures));
        }
        outcomes
    }

    /// What became of each part. When they fail together for a reason that is not the store's, each goes alone, so that none holds
    /// back the others.
    async fn write(&self, index: &str, defaults: &Defaults, parts: &[Part]) -> Vec<Result<Taken, Rc<Error>>> {
        let error = match self.indexes.write(index, defaults, parts, self.now).await {
            Ok(taken) if taken.len() == parts.len() => return taken.into_iter().map(Ok).collect(),
            Ok(taken) => Error::Engine(format!("[{index}] answered for {} of {} parts", taken.len(), parts.len())),
            Err(error) => error,
        };
        let error = Rc::new(error);
        if parts.len() == 1 || is_of_the_store(&error) {
            return parts.iter().map(|_| Err(error.clone())).collect();
        }
        tracing::warn!(index, error = %error, parts = parts.len(), "commit failed, going on part by part");
        let mut results = Vec::with_capacity(parts.len());
        for part in parts {
            results.push(self.write_one(index, defaults, part).await);
        }
        results
    }

    async fn write_one(&self, index: &str, defaults: &Defaults, part: &Part) -> Result<Taken, Rc<Error>> {
        let taken = self.indexes.write(index, defaults, std::slice::from_ref(part), self.now).await?.pop();
        taken.ok_or_else(|| Rc::new(Error::Engine(format!("[{index}] did not answer"))))
    }

    /// What was refused of a part, by its place in it.
    async fn settle(
        &self,
        index: &str,
        defaults: &Defaults,
        mut part: Part,
        taken: Taken,
        counts: &mut Counts,
    ) -> Result<Vec<(usize, Refused)>, Rc<Error>> {
        match taken {
            Taken::Now(results) => {
                counts.done += results.iter().filter(|result| result.is_ok()).count();
                Ok(refusals(results))
            }
            // The try that was committed may have died before it wrote down what was refused.
            Taken::Before => {
                counts.known += 1;
                Ok(self.indexes.refused(index, &part).await?)
            }
            // Replayed: whether it was taken nobody knows, so its documents are looked up one by one.
            Taken::Stale => {
                forget_source(&mut part);
                match self.write_one(index, defaults, &part).await? {
                    Taken::Now(results) => {
                        counts.done += results.iter().filter(|result| result.is_ok()).count();
                        Ok(refusals(results))
                    }
                    Taken::Before | Taken::Stale => Err(Rc::new(Error::Engine(format!(
                        "[{index}] refused a part without a source as known or stale"
                    )))),
                }
            }
        }
    }

    /// Writes what failed; or says that it could not.
    async fn write_down(&self, mut portion: Portion) -> bool {
        let key = failed::key(&portion.source, &portion.name());
        let (source, failures) = (&portion.source.key, portion.failures.len());
        tracing::warn!(source, failures, key, reason = portion.failures[0].reason, "lines not indexed");
        match self.lake.put(&key, failed::body(&portion.source, &mut portion.failures)).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(key, error = %error, "failures not written, the object comes again");
                false
            }
        }
    }
}

/// A `create` that finds its id taken has what it wants.
fn refusals(results: Vec<Result<Done, Refused>>) -> Vec<(usize, Refused)> {
    let refused = results.into_iter().enumerate().filter_map(|(at, result)| Some((at, result.err()?)));
    refused.filter(|(_, refused)| refused.status != CONFLICT).collect()
}

fn stale(index: &str) -> Failure {
    let days = ledger::KEPT_DAYS;
    Failure {
        line: None,
        index: Some(index.to_owned()),
        kind: "stale_source".into(),
        reason: format!(
            "the object is more than {days} days old, so whether it was indexed is not known any more (logmill replay)"
        ),
        raw: None,
    }
}

/// The store was slow, away or contended, or holds something broken: to be tried again, and seen in the dead letters if it stays.
fn is_of_the_store(error: &Error) -> bool {
    matches!(error, Error::Store(_) | Error::Head(_) | Error::Corrupt { .. })
}

/// An error that will be the same next time: every document of the part is refused with it.
fn finally(error: &Error) -> Option<Refused> {
    let kind = match error {
        Error::InvalidName { .. } => "invalid_index_name_exception",
        Error::Mapping(_) => "mapper_parsing_exception",
        Error::Request { kind, .. } => kind,
        _ => return None,
    };
    Some(Refused { id: None, kind, reason: error.to_string(), status: 400 })
}
