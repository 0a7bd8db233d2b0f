//! The outside, as the SDKs see it: configuration from the environment, clients, and the S3 object store.
//!
//! Everything that talks to AWS takes its configuration here, so that endpoint (`AWS_ENDPOINT_URL`), region, credentials, and the
//! one HTTP and TLS stack are the same everywhere. No rule and no format lives here.

//!
//! [`queues`], [`listing`], [`records`] and [`account`] are the few calls that the command line makes.

pub mod account;
mod call;
mod config;
pub mod listing;
mod object_store;
pub mod queues;
pub mod records;

pub use aws_config::SdkConfig;
pub use call::CallError;
pub use config::{cause, http_client, is_loopback, load, load_for, s3_client};
pub use object_store::S3Store;
