//! SQL applications over the lines that arrive: standing queries whose results are themselves a stream.
//!
//! ```text
//! Kinesis batch ─ chain ─▶ segment ┐                                            ┌▶ head: state, outbox (one commit)
//! lake object (its name) ─▶ segment ┴ folding: lanes ─ merge ┐                   │
//!                                     objects ─ fold_lines ─┴▶ Fold (stream-sql) ┴▶ delivery: Firehose, Kinesis, inbox/
//! tick: time passes for silent sources; the outbox is sent
//! ```
//!
//! An application is a rule file and its statements ([`catalog`]). A batch is committed by writing it down as a segment ([`chain`]
//! for the records of a shard, the object's name for the lake); then the reply is success. Whoever can ([`folding`]) brings segments
//! into the application's head by compare-and-swap, in the order of stream time over all shards ([`merge`]), lets the engine run
//! ([`fold`]) and puts the rows that come out into the head's outbox, in one commit. Rows go out after it, at least once, each with
//! the same `_id` every time.
//!
//! Pure, and tested as such: [`fold`], [`merge`], [`seen`], [`segment`], [`row`], [`line`]. Absent: what statements mean
//! (`stream-sql`), how commits are made (`ledger`).

pub mod application;
pub mod catalog;
pub mod chain;
pub mod config;
pub mod delivery;
pub mod engine;
pub mod event;
pub mod failed;
pub mod fold;
pub mod folding;
pub mod garbage;
pub mod handler;
pub mod lake;
pub mod lanes;
pub mod line;
pub mod merge;
pub mod metric;
mod objects;
pub mod outgoing;
pub mod outside;
pub mod pages;
pub mod places;
pub mod records;
pub mod row;
pub mod rule;
pub mod seen;
pub mod segment;
pub mod sequence;
mod shards;
pub mod state;
pub mod tables;
pub mod target;
