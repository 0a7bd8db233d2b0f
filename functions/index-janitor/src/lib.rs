//! Keeps the indexes small.
//!
//! A schedule ticks; [`handler::handle`] visits all indexes ([`indexes`]), and each visit joins small splits, drops those past
//! retention and deletes objects that no reader can hold, as long as the function's time lasts. Several runs at once are harmless: what
//! each changes is a commit.

pub mod config;
pub mod handler;
pub mod indexes;
