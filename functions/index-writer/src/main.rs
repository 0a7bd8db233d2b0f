//! `index-writer`: see the library.

use std::process::ExitCode;
use std::sync::Arc;

use aws::S3Store;
use index_writer::{
    config::Config,
    event::Batch,
    handler::{Context, handle},
    indexes::Catalogued,
    lake::LakeBucket,
    rules::{RULE_FILE, Rules, parse},
};
use lambda::rules::RulesBucket;
use lambda::{Error, RuleCache};
use search_index::{Catalog, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(start, async |event: Batch, context: &_| handle(event, context).await).await
}

async fn start() -> Result<Context<LakeBucket, Catalogued, RulesBucket>, Error> {
    let config = Config::from_env()?;
    let s3 = aws::s3_client(&aws::load().await);
    let index = Arc::new(S3Store::new(s3.clone(), config.index_bucket));
    Ok(Context {
        lake: LakeBucket { s3: s3.clone(), bucket: config.lake_bucket },
        indexes: Catalogued::new(Catalog::new(index, Options::default())),
        rules: RuleCache::new(
            RulesBucket(Arc::new(S3Store::new(s3, config.rules_bucket))),
            RULE_FILE,
            parse,
            Rules::default(),
        ),
    })
}
