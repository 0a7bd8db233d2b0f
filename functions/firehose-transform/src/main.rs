//! `firehose-transform`: see the library.

use std::process::ExitCode;
use std::sync::Arc;

use aws::S3Store;
use firehose_transform::{
    config::Config,
    handler::{Context, handle},
    reingest::FIRST_BACKOFF,
    rules::{RULE_FILE, Rules, parse},
    sink::Aws,
};
use lambda::rules::RulesBucket;
use lambda::{Error, RuleCache};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(start, async |event: Box<RawValue>, context: &_| handle(event.get(), context).await).await
}

async fn start() -> Result<Context<Aws, RulesBucket>, Error> {
    let config = Config::from_env()?;
    let aws = aws::load().await;
    let s3 = aws::s3_client(&aws);
    let rules = RulesBucket(Arc::new(S3Store::new(s3.clone(), config.rules_bucket)));
    Ok(Context {
        sink: Aws {
            firehose: aws_sdk_firehose::Client::new(&aws),
            kinesis: aws_sdk_kinesis::Client::new(&aws),
            s3,
            lake_bucket: config.lake_bucket,
        },
        rules: RuleCache::new(rules, RULE_FILE, parse, Rules::default()),
        own_log_groups: config.own_log_groups,
        first_backoff: FIRST_BACKOFF,
    })
}
