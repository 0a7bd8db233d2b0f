//! Keys in the index bucket, all under `analytics/<application>/`.

use std::sync::Arc;

use ledger::{Head, ObjectStore, Segments};
use stream_sql::PageId;

use crate::state::State;

/// Everything of all applications.
pub const ROOT: &str = "analytics/";

/// The head.
pub fn head(store: &Arc<dyn ObjectStore>, application: &str) -> Head<State> {
    Head::new(store.clone(), &format!("{ROOT}{application}/head"))
}

/// Batches of a stream's shards, each shard under a prefix of its own.
pub fn stream_prefix(application: &str, stream: &str) -> String {
    format!("{ROOT}{application}/segments/kinesis/{stream}/")
}

/// Batches of a shard, each under the sequence number that it follows.
pub fn shard(store: &Arc<dyn ObjectStore>, application: &str, stream: &str, shard: &str) -> Segments {
    Segments::new(store.clone(), &format!("{}{shard}/", stream_prefix(application, stream)))
}

/// Names of lake objects.
pub fn lake(store: &Arc<dyn ObjectStore>, application: &str) -> Segments {
    Segments::new(store.clone(), &format!("{ROOT}{application}/segments/lake/"))
}

/// A copy of a reference table with this content, made by one who built on the head of this number.
pub fn table(application: &str, hash: &str, head: u64) -> String {
    format!("{ROOT}{application}/tables/{hash}.{head}")
}

/// A page of a window, stored by one who built on the head of this number.
pub fn page(application: &str, page: &PageId, head: u64) -> String {
    format!("{ROOT}{application}/pages/{}.{head}", page.0)
}

/// Everything of an application.
pub fn prefix(application: &str) -> String {
    format!("{ROOT}{application}/")
}

/// Identities of lake objects that were folded.
pub fn positions_prefix(application: &str) -> String {
    format!("{ROOT}{application}/positions/")
}
