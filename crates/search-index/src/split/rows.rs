//! `_seq_no` and `_version` of the documents of a split.

use std::ops::Range;

use super::Row;
use super::format::{Cursor, Malformed, add, put_varint};

/// `_seq_no` and `_version` of the documents of a split, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    documents: u32,
    /// First document and its `_seq_no` of each run in which `_seq_no` goes up by one.
    runs: Vec<(u32, u64)>,
    /// Documents whose `_version` is not 1.
    versions: Vec<(u32, u64)>,
}

impl Rows {
    /// Appends a document's row; `false` if its `_seq_no` is not above the last one's.
    pub(super) fn push(&mut self, row: Row) -> bool {
        let next = self.runs.last().map(|&(doc, seq)| seq + u64::from(self.documents - doc));
        if next.is_some_and(|next| row.seq_no < next) {
            return false;
        }
        if next != Some(row.seq_no) {
            self.runs.push((self.documents, row.seq_no));
        }
        if row.version != 1 {
            self.versions.push((self.documents, row.version));
        }
        self.documents += 1;
        true
    }

    /// Of a document; `None` beyond the last. `seq_no` is without the manifest's `seq_base`.
    pub fn row(&self, doc: u32) -> Option<Row> {
        if doc >= self.documents {
            return None;
        }
        let run = self.runs.partition_point(|&(first, _)| first <= doc).checked_sub(1)?;
        let (first, seq) = self.runs[run];
        let version = self.versions.binary_search_by_key(&doc, |&(doc, _)| doc).map_or(1, |n| self.versions[n].1);
        Some(Row { seq_no: seq + u64::from(doc - first), version })
    }

    /// The documents whose `_seq_no` (without the manifest's `seq_base`) is in the range.
    pub fn docs(&self, seq: Range<u64>) -> Range<u32> {
        let start = self.first_from(seq.start);
        start..self.first_from(seq.end).max(start)
    }

    /// The first document whose `_seq_no` is not below this one.
    fn first_from(&self, seq_no: u64) -> u32 {
        let after = self.runs.partition_point(|&(_, seq)| seq <= seq_no);
        let end = self.runs.get(after).map_or(self.documents, |&(doc, _)| doc);
        let Some(run) = after.checked_sub(1) else { return 0 };
        let (doc, seq) = self.runs[run];
        u64::from(doc).saturating_add(seq_no - seq).min(u64::from(end)) as u32
    }

    /// Documents.
    pub fn documents(&self) -> u32 {
        self.documents
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, u64::from(self.documents));
        for pairs in [&self.runs, &self.versions] {
            put_varint(&mut out, pairs.len() as u64);
        }
        let (mut doc, mut seq) = (0, 0);
        for &(first, seq_no) in &self.runs {
            put_varint(&mut out, u64::from(first - doc));
            put_varint(&mut out, seq_no - seq);
            (doc, seq) = (first, seq_no);
        }
        let mut doc = 0;
        for &(at, version) in &self.versions {
            put_varint(&mut out, u64::from(at - doc));
            put_varint(&mut out, version);
            doc = at;
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Rows, Malformed> {
        let mut cursor = Cursor::new(bytes);
        let documents = u32::try_from(cursor.varint()?).map_err(|_| "too many documents")?;
        let (runs, versions) = (cursor.count()?, cursor.count()?);
        let (mut at, mut seq) = (0, 0);
        let run = |_| {
            (at, seq) = (doc(at, &mut cursor, documents)?, add(seq, cursor.varint()?)?);
            Ok((at, seq))
        };
        let runs = (0..runs).map(run).collect::<Result<_, Malformed>>()?;
        let mut at = 0;
        let version = |_| {
            at = doc(at, &mut cursor, documents)?;
            Ok((at, cursor.varint()?))
        };
        let versions = (0..versions).map(version).collect::<Result<_, Malformed>>()?;
        Ok(Rows { documents, runs, versions })
    }
}

fn doc(before: u32, cursor: &mut Cursor<'_>, documents: u32) -> Result<u32, Malformed> {
    let doc = add(u64::from(before), cursor.varint()?)?;
    u32::try_from(doc).ok().filter(|&doc| doc < documents).ok_or("a document beyond the last")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let given: Vec<Row> = (0..1_000u64)
            .map(|n| Row { seq_no: n + n / 100 * 50 + (7 << 20), version: if n % 3 == 0 { 1 } else { n } })
            .collect();
        let mut rows = Rows::default();
        assert!(given.iter().all(|&row| rows.push(row)));
        assert_eq!(rows.runs.len(), 10);
        let rows = Rows::decode(&rows.encode()).unwrap();
        let read: Vec<Row> = (0..1_000).map(|doc| rows.row(doc).unwrap()).collect();
        assert_eq!(read, given);
        assert_eq!(rows.row(1_000), None);
    }

    #[test]
    fn documents_of_a_range() {
        let mut rows = Rows::default();
        for seq_no in [5, 6, 7, 20, 21, 40] {
            assert!(rows.push(Row { seq_no, version: 1 }));
        }
        assert!(!rows.push(Row { seq_no: 40, version: 1 }));
        for (seq, docs) in [
            (0..5, 0..0),
            (0..6, 0..1),
            (6..21, 1..4),
            (7..8, 2..3),
            (8..20, 3..3),
            (8..40, 3..5),
            (21..99, 4..6),
            (50..99, 6..6),
        ] {
            assert_eq!(rows.docs(seq.clone()), docs, "{seq:?}");
        }
        assert_eq!(Rows::default().docs(0..9), 0..0);
    }

    #[test]
    fn broken_bytes_are_told() {
        let mut rows = Rows::default();
        assert!(rows.push(Row { seq_no: 300, version: 2 }));
        let bytes = rows.encode();
        for end in 0..bytes.len() {
            assert!(Rows::decode(&bytes[..end]).is_err(), "{end}");
        }
        assert!(Rows::decode(&[1, 1, 0, 5, 1]).is_err());
    }
}
