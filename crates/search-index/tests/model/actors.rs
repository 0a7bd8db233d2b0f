//! Processes that write, read, delete, and clean up, each with a store and a catalog of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use ledger::{HeadError, SourceId, StoreError};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use search_index::janitor::GRACE;
use search_index::manifest::Settings;
use search_index::write::{DocumentId, Op, Part, Taken};
use search_index::{Catalog, Error, Index, Options};
use serde_json::json;

use super::clock::{BEGIN, Clock, MINUTE};
use super::faults::{Faults, Rates};
use super::history::{STALE, Written};
use super::memory::Memory;
use super::seen::{COLORS, Seen};

/// The index.
pub const INDEX: &str = "logs";
/// Ids that clients give.
pub const IDS: usize = 12;
/// Sources.
pub const SOURCES: usize = 24;
/// So long what a reader holds is not deleted, less what one who deletes the index may take for it.
const HELD: i64 = GRACE - LAMBDA * MINUTE;
/// Minutes that a function lives at most (AWS Lambda).
pub const LAMBDA: i64 = 15;

/// What they share.
pub struct World {
    /// The store itself.
    pub store: Arc<Memory>,
    /// The time.
    pub clock: Arc<Clock>,
    /// What was written.
    pub written: Mutex<Vec<Written>>,
    /// What was read: life, commit, and what was seen of it.
    pub read: Mutex<Vec<(String, u64, Seen)>>,
    /// Splits that were joined, objects that were collected.
    pub tidied: Mutex<(usize, usize)>,
}

/// One of them.
pub struct Actor {
    world: Arc<World>,
    faults: Arc<Faults>,
    catalog: Catalog,
    random: StdRng,
    /// `_seq_no`s that were answered.
    seq_nos: Vec<u64>,
    /// Makes each document different.
    number: u64,
}

impl Actor {
    /// Of this seed.
    pub fn new(world: &Arc<World>, rates: Rates, seed: u64) -> Actor {
        let faults = Faults::new(&world.store, &world.clock, rates, seed);
        let catalog = Catalog::new(faults.clone(), Options::default());
        let random = StdRng::seed_from_u64(!seed);
        Actor { world: world.clone(), faults, catalog, random, seq_nos: vec![0], number: seed << 20 }
    }

    fn index(&self) -> Index {
        self.catalog.index(INDEX).unwrap()
    }

    /// A new process in place of one that was killed: it has read nothing yet.
    fn restart(&mut self) {
        self.catalog = Catalog::new(self.faults.clone(), Options::default());
    }

    fn pause(&mut self) {
        self.world.clock.advance(self.random.random_range(0..4 * MINUTE));
    }

    /// Writes so often.
    pub async fn write(mut self, times: usize) {
        for _ in 0..times {
            let count = self.random.random_range(1..3);
            let parts: Vec<Part> = (0..count).map(|_| self.part()).collect();
            let (index, faults, now) = (self.index(), self.faults.clone(), self.world.clock.now());
            let settings = Settings { tag_fields: vec!["pad.keyword".to_owned()], ..Settings::default() };
            let (result, mut landed) = faults.process(index.write(&parts, &settings, now)).await;
            // An index is made by a commit of its own, which holds nothing.
            landed.retain(|landed| landed.commit > 0);
            assert!(landed.len() <= 1, "{landed:?}");
            let killed = result.is_none();
            let answers = result.and_then(answered);
            let results = answers.iter().flatten().filter_map(|taken| match taken {
                Taken::Now(results) => Some(results),
                _ => None,
            });
            self.seq_nos.extend(results.flatten().flatten().map(|done| done.seq_no));
            self.world.written.lock().unwrap().push(Written { landed: landed.pop(), parts, answers });
            if killed {
                self.restart();
            }
            self.pause();
        }
        self.world.clock.leave();
    }

    fn part(&mut self) -> Part {
        if self.random.random_range(0..4) == 0 {
            let number = self.random.random_range(0..SOURCES);
            let at = if number == 0 { STALE } else { BEGIN };
            let source = SourceId::object("bucket", &number.to_string(), "etag");
            let op = |at: usize, source| {
                let id = DocumentId::Source(format!("s{number}-{at}"));
                Op::Index { id, source, if_seq_no: None }
            };
            let ops = (0..2).map(|at| op(at, self.source())).collect();
            return Part { source: Some((source, at)), ops };
        }
        let count = self.random.random_range(1..4);
        Part { source: None, ops: (0..count).map(|_| self.op()).collect() }
    }

    fn op(&mut self) -> Op {
        let id = match self.random.random_range(0..5) {
            0 => format!("s{}-0", self.random.random_range(0..SOURCES)),
            _ => format!("d{}", self.random.random_range(0..IDS)),
        };
        let if_seq_no = match self.random.random_range(0..5) {
            0 => Some(self.seq_nos[self.seq_nos.len() - self.random.random_range(1..=self.seq_nos.len().min(6))]),
            _ => None,
        };
        // Nobody but its source makes a document of a source: that is why such ids are not looked up.
        let of_source = id.starts_with('s');
        match self.random.random_range(if of_source { 8..14 } else { 0..14 }) {
            0..4 => Op::Index { id: DocumentId::Given(id), source: self.source(), if_seq_no },
            4 => Op::Index { id: DocumentId::Auto, source: self.source(), if_seq_no: None },
            5 => Op::Index { id: DocumentId::Given(id), source: Bytes::from_static(b"{\"n\":"), if_seq_no },
            6..8 => Op::Create { id: DocumentId::Given(id), source: self.source() },
            8..11 => {
                let doc = match self.random.random() {
                    true => self.source(),
                    false => Bytes::from(json!({"color": self.color()}).to_string()),
                };
                let upsert = (!of_source && self.random.random()).then(|| self.source());
                Op::Update { id, doc, upsert, if_seq_no }
            }
            _ => Op::Delete { id, if_seq_no },
        }
    }

    fn color(&mut self) -> &'static str {
        COLORS[self.random.random_range(0..COLORS.len())]
    }

    /// A document with a tag so long that the head is soon full and a snapshot is due.
    fn source(&mut self) -> Bytes {
        self.number += 1;
        let pad = format!("{}{}", self.number, "x".repeat(230));
        json!({"n": self.number, "color": self.color(), "pad": pad}).to_string().into()
    }

    /// Holds a commit for a while and reads it again and again: it does not change.
    pub async fn read(mut self, times: usize) {
        for _ in 0..times {
            self.hold().await;
            self.pause();
        }
        self.world.clock.leave();
    }

    async fn hold(&mut self) {
        let since = self.world.clock.now();
        let reader = match self.index().reader().await {
            Ok(reader) => reader,
            Err(Error::NoSuchIndex(_)) => return,
            Err(error) => panic!("a reader: {error}"),
        };
        let mut first: Option<Seen> = None;
        for again in 0..self.random.random_range(1..4) {
            if again > 0 {
                self.world.clock.sleep(self.random.random_range(1..30) * MINUTE).await;
            }
            // Now and then as one that has cached nothing.
            let mut reader = reader.clone();
            if self.random.random() {
                self.restart();
                if let Ok(other) = self.index().reader().await
                    && other.state == reader.state
                {
                    reader = other;
                }
            }
            let seen = Seen::of(&reader, since).await;
            if self.world.clock.now() - since >= HELD {
                break;
            }
            let seen = seen.unwrap_or_else(|error| panic!("{}, since {since}: {error}", reader.state.commit));
            match &first {
                Some(first) => seen.check(first, &format!("commit {} again", reader.state.commit)),
                None => first = Some(seen),
            }
        }
        if let (Some(seen), Some(incarnation)) = (first, &reader.state.incarnation) {
            self.world.read.lock().unwrap().push((incarnation.clone(), reader.state.commit, seen));
        }
    }

    /// Joins, and deletes garbage.
    pub async fn tidy(mut self, times: usize) {
        for _ in 0..times {
            self.world.clock.sleep(self.random.random_range(1..15) * MINUTE).await;
            let (index, faults, clock) = (self.index(), self.faults.clone(), self.world.clock.clone());
            let now = clock.now();
            let elapsed = || Duration::from_millis((clock.now() - now) as u64);
            let tidied = faults.process(index.tidy(now, Duration::MAX, elapsed)).await.0;
            // One who slept for so long may find what he looked at gone; the next visit looks again.
            let slept = clock.now() - now >= GRACE;
            let tidied = tidied.map(|result| match result {
                Err(Error::Store(StoreError::NotFound { .. })) if slept => None,
                result => answered(result),
            });
            match tidied {
                Some(Some(report)) => {
                    let mut total = self.world.tidied.lock().unwrap();
                    *total = (total.0 + report.joined, total.1 + report.collected);
                }
                Some(None) => {}
                None => self.restart(),
            }
        }
        self.world.clock.leave();
    }

    /// Deletes the index now and then.
    pub async fn delete(mut self, times: usize) {
        for _ in 0..times {
            self.world.clock.sleep(self.random.random_range(60..240) * MINUTE).await;
            let (catalog, faults, now) = (self.catalog.clone(), self.faults.clone(), self.world.clock.now());
            match faults.process(catalog.delete(INDEX, now)).await.0 {
                Some(Err(Error::NoSuchIndex(_))) => {}
                Some(result) => _ = answered(result),
                None => self.restart(),
            }
        }
        self.world.clock.leave();
    }
}

/// The answer, unless the store gave none.
pub fn answered<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
        Err(
            Error::Store(StoreError::Transient { .. }) | Error::Head(HeadError::Store(StoreError::Transient { .. })),
        ) => None,
        Err(error) => panic!("{error:?}"),
    }
}
