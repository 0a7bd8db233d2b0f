//! `_seq_no` and `_version` of the documents of a split.

use std::ops::Range;

use super::Row;

/// `_seq_no` and `_version` of the documents of a split, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {}

impl Rows {
    /// Of a document; `None` beyond the last. `seq_no` is without the manifest's `seq_base`.
    pub fn row(&self, _doc: u32) -> Option<Row> {
        None
    }

    /// The documents whose `_seq_no` (without the manifest's `seq_base`) is in the range.
    pub fn docs(&self, _seq: Range<u64>) -> Range<u32> {
        0..0
    }
}
