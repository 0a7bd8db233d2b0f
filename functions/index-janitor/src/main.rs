//! `index-janitor`: see the library.

use std::process::ExitCode;
use std::sync::Arc;

use aws::S3Store;
use index_janitor::{
    config::Config,
    handler::{Tick, handle},
};
use lambda::Error;
use search_index::{Catalog, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::run_until(start, async |tick: Tick, catalog: &_, deadline| handle(tick, catalog, deadline).await).await
}

async fn start() -> Result<Catalog, Error> {
    let config = Config::from_env()?;
    let s3 = aws::s3_client(&aws::load().await);
    Ok(Catalog::new(Arc::new(S3Store::new(s3, config.index_bucket)), Options::default()))
}
