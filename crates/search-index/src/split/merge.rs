//! Several splits into one.

use std::sync::Arc;

use crate::Error;

use super::{BuildOptions, Built, Deleted, SplitReader};

/// A split to be merged.
#[derive(Clone)]
pub struct Input {
    /// The split.
    pub reader: Arc<SplitReader>,
    /// Documents that are left out.
    pub deleted: Option<Deleted>,
    /// The manifest's, added to its `_seq_no`s.
    pub seq_base: u64,
}

/// What splits became.
pub struct Merged {
    /// The new split, whose `_seq_no`s are whole (`seq_base` 0). `None`: no document was left.
    pub built: Option<Built>,
}

impl Merged {
    /// The number that a document of an input has now; `None` if it was left out.
    pub fn moved(&self, _input: usize, _doc: u32) -> Option<u32> {
        None
    }
}

/// Merges neighbours, given in the order of their `_seq_no`. Reads the objects whole; the work is done where blocking is allowed.
pub async fn merge(_inputs: &[Input], _options: &BuildOptions) -> Result<Merged, Error> {
    Err(Error::Engine("to be written".into()))
}
