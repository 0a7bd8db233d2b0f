//! The agent: lines of files on a host into Firehose and Kinesis streams, a drop-in for the Kinesis Agent.
//!
//! ```text
//! agent.json ─ config ─▶ flows; for each, on a thread of its own:
//!   tail:   files (pattern, fingerprint) ─ blocks ─ split ─▶ records ─ record (convert, id, cut, key) ─▶ batch
//!   and on the runtime:
//!   send:   batches ─ pace ─ sink (firehose | kinesis) ─▶ acknowledged ─▶ positions ─▶ checkpoint
//! ```
//!
//! A record is acknowledged when its destination said that it is stored. Per file, the checkpoint holds the lowest offset that is
//! not acknowledged, so after `kill -9` at any time every line arrives at least once, and only what was not acknowledged (or
//! was since the last checkpoint) arrives twice. Nothing is dropped because of a failure: a flow whose stream refuses it
//! stops reading when its budget is used up, and goes on when the stream does.
//!
//! Absent from here: the rules of conversion (`line-convert`), HTTP and signatures (the SDK), CloudWatch metrics (not yet).
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let loaded = agent::config::load("agent.json".as_ref())?;
//! agent::run(loaded.config, async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
//! # Ok(()) }
//! ```

mod batch;
mod checkpoint;
pub mod config;
mod fingerprint;
mod flow;
pub mod log;
mod pace;
mod pattern;
mod positions;
mod progress;
mod record;
mod run;
mod send;
pub mod sink;
mod tail;

pub use run::{RunError, Stop, run, run_with};
