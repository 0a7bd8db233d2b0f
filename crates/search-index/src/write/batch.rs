//! The operations of a commit in one line.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ledger::SourceId;

use crate::Error;
use crate::manifest::ORDINAL_BITS;

use super::{DocumentId, Op, Part};

/// Operations of a commit at most: their ordinals must fit into a `_seq_no`.
pub const MAX_OPS: usize = 1 << ORDINAL_BITS;

/// A part, or a piece of one that has no source and too many operations.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// Which part.
    pub part: usize,
    /// Its source and that one's time.
    pub source: Option<(SourceId, i64)>,
    /// Its operations.
    pub ops: &'a [Op],
}

/// Operations that are committed together.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// Where they come from.
    pub pieces: Vec<Piece<'a>>,
    /// The operations of all pieces, in order.
    pub entries: Vec<Entry<'a>>,
    /// Some operations name ids that others may have used.
    pub names_ids: bool,
}

/// An operation and what it works on.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Index of the piece.
    pub piece: usize,
    /// The operation.
    pub op: &'a Op,
    /// `_id`, made here if the client gave none; the same however often the commit is tried.
    pub id: Cow<'a, str>,
}

impl<'a> Batch<'a> {
    /// As many commits as the parts need: nearly always one.
    pub fn of(parts: &'a [Part]) -> Result<Vec<Batch<'a>>, Error> {
        let mut batches = vec![Vec::new()];
        let mut room = MAX_OPS;
        for (part, Part { source, ops }) in parts.iter().enumerate() {
            if source.is_some() && ops.len() > MAX_OPS {
                let reason = format!("a source with {} documents: it must have no more than {MAX_OPS}", ops.len());
                return Err(Error::Request { kind: "illegal_argument_exception", reason });
            }
            let mut pieces = ops.chunks(MAX_OPS).peekable();
            let none: &[Op] = &[];
            let empty = pieces.peek().is_none().then_some(none);
            for ops in pieces.chain(empty) {
                if ops.len() > room {
                    batches.push(Vec::new());
                    room = MAX_OPS;
                }
                room -= ops.len();
                if let Some(batch) = batches.last_mut() {
                    batch.push(Piece { part, source: *source, ops });
                }
            }
        }
        Ok(batches.into_iter().map(Batch::new).collect())
    }

    fn new(pieces: Vec<Piece<'a>>) -> Batch<'a> {
        let entries: Vec<Entry<'a>> = pieces
            .iter()
            .enumerate()
            .flat_map(|(piece, Piece { ops, .. })| ops.iter().map(move |op| Entry { piece, op, id: id(op) }))
            .collect();
        let names_ids = entries.iter().any(|entry| entry.is_looked_up());
        Batch { pieces, entries, names_ids }
    }

    /// Sources with their times, and the index of the piece of each.
    pub fn sources(&self) -> (Vec<usize>, Vec<(SourceId, i64)>) {
        self.pieces.iter().enumerate().filter_map(|(at, piece)| Some((at, piece.source?))).unzip()
    }

    /// Ids to look up in the pieces that are wanted, and those of them whose documents are needed whole.
    pub fn ids(&self, wanted: impl Fn(usize) -> bool) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let entries = || self.entries.iter().filter(|entry| wanted(entry.piece));
        let all = entries().filter(|entry| entry.is_looked_up()).map(|entry| entry.id.as_ref()).collect();
        let whole = entries().filter(|entry| matches!(entry.op, Op::Update { .. })).map(|entry| entry.id.as_ref());
        (all, whole.collect())
    }

    /// There is something that makes an index which is not there.
    pub fn creates(&self) -> bool {
        self.entries.iter().any(|entry| !matches!(entry.op, Op::Delete { .. }))
    }
}

impl Entry<'_> {
    /// Another document may have its id.
    pub fn is_looked_up(&self) -> bool {
        match self.op {
            Op::Index { id, .. } | Op::Create { id, .. } => matches!(id, DocumentId::Given(_)),
            Op::Update { .. } | Op::Delete { .. } => true,
        }
    }
}

fn id(op: &Op) -> Cow<'_, str> {
    match op {
        Op::Index { id, .. } | Op::Create { id, .. } => match id {
            DocumentId::Given(id) | DocumentId::Source(id) => Cow::Borrowed(id),
            DocumentId::Auto => Cow::Owned(uuid::Uuid::now_v7().simple().to_string()),
        },
        Op::Update { id, .. } | Op::Delete { id, .. } => Cow::Borrowed(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_for_a_commit() {
        let ops = |count| vec![Op::Delete { id: String::new(), if_seq_no: None }; count];
        let source = Some((SourceId::object("b", "k", "e"), 0));
        let check = |parts: &[Part], expected: &[&[(usize, usize)]]| {
            let batches = Batch::of(parts).unwrap();
            let shape = |batch: &Batch<'_>| batch.pieces.iter().map(|piece| (piece.part, piece.ops.len())).collect();
            let got: Vec<Vec<(usize, usize)>> = batches.iter().map(shape).collect();
            assert_eq!(got, expected);
        };
        check(&[Part { source: None, ops: ops(3) }, Part { source, ops: ops(2) }], &[&[(0, 3), (1, 2)]]);
        check(&[Part { source, ops: ops(0) }], &[&[(0, 0)]]);
        check(&[Part { source: None, ops: ops(MAX_OPS + 1) }], &[&[(0, MAX_OPS)], &[(0, 1)]]);
        check(&[Part { source: None, ops: ops(1) }, Part { source, ops: ops(MAX_OPS) }], &[&[(0, 1)], &[(1, MAX_OPS)]]);
        let error = Batch::of(&[Part { source, ops: ops(MAX_OPS + 1) }]).unwrap_err();
        assert!(error.to_string().contains("1048577 documents"), "{error}");
    }
}
