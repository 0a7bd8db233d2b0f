use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::checkpoint::Entry;
use crate::config::{Source, parse};

fn outbox(keys: &str) -> (Outbox, UnboundedReceiver<Batch>, Arc<Running>, FileKey) {
    let text = format!("{{\"flows\": [{{\"filePattern\": \"/l/*\", \"deliveryStream\": \"s\"{keys}}}]}}");
    let mut config = parse(&Source { path: "agent.json".into(), text }, &[]).unwrap().config;
    let running = Arc::new(Running::new(config.flows.remove(0), Arc::default()));
    let key = running.positions().follow(Entry::default());
    let (sender, receiver) = unbounded_channel();
    (Outbox::new(running.clone(), sender), receiver, running, key)
}

fn data(batch: &Batch) -> Vec<String> {
    batch.to_records().iter().map(|record| String::from_utf8_lossy(&record.data).into_owned()).collect()
}

#[test]
fn closed_by_records_by_bytes_and_by_flush() {
    let check = |keys: &str, lines: &[&str], expected: &[&[&str]]| {
        let (mut outbox, mut receiver, _, key) = outbox(keys);
        let mut from = 0;
        for line in lines {
            assert!(outbox.push(line.as_bytes(), None, key, from));
            from += line.len() as u64;
        }
        assert!(outbox.flush());
        let mut batches = Vec::new();
        while let Ok(batch) = receiver.try_recv() {
            batches.push(data(&batch));
        }
        assert_eq!(batches, expected, "{keys}");
    };
    check("", &["a\n", "b\n"], &[&["a\n", "b\n"]]);
    check(", \"maxBufferSizeRecords\": 2", &["a\n", "b\n", "c\n"], &[&["a\n", "b\n"], &["c\n"]]);
    check(", \"maxBufferSizeBytes\": 4", &["a\n", "b\n", "c\n"], &[&["a\n", "b\n"], &["c\n"]]);
    check(", \"maxBufferSizeBytes\": 4", &["longer\n", "b\n"], &[&["longer\n"], &["b\n"]]);
    check(", \"aggregatedRecordSizeBytes\": 5", &["a\n", "b\n", "c\n", "longer\n"], &[&["a\nb\n", "c\n", "longer\n"]]);
    check("", &[], &[]);
}

#[test]
fn no_room_no_record() {
    let (mut outbox, mut receiver, running, key) = outbox(", \"publishQueueCapacity\": 1, \"maxBufferSizeRecords\": 1");
    assert!(outbox.push(b"a\n", None, key, 0), "open");
    assert!(outbox.push(b"b\n", None, key, 2), "the first is handed on");
    assert!(!outbox.push(b"c\n", None, key, 4), "the second waits");
    assert!(!outbox.has_room() && !outbox.flush());
    let first = receiver.try_recv().unwrap();
    running.budget.give_back(first.bytes);
    assert!(outbox.has_room());
    assert_eq!(data(&receiver.try_recv().unwrap()), ["b\n"]);
}

#[test]
fn acknowledging_moves_the_low_water_mark() {
    let (mut outbox, mut receiver, running, key) = outbox("");
    for (index, line) in ["aa\n", "bb\n", "cc\n"].iter().enumerate() {
        assert!(outbox.push(line.as_bytes(), None, key, 3 * index as u64));
    }
    running.positions().consumed(key, 9, None);
    assert!(outbox.flush());
    let mut batch = receiver.try_recv().unwrap();
    let low_water = || running.positions().low_water(key);
    assert_eq!(low_water(), Some(0));
    batch.acknowledge(|index| index == 1, &running);
    assert_eq!((data(&batch), low_water()), (vec!["bb\n".to_owned()], Some(3)));
    batch.acknowledge(|_| false, &running);
    assert_eq!((batch.is_empty(), low_water()), (true, Some(9)));
}

#[test]
fn closed_by_age() {
    let (mut outbox, mut receiver, _, key) = outbox(", \"maxBufferAgeMillis\": 1000");
    assert!(outbox.push(b"a\n", None, key, 0));
    outbox.close_if_old();
    assert!(receiver.try_recv().is_err());
    outbox.open.as_mut().unwrap().since -= Duration::from_millis(1_000);
    outbox.close_if_old();
    assert_eq!(data(&receiver.try_recv().unwrap()), ["a\n"]);
}
