//! Elasticsearch requests as typed trees.
//!
//! ```text
//! wire form (JSON body, URL parameters) ─ request/query/sort/aggregation::parse ─▶ typed tree (this crate) ─ search-index ─▶ engine
//! ```
//!
//! A body that Elasticsearch would refuse is refused here with Elasticsearch's error type and a reason that names the place; a query
//! or aggregation that this crate does not know is an error that names it, never something silently left out.
//!
//! Absent: HTTP, the index, mappings (a field is a name here; what it means is decided where it is lowered), and any clock (date
//! math is kept as text with its rounding, and resolved against the `now` of the request).

pub mod aggregation;
pub mod date;
mod error;
pub mod filter_path;
pub mod pattern;
pub mod query;
pub mod query_string;
mod request;
mod simple_query_string;
pub mod sort;
pub mod source_filter;
mod suggestion;
mod wire;

pub use error::RequestError;
pub use request::{SearchRequest, TrackTotalHits};
