//! The ledger's suite on S3: plain, and through a proxy that loses answers after the store has carried the request out.

use std::sync::Arc;

use aws::S3Store;
use ledger::suite;
use logmill_tests::proxy::Proxy;
use logmill_tests::stack::{Options, Stack, sdk};

fn bucket() -> Stack {
    Stack::start(Options { template: "tests/templates/bucket.yaml".into(), ..Options::default() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_passes_on_s3() {
    let stack = bucket();
    suite::run(Arc::new(S3Store::new(aws::s3_client(&stack.sdk()), &stack.outputs["Bucket"]))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_thing_is_committed_once_though_answers_are_lost() {
    let stack = bucket();
    let target = stack.endpoint.trim_start_matches("http://");
    let proxy = Proxy::start(target, 3).await;
    let client = aws::s3_client(&sdk(&proxy.endpoint));
    suite::everything_once(Arc::new(S3Store::new(client, &stack.outputs["Bucket"]))).await;
    assert!(proxy.dropped() > 10, "only {} answers were lost", proxy.dropped());
}
