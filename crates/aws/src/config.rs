//! SDK configuration.

use std::net::{IpAddr, SocketAddr};

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
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

/// As [`load`], for a command that may be pointed at an endpoint. One on this machine gets credentials that are none: real ones must
/// not be sent to it, and none are needed.
pub async fn load_for(endpoint: Option<&str>) -> SdkConfig {
    let Some(endpoint) = endpoint else { return load().await };
    let mut loader =
        aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http_client()).endpoint_url(endpoint);
    if is_loopback(endpoint) {
        loader = loader.credentials_provider(Credentials::new("test", "test", None, None, "endpoint on this machine"));
        if std::env::var_os("AWS_REGION").is_none() && std::env::var_os("AWS_DEFAULT_REGION").is_none() {
            loader = loader.region(Region::from_static("us-east-1"));
        }
    }
    loader.load().await
}

/// Whether an endpoint (`http://127.0.0.1:4566`) is on this machine.
pub fn is_loopback(endpoint: &str) -> bool {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    if let Ok(address) = authority.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// An S3 client. Path-style addresses whenever an endpoint is set: `bucket.127.0.0.1` is no host name.
pub fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let endpoint = config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(endpoint).build())
}

/// An SDK error in words: by itself it says little, its sources say what happened.
pub fn cause(error: impl std::error::Error) -> String {
    aws_sdk_s3::error::DisplayErrorContext(error).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_on_this_machine() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4566", true),
            ("http://localhost:4566/", true),
            ("http://[::1]:4566", true),
            ("http://127.0.0.1", true),
            ("http://127.0.0.1.example.com:4566", false),
            ("https://sqs.us-east-1.amazonaws.com", false),
            ("http://10.0.0.1:4566", false),
        ] {
            assert_eq!(is_loopback(endpoint), expected, "{endpoint}");
        }
    }
}
