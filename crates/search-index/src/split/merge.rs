//! Several splits into one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::try_join_all;
use tantivy::directory::RamDirectory;
use tantivy::indexer::merge_filtered_segments;
use tantivy::{Segment, TantivyError};

use crate::Error;

use super::alive::alive_set;
use super::builder::MAX_TAGS;
use super::pack::{Contents, pack};
use super::{BuildOptions, Built, Deleted, Row, Rows, SplitReader};

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
    /// Of each input: the new number of its first document, its documents, those left out.
    inputs: Vec<(u32, u32, Option<Deleted>)>,
}

impl Merged {
    /// The number that a document of an input has now; `None` if it was left out.
    pub fn moved(&self, input: usize, doc: u32) -> Option<u32> {
        let (first, documents, deleted) = self.inputs.get(input)?;
        let Some(deleted) = deleted else { return (doc < *documents).then_some(first + doc) };
        (doc < *documents && !deleted.contains(doc)).then(|| first + doc - deleted.rank(doc) as u32)
    }
}

impl Input {
    fn documents(&self) -> u32 {
        self.reader.meta().documents
    }

    /// Documents that are kept.
    fn left(&self) -> u32 {
        let last = self.documents().saturating_sub(1);
        self.documents() - self.deleted.as_ref().map_or(0, |deleted| deleted.rank(last) as u32).min(self.documents())
    }

    fn segment(&self) -> Result<Segment, Error> {
        let missing = || Error::Corrupt { key: self.reader.key().to_owned(), reason: "it has no segment".to_owned() };
        self.reader.index().searchable_segments()?.pop().ok_or_else(missing)
    }
}

/// Merges neighbours, given in the order of their `_seq_no`. Reads the objects whole; the work is done where blocking is allowed.
pub async fn merge(inputs: &[Input], options: &BuildOptions) -> Result<Merged, Error> {
    let mut places = Vec::new();
    let mut first = 0;
    for input in inputs {
        places.push((first, input.documents(), input.deleted.clone()));
        first += input.left();
    }
    let inputs: Vec<Input> = inputs.iter().filter(|input| input.left() > 0).cloned().collect();
    if inputs.is_empty() {
        return Ok(Merged { built: None, inputs: places });
    }
    try_join_all(inputs.iter().map(|input| input.reader.load())).await?;
    let rows = try_join_all(inputs.iter().map(|input| input.reader.rows())).await?;
    let contents = contents(&inputs, &rows, options)?;
    let work = tokio::task::spawn_blocking(move || join(&inputs, contents));
    let built = work.await.map_err(|error| Error::Engine(format!("merging splits: {error}")))??;
    Ok(Merged { built: Some(built), inputs: places })
}

/// Merges segments that are in memory. Takes CPU time.
fn join(inputs: &[Input], contents: Contents) -> Result<Built, Error> {
    let segments = inputs.iter().map(Input::segment).collect::<Result<Vec<_>, _>>()?;
    let filter =
        |input: &Input| input.deleted.as_ref().map(|deleted| alive_set(deleted, input.documents())).transpose();
    let filters = inputs.iter().map(filter).collect::<Result<Vec<_>, _>>()?;
    let settings = segments.first().ok_or_else(|| TantivyError::InvalidArgument("nothing to merge".to_owned()))?;
    let settings = settings.index().settings().clone();
    let directory = RamDirectory::create();
    let index = merge_filtered_segments(&segments, settings, filters, directory.clone())?;
    pack(&index, &directory, contents)
}

fn contents(inputs: &[Input], rows: &[Arc<Rows>], options: &BuildOptions) -> Result<Contents, Error> {
    Ok(Contents {
        rows: joined_rows(inputs, rows)?,
        source_bytes: inputs.iter().map(source_bytes).sum(),
        times: times(inputs),
        tags: options.tag_fields.iter().filter_map(|path| Some((path.clone(), tags(inputs, path)?))).collect(),
    })
}

fn joined_rows(inputs: &[Input], rows: &[Arc<Rows>]) -> Result<Rows, Error> {
    let mut joined = Rows::default();
    for (input, rows) in inputs.iter().zip(rows) {
        let left = |doc: &u32| input.deleted.as_ref().is_none_or(|deleted| !deleted.contains(*doc));
        for row in (0..input.documents()).filter(left).filter_map(|doc| rows.row(doc)) {
            if !joined.push(Row { seq_no: row.seq_no + input.seq_base, version: row.version }) {
                let key = input.reader.key();
                return Err(Error::Engine(format!("{key}: its _seq_no {} is not above the last one", row.seq_no)));
            }
        }
    }
    Ok(joined)
}

/// In proportion to the documents that are kept: how long each was is not remembered.
fn source_bytes(input: &Input) -> u64 {
    let of_all = u128::from(input.reader.meta().source_bytes) * u128::from(input.left());
    (of_all / u128::from(input.documents().max(1))) as u64
}

fn times(inputs: &[Input]) -> BTreeMap<String, (i64, i64)> {
    let mut times = BTreeMap::new();
    for (path, &(from, to)) in inputs.iter().flat_map(|input| &input.reader.meta().times) {
        let (first, last) = times.entry(path.clone()).or_insert((from, to));
        (*first, *last) = (from.min(*first), to.max(*last));
    }
    times
}

/// `None` if one of the splits does not know them, or they are too many.
fn tags(inputs: &[Input], path: &str) -> Option<BTreeSet<String>> {
    let mut tags = BTreeSet::new();
    for input in inputs {
        tags.extend(input.reader.meta().tags.get(path)?.iter().cloned());
    }
    (tags.len() <= MAX_TAGS).then_some(tags)
}
