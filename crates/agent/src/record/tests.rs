use super::*;
use crate::config::{Source, parse};

fn shaper(keys: &str) -> Shaper {
    let text = format!("{{\"flows\": [{{\"filePattern\": \"/l/*\", {keys}}}]}}");
    let loaded = parse(&Source { path: "agent.json".into(), text }, &[]).unwrap();
    Shaper::new(&loaded.config.flows[0]).unwrap()
}

#[test]
fn ids_go_into_json_objects() {
    let check = |record: &str, expected: &str| {
        let mut shaper = shaper("\"deliveryStream\": \"s\", \"recordIdField\": \"the \\\"id\\\"\"");
        let Shaped::Record { data, key: None, notes } = shaper.shape(record.as_bytes(), || "f-7".to_owned()) else {
            panic!("{record}")
        };
        assert_eq!(std::str::from_utf8(data).unwrap(), expected);
        assert_eq!(notes.without_id, record == expected, "{record}");
    };
    check("{\"a\":1}\n", "{\"a\":1,\"the \\\"id\\\"\":\"f-7\"}\n");
    check("{}\n", "{\"the \\\"id\\\"\":\"f-7\"}\n");
    check(" { \"a\": {\"b\": []} } \r\n", " { \"a\": {\"b\": []} ,\"the \\\"id\\\"\":\"f-7\"} \r\n");
    check("{\"a\":1}", "{\"a\":1,\"the \\\"id\\\"\":\"f-7\"}");
    for left_alone in ["text\n", "\n", "", "[1]\n", "{not json}\n", "{\"a\":1} }\n", "{\"a\":1}{}\n", "\"}\"\n"] {
        check(left_alone, left_alone);
    }
    check("{\"the \\\"id\\\"\":\"mine\"}\n", "{\"the \\\"id\\\"\":\"mine\"}\n");
}

#[test]
fn long_records_are_cut_to_the_limit() {
    let line = [vec![b'x'; 2 << 20], vec![b'\n']].concat();
    let check = |keys: &str, length: usize, end: &[u8]| {
        let mut shaper = shaper(keys);
        let Shaped::Record { data, key, notes } = shaper.shape(&line, String::new) else { panic!("{keys}") };
        assert_eq!(data.len() + key.map_or(0, |key| key.len()), length, "{keys}");
        assert!(data.ends_with(end) && data.starts_with(b"xxx"), "{keys}");
        assert_eq!(notes.truncated_from, Some(line.len()));
    };
    check("\"deliveryStream\": \"s\"", 1_024_000, b"x\n");
    check("\"deliveryStream\": \"s\", \"truncatedRecordTerminator\": \"...\\n\"", 1_024_000, b"x...\n");
    check("\"kinesisStream\": \"s\"", 1 << 20, b"x\n");
    check("\"kinesisStream\": \"s\", \"partitionKeyOption\": \"DETERMINISTIC\"", 1 << 20, b"x\n");
}

#[test]
fn a_record_is_too_long_by_its_key_alone() {
    for keys in ["\"kinesisStream\": \"s\"", "\"kinesisStream\": \"s\", \"partitionKeyOption\": \"DETERMINISTIC\""] {
        for length in [(1 << 20) - 1, 1 << 20, (1 << 20) + 1] {
            let line = [vec![b'x'; length - 1], vec![b'\n']].concat();
            let mut shaper = shaper(keys);
            let Shaped::Record { data, key, notes } = shaper.shape(&line, String::new) else { panic!("{keys}") };
            assert_eq!(data.len() + key.map_or(0, |key| key.len()), 1 << 20, "{keys} {length}");
            assert_eq!(notes.truncated_from, Some(length), "{keys}");
        }
    }
}

#[test]
fn partition_keys() {
    let key_of = |keys: &str, line: &[u8]| match shaper(keys).shape(line, String::new) {
        Shaped::Record { key, .. } => key,
        Shaped::Skip => panic!("skipped"),
    };
    assert_eq!(key_of("\"deliveryStream\": \"s\"", b"a"), None);
    let fixed = "\"kinesisStream\": \"s\", \"partitionKeyOption\": \"DETERMINISTIC\"";
    assert_eq!(key_of(fixed, b"a").as_deref(), Some("0cc175b9c0f1b6a831c399e269772661"));
    let random: f64 = key_of("\"kinesisStream\": \"s\"", b"a").unwrap().parse().unwrap();
    assert!((0.0..RANDOM_KEYS).contains(&random));
}
