//! `search-api`: see the library.

use std::process::ExitCode;
use std::sync::Arc;

use lambda::Error;
use ledger::ObjectStore;
use search_api::auth::Keys;
use search_api::config::{Auth, Config};
use search_api::context::{Cluster, Context};
use search_api::handler::handle;
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run(start, async |event: Box<RawValue>, context: &_| handle(event.get(), context).await).await
}

async fn start() -> Result<Context, Error> {
    let config = Config::from_env()?;
    let s3 = aws::s3_client(&aws::load().await);
    let store: Arc<dyn ObjectStore> = Arc::new(aws::S3Store::new(s3, &config.index_bucket));
    let keys = match config.auth {
        Auth::Open => None,
        Auth::Keys => Some(Keys::load(store.clone()).await?),
    };
    let cluster = Cluster::new(&config.cluster_name, &config.index_bucket, &config.version);
    Ok(Context::new(store, keys, cluster))
}
