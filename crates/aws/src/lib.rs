//! The outside, as the SDKs see it: configuration from the environment, clients, and the S3 object store.
//!
//! Everything that talks to AWS takes its configuration here, so that endpoint (`AWS_ENDPOINT_URL`), region, credentials, the one
//! HTTP and TLS stack, retries and time-outs are the same everywhere. No rule and no format lives here.

mod config;

pub use config::{http_client, load, s3_client};
