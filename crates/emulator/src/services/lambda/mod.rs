//! Lambda: functions, invocation, event source mappings, schedules, function URLs (their state and their REST API; `runtime` runs
//! them).
//!
//! The template makes functions, mappings, URLs and schedules through the `ensure_…` functions; each writes its row and wakes
//! `Wake::Resources` when something changed, upon which [`crate::runtime`] brings what runs in line with the tables. The REST
//! API (`rest`) reads the same tables and invokes through the pool. An asynchronous event is a row of `lambda_events` until it
//! has succeeded or was given up, so a `kill -9` in between runs it again.

mod arn;
mod async_events;
mod expression;
mod functions;
mod invoke;
mod mapping_spec;
mod mappings;
mod overview;
mod rest;
mod schedules;
mod urls;

pub use async_events::{AsyncEvent, MAX_ASYNC_PAYLOAD, enqueue_event};
pub(crate) use async_events::{due_events, next_due, postpone, remove};
pub use functions::{AsyncSpec, FunctionSpec, MAX_TIMEOUT_SECONDS, ensure_function};
pub(crate) use functions::{find as find_function, get as get_function};
pub use mapping_spec::{MappingSpec, Source};
pub use mappings::{Mapping, ensure_mapping};
pub(crate) use mappings::{Reached, advance, end_shard, list as list_mappings, positions, set_result};
pub use overview::{Overview, overview};
pub(crate) use rest::error_response;
pub(crate) use schedules::fire_due;
pub use schedules::{Schedule, ensure_schedule, list as list_schedules};
pub(crate) use urls::move_port;
pub use urls::{FunctionUrl, ensure_url, list as list_urls};

use crate::Ctx;
use crate::error::ApiError;
use crate::wire::{HttpRequest, HttpResponse};

/// The version that everything runs: there are no published ones here.
pub const LATEST: &str = "$LATEST";

/// The tables.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS lambda_functions (
    name TEXT PRIMARY KEY, spec TEXT NOT NULL, modified_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS lambda_mappings (
    uuid TEXT PRIMARY KEY, function TEXT NOT NULL, source TEXT NOT NULL, spec TEXT NOT NULL,
    start_at INTEGER, modified_at INTEGER NOT NULL, last_result TEXT NOT NULL,
    UNIQUE (function, source)
) STRICT;
CREATE TABLE IF NOT EXISTS lambda_positions (
    mapping TEXT NOT NULL, shard TEXT NOT NULL, after TEXT, ended INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (mapping, shard)
) STRICT;
CREATE TABLE IF NOT EXISTS lambda_events (
    id TEXT PRIMARY KEY, function TEXT NOT NULL, payload BLOB NOT NULL, enqueued_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL, invocations INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
    postponements INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS lambda_events_due ON lambda_events (due_at);
CREATE TABLE IF NOT EXISTS lambda_schedules (
    name TEXT PRIMARY KEY, expression TEXT NOT NULL, target TEXT NOT NULL, input TEXT, enabled INTEGER NOT NULL,
    next_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS lambda_urls (
    function TEXT PRIMARY KEY, auth TEXT NOT NULL, cors TEXT, port INTEGER NOT NULL, created_at INTEGER NOT NULL
) STRICT;
";

/// Answers a request of the REST API; errors are rendered as Lambda renders them.
pub async fn call(ctx: &Ctx, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Ok(rest::call(ctx, request).await)
}
