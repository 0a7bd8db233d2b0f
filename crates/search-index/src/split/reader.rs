//! A split that is read.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ledger::ObjectStore;
use tantivy::directory::OwnedBytes;
use tantivy::postings::SegmentPostings;
use tantivy::schema::{Field, IndexRecordOption, Term};
use tantivy::{DocAddress, DocSet, Searcher, SegmentReader, TERMINATED};
use tokio::sync::OnceCell;

use crate::Error;

use super::alive::without;
use super::directory::{SplitDirectory, misses, searcher, want};
use super::fetch::{Body, Fetcher, GAP};
use super::format::{Malformed, unseal};
use super::hot::{Hot, IDS, ROWS};
use super::ids::{Ids, hash};
use super::schema::{column, id_term};
use super::stored::StoredDocument;
use super::terms::PostingsMap;
use super::{Cache, Deleted, Pattern, Rows, SplitMeta, Stored, Wanted};

/// Round trips after which a read that still wants more is given up: the deepest one (terms of a pattern) takes two, and a term
/// beyond what the map of postings says one more.
const MAX_TRIPS: usize = 6;
/// Postings of a whole pattern are read along with the dictionary if they are no more than this.
const SMALL_PATTERN: u64 = 256 << 10;

/// A split that is read. Make one for each query: it holds on to every range it has read until it is dropped.
pub struct SplitReader {
    meta: SplitMeta,
    hot: Hot,
    fetcher: Fetcher,
    directory: SplitDirectory,
    searcher: Searcher,
    ids: OnceCell<Arc<Ids>>,
    rows: OnceCell<Arc<Rows>>,
}

impl SplitReader {
    /// Opens a split: one request, or none if its hot part is in the cache. A small object is read whole.
    pub async fn open(
        store: Arc<dyn ObjectStore>,
        cache: Arc<Cache>,
        key: &str,
        meta: &SplitMeta,
    ) -> Result<Arc<SplitReader>, Error> {
        let fetcher = Fetcher::new(store, cache, key);
        let start = if meta.hot.end <= GAP { 0 } else { meta.hot.start };
        let bytes = fetcher.unchecked(&(start..meta.hot.end)).await?;
        let (body, tail) = bytes.clone().split((meta.hot.start - start) as usize);
        let hot = decode(&tail, meta).map_err(|reason| fetcher.corrupt(reason))?;
        if !body.is_empty() {
            fetcher.check(&(0..meta.hot.start), &body, &Body::of(&hot))?;
            fetcher.held.insert(0, body);
        }
        fetcher.keep(start, bytes);
        for (range, bytes) in &hot.ranges {
            fetcher.held.insert(range.start, bytes.clone());
        }
        let directory = SplitDirectory::new(fetcher.held.clone(), &hot.files, hot.meta.clone());
        let searcher = guarded(|| searcher(&directory.index()?)).map_err(|reason| fetcher.corrupt(reason))?;
        let (ids, rows) = (OnceCell::new(), OnceCell::new());
        Ok(Arc::new(SplitReader { meta: meta.clone(), hot, fetcher, directory, searcher, ids, rows }))
    }

    /// The object's key.
    pub fn key(&self) -> &str {
        &self.fetcher.held.key
    }

    /// What the manifest says.
    pub fn meta(&self) -> &SplitMeta {
        &self.meta
    }

    /// The engine's searcher over this split's one segment, without the deleted documents. It reads only what was prefetched;
    /// anything else is an error that says «not prefetched».
    pub fn searcher(&self, deleted: Option<&Deleted>) -> Result<Searcher, Error> {
        let Some(deleted) = deleted.filter(|deleted| !deleted.is_empty()) else { return Ok(self.searcher.clone()) };
        let directory = without(&self.directory, &self.hot, self.searcher.segment_readers(), deleted)?;
        guarded(|| searcher(&directory.index()?)).map_err(|reason| self.fetcher.corrupt(reason))
    }

    /// Runs something of the engine that needs only what was prefetched. Its failure, or its panic, is the split's.
    pub fn run<T>(&self, run: impl FnOnce() -> tantivy::Result<T>) -> Result<T, Error> {
        guarded(run).map_err(|reason| self.fetcher.corrupt(reason))
    }

    /// Reads everything that is named, in one round trip; a second one for the postings of patterns.
    pub async fn prefetch(&self, wanted: &Wanted) -> Result<(), Error> {
        self.settle(|segment| {
            let terms = wanted.terms.iter().map(|(term, positions)| self.postings(segment, term, *positions).map(drop));
            let patterns = wanted.patterns.iter().map(|pattern| self.touch_pattern(segment, pattern));
            let columns = wanted.columns.iter().map(|path| touch_column(segment, path));
            all(terms.chain(patterns).chain(columns))
        })
        .await
    }

    /// The last document of each id that is not deleted. At most two round trips (the filter, once; then postings).
    pub async fn find(&self, ids: &[&str], deleted: Option<&Deleted>) -> Result<Vec<Option<u32>>, Error> {
        let filter = self.ids.get_or_try_init(|| self.filter()).await?;
        let term = |id: &&str| filter.may_have(hash(id.as_bytes())).then(|| id_term(id));
        let terms: Vec<Option<Term>> = ids.iter().map(term).collect();
        if terms.iter().all(Option::is_none) {
            return Ok(vec![None; ids.len()]);
        }
        self.settle(|segment| {
            let found: Vec<_> = terms
                .iter()
                .map(|term| term.as_ref().map_or(Ok(None), |term| self.last(segment, term, deleted)))
                .collect();
            found.into_iter().collect()
        })
        .await
    }

    async fn filter(&self) -> Result<Arc<Ids>, Error> {
        let filters = self.fetcher.cache.filters();
        if let Some(filter) = filters.get(self.key()) {
            return Ok(filter);
        }
        let filter = Arc::new(self.part(IDS, Ids::decode).await?);
        filters.keep(self.fetcher.held.key.clone(), filter.clone());
        Ok(filter)
    }

    /// `_seq_no` and `_version` of all documents: one request, the first time.
    pub async fn rows(&self) -> Result<Arc<Rows>, Error> {
        let rows = self.rows.get_or_try_init(|| self.part(ROWS, |bytes| Rows::decode(bytes).map(Arc::new))).await?;
        Ok(rows.clone())
    }

    /// Documents by number, in the order asked, in one round trip.
    pub async fn documents(&self, docs: &[u32]) -> Result<Vec<Stored>, Error> {
        if let Some(doc) = docs.iter().find(|&&doc| doc >= self.meta.documents) {
            return Err(Error::Engine(format!("{}: no document {doc}", self.key())));
        }
        self.settle(|_| {
            let read: Vec<_> =
                docs.iter().map(|&doc| self.searcher.doc::<StoredDocument>(DocAddress::new(0, doc))).collect();
            read.into_iter().map(|document| document.map(|document| document.0)).collect()
        })
        .await
    }

    /// Reads the whole object, so that nothing is missing any more.
    pub(super) async fn load(&self) -> Result<(), Error> {
        self.fetcher.whole(&Body::of(&self.hot)).await
    }

    pub(super) fn index(&self) -> &tantivy::Index {
        self.searcher.index()
    }

    /// Runs something of the engine, reads what it found missing, and runs it again until nothing is.
    async fn settle<T>(&self, run: impl Fn(&SegmentReader) -> tantivy::Result<T>) -> Result<T, Error> {
        for _ in 0..MAX_TRIPS {
            let segment = self.searcher.segment_readers().first();
            let segment = segment.ok_or_else(|| self.fetcher.corrupt("it has no segment"))?;
            let (result, missed) = misses(|| guarded(|| run(segment)));
            if missed.is_empty() {
                return result.map_err(|reason| self.fetcher.corrupt(reason));
            }
            self.fetcher.fetch(missed, &Body::of(&self.hot)).await?;
        }
        Err(Error::Engine(format!("{}: it wants more than {MAX_TRIPS} round trips", self.key())))
    }

    /// Reads one of this crate's own parts.
    async fn part<T>(&self, name: &str, decode: impl Fn(&[u8]) -> Result<T, Malformed>) -> Result<T, Error> {
        let range = self.hot.file(name).ok_or_else(|| self.fetcher.corrupt(format!("no part {name}")))?;
        self.fetcher.fetch(vec![range.clone()], &Body::of(&self.hot)).await?;
        let bytes = self.fetcher.held.get(&range).ok_or_else(|| self.fetcher.corrupt(format!("no part {name}")))?;
        decode(&bytes).map_err(|reason| self.fetcher.corrupt(format!("{name}: {reason}")))
    }

    fn map(&self, field: Field) -> Option<&PostingsMap> {
        self.hot.postings.iter().find(|map| map.field == field.field_id())
    }

    /// Asks for what is not there and likely wanted next.
    fn want(&self, ranges: impl Iterator<Item = Range<u64>>) {
        ranges.filter(|range| self.fetcher.held.get(range).is_none()).for_each(want);
    }

    /// A term's postings. What is missing is told together with where they likely are.
    fn postings(
        &self,
        segment: &SegmentReader,
        term: &Term,
        positions: bool,
    ) -> tantivy::Result<Option<SegmentPostings>> {
        let read = || -> tantivy::Result<_> {
            let inverted = segment.inverted_index(term.field())?;
            let info = inverted.get_term_info(term)?;
            let postings = info.map(|info| inverted.read_postings_from_terminfo(&info, record(positions)));
            Ok(postings.transpose()?)
        };
        read().inspect_err(|_| {
            if let Some(map) = self.map(term.field()) {
                self.want(map.term(term.serialized_value_bytes(), positions));
            }
        })
    }

    /// Reads the dictionary of a pattern's range, and the postings of the terms that pass.
    fn touch_pattern(&self, segment: &SegmentReader, pattern: &Pattern) -> tantivy::Result<()> {
        let inverted = segment.inverted_index(pattern.field)?;
        let terms = inverted.terms().range().ge(&pattern.range.start).lt(&pattern.range.end).into_stream();
        let mut terms = terms.inspect_err(|_| {
            let map = self.hot.postings.iter().find(|map| map.field == pattern.field.field_id());
            let places: Vec<_> = map.into_iter().flat_map(|map| map.terms(&pattern.range, pattern.positions)).collect();
            if places.iter().map(|range| range.end - range.start).sum::<u64>() <= SMALL_PATTERN {
                places.into_iter().for_each(want);
            }
        })?;
        let (mut outcome, mut left) = (Ok(()), pattern.limit);
        while left > 0 && terms.advance() {
            if pattern.test.as_ref().is_none_or(|test| test(terms.key())) {
                let read = inverted.read_postings_from_terminfo(terms.value(), record(pattern.positions));
                outcome = outcome.and(read.map(drop));
                left -= 1;
            }
        }
        Ok(outcome?)
    }

    /// The last document of a term that is not deleted.
    fn last(&self, segment: &SegmentReader, term: &Term, deleted: Option<&Deleted>) -> tantivy::Result<Option<u32>> {
        let Some(mut postings) = self.postings(segment, term, false)? else { return Ok(None) };
        let mut last = None;
        while postings.doc() != TERMINATED {
            if deleted.is_none_or(|deleted| !deleted.contains(postings.doc())) {
                last = Some(postings.doc());
            }
            postings.advance();
        }
        Ok(last)
    }
}

/// The hot part out of the end of the object, checked.
fn decode(tail: &OwnedBytes, meta: &SplitMeta) -> Result<Hot, Malformed> {
    let hot = Hot::decode(&tail.slice(0..unseal(tail)?))?;
    if hot.body() == meta.hot.start { Ok(hot) } else { Err("its files do not end where its hot part begins") }
}

/// What is read of a term. Positions stand in a file of their own, and only the field of words has them.
fn record(positions: bool) -> IndexRecordOption {
    if positions { IndexRecordOption::WithFreqsAndPositions } else { IndexRecordOption::WithFreqs }
}

fn touch_column(segment: &SegmentReader, path: &str) -> tantivy::Result<()> {
    let columns = segment.fast_fields().dynamic_column_handles(&column(path))?;
    all(columns.iter().map(|column| Ok(column.open().map(drop)?)))
}

/// Does all of them, whatever becomes of the first: each tells what it misses.
fn all(steps: impl Iterator<Item = tantivy::Result<()>>) -> tantivy::Result<()> {
    let mut outcome = Ok(());
    for step in steps {
        outcome = outcome.and(step);
    }
    outcome
}

/// Runs something of the engine, whose panics must not be ours: bytes are checked before it sees them, but its code is not ours.
fn guarded<T>(run: impl FnOnce() -> tantivy::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let message = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
            Err(format!("the engine panicked: {}", message.unwrap_or("no message")))
        }
    }
}
