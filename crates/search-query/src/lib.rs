//! Elasticsearch requests as typed trees.
//!
//! ```text
//! body, URL ─ SearchRequest::parse ─┬ query/        JSON ─▶ Query ◀─ query_string/ (q=, query_string)   ─┐
//!                                   ├ aggregation/  JSON ─▶ Aggregation                                  ├─ search-index ─▶ engine
//!                                   └ sort, date (bounds, date math)                                     ─┘
//! document ─ SourceFilter ─▶ the parts asked for;   answer ─ FilterPath ─▶ the parts asked for
//! ```
//!
//! A body that Elasticsearch would refuse is refused here with Elasticsearch's error type and a reason that names the place; a query
//! or aggregation that this crate does not know is an error that names it, never something silently left out. What Elasticsearch
//! has and this crate does not is told apart from what does not exist at all.
//!
//! ```
//! use search_query::SearchRequest;
//! let body = br#"{"query": {"term": {"response": 404}}, "size": 5}"#;
//! let request = SearchRequest::parse(body, &[("sort".into(), "@timestamp:desc".into())]).unwrap();
//! assert_eq!((request.size, request.sort.len()), (5, 1));
//! ```
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
pub use request::{MAX_RESULT_WINDOW, SearchRequest, TrackTotalHits};
