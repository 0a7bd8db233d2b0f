//! The services: each a module with its tables (`SCHEMA`), its operations (`call`), and the functions over a transaction that
//! the other services and the template use (`ensure_…` makes a resource or brings it to the given state, and is idempotent).

pub mod cloudwatch;
pub mod firehose;
pub mod kinesis;
pub mod lambda;
pub mod logs;
pub mod s3;
pub mod sns;
pub mod sqs;
pub mod sts;

use tokio::task::JoinSet;

use crate::Ctx;

/// The tables of all services.
pub const SCHEMAS: &[&str] = &[
    cloudwatch::SCHEMA,
    firehose::SCHEMA,
    kinesis::SCHEMA,
    lambda::SCHEMA,
    logs::SCHEMA,
    s3::SCHEMA,
    sns::SCHEMA,
    sqs::SCHEMA,
];

/// Starts what a service does by itself: deliveries, expiry.
pub fn start(ctx: &Ctx, tasks: &mut JoinSet<()>) {
    firehose::start(ctx, tasks);
}
