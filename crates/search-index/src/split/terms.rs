//! What a query needs of a split.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use tantivy::schema::{Field, Term};

/// Terms of a pattern: those in a range of the dictionary that pass a test.
#[derive(Clone)]
pub struct Pattern {
    /// The field.
    pub field: Field,
    /// Serialised values (`Term::serialized_value_bytes`) from, inclusive, to, exclusive.
    pub range: Range<Vec<u8>>,
    /// Which of them; all when `None`.
    pub test: Option<Arc<dyn Fn(&[u8]) -> bool + Send + Sync>>,
    /// At most so many of them are read (the first ones, in order).
    pub limit: usize,
    /// With positions.
    pub positions: bool,
}

/// What a query needs of a split: everything that [`SplitReader::prefetch`](super::SplitReader::prefetch) shall read.
#[derive(Clone, Default)]
pub struct Wanted {
    /// Terms, with their postings; and their positions where true.
    pub terms: BTreeMap<Term, bool>,
    /// Terms of patterns.
    pub patterns: Vec<Pattern>,
    /// Paths whose columns are needed.
    pub columns: BTreeSet<String>,
    /// Fields whose lengths are needed (scores of words).
    pub fieldnorms: BTreeSet<Field>,
}
