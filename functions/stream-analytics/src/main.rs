//! `stream-analytics`: see the library.

// The handler's future is nested deeper than the compiler looks by default.
#![recursion_limit = "256"]

use std::process::ExitCode;
use std::sync::Arc;

use aws::S3Store;
use lambda::Error;
use lambda::rules::RulesBucket;
use serde_json::value::RawValue;
use stream_analytics::catalog::Catalog;
use stream_analytics::config::Config;
use stream_analytics::folding::Folder;
use stream_analytics::handler::{Context, handle};
use stream_analytics::outside::Aws;
use stream_analytics::pages::Pages;
use stream_analytics::tables::{Buckets, Tables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(start, async |event: Box<RawValue>, context: &_| handle(event.get(), context).await).await
}

async fn start() -> Result<Context<Aws, RulesBucket>, Error> {
    let config = Config::from_env()?;
    let aws = aws::load().await;
    let s3 = aws::s3_client(&aws);
    let client = s3.clone();
    let bucket: Buckets = Arc::new(move |name| Arc::new(S3Store::new(client.clone(), name.to_owned())));
    let (index, rules) = (bucket(&config.index_bucket), bucket(&config.rules_bucket));
    let lake = bucket(&config.lake_bucket);
    let tables = Tables::new(rules.clone(), bucket, index.clone());
    let (ingestion, summary) = (&config.ingestion_stream, &config.summary_stream);
    let catalog = Catalog::new(RulesBucket(rules), index.clone(), tables, ingestion, summary);
    let outside = Aws {
        firehose: aws_sdk_firehose::Client::new(&aws),
        kinesis: aws_sdk_kinesis::Client::new(&aws),
        s3,
        lake_bucket: config.lake_bucket,
    };
    let pages = Pages::new(index.clone());
    let folder = Folder { index, lake, catalog, pages, outside, lake_lag: config.lake_lag };
    Ok(Context { folder, function: config.function })
}
