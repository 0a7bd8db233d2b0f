//! Durable state on an object store: nothing else is needed to run.
//!
//! A writer that may run twice, late, or beside others keeps its state here:
//!
//! 1. [`ObjectStore`] is S3 (in the `aws` crate) or a folder ([`FileStore`]): get, ranged and conditional; put, conditional; delete;
//!    list. Both pass [`suite`].
//! 2. [`commit`] makes a conditional put exact although its answer may be lost: the object carries a random commit id, and whoever
//!    is told «precondition failed» reads it back to see whether it was himself.
//! 3. [`Head`] is state that is replaced by compare-and-swap, with the [`Outbox`] of effects that the same commit decided on.
//! 4. [`Segments`] are appended under the position in their source: that write is the commit of a batch, and a replay finds it
//!    there. [`fold`] brings them into a head; losing that race is success.
//! 5. [`Positions`] remember which sources were taken, for fifteen days.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use std::sync::Arc;
//! use ledger::{FileStore, Head};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let store = Arc::new(FileStore::open(folder.path()).unwrap());
//! let head: Head<u64> = Head::new(store, "counter/head");
//! head.update(|count, _outbox| *count += 1).await.unwrap();
//! assert_eq!(head.load().await.unwrap().state, 1);
//! # });
//! ```
//!
//! Absent: AWS, clocks (`now` is always given), and what the state means.

pub mod commit;
mod file;
mod fold;
mod head;
mod outbox;
mod positions;
mod segment;
mod store;
pub mod suite;

pub use file::FileStore;
pub use fold::{Applied, Folded, fold};
pub use head::{Head, HeadError, Loaded, MAX_RACES};
pub use outbox::{Effect, Full as OutboxFull, Outbox};
pub use positions::{KEPT_DAYS, Positions, Seen, SourceId};
pub use segment::{Append, Segment, Segments};
pub use store::{ETag, Meta, Object, ObjectStore, Precondition, StoreError};
