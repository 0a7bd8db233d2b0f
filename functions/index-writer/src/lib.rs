//! Puts what lands in the lake into the index.
//!
//! [`handler::handle`] takes a batch of SQS messages; each is an S3 event ([`event`]) that tells of objects under `logs/` and
//! `inbox/`. The rule of the longest prefix of its key ([`rules`]) says how an object is read. Its bytes stream in ([`object`]), are
//! decompressed under caps and cut into [`lines`]; each line becomes an operation on an index ([`document`]), named by a pattern and
//! the document's own time ([`index_name`]). [`portion`]s of objects come together in a [`batch`], which commits them index by
//! index ([`indexes`]) with the object's identity as their source, so that a repeat changes nothing. What cannot be indexed is
//! written down under `failed/` ([`failed`]); the rest goes on. [`lake`] is the outside.
//!
//! Times are the events' and the objects'; the machine's clock is never read for anything that is kept.

pub mod batch;
pub mod config;
pub mod document;
pub mod event;
pub mod failed;
pub mod handler;
pub mod index_name;
pub mod indexes;
pub mod lake;
pub mod lines;
pub mod object;
pub mod portion;
pub mod rules;
