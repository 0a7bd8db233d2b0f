//! SDK configuration.

use aws_config::SdkConfig;
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// The one HTTP client: hyper 1 with rustls and ring.
pub fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https()
}

/// Configuration from the environment and the shared files, as every AWS tool reads it (`AWS_REGION`, `AWS_ENDPOINT_URL`,
/// `AWS_PROFILE`, …).
pub async fn load() -> SdkConfig {
    aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http_client()).load().await
}

/// An S3 client. Path-style addresses whenever an endpoint is set: `bucket.127.0.0.1` is no host name.
pub fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let endpoint = config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(endpoint).build())
}
