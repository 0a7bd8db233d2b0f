//! Splits that cannot be read.

use ledger::{ObjectStore, Precondition};

use super::*;

#[tokio::test]
async fn a_corrupt_split_is_named_and_the_rest_is_answered() {
    let f = Fixture::new();
    let documents: Vec<Value> = (0..6).map(|n| json!({"n": n})).collect();
    f.index("logs", json!({}), &documents, 2).await;
    let f = f.forgetful();
    let state = f.readers(&["logs"]).await[0].state.clone();
    let store = f.store.clone();
    let spoil = async |split: usize| {
        let key = &state.splits[split].key;
        let mut bytes = store.get(key).await.unwrap().body.to_vec();
        bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
        store.put(key, Bytes::from(bytes), &Precondition::None).await.unwrap();
        key.clone()
    };
    let first = spoil(0).await;
    let body = json!({"sort": ["n"], "aggs": {"n": {"sum": {"field": "n"}}}});
    let skipping = json!({"query": {"range": {"_seq_no": {"lt": 2 << 20}}}});
    for body in [body.clone(), json!({"query": {"term": {"n": 1}}}), skipping] {
        let answer = f.try_search(&["logs"], body).await.unwrap();
        assert_eq!(answer.failures.len(), 1);
        assert_eq!((answer.failures[0].index.as_str(), &answer.failures[0].object), ("logs", &first));
        assert!(answer.failures[0].reason.contains("corrupt"), "{}", answer.failures[0].reason);
    }
    let answer = f.try_search(&["logs"], body.clone()).await.unwrap();
    assert_eq!(ids(&answer), ["2", "3", "4", "5"]);
    assert_eq!(answer.aggregations.unwrap()["n"]["value"], 14.0);
    let f = f.forgetful();
    spoil(1).await;
    spoil(2).await;
    assert!(f.try_search(&["logs"], body).await.unwrap_err().to_string().contains("corrupt"));
}

#[tokio::test]
async fn a_split_that_is_gone_is_looked_for_in_the_last_commit() {
    let f = Fixture::new();
    f.index("logs", json!({}), &[json!({"n": 1}), json!({"n": 2})], 1).await;
    let f = f.forgetful();
    let old = f.readers(&["logs"]).await;
    f.store.delete(&old[0].state.splits[0].key).await.unwrap();
    let request = SearchRequest::parse(b"", &[]).unwrap();
    let answer = search(&old, &request, NOW).await.unwrap();
    assert_eq!((ids(&answer).as_slice(), answer.failures.len()), (&["1"][..], 1));
    assert!(answer.failures[0].reason.contains("no such object"), "{}", answer.failures[0].reason);
}
