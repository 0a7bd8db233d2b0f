//! The outside, as the SDKs see it: configuration from the environment, clients, and the S3 object store.
//!
//! Everything that talks to AWS takes its configuration here, so that endpoint (`AWS_ENDPOINT_URL`), region, credentials, and the
//! one HTTP and TLS stack are the same everywhere. No rule and no format lives here.

mod config;
mod object_store;

pub use config::{http_client, load, s3_client};
pub use object_store::S3Store;
