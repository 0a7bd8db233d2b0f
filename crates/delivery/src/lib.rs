//! The rules of a Firehose delivery: when a buffer is full, what the object is called, what a failed record's line says.
//!
//! A record waits in a [`Buffer`] until its size or its age says that the batch is due. The batch's object is named by
//! [`Prefixes`] (expressions such as `!{timestamp:yyyy/MM/dd}`, evaluated at the arrival of its oldest record) and
//! [`object_name`]. A record that could not be transformed becomes a line of [`Failure`] under the error prefix.
//!
//! ```
//! use delivery::{Evaluation, Prefixes};
//! let prefixes = Prefixes::parse(Some("logs/!{timestamp:yyyy/MM/dd}/"), Some("bad/!{firehose:error-output-type}/"), None)?;
//! let mut random = || 7;
//! let mut at = Evaluation::new(jiff::Timestamp::UNIX_EPOCH, &mut random);
//! assert_eq!(prefixes.delivered(&mut at)?, "logs/1970/01/01/");
//! assert_eq!(prefixes.failed("processing-failed", &mut at)?, "bad/processing-failed/");
//! # Ok::<(), delivery::PrefixError>(())
//! ```
//!
//! Absent: a clock, randomness, bytes on their way. `now` and random numbers are inputs; the emulator and the functions that
//! deliver in Firehose's manner bring their own.

mod buffer;
mod expression;
mod failure;
mod object_name;
mod pattern;
mod prefix;

pub use buffer::{
    Buffer, DEFAULT_INTERVAL_SECONDS, DEFAULT_SIZE_MB, Decision, Hints, HintsError, MAX_INTERVAL_SECONDS, MAX_SIZE_MB,
    MIN_SIZE_MB,
};
pub use expression::{Evaluation, Expression, RANDOM_STRING_LENGTH};
pub use failure::Failure;
pub use object_name::object_name;
pub use pattern::Pattern;
pub use prefix::{MAX_EVALUATED_PREFIX, MAX_PREFIX, PROCESSING_FAILED, PrefixError, Prefixes};
