//! What becomes of each operation, given what is there. No store: a race that was lost is decided again.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use ledger::Seen;

use crate::Error;
use crate::manifest::ORDINAL_BITS;
use crate::mapping::DocumentError;
use crate::split::Row;

use super::batch::{Batch, Entry};
use super::lookup::Located;
use super::{Done, IfSeqNo, Op, Outcome, Refused, Taken, partial};

/// Bytes of an `_id` at most (Elasticsearch's `IndexRequest`).
const MAX_ID: usize = 512;

/// Takes the documents that are to be indexed.
pub trait Sink {
    /// Adds a document, and tells its number; or why the mapping refuses it.
    fn add(&mut self, id: &str, source: &Bytes, row: Row) -> Result<Result<u32, DocumentError>, Error>;
}

/// What there is.
pub struct There<'a> {
    /// The index exists, or something of this batch makes it.
    pub exists: bool,
    /// The number that the commit will have.
    pub commit: u64,
    /// Copies of the documents that the batch names, by their ids.
    pub found: &'a HashMap<String, Located>,
}

/// What is to be committed.
#[derive(Debug, Default)]
pub struct Plan {
    /// What became of each operation; `None` for those of pieces that are not wanted.
    verdicts: Vec<Option<Verdict>>,
    /// Key of a split → documents of it that are gone.
    pub deleted: BTreeMap<String, Vec<u32>>,
    /// New documents that are gone again: replaced by a later operation.
    pub gone: Vec<u32>,
    /// Documents that were added.
    pub added: u32,
    /// Ordinals that were used: something changes if there are any.
    pub ordinals: u64,
    /// An answer names a `_seq_no` of this commit, so that it cannot be used for one with another number.
    pub names_commit: bool,
}

type Verdict = Result<Decided, Refused>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decided {
    outcome: Outcome,
    seq: Seq,
    version: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seq {
    /// Of an earlier commit.
    No(u64),
    /// The ordinal in this commit.
    Ordinal(u64),
}

/// A copy of a document, here or in a split.
#[derive(Debug, Clone)]
struct Copy<'a> {
    /// The split, and the number in it.
    place: (Option<&'a str>, u32),
    seq: Seq,
    version: u64,
    source: Option<&'a Bytes>,
    merged: Option<Bytes>,
}

/// Decides on the operations of the pieces that are wanted, in order.
pub fn decide(batch: &Batch<'_>, wanted: &[bool], there: &There<'_>, sink: &mut dyn Sink) -> Result<Plan, Error> {
    let mut deciding = Deciding { there, sink, here: HashMap::new(), tracks: batch.names_ids, plan: Plan::default() };
    for entry in &batch.entries {
        let verdict = if wanted[entry.piece] { Some(deciding.entry(entry)?) } else { None };
        deciding.plan.verdicts.push(verdict);
    }
    Ok(deciding.plan)
}

impl Plan {
    /// The answers, when this is the commit of that number and so much is known of the sources of the pieces.
    pub fn answers(&self, batch: &Batch<'_>, commit: u64, seen: &[Seen]) -> Vec<Taken> {
        let mut verdicts = batch.entries.iter().zip(&self.verdicts);
        let mut answers = Vec::with_capacity(seen.len());
        for (piece, seen) in batch.pieces.iter().zip(seen) {
            let of_piece = verdicts.by_ref().take(piece.ops.len());
            let results =
                of_piece.filter_map(|(entry, verdict)| Some(answer(entry, verdict.as_ref()?, commit))).collect();
            answers.push(match seen {
                Seen::New => Taken::Now(results),
                Seen::Known => Taken::Before,
                Seen::Stale => Taken::Stale,
            });
        }
        answers
    }
}

fn answer(entry: &Entry<'_>, verdict: &Verdict, commit: u64) -> Result<Done, Refused> {
    let id = entry.id.clone().into_owned();
    match verdict {
        Ok(Decided { outcome, seq, version }) => {
            Ok(Done { id, outcome: *outcome, seq_no: seq.number(commit), version: *version })
        }
        Err(refused) => Err(Refused { id: Some(id), ..refused.clone() }),
    }
}

impl Seq {
    fn number(self, commit: u64) -> u64 {
        match self {
            Seq::No(number) => number,
            Seq::Ordinal(ordinal) => (commit << ORDINAL_BITS) + ordinal,
        }
    }
}

struct Deciding<'a> {
    there: &'a There<'a>,
    sink: &'a mut dyn Sink,
    /// Ids that this batch has written (`Some`) or deleted.
    here: HashMap<&'a str, Option<Copy<'a>>>,
    /// Whether what this batch writes may be named by it again.
    tracks: bool,
    plan: Plan,
}

impl<'a> Deciding<'a> {
    fn entry(&mut self, entry: &'a Entry<'_>) -> Result<Verdict, Error> {
        let id = entry.id.as_ref();
        if let Some(refused) = bad_id(id) {
            return Ok(Err(refused));
        }
        let there = self.current(id);
        match entry.op {
            Op::Index { source, if_seq_no, .. } => match self.conflict(id, *if_seq_no, there.as_ref()) {
                Some(refused) => Ok(Err(refused)),
                None => self.put(id, Body::Given(source), there),
            },
            Op::Create { source, .. } => match there {
                Some(there) => {
                    Ok(Err(conflict(id, format!("document already exists (current version [{}])", there.version))))
                }
                None => self.put(id, Body::Given(source), None),
            },
            Op::Update { doc, upsert, if_seq_no, .. } => self.update(id, doc, upsert.as_ref(), *if_seq_no, there),
            Op::Delete { if_seq_no, .. } => Ok(self.delete(id, *if_seq_no, there)),
        }
    }

    fn current(&self, id: &str) -> Option<Copy<'a>> {
        if let Some(here) = self.here.get(id) {
            return here.clone();
        }
        let found: &'a Located = self.there.found.get(id)?;
        Some(Copy {
            place: (Some(&found.split), found.doc),
            seq: Seq::No(found.seq_no),
            version: found.version,
            source: found.source.as_ref(),
            merged: None,
        })
    }

    fn update(
        &mut self,
        id: &'a str,
        doc: &'a Bytes,
        upsert: Option<&'a Bytes>,
        if_seq_no: IfSeqNo,
        there: Option<Copy<'a>>,
    ) -> Result<Verdict, Error> {
        let Some(copy) = &there else {
            return match upsert {
                Some(upsert) if if_seq_no.is_none() => self.put(id, Body::Given(upsert), None),
                _ => Ok(Err(refused("document_missing_exception", format!("[{id}]: document missing"), 404))),
            };
        };
        if let Some(refused) = self.conflict(id, if_seq_no, Some(copy)) {
            return Ok(Err(refused));
        }
        let source = copy.merged.as_ref().or(copy.source).map_or(&b""[..], |source| source);
        match partial::merge(source, doc) {
            Ok(Some(merged)) => self.put(id, Body::Merged(merged), there),
            Ok(None) => {
                self.plan.names_commit |= matches!(copy.seq, Seq::Ordinal(_));
                Ok(Ok(Decided { outcome: Outcome::Noop, seq: copy.seq, version: copy.version }))
            }
            Err(reason) => Ok(Err(refused("x_content_parse_exception", format!("[{id}]: {reason}"), 400))),
        }
    }

    fn delete(&mut self, id: &'a str, if_seq_no: IfSeqNo, there: Option<Copy<'a>>) -> Verdict {
        if !self.there.exists {
            return Err(refused("index_not_found_exception", "no such index".to_owned(), 404));
        }
        if let Some(refused) = self.conflict(id, if_seq_no, there.as_ref()) {
            return Err(refused);
        }
        let (outcome, version) = match &there {
            Some(copy) => (Outcome::Deleted, copy.version + 1),
            None => (Outcome::NotFound, 1),
        };
        if let Some(copy) = there {
            self.bury(copy.place);
            self.here.insert(id, None);
        }
        Ok(Decided { outcome, seq: self.ordinal(), version })
    }

    /// Indexes a document in place of the copy that is there.
    fn put(&mut self, id: &'a str, body: Body<'a>, there: Option<Copy<'a>>) -> Result<Verdict, Error> {
        let version = there.as_ref().map_or(1, |copy| copy.version + 1);
        let source = match &body {
            Body::Given(source) => source,
            Body::Merged(source) => source,
        };
        let row = Row { seq_no: self.plan.ordinals, version };
        let doc = match self.sink.add(id, source, row)? {
            Ok(doc) => doc,
            Err(DocumentError { kind, reason }) => return Ok(Err(refused(kind, reason, 400))),
        };
        let seq = self.ordinal();
        self.plan.added += 1;
        let outcome = if there.is_some() { Outcome::Updated } else { Outcome::Created };
        if let Some(copy) = there {
            self.bury(copy.place);
        }
        if self.tracks {
            let (source, merged) = match body {
                Body::Given(source) => (Some(source), None),
                Body::Merged(source) => (None, Some(source)),
            };
            self.here.insert(id, Some(Copy { place: (None, doc), seq, version, source, merged }));
        }
        Ok(Ok(Decided { outcome, seq, version }))
    }

    fn ordinal(&mut self) -> Seq {
        self.plan.ordinals += 1;
        Seq::Ordinal(self.plan.ordinals - 1)
    }

    fn bury(&mut self, (split, doc): (Option<&str>, u32)) {
        match split {
            None => self.plan.gone.push(doc),
            Some(split) => match self.plan.deleted.get_mut(split) {
                Some(docs) => docs.push(doc),
                None => _ = self.plan.deleted.insert(split.to_owned(), vec![doc]),
            },
        }
    }

    fn conflict(&mut self, id: &str, required: IfSeqNo, there: Option<&Copy<'_>>) -> Option<Refused> {
        let required = required?;
        let term = "primary term [1]";
        match there.map(|copy| copy.seq) {
            Some(Seq::No(current)) if current == required => None,
            None => Some(conflict(id, format!("required seqNo [{required}], {term}. but no document was found"))),
            Some(seq) => {
                // Nobody can know a `_seq_no` of a commit that is not made yet.
                self.plan.names_commit |= matches!(seq, Seq::Ordinal(_));
                let current = format!("current document has seqNo [{}] and {term}", seq.number(self.there.commit));
                Some(conflict(id, format!("required seqNo [{required}], {term}. {current}")))
            }
        }
    }
}

enum Body<'a> {
    Given(&'a Bytes),
    Merged(Bytes),
}

fn bad_id(id: &str) -> Option<Refused> {
    let reason = match id.len() {
        0 => "if _id is specified it must not be empty".to_owned(),
        1..=MAX_ID => return None,
        len => format!("id [{id}] is too long, must be no longer than {MAX_ID} bytes but was: {len}"),
    };
    Some(refused("illegal_argument_exception", reason, 400))
}

fn conflict(id: &str, reason: String) -> Refused {
    refused("version_conflict_engine_exception", format!("[{id}]: version conflict, {reason}"), 409)
}

fn refused(kind: &'static str, reason: String, status: u16) -> Refused {
    Refused { id: None, kind, reason, status }
}

#[cfg(test)]
mod tests {
    use super::super::{DocumentId, Part};
    use super::*;

    /// Refuses `{"bad":…`.
    #[derive(Default)]
    struct Fake(Vec<String>);

    impl Sink for Fake {
        fn add(&mut self, id: &str, source: &Bytes, row: Row) -> Result<Result<u32, DocumentError>, Error> {
            if source.starts_with(b"{\"bad") {
                return Ok(Err(DocumentError { kind: "document_parsing_exception", reason: "bad".to_owned() }));
            }
            self.0.push(format!("{id}@{}v{}={}", row.seq_no, row.version, String::from_utf8_lossy(source)));
            Ok(Ok(self.0.len() as u32 - 1))
        }
    }

    fn op(text: &str) -> Op {
        let mut words = text.split(' ');
        let (kind, id, body) = (words.next().unwrap(), words.next().unwrap().to_owned(), words.next().unwrap_or("{}"));
        let source = Bytes::copy_from_slice(body.as_bytes());
        let if_seq_no = words.next().filter(|word| *word != "-").map(|number| number.parse().unwrap());
        let upsert = words.next().map(|upsert| Bytes::copy_from_slice(upsert.as_bytes()));
        match kind {
            "index" => Op::Index { id: DocumentId::Given(id), source, if_seq_no },
            "source" => Op::Index { id: DocumentId::Source(id), source, if_seq_no },
            "create" => Op::Create { id: DocumentId::Given(id), source },
            "update" => Op::Update { id, doc: source, upsert, if_seq_no },
            "delete" => Op::Delete { id, if_seq_no },
            other => panic!("{other}"),
        }
    }

    /// `old` is there: document 7 of split `s`, `_seq_no` 100, version 5, `{"n":1}`. The commit is number 1.
    fn check(ops: &[&str], answers: &[&str], documents: &[&str], deleted: &[u32], gone: &[u32]) {
        let parts = [Part { source: None, ops: ops.iter().map(|text| op(text)).collect() }];
        let batch = Batch::of(&parts).unwrap().remove(0);
        let source = Some(Bytes::from_static(b"{\"n\":1}"));
        let old = Located { split: "s".to_owned(), doc: 7, seq_no: 100, version: 5, source };
        let found = HashMap::from([("old".to_owned(), old)]);
        let there = There { exists: true, commit: 1, found: &found };
        let mut sink = Fake::default();
        let plan = decide(&batch, &[true], &there, &mut sink).unwrap();
        let Taken::Now(results) = plan.answers(&batch, 1, &[Seen::New]).remove(0) else { panic!() };
        let show = |result: &Result<Done, Refused>| match result {
            Ok(done) => {
                let seq = if done.seq_no >= 1 << 20 {
                    format!("+{}", done.seq_no - (1 << 20))
                } else {
                    done.seq_no.to_string()
                };
                format!("{:?} {seq} v{}", done.outcome, done.version)
            }
            Err(refused) => format!("{} {}", refused.status, refused.reason),
        };
        assert_eq!(results.iter().map(show).collect::<Vec<_>>(), answers, "{ops:?}");
        assert_eq!(sink.0, documents, "{ops:?}");
        assert_eq!(plan.deleted.get("s").map_or(&[][..], |docs| docs), deleted, "{ops:?}");
        assert_eq!(plan.gone, gone, "{ops:?}");
    }

    #[test]
    fn decisions() {
        check(&["index a {}"], &["Created +0 v1"], &["a@0v1={}"], &[], &[]);
        check(&["index old {}"], &["Updated +0 v6"], &["old@0v6={}"], &[7], &[]);
        check(&["index a {}", "index a {}"], &["Created +0 v1", "Updated +1 v2"], &["a@0v1={}", "a@1v2={}"], &[], &[0]);
        check(&["index old {} 100"], &["Updated +0 v6"], &["old@0v6={}"], &[7], &[]);
        let current = "409 [old]: version conflict, required seqNo [99], primary term [1]. current document has seqNo [100] and \
                       primary term [1]";
        check(&["index old {} 99"], &[current], &[], &[], &[]);
        check(&["delete old {} 99"], &[current], &[], &[], &[]);
        check(&["update old {} 99"], &[current], &[], &[], &[]);
        check(
            &["index a {} 99"],
            &["409 [a]: version conflict, required seqNo [99], primary term [1]. but no document was found"],
            &[],
            &[],
            &[],
        );
        check(
            &["index a {}", "delete a {} 0"],
            &[
                "Created +0 v1",
                "409 [a]: version conflict, required seqNo [0], primary term [1]. current document has seqNo [1048576] and \
                 primary term [1]",
            ],
            &["a@0v1={}"],
            &[],
            &[],
        );
        check(
            &["create old {}", "delete old", "create old {}"],
            &[
                "409 [old]: version conflict, document already exists (current version [5])",
                "Deleted +0 v6",
                "Created +1 v1",
            ],
            &["old@1v1={}"],
            &[7],
            &[],
        );
        check(
            &["delete a", "delete old", "delete old"],
            &["NotFound +0 v1", "Deleted +1 v6", "NotFound +2 v1"],
            &[],
            &[7],
            &[],
        );
        check(
            &["source a {}", "delete a", "index old {\"bad\":1}"],
            &["Created +0 v1", "Deleted +1 v2", "400 bad"],
            &["a@0v1={}"],
            &[],
            &[0],
        );
        let long = "x".repeat(MAX_ID + 1);
        let too_long = format!("400 id [{long}] is too long, must be no longer than 512 bytes but was: 513");
        check(&[&format!("index {long}")], &[&too_long], &[], &[], &[]);
    }

    #[test]
    fn updates() {
        check(&["update a {}"], &["404 [a]: document missing"], &[], &[], &[]);
        check(&["update a {} - {\"u\":1}"], &["Created +0 v1"], &["a@0v1={\"u\":1}"], &[], &[]);
        check(&["update a {} 3 {\"u\":1}"], &["404 [a]: document missing"], &[], &[], &[]);
        check(&["update old {\"n\":1}"], &["Noop 100 v5"], &[], &[], &[]);
        check(&["update old {\"m\":2} 100"], &["Updated +0 v6"], &["old@0v6={\"n\":1,\"m\":2}"], &[7], &[]);
        check(
            &["update old {\"m\":2}", "update old {\"m\":2}", "update old {\"k\":3}"],
            &["Updated +0 v6", "Noop +0 v6", "Updated +1 v7"],
            &["old@0v6={\"n\":1,\"m\":2}", "old@1v7={\"n\":1,\"m\":2,\"k\":3}"],
            &[7],
            &[0],
        );
        check(
            &["index a {\"x\":1}", "update a {\"y\":2}", "update a {\"bad\":2}"],
            &["Created +0 v1", "Updated +1 v2", "Updated +2 v3"],
            &["a@0v1={\"x\":1}", "a@1v2={\"x\":1,\"y\":2}", "a@2v3={\"x\":1,\"y\":2,\"bad\":2}"],
            &[],
            &[0, 1],
        );
    }
}
