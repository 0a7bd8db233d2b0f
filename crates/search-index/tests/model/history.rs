//! What the index must hold: the batches that were committed, one after the other, on a plain map.

use std::collections::{BTreeMap, HashSet};

use ledger::SourceId;
use search_index::write::{DocumentId, Done, Op, Outcome, Part, Taken};
use serde_json::{Map, Value};

use super::clock::BEGIN;
use super::faults::Landed;

/// Sources of this time and before are too old.
pub const STALE: i64 = BEGIN - 20 * 24 * 3_600_000;

/// A write.
#[derive(Debug)]
pub struct Written {
    /// The commit that it made, as the store has seen it.
    pub landed: Option<Landed>,
    /// What was asked.
    pub parts: Vec<Part>,
    /// What was answered, if the writer lived and got an answer.
    pub answers: Option<Vec<Taken>>,
}

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// `_seq_no`.
    pub seq_no: u64,
    /// `_version`.
    pub version: u64,
    /// `_source`.
    pub source: Map<String, Value>,
}

/// Documents by their ids; those whose id was made by the index by their number `auto <n>`.
pub type Documents = BTreeMap<String, Document>;

/// A life of an index.
#[derive(Default)]
pub struct Life {
    documents: Documents,
    taken: HashSet<SourceId>,
    /// The documents after each commit of a writer.
    after: BTreeMap<u64, Documents>,
}

/// All that was written.
#[derive(Default)]
pub struct History {
    lives: BTreeMap<String, Life>,
}

/// What must become of an operation: what is done, or the HTTP status of the refusal.
type Verdict = Result<Done, u16>;

impl History {
    /// Of these writes, which are compared with their answers.
    pub fn of(writes: &[Written]) -> History {
        let mut history = History::default();
        let mut landed: Vec<(&Landed, &Written)> =
            writes.iter().filter_map(|written| Some((written.landed.as_ref()?, written))).collect();
        landed.sort_by_key(|(landed, _)| (landed.incarnation.clone(), landed.commit));
        for pair in landed.windows(2) {
            assert_ne!(pair[0].0, pair[1].0, "two commits with one number: {pair:#?}");
        }
        for (Landed { incarnation, commit }, written) in landed {
            let life = history.lives.entry(incarnation.clone().unwrap()).or_default();
            let expected = life.apply(*commit, &written.parts);
            life.after.insert(*commit, life.documents.clone());
            if let Some(answers) = &written.answers {
                assert_eq!(answers.len(), expected.len());
                for (at, (answer, expected)) in answers.iter().zip(expected).enumerate() {
                    compare(answer, expected, &format!("part {at} of {written:#?}"));
                }
            }
        }
        for written in writes.iter().filter(|written| written.landed.is_none()) {
            for answer in written.answers.iter().flatten() {
                history.check_without_commit(answer, written);
            }
        }
        history
    }

    /// The documents of a commit.
    pub fn at(&self, incarnation: &str, commit: u64) -> Documents {
        let life = self.lives.get(incarnation);
        let after = life.and_then(|life| life.after.range(..=commit).next_back());
        after.map(|(_, documents)| documents.clone()).unwrap_or_default()
    }

    /// An answer without a commit tells of nothing that was changed.
    fn check_without_commit(&self, answer: &Taken, written: &Written) {
        let Taken::Now(results) = answer else { return };
        for done in results.iter().flatten() {
            let there = |documents: &Documents| {
                let document = documents.get(&done.id);
                document.is_some_and(|there| (there.seq_no, there.version) == (done.seq_no, done.version))
            };
            let known = self.lives.values().flat_map(|life| life.after.values()).any(there);
            assert!(done.outcome == Outcome::Noop && known, "{done:?} without a commit: {written:#?}");
        }
    }
}

fn compare(answer: &Taken, expected: Option<Vec<Verdict>>, context: &str) {
    let (Taken::Now(results), Some(expected)) = (answer, &expected) else {
        assert!(!matches!(answer, Taken::Now(_)) && expected.is_none(), "{expected:?} expected of {context}");
        return;
    };
    let results = results.iter().zip(expected).map(|(result, expected)| match (result, expected) {
        // The id was made by the index.
        (Ok(done), Ok(expected)) if expected.id.starts_with("auto ") => {
            Ok(Done { id: expected.id.clone(), ..done.clone() })
        }
        (Ok(done), _) => Ok(done.clone()),
        (Err(refused), _) => Err(refused.status),
    });
    assert_eq!(&results.collect::<Vec<_>>(), expected, "{context}");
}

impl Life {
    /// What becomes of each part: of its operations, or `None` if it was taken before or is too old.
    fn apply(&mut self, commit: u64, parts: &[Part]) -> Vec<Option<Vec<Verdict>>> {
        let mut ordinals = commit << 20..;
        let mut answers = Vec::new();
        for Part { source, ops } in parts {
            let wanted = source.is_none_or(|(source, at)| at > STALE && self.taken.insert(source));
            let verdicts = || ops.iter().map(|op| self.op(commit, op, &mut ordinals)).collect();
            answers.push(wanted.then(verdicts));
        }
        answers
    }

    fn op(&mut self, commit: u64, op: &Op, ordinals: &mut impl Iterator<Item = u64>) -> Verdict {
        let (id, required) = match op {
            Op::Index { id, source, if_seq_no } => (name(id, source), *if_seq_no),
            Op::Create { id, source } => (name(id, source), None),
            Op::Update { id, if_seq_no, .. } | Op::Delete { id, if_seq_no } => (id.clone(), *if_seq_no),
        };
        let there = self.documents.get(&id).cloned();
        if let (Op::Update { upsert, .. }, None) = (op, &there)
            && (upsert.is_none() || required.is_some())
        {
            return Err(404);
        }
        // Nobody knows a `_seq_no` of a commit that is not made yet: one that is met is of another life.
        let met = |there: &Document| Some(there.seq_no) == required && there.seq_no >> 20 != commit;
        if required.is_some() && !there.as_ref().is_some_and(met) {
            return Err(409);
        }
        let source = match (op, &there) {
            (Op::Create { .. }, Some(_)) => return Err(409),
            (Op::Index { source, .. } | Op::Create { source, .. }, _) => object(source).ok_or(400u16)?,
            (Op::Update { upsert, .. }, None) => object(upsert.as_ref().unwrap()).unwrap(),
            (Op::Update { doc, .. }, Some(there)) => {
                let mut merged = there.source.clone();
                merged.extend(object(doc).unwrap());
                if merged == there.source {
                    let (seq_no, version) = (there.seq_no, there.version);
                    return Ok(Done { id, outcome: Outcome::Noop, seq_no, version });
                }
                merged
            }
            (Op::Delete { .. }, there) => {
                self.documents.remove(&id);
                let outcome = if there.is_some() { Outcome::Deleted } else { Outcome::NotFound };
                let version = there.as_ref().map_or(1, |there| there.version + 1);
                return Ok(Done { id, outcome, seq_no: ordinals.next().unwrap(), version });
            }
        };
        let (seq_no, version) = (ordinals.next().unwrap(), there.as_ref().map_or(1, |there| there.version + 1));
        self.documents.insert(id.clone(), Document { seq_no, version, source });
        let outcome = if there.is_some() { Outcome::Updated } else { Outcome::Created };
        Ok(Done { id, outcome, seq_no, version })
    }
}

fn name(id: &DocumentId, source: &[u8]) -> String {
    match id {
        DocumentId::Given(id) | DocumentId::Source(id) => id.clone(),
        DocumentId::Auto => auto(&object(source).unwrap()),
    }
}

/// The name of a document whose id was made by the index.
pub fn auto(source: &Map<String, Value>) -> String {
    format!("auto {}", source["n"])
}

fn object(source: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(source).ok()
}
