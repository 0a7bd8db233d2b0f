//! One split, searched.

use std::sync::{Arc, LazyLock};

use search_query::sort::Order;
use tantivy::collector::TopDocs;
use tantivy::query::{EnableScoring, Query, Weight};
use tantivy::{BitSet, COLLECT_BLOCK_BUFFER_LEN, DocId, DocSet, Searcher, SegmentReader, TERMINATED};
use tokio::sync::Semaphore;

use crate::split::{Rows, SplitReader};
use crate::{Error, Reader, manifest};

use super::aggregate::{Collect, Partial, TOO_MANY, documents, too_many};
use super::lower::Lowered;
use super::plan::Plan;
use super::sort::{By, SortValue};
use super::statistics::Statistics;
use super::top::{Candidate, Place, Top};

/// Documents that aggregations take at a time.
const BLOCK: usize = 1 << 10;

/// Splits that are computed at once: one for each core.
static CORES: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, |cores| cores.get())));

/// A split to be searched.
#[derive(Clone)]
pub(super) struct Task {
    /// The number of its index among those searched.
    pub reader: usize,
    /// Its number among all splits of all indices.
    pub ordinal: usize,
    pub split: Arc<manifest::Split>,
}

/// A split of which everything that the query needs is in memory.
pub(super) struct Opened {
    pub task: Task,
    pub reader: Arc<SplitReader>,
    searcher: Searcher,
    query: Lowered,
    rows: Option<Arc<Rows>>,
}

/// What was found in a split.
#[derive(Default)]
pub(super) struct Found {
    pub count: u64,
    pub candidates: Vec<Candidate>,
    pub partials: Vec<Partial>,
}

/// Opens a split and reads ahead: two round trips (three with terms of patterns).
pub(super) async fn open(reader: &Reader, plan: &Plan, task: Task) -> Result<Opened, Error> {
    let (catalog, split) = (&reader.catalog, &*task.split);
    let (opened, deleted) = tokio::try_join!(catalog.open(split), catalog.deleted(split))?;
    let rows = async {
        match plan.needs_rows() {
            true => opened.rows().await.map(Some),
            false => Ok(None),
        }
    };
    let (rows, ()) = tokio::try_join!(rows, opened.prefetch(&plan.wanted))?;
    let query = plan.query_of(reader, rows.as_deref().map(|rows| (rows, split.seq_base)))?;
    let searcher = opened.searcher(deleted.as_ref())?;
    Ok(Opened { task, reader: opened, searcher, query, rows })
}

impl Opened {
    /// How rare the query's terms are here.
    pub fn statistics(&self, plan: &Plan) -> Result<Statistics, Error> {
        self.reader.run(|| Statistics::of(&self.searcher, plan.wanted.terms.keys()))
    }

    /// Computes, away from the threads that wait for the network.
    pub async fn run(
        self,
        plan: Arc<Plan>,
        statistics: Option<Arc<Statistics>>,
    ) -> Result<(Found, Arc<SplitReader>), Error> {
        let _core = CORES.acquire().await.map_err(|error| Error::Engine(error.to_string()))?;
        let reader = self.reader.clone();
        let run = move || {
            let found = self.reader.run(|| Ok(self.search(&plan, statistics.as_deref())));
            found.and_then(|found| found)
        };
        let found = tokio::task::spawn_blocking(run).await.map_err(|error| Error::Engine(error.to_string()))??;
        Ok((found, reader))
    }

    fn search(&self, plan: &Plan, statistics: Option<&Statistics>) -> Result<Found, Error> {
        let Some(segment) = self.searcher.segment_readers().first() else {
            return Ok(Found::default());
        };
        match statistics {
            Some(statistics) if plan.only_best_scores() => self.best_scores(plan, segment, statistics),
            _ => self.collect(plan, segment, statistics),
        }
    }

    /// The best scores only: the engine skips what cannot be among them. Counted apart.
    fn best_scores(&self, plan: &Plan, segment: &SegmentReader, statistics: &Statistics) -> Result<Found, Error> {
        let top = TopDocs::with_limit(plan.size).order_by_score();
        let best = self.searcher.search_with_statistics_provider(&*self.query, &top, statistics)?;
        let candidate = |(score, address): (f32, tantivy::DocAddress)| Candidate {
            values: vec![SortValue::Float(score.into())],
            split: self.task.ordinal,
            doc: address.doc_id,
            score: Some(score),
        };
        let candidates = best.into_iter().map(candidate).collect();
        let weight = self.query.weight(EnableScoring::disabled_from_searcher(&self.searcher))?;
        Ok(Found { count: count(&*weight, segment, plan.count_to)?, candidates, partials: Vec::new() })
    }

    /// Every document, for sort keys and aggregations.
    fn collect(&self, plan: &Plan, segment: &SegmentReader, statistics: Option<&Statistics>) -> Result<Found, Error> {
        let scoring = match statistics {
            Some(statistics) => EnableScoring::enabled_from_statistics_provider(statistics, &self.searcher),
            None => EnableScoring::disabled_from_searcher(&self.searcher),
        };
        let weight = self.query.weight(scoring)?;
        if plan.size == 0 && plan.nodes.is_empty() && statistics.is_none() {
            return Ok(Found { count: count(&*weight, segment, plan.count_to)?, ..Found::default() });
        }
        let rows = self.rows.clone().map(|rows| (rows, self.task.split.seq_base));
        let place = Place { split: self.task.ordinal, rows };
        let mut collecting = Collecting {
            segment,
            top: Top::open(&plan.keys, segment, &place, plan.size, plan.after.as_deref())?,
            nodes: plan.nodes.iter().map(|node| node.open(&self.searcher, segment)).collect::<tantivy::Result<_>>()?,
            post: match &plan.after_aggregations {
                Some(query) => Some(documents(query.as_ref(), &self.searcher, segment)?),
                None => None,
            },
            count: 0,
            block: Vec::with_capacity(BLOCK),
            zeros: vec![0; BLOCK],
        };
        let collected = match statistics {
            Some(_) => collecting.scored(&*weight, plan.min_score),
            None => collecting.unscored(&*weight, plan.count_to),
        };
        match collected.and_then(|()| collecting.partials()) {
            Ok(partials) => Ok(Found { count: collecting.count, candidates: collecting.top.finish()?, partials }),
            Err(error) if error.to_string().contains(TOO_MANY) => Err(too_many()),
            Err(error) => Err(error.into()),
        }
    }
}

struct Collecting<'a> {
    segment: &'a SegmentReader,
    top: Top<'a>,
    nodes: Vec<Box<dyn Collect>>,
    /// The documents that may be hits.
    post: Option<BitSet>,
    count: u64,
    block: Vec<DocId>,
    zeros: Vec<u32>,
}

impl Collecting<'_> {
    fn unscored(&mut self, weight: &dyn Weight, count_to: u64) -> tantivy::Result<()> {
        let mut docs = weight.scorer(self.segment, 1.0)?;
        let alive = self.segment.alive_bitset();
        let mut buffer = [0; COLLECT_BLOCK_BUFFER_LEN];
        loop {
            let filled = docs.fill_buffer(&mut buffer);
            for doc in &buffer[..filled] {
                if alive.is_none_or(|alive| alive.is_alive(*doc)) {
                    self.take(*doc, None)?;
                }
            }
            let done = self.nodes.is_empty() && self.count > count_to && self.top.is_done();
            if done || filled < buffer.len() {
                return Ok(());
            }
        }
    }

    fn scored(&mut self, weight: &dyn Weight, min_score: Option<f32>) -> tantivy::Result<()> {
        let mut docs = weight.scorer(self.segment, 1.0)?;
        let alive = self.segment.alive_bitset();
        while docs.doc() != TERMINATED {
            let doc = docs.doc();
            if alive.is_none_or(|alive| alive.is_alive(doc)) {
                let score = docs.score();
                if min_score.is_none_or(|least| score >= least) {
                    self.take(doc, Some(score))?;
                }
            }
            docs.advance();
        }
        Ok(())
    }

    fn take(&mut self, doc: DocId, score: Option<f32>) -> tantivy::Result<()> {
        if self.post.as_ref().is_none_or(|post| post.contains(doc)) {
            self.count += 1;
            self.top.collect(doc, score);
        }
        if !self.nodes.is_empty() {
            self.block.push(doc);
            if self.block.len() == BLOCK {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> tantivy::Result<()> {
        for node in &mut self.nodes {
            node.collect(&self.block, &self.zeros[..self.block.len()])?;
        }
        self.block.clear();
        Ok(())
    }

    fn partials(&mut self) -> tantivy::Result<Vec<Partial>> {
        self.flush()?;
        let mut partials = Vec::with_capacity(self.nodes.len());
        for node in std::mem::take(&mut self.nodes) {
            partials.extend(node.finish(1)?);
        }
        Ok(partials)
    }
}

/// Counts documents, exactly up to a number; beyond it perhaps not all.
fn count(weight: &dyn Weight, segment: &SegmentReader, count_to: u64) -> tantivy::Result<u64> {
    let Some(alive) = segment.alive_bitset() else {
        // Of a single term the engine knows it without looking.
        if count_to >= u64::from(segment.max_doc()) {
            return weight.count(segment).map(u64::from);
        }
        return count_some(weight, segment, count_to, |_| true);
    };
    count_some(weight, segment, count_to, |doc| alive.is_alive(doc))
}

fn count_some(
    weight: &dyn Weight,
    segment: &SegmentReader,
    count_to: u64,
    counts: impl Fn(DocId) -> bool,
) -> tantivy::Result<u64> {
    let mut docs = weight.scorer(segment, 1.0)?;
    let mut buffer = [0; COLLECT_BLOCK_BUFFER_LEN];
    let mut count = 0;
    loop {
        let filled = docs.fill_buffer(&mut buffer);
        count += buffer[..filled].iter().filter(|doc| counts(**doc)).count() as u64;
        if filled < buffer.len() || count > count_to {
            return Ok(count);
        }
    }
}

impl Plan {
    /// Nothing but the best scores is asked for.
    fn only_best_scores(&self) -> bool {
        let by_score = matches!(self.keys.as_slice(), [key] if key.by == By::Score && key.order == Order::Desc);
        by_score && self.size > 0 && self.nodes.is_empty() && self.after.is_none() && self.min_score.is_none()
    }
}
