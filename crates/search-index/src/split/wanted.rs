//! What a query needs of a split.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use tantivy::schema::{Field, Term};

/// A test of terms, given as `Term::serialized_value_bytes`.
pub type TermTest = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// Terms of a pattern: those in a range of the dictionary that pass a test.
#[derive(Clone)]
pub struct Pattern {
    /// The field.
    pub field: Field,
    /// Serialised values (`Term::serialized_value_bytes`) from, inclusive, to, exclusive.
    pub range: Range<Vec<u8>>,
    /// Which of them; all when `None`.
    pub test: Option<TermTest>,
    /// At most so many of them are read (the first ones, in order).
    pub limit: usize,
    /// With positions.
    pub positions: bool,
}

/// What a query needs of a split: everything that [`SplitReader::prefetch`](super::SplitReader::prefetch) shall read.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Terms, with their postings; and their positions where true.
    pub terms: BTreeMap<Term, bool>,
    /// Terms of patterns.
    pub patterns: Vec<Pattern>,
    /// Paths whose columns are needed.
    pub columns: BTreeSet<String>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?}, {:?}, tested: {})", self.field, self.range, self.test.is_some())
    }
}
