//! Searching: from a request to an answer.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use ledger::StoreError;
use search_query::{SearchRequest, TrackTotalHits};
use serde_json::Value;

use crate::split::SplitReader;
use crate::{Error, Reader};

use super::aggregate::{Node, Partial, Renderer};
use super::plan::{Plan, sorts};
use super::prune::Pruning;
use super::sort::{self, By};
use super::split::{Found, Opened, Task, open};
use super::statistics::Statistics;
use super::top::Candidate;
use super::{Answer, Failure, Hit, Total};

/// Searches commits of some indices as one.
///
/// A split that cannot be read becomes a [`Failure`]; if it is gone, because the index has moved on since its commit was read, the
/// last commit is searched instead, once.
pub async fn search(readers: &[Reader], request: &SearchRequest, now: i64) -> Result<Answer, Error> {
    let (answer, gone) = Search::new(readers, request, now)?.run().await?;
    if !gone {
        return answer;
    }
    let again = readers.iter().map(|reader| async { reader.catalog.index(&reader.name)?.reader().await });
    let again: Vec<Reader> = join_all(again).await.into_iter().collect::<Result<_, _>>()?;
    Search::new(&again, request, now)?.run().await?.0
}

/// Candidates beyond twice the page after which the worst ones are let go.
const SPARE: usize = 16;

struct Search<'a> {
    readers: &'a [Reader],
    request: &'a SearchRequest,
    plans: Vec<Arc<Plan>>,
    tasks: Vec<Task>,
    splits: usize,
}

/// A split that could not be searched, and why.
type Failed = (Task, Error);

impl<'a> Search<'a> {
    fn new(readers: &'a [Reader], request: &'a SearchRequest, now: i64) -> Result<Search<'a>, Error> {
        let mut plans = readers.iter().map(|reader| Plan::new(reader, request, now)).collect::<Result<Vec<_>, _>>()?;
        // The answer shows values as the first index does that knows their field.
        if let Some((first, others)) = plans.split_first_mut() {
            for other in others {
                first.nodes.iter_mut().zip(&other.nodes).for_each(|(ours, theirs)| ours.learn(theirs));
            }
        }
        let keys: Vec<_> = plans.iter().map(|plan| plan.keys.as_slice()).collect();
        sort::check(&sorts(request), &keys)?;
        let mut tasks = Vec::new();
        let mut splits = 0;
        for (number, reader) in readers.iter().enumerate() {
            let pruning = Pruning { mapping: &reader.state.mapping, index: &reader.name, now };
            for split in &reader.state.splits {
                let there = split.meta.documents > split.deleted;
                if there && pruning.may_match(&request.query, split) {
                    tasks.push(Task { reader: number, ordinal: splits, split: split.clone() });
                }
                splits += 1;
            }
        }
        Ok(Search { readers, request, plans: plans.into_iter().map(Arc::new).collect(), tasks, splits })
    }

    /// The answer, and whether a split was gone.
    async fn run(self) -> Result<(Result<Answer, Error>, bool), Error> {
        let mut failed: Vec<Failed> = Vec::new();
        let mut merged = Merged::default();
        if self.plans.iter().any(|plan| plan.scored) {
            let opened = self.open_all(&mut failed).await;
            let statistics = self.statistics(&opened, &mut failed);
            let found = opened.into_iter().map(|opened| self.found(opened, Some(statistics.clone())));
            for result in join_all(found).await {
                self.take(result, &mut merged, &mut failed)?;
            }
        } else {
            let found = self.tasks.iter().map(|task| async {
                match self.open(task).await {
                    Ok(opened) => self.found(opened, None).await,
                    Err(failure) => Err(failure),
                }
            });
            // As they arrive: what a split needed is let go when it is done.
            let mut found: FuturesUnordered<_> = found.collect();
            while let Some(result) = found.next().await {
                self.take(result, &mut merged, &mut failed)?;
            }
        }
        let gone = failed.iter().any(|(_, error)| matches!(error, Error::Store(StoreError::NotFound { .. })));
        Ok((self.answer(merged, failed).await, gone))
    }

    async fn open(&self, task: &Task) -> Result<Opened, Failed> {
        let opened = open(&self.readers[task.reader], &self.plans[task.reader], task.clone()).await;
        opened.map_err(|error| (task.clone(), error))
    }

    async fn open_all(&self, failed: &mut Vec<Failed>) -> Vec<Opened> {
        let mut all = Vec::with_capacity(self.tasks.len());
        for opened in join_all(self.tasks.iter().map(|task| self.open(task))).await {
            match opened {
                Ok(opened) => all.push(opened),
                Err(failure) => failed.push(failure),
            }
        }
        all
    }

    fn statistics(&self, opened: &[Opened], failed: &mut Vec<Failed>) -> Arc<Statistics> {
        let mut all = Statistics::default();
        for one in opened {
            match one.statistics(&self.plans[one.task.reader]) {
                Ok(statistics) => all.add(statistics),
                Err(error) => failed.push((one.task.clone(), error)),
            }
        }
        Arc::new(all)
    }

    async fn found(&self, opened: Opened, statistics: Option<Arc<Statistics>>) -> Result<Done, Failed> {
        let (task, plan) = (opened.task.clone(), self.plans[opened.task.reader].clone());
        match opened.run(plan, statistics).await {
            Ok((found, reader)) => Ok(Done { task, found, reader }),
            Err(error) => Err((task, error)),
        }
    }

    /// Takes a split's result in. What is wrong with the request is wrong for all.
    fn take(&self, result: Result<Done, Failed>, merged: &mut Merged, failed: &mut Vec<Failed>) -> Result<(), Error> {
        match result {
            Ok(done) => {
                merged.take(done);
                // So that the memory for candidates is bounded, whatever the number of splits.
                if merged.candidates.len() > 2 * self.window() + SPARE {
                    self.cut(merged);
                }
                Ok(())
            }
            Err((_, error @ Error::Request { .. })) => Err(error),
            Err(failure) => {
                failed.push(failure);
                Ok(())
            }
        }
    }

    fn window(&self) -> usize {
        self.request.from + self.request.size
    }

    /// The best candidates, best first.
    fn cut(&self, merged: &mut Merged) {
        let Some(plan) = self.plans.first() else {
            return;
        };
        merged.candidates.sort_by(|a, b| {
            let keys = plan.keys.iter().zip(a.values.iter().zip(&b.values));
            let by_keys = keys.map(|(key, (a, b))| key.compare(a, b)).find(|ordering| *ordering != Ordering::Equal);
            by_keys.unwrap_or_else(|| (a.split, a.doc).cmp(&(b.split, b.doc)))
        });
        merged.candidates.truncate(self.window());
        let kept: HashSet<usize> = merged.candidates.iter().map(|candidate| candidate.split).collect();
        merged.readers.retain(|split, _| kept.contains(split));
    }

    async fn answer(&self, mut merged: Merged, mut failed: Vec<Failed>) -> Result<Answer, Error> {
        // A split that was skipped has given its answer: nothing.
        if failed.len() >= self.splits
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        self.cut(&mut merged);
        let max_score = match self.plans.first() {
            Some(plan) if plan.keys.first().is_some_and(|key| key.by == By::Score) => {
                merged.candidates.iter().filter_map(|candidate| candidate.score).reduce(f32::max)
            }
            _ => None,
        };
        let page: Vec<Candidate> =
            merged.candidates.drain(..).skip(self.request.from).take(self.request.size).collect();
        let hits = self.hits(page, &merged.readers, &mut failed).await;
        let failures = failed.into_iter().map(|(task, error)| Failure {
            index: self.readers[task.reader].name.clone(),
            object: task.split.key.clone(),
            reason: error.to_string(),
        });
        Ok(Answer {
            total: total(self.request.track_total_hits, merged.count),
            max_score,
            hits,
            aggregations: self.aggregations(merged.partials)?,
            splits: self.splits,
            skipped: self.splits - self.tasks.len(),
            failures: failures.collect(),
        })
    }

    /// Reads the documents of a page: one round trip for all splits.
    async fn hits(
        &self,
        page: Vec<Candidate>,
        readers: &HashMap<usize, (Task, Arc<SplitReader>)>,
        failed: &mut Vec<Failed>,
    ) -> Vec<Hit> {
        let mut by_split: HashMap<usize, Vec<u32>> = HashMap::new();
        for candidate in &page {
            by_split.entry(candidate.split).or_default().push(candidate.doc);
        }
        let reads = by_split.into_iter().filter_map(|(split, docs)| {
            let (task, reader) = readers.get(&split)?;
            Some(async move {
                let read = tokio::try_join!(reader.documents(&docs), reader.rows());
                (split, task.clone(), docs, read)
            })
        });
        let mut found = HashMap::new();
        for (split, task, docs, read) in join_all(reads).await {
            match read {
                Ok((documents, rows)) => {
                    for (doc, stored) in docs.into_iter().zip(documents) {
                        found.insert((split, doc), (stored, rows.row(doc)));
                    }
                }
                Err(error) => failed.push((task, error)),
            }
        }
        let hit = |candidate: Candidate| {
            let (task, _) = readers.get(&candidate.split)?;
            let (stored, row) = found.remove(&(candidate.split, candidate.doc))?;
            let keys = &self.plans[task.reader].keys;
            let row = row?;
            let values = keys.iter().zip(&candidate.values).map(|(key, value)| key.show(value));
            let by_score = keys.iter().any(|key| key.by == By::Score);
            Some(Hit {
                index: self.readers[task.reader].name.clone(),
                id: stored.id,
                score: candidate.score.filter(|_| by_score),
                source: stored.source,
                sort: if self.request.sort.is_empty() { Vec::new() } else { values.collect() },
                seq_no: row.seq_no + task.split.seq_base,
                version: row.version,
            })
        };
        page.into_iter().filter_map(hit).collect()
    }

    fn aggregations(&self, partials: Vec<Partial>) -> Result<Option<Value>, Error> {
        if self.request.aggregations.is_empty() {
            return Ok(None);
        }
        let Some(plan) = self.plans.first() else {
            return Ok(None);
        };
        let partials = match partials.is_empty() {
            true => plan.nodes.iter().map(Node::empty).collect(),
            false => partials,
        };
        let all = Renderer::new().all(&self.request.aggregations, &plan.nodes, partials)?;
        Ok(Some(Value::Object(all)))
    }
}

/// A split that was searched.
struct Done {
    task: Task,
    found: Found,
    reader: Arc<SplitReader>,
}

/// What the splits so far have given.
#[derive(Default)]
struct Merged {
    count: u64,
    candidates: Vec<Candidate>,
    partials: Vec<Partial>,
    /// Splits that have candidates, to read their documents from.
    readers: HashMap<usize, (Task, Arc<SplitReader>)>,
}

impl Merged {
    fn take(&mut self, done: Done) {
        let Done { task, found, reader } = done;
        self.count += found.count;
        if !found.candidates.is_empty() {
            self.readers.insert(task.ordinal, (task, reader));
            self.candidates.extend(found.candidates);
        }
        if self.partials.is_empty() {
            self.partials = found.partials;
        } else {
            self.partials.iter_mut().zip(found.partials).for_each(|(ours, theirs)| ours.merge(theirs));
        }
    }
}

/// `hits.total` of a count that is exact up to what was asked for.
fn total(track: TrackTotalHits, count: u64) -> Option<Total> {
    match track {
        TrackTotalHits::No => None,
        TrackTotalHits::Exact => Some(Total { value: count, at_least: false }),
        TrackTotalHits::UpTo(limit) => Some(Total { value: count.min(limit), at_least: count > limit }),
    }
}
