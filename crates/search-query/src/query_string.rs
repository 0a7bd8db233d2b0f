//! `query_string` and `q=`.
