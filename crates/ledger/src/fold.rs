//! Bringing segments into a head.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::head::{Head, HeadError};
use crate::outbox::Outbox;
use crate::segment::{Segment, Segments};

/// What the owner of the state says of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is in the state now.
    Folded,
    /// It does not continue the state (taken in before, or written by a zombie): to be collected.
    Stale,
    /// What it follows is not there yet: it waits.
    Waits,
}

/// What a fold did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    /// Segments taken in.
    pub folded: usize,
    /// Segments thrown away.
    pub stale: usize,
    /// Another took the head first: what there was to fold is his, and nothing was done here.
    pub lost: bool,
}

/// Applies a page of segments to the head in one commit, then collects them. A crash in between leaves segments that the next
/// fold finds stale: `apply` must know from the state alone what it has taken in.
pub async fn fold<T: Serialize + DeserializeOwned + Default>(
    head: &Head<T>,
    segments: &Segments,
    mut apply: impl FnMut(&mut T, &mut Outbox, &Segment) -> Applied,
) -> Result<Folded, HeadError> {
    let mut loaded = head.load().await?;
    let mut result = Folded::default();
    let mut finished = Vec::new();
    for position in segments.list(None).await? {
        let Some(segment) = segments.read(&position).await? else { continue };
        match apply(&mut loaded.state, &mut loaded.outbox, &segment) {
            Applied::Folded => result.folded += 1,
            Applied::Stale => result.stale += 1,
            Applied::Waits => continue,
        }
        finished.push(position);
    }
    if result.folded > 0 && head.commit(loaded).await?.is_none() {
        return Ok(Folded { lost: true, ..Folded::default() });
    }
    for position in finished {
        segments.collect(&position).await?;
    }
    Ok(result)
}
