//! The Elasticsearch API over the index on S3, as a Lambda behind a Function URL.
//!
//! ```text
//! event (payload format 2.0) ─ event ─▶ Request ─ auth ─ body (gzip, deflate) ─ router ─▶ api::<family> ─▶ Reply ─ reply ─▶ answer
//! ```
//!
//! [`handler::handle`] does these steps. The [`router`] looks the path up in the tables at the head of each file of [`api`]: one
//! file for each family of the API; a new one needs its file and a line in `api/mod.rs`. What a request means is read by
//! `search-query`; what it finds or changes is the business of `search-index`. [`error`] is the one place where their errors become
//! Elasticsearch's bodies and statuses. [`reply`] does what every answer needs: `X-Elastic-Product`, the media type that was asked
//! for, `filter_path`, `pretty`, gzip, and the limit of a Function URL's payload.
//!
//! `now` is the event's time. A write is visible to every search that begins after its answer, so `refresh` has nothing to do.

pub mod api;
pub mod auth;
mod body;
pub mod config;
pub mod context;
pub mod error;
pub mod event;
pub mod handler;
mod pretty;
pub mod reply;
pub mod request;
pub mod router;
mod table;
mod targets;
