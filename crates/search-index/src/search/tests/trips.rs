//! How many reads wait for each other, and how much they read.

use std::time::Duration;

use super::*;

/// What a GET from S3 takes.
const DELAY: Duration = Duration::from_millis(30);

fn document(n: u64) -> Value {
    let level = ["info", "info", "info", "warn", "error"][(n * 7 % 5) as usize];
    let status = [200, 200, 404, 500][(n * 11 % 4) as usize];
    json!({
        "at": 1_795_000_000_000_u64 + n * 1_000, "level": level, "status": status,
        "msg": format!("request {:x} of client {} took {} ms", n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n % 997, n * 31 % 2_000)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_round_trips_to_an_answer_and_a_third_to_the_documents() {
    let f = Fixture::new();
    let mappings = json!({"properties": {
        "at": {"type": "date"}, "level": {"type": "keyword"}, "status": {"type": "long"}, "msg": {"type": "text"}}});
    let documents: Vec<Value> = (0..6_000).map(document).collect();
    f.index("logs", mappings, &documents, 2_000).await;
    let size: usize = f.readers(&["logs"]).await[0].state.splits.iter().map(|split| split.meta.size as usize).sum();
    f.store.slow_down(DELAY);
    let hour = json!({"range": {"at": {"gte": 1_795_001_000_000_u64, "lt": 1_795_001_060_000_u64}}});
    let cases = [
        (json!({"query": {"match": {"msg": "42"}}}), 3),
        (json!({"query": {"term": {"level": "error"}}, "sort": [{"at": "desc"}]}), 3),
        (json!({"query": {"bool": {"must": [{"match": {"msg": "client"}}], "filter": [hour]}}}), 3),
        (json!({"query": {"match_phrase": {"msg": "of client"}}}), 3),
        (json!({"query": {"range": {"_seq_no": {"gte": 3_000_000}}}, "sort": [{"_seq_no": "desc"}]}), 3),
        (
            json!({"size": 0, "query": hour, "aggs": {"t": {"date_histogram": {"field": "at", "fixed_interval": "10s"}, "aggs": {"s": {"terms": {"field": "level"}}}}}}),
            2,
        ),
        (json!({"size": 0, "query": {"match_all": {}}}), 1),
        (json!({"size": 0, "query": {"exists": {"field": "msg"}}}), 2),
        (json!({"query": {"prefix": {"msg": "9ff"}}}), 4),
    ];
    for (body, most) in cases {
        // A process of its own, that has the manifest and nothing else.
        let readers = f.forgetful().readers(&["logs"]).await;
        f.store.take();
        let request = SearchRequest::parse(body.to_string().as_bytes(), &[]).unwrap();
        let answer = search(&readers, &request, NOW).await.unwrap();
        assert!(answer.failures.is_empty(), "{body}: {:?}", answer.failures);
        let (trips, bytes) = f.store.take();
        println!("{trips} trips, {bytes} of {size} bytes, {} hits of {:?}: {body}", answer.hits.len(), answer.total);
        assert!(trips <= most, "{body}: {trips} trips");
        assert!(bytes < size, "{body}: {bytes} bytes of {size}");
        assert!(answer.total.is_some_and(|total| total.value > 0), "{body}: {:?}", answer.total);
    }
}

#[test]
fn a_search_can_be_carried_out_by_any_thread() {
    fn sendable<T: Send>(_: &T) {}
    let request = SearchRequest::default();
    sendable(&search(&[], &request, NOW));
}
