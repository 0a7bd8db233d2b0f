//! SDK clients from the configuration: credentials, roles, endpoints, regions, time-outs.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use tracing::{info, warn};

use super::firehose::Firehose;
use super::kinesis::Kinesis;
use super::{Sink, causes};
use crate::config::{Config, Destination, Service, is_local};

/// The original's session name.
const SESSION_NAME: &str = "AWSKinesisAgent";
/// The original's session length.
const SESSION_LENGTH: Duration = Duration::from_secs(3_600);
/// Where the original's SDK goes when nothing names a region.
const DEFAULT_REGION: &str = "us-east-1";

/// One sink per flow, in their order.
pub async fn connect(config: &Config) -> Vec<Arc<dyn Sink>> {
    let shared = shared(config).await;
    let (firehose, kinesis) = (for_service(&shared, &config.firehose), for_service(&shared, &config.kinesis));
    let (firehose_place, kinesis_place) = (place("Firehose", &firehose), place("Kinesis", &kinesis));
    let firehose = aws_sdk_firehose::Client::new(&firehose);
    let kinesis = aws_sdk_kinesis::Client::new(&kinesis);
    let sink = |destination: &Destination| -> Arc<dyn Sink> {
        match destination.clone() {
            Destination::Firehose(stream) => {
                Arc::new(Firehose { client: firehose.clone(), stream, place: firehose_place.clone() })
            }
            Destination::Kinesis(stream) => {
                Arc::new(Kinesis { client: kinesis.clone(), stream, place: kinesis_place.clone() })
            }
        }
    };
    config.flows.iter().map(|flow| sink(&flow.destination)).collect()
}

/// Where a service is, for messages.
fn place(service: &str, config: &SdkConfig) -> String {
    match (config.endpoint_url(), config.region()) {
        (Some(endpoint), _) => format!("{service} at {endpoint}"),
        (None, Some(region)) => format!("{service} in {region}"),
        (None, None) => service.to_owned(),
    }
}

/// The environment's configuration with what the file says over it.
async fn shared(config: &Config) -> SdkConfig {
    let environment = aws::load().await;
    let mut builder = environment.to_builder();
    builder.set_retry_config(Some(RetryConfig::disabled()));
    builder.set_timeout_config(Some(timeouts(config)));
    if environment.region().is_none() {
        builder.set_region(Some(Region::new(DEFAULT_REGION)));
    }
    builder.set_credentials_provider(credentials(config, &environment).await);
    let shared = builder.build();
    match &config.assume_role {
        None => shared,
        Some((role, external_id)) => {
            let provider = assume_role(&shared, &config.sts, role, external_id.as_deref()).await;
            shared.into_builder().credentials_provider(provider).build()
        }
    }
}

/// A time-out is a duration of 1 ms or more for the SDK; the original's 0 means none.
fn timeouts(config: &Config) -> TimeoutConfig {
    let mut builder = TimeoutConfig::builder();
    if !config.connect_timeout.is_zero() {
        builder = builder.connect_timeout(config.connect_timeout);
    }
    if !config.socket_timeout.is_zero() {
        builder = builder.read_timeout(config.socket_timeout);
        builder = builder.operation_timeout(config.connect_timeout + config.socket_timeout);
    }
    builder.build()
}

/// The file's keys, else the SDK's chain (environment, web identity, container, profile, instance). With a local endpoint
/// and no credentials anywhere, made-up ones: an emulator takes any, and its first user may have no account.
async fn credentials(config: &Config, environment: &SdkConfig) -> Option<SharedCredentialsProvider> {
    if let Some((id, secret)) = &config.access_key {
        let keys = Credentials::new(id, secret, None, None, "agent.json");
        return Some(SharedCredentialsProvider::new(keys));
    }
    let chain = environment.credentials_provider()?;
    let Err(error) = chain.provide_credentials().await else { return Some(chain) };
    if all_local(config, environment) && config.assume_role.is_none() {
        info!("no AWS credentials found: using test/test for the local endpoint");
        return Some(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "local endpoint")));
    }
    warn!(
        "no AWS credentials found yet, going on: expected awsAccessKeyId and awsSecretAccessKey in the configuration, \
         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of this host: {}",
        causes(&error)
    );
    Some(chain)
}

/// Whether every flow goes to this machine.
fn all_local(config: &Config, environment: &SdkConfig) -> bool {
    config.flows.iter().all(|flow| {
        let service = match flow.destination {
            Destination::Firehose(_) => &config.firehose,
            Destination::Kinesis(_) => &config.kinesis,
        };
        service.endpoint.as_deref().or(environment.endpoint_url()).is_some_and(is_local)
    })
}

async fn assume_role(
    shared: &SdkConfig,
    sts: &Service,
    role: &str,
    external_id: Option<&str>,
) -> SharedCredentialsProvider {
    let mut builder = AssumeRoleProvider::builder(role)
        .configure(&for_service(shared, sts))
        .session_name(SESSION_NAME)
        .session_length(SESSION_LENGTH);
    if let Some(id) = external_id {
        builder = builder.external_id(id);
    }
    let provider = builder.build().await;
    if let Err(error) = provider.provide_credentials().await {
        warn!("role {role} cannot be assumed yet, going on: {}", causes(&error));
    }
    SharedCredentialsProvider::new(provider)
}

fn for_service(shared: &SdkConfig, service: &Service) -> SdkConfig {
    let mut builder = shared.to_builder();
    if let Some(endpoint) = &service.endpoint {
        builder.set_endpoint_url(Some(endpoint.clone()));
    }
    if let Some(region) = &service.region {
        builder.set_region(Some(Region::new(region.clone())));
    }
    builder.build()
}
