//! The data-transformation function of our Firehose streams: lines in, JSON lines with `@ingested` out.
//!
//! [`handler::handle`] takes Firehose's event as text. [`wire`] borrows the records from it; [`record`] makes each record's
//! output: a gzip CloudWatch Logs message ([`subscription`]) or lines ([`line`]), each a JSON object already, or of a format that
//! the stream's rule names ([`rules`]), or `{"message": line}`. [`answer`] fits the outputs into what Firehose takes back; what
//! does not fit goes round again ([`reingest`]) and what cannot be transformed goes back as it came, with its reason under
//! `failed/` ([`failed`]). [`sink`] is the outside: Firehose, Kinesis and S3 behind traits.
//!
//! Times are the event's; the machine's clock is never read, so an event that comes twice gives the same answer.

pub mod answer;
pub mod config;
pub mod failed;
pub mod handler;
mod json_object;
pub mod line;
pub mod record;
pub mod reingest;
pub mod rules;
pub mod sink;
pub mod subscription;
pub mod wire;
