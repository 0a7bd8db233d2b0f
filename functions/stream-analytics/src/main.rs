//! `stream-analytics`: see the library.

// The handler's future is nested deeper than the compiler looks by default.
#![recursion_limit = "256"]

use std::process::ExitCode;
use std::sync::Arc;

use aws::S3Store;
use lambda::Error;
use ledger::ObjectStore;
use serde_json::value::RawValue;
use stream_analytics::catalog::Catalog;
use stream_analytics::config::Config;
use stream_analytics::folding::Folder;
use stream_analytics::handler::{Context, handle};
use stream_analytics::outside::{Aws, RulesBucket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(start, async |event: Box<RawValue>, context: &_| handle(event.get(), context).await).await
}

async fn start() -> Result<Context<Aws, RulesBucket>, Error> {
    let config = Config::from_env()?;
    let aws = aws::load().await;
    let s3 = aws::s3_client(&aws);
    let bucket = |name: String| -> Arc<dyn ObjectStore> { Arc::new(S3Store::new(s3.clone(), name)) };
    let index = bucket(config.index_bucket);
    let rules = RulesBucket(bucket(config.rules_bucket));
    let catalog = Catalog::new(rules, index.clone(), &config.ingestion_stream, &config.summary_stream);
    let lake = bucket(config.lake_bucket.clone());
    let outside = Aws {
        firehose: aws_sdk_firehose::Client::new(&aws),
        kinesis: aws_sdk_kinesis::Client::new(&aws),
        s3: s3.clone(),
        lake_bucket: config.lake_bucket,
    };
    let folder = Folder { index, lake, catalog, outside, lake_lag: config.lake_lag };
    Ok(Context { folder, function: config.function })
}
