//! Retention.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use search_index::manifest::Settings;
use search_index::mapping::Mapping;
use search_index::write::{DocumentId, Op, Part};
use search_index::{Catalog, Options};
use serde_json::json;

use super::clock::BEGIN;
use super::memory::Memory;

const DAY: i64 = 24 * 3_600_000;

/// A split goes when its newest document is too old; one without a time stays.
#[tokio::test]
async fn only_what_is_older_goes() {
    let catalog = Catalog::new(Arc::new(Memory::default()), Options::default());
    let settings = Settings { retention_days: Some(3), time_field: Some("at".to_owned()), ..Settings::default() };
    let mapping = Mapping::from_json(&json!({"properties": {"at": {"type": "date"}}})).unwrap();
    catalog.create("logs", settings.clone(), mapping, BEGIN).await.unwrap();
    let index = catalog.index("logs").unwrap();
    let commits: [&[Option<i64>]; 6] =
        [&[Some(-5)], &[Some(-5), Some(0)], &[None], &[Some(-4), Some(-4)], &[Some(-2)], &[None, Some(-9)]];
    let mut number = 0;
    for commit in commits {
        let op = |days: &Option<i64>| {
            number += 1;
            let source = match days {
                Some(days) => json!({"at": BEGIN + days * DAY}),
                None => json!({"n": 1}),
            };
            let id = DocumentId::Given(number.to_string());
            Op::Index { id, source: Bytes::from(source.to_string()), if_seq_no: None }
        };
        let ops = commit.iter().map(op).collect();
        index.write(&[Part { source: None, ops }], &settings, BEGIN).await.unwrap();
    }
    for (now, expired, left) in [
        (BEGIN - 2 * DAY, 1, &["1", "2", "3", "4", "5", "6", "7"][..]),
        (BEGIN, 2, &["2", "3", "4", "7"]),
        (BEGIN, 0, &["2", "3", "4", "7"]),
        (BEGIN + 4 * DAY, 2, &["4"]),
    ] {
        let report = index.tidy(now, Duration::MAX, || Duration::ZERO).await.unwrap();
        let reader = index.reader().await.unwrap();
        let got = reader.get(&["1", "2", "3", "4", "5", "6", "7", "8", "9"]).await.unwrap();
        let got: Vec<String> = got.into_iter().flatten().map(|found| found.stored.id).collect();
        assert_eq!(
            (report.expired, got.iter().map(String::as_str).collect::<Vec<_>>().as_slice()),
            (expired, left),
            "{now}"
        );
    }
}
