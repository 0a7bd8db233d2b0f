//! The contract of a data-transformation function, through the handler: a fake stream, lake and rules bucket.

use std::{cell::RefCell, collections::HashMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use firehose_transform::{
    answer::{CUT_BYTES, MAX_ANSWER_BYTES},
    handler::{Context, handle},
    reingest::{MAX_PUTS, MAX_ROUNDS, Outgoing},
    rules::{RULE_FILE, Rules, parse},
    sink::{Sink, Target},
};
use lambda::{RuleCache, RuleSource, Stored};
use serde_json::{Value, json};

const ARRIVAL: i64 = 1_709_208_000_000;

/// Keeps what is put; `fails` says of each put (counted from 0) and record why it fails.
struct FakeSink {
    puts: RefCell<Vec<(Target, Vec<Outgoing>)>>,
    objects: RefCell<HashMap<String, String>>,
    fails: fn(put: usize, record: &Outgoing) -> Option<String>,
}

impl Sink for &FakeSink {
    async fn put(&self, target: &Target, records: &[Outgoing]) -> Result<Vec<Option<String>>, String> {
        let mut puts = self.puts.borrow_mut();
        let results = records.iter().map(|record| (self.fails)(puts.len(), record)).collect();
        puts.push((target.clone(), records.to_vec()));
        Ok(results)
    }

    async fn store(&self, key: &str, body: Vec<u8>) -> Result<(), String> {
        self.objects.borrow_mut().insert(key.to_owned(), String::from_utf8(body).unwrap());
        Ok(())
    }
}

/// The rules bucket: one file, or none.
#[derive(Clone, Copy)]
struct RuleFile(Option<&'static str>);

impl RuleSource for RuleFile {
    async fn get(&self, key: &str, _: Option<&str>) -> Result<Stored, lambda::Error> {
        assert_eq!(key, RULE_FILE);
        Ok(self.0.map_or(Stored::Missing, |text| Stored::Found { etag: "e".into(), body: text.into() }))
    }
}

fn context(sink: &FakeSink, rules: RuleFile) -> Context<&FakeSink, RuleFile> {
    Context {
        sink,
        rules: RuleCache::new(rules, RULE_FILE, parse, Rules::default()),
        own_log_groups: "/aws/lambda/logmill-".into(),
        first_backoff: Duration::ZERO,
    }
}

fn sink(fails: fn(usize, &Outgoing) -> Option<String>) -> FakeSink {
    FakeSink { puts: RefCell::default(), objects: RefCell::default(), fails }
}

fn never(_: usize, _: &Outgoing) -> Option<String> {
    None
}

/// Invokes the handler and checks what holds of every answer: each id once, the size, data where there must be some.
async fn invoke(sink: &FakeSink, event: &Value) -> Vec<(String, String, Option<String>)> {
    let context = context(sink, RuleFile(None));
    let reply = serde_json::to_string(&handle(&event.to_string(), &context).await.unwrap()).unwrap();
    assert!(reply.len() <= MAX_ANSWER_BYTES, "{} bytes", reply.len());
    let reply: Value = serde_json::from_str(&reply).unwrap();
    let answers = reply["records"].as_array().unwrap().iter().map(|answer| {
        let text = |key: &str| answer[key].as_str().map(str::to_owned);
        assert!(answer["result"] != "Ok" || answer["data"].is_string());
        (text("recordId").unwrap(), text("result").unwrap(), text("data"))
    });
    let answers: Vec<_> = answers.collect();
    let mut answered: Vec<&str> = answers.iter().map(|(id, ..)| id.as_str()).collect();
    let mut asked: Vec<&str> =
        event["records"].as_array().unwrap().iter().map(|record| record["recordId"].as_str().unwrap()).collect();
    answered.sort_unstable();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(answered, asked);
    answers
}

fn event(records: &[(String, Vec<u8>)]) -> Value {
    let records = records
        .iter()
        .map(|(id, data)| json!({"recordId": id, "approximateArrivalTimestamp": ARRIVAL, "data": BASE64.encode(data)}));
    json!({"invocationId": "i-1", "deliveryStreamArn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/direct",
        "region": "us-east-1", "records": records.collect::<Vec<_>>()})
}

/// `count` records of `lines` one-letter lines each, which grow twentyfold.
fn growing(count: usize, lines: usize) -> Vec<(String, Vec<u8>)> {
    (0..count).map(|n| (format!("r{n}"), "x\n".repeat(lines).into_bytes())).collect()
}

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn decoded(data: &Option<String>) -> String {
    String::from_utf8(BASE64.decode(data.as_deref().unwrap_or_default()).unwrap()).unwrap()
}

#[tokio::test]
async fn fixtures() {
    let combined = "{\"host\":\"1.2.3.4\",\"ident\":null,\"authuser\":\"bob\",\"datetime\":\"10/Oct/2000:13:55:36 -0700\",\
        \"request\":\"GET / HTTP/1.0\",\"response\":\"200\",\"bytes\":\"2326\",\"referer\":null,\"agent\":\"curl/8\",\
        \"@ingested\":1709208000125}\n{\"message\":\"plain\",\"@ingested\":1709208000125}\n";
    let events = format!(
        "{{\"timestamp\":1709207999124,\"id\":\"{:056}\",{more}\"first\",\"@ingested\":1709208000125}}\n\
        {{\"timestamp\":1709207999125,\"id\":\"{:056}\",{more}\"{{\\\"x\\\":1}}\",\"@ingested\":1709208000125}}\n\
        {{\"timestamp\":1709207999126,\"id\":\"{:056}\",{more}\"third\",\"@ingested\":1709208000125}}\n",
        1,
        2,
        3,
        more = "\"logGroup\":\"/app\",\"logStream\":\"s\",\"message\":"
    );
    let cases = [
        (
            include_str!("../events/direct-put.json"),
            vec![
                ("Ok", "{\"a\":1,\"@ingested\":1709208000124}\n{\"b\":\"ü\",\"@ingested\":1709208000124}\n"),
                ("Ok", combined),
                ("Dropped", ""),
                ("ProcessingFailed", "not UTF-8"),
                ("ProcessingFailed", "not base64"),
                ("ProcessingFailed", "gzip that cannot be read"),
            ],
        ),
        (
            include_str!("../events/kinesis-source.json"),
            vec![
                ("Ok", "{\"message\":\"one\",\"@ingested\":1709208000124}\n"),
                ("Ok", "{\"two\":2,\"@ingested\":1709208000125}\n"),
            ],
        ),
        (include_str!("../events/cloudwatch-logs.json"), vec![("Dropped", ""), ("Ok", &events), ("Dropped", "")]),
    ];
    for (text, expected) in cases {
        let (event, sink) = (fixture(text), sink(never));
        let answers = invoke(&sink, &event).await;
        assert_eq!(answers, invoke(&sink, &event).await, "the same event gives the same answer");
        let report = sink.objects.borrow().values().cloned().collect::<String>();
        let mut failed = report.lines();
        for (n, ((_, result, data), (verdict, text))) in answers.iter().zip(expected).enumerate() {
            assert_eq!(result, verdict, "record {n}");
            if verdict == "ProcessingFailed" {
                let input = &event["records"][n]["data"];
                assert_eq!(json!(data), *input, "the input goes back");
                let line: Value = serde_json::from_str(failed.next().unwrap()).unwrap();
                assert!(line["reason"].as_str().unwrap().contains(text), "{line}");
                assert_eq!((&line["rawData"], &line["recordId"]), (input, &event["records"][n]["recordId"]));
            } else {
                assert_eq!(decoded(data), text, "record {n}");
            }
        }
        assert_eq!(failed.next(), None);
    }
}

#[tokio::test]
async fn the_report_has_its_place() {
    let sink = sink(never);
    invoke(&sink, &fixture(include_str!("../events/direct-put.json"))).await;
    let objects = sink.objects.borrow();
    let keys: Vec<_> = objects.keys().collect();
    assert_eq!(keys, ["failed/firehose-transform/2024/02/29/12/0a1b2c3d-1111-2222-3333-444455556666.json"]);
}

#[tokio::test]
async fn an_id_that_comes_twice_is_answered_once() {
    let record = |id: &str, data: &[u8]| (id.to_owned(), data.to_vec());
    let sink = sink(never);
    let twice = event(&[record("a", b"1"), record("b", b"2"), record("a", b"1"), record("b", b"3")]);
    let outputs: Vec<_> = invoke(&sink, &twice).await.iter().map(|(_, _, data)| decoded(data)).collect();
    let message = |text: &str| format!("{{\"message\":\"{text}\",\"@ingested\":{ARRIVAL}}}\n");
    assert_eq!(outputs, [message("1"), message("2") + &message("3")]);
}

#[tokio::test]
async fn what_does_not_fit_goes_round_again_and_keeps_its_arrival() {
    let sink = sink(never);
    let mut waiting = growing(40, 10_000);
    let mut delivered = 0;
    let mut arrival = ARRIVAL;
    for round in 0.. {
        let mut batch = event(&waiting);
        for record in batch["records"].as_array_mut().unwrap() {
            record["approximateArrivalTimestamp"] = json!(arrival);
        }
        for (_, result, data) in invoke(&sink, &batch).await {
            assert_ne!(result, "ProcessingFailed");
            let lines = decoded(&data);
            assert!(lines.lines().all(|line| line == format!("{{\"message\":\"x\",\"@ingested\":{ARRIVAL}}}")));
            delivered += lines.lines().count();
        }
        let puts = std::mem::take(&mut *sink.puts.borrow_mut());
        if puts.is_empty() {
            assert!(round > 1);
            break;
        }
        assert!(puts.iter().all(|(target, _)| *target == Target::DeliveryStream("direct".into())));
        waiting =
            puts.into_iter().flat_map(|(_, records)| records).map(|r| (format!("r{}", r.index), r.data)).collect();
        arrival += 60_000;
    }
    assert_eq!(delivered, 40 * 10_000);
    assert!(sink.objects.borrow().is_empty());
}

#[tokio::test]
async fn leftovers_are_put_within_the_limits_of_the_target() {
    // One output takes the whole answer, so that the others are put: 1,200 small records, then large ones.
    let filler = ("filler".to_owned(), "x\n".repeat(CUT_BYTES / 60).into_bytes());
    let small = (0..1_200).map(|n| (format!("s{n}"), "x\n".repeat(700).into_bytes()));
    let records: Vec<_> = std::iter::once(filler.clone()).chain(small).collect();
    let sink = sink(never);
    invoke(&sink, &event(&records)).await;
    for (_, records) in sink.puts.borrow().iter() {
        assert!(records.len() <= 500 && records.iter().map(|r| r.data.len()).sum::<usize>() <= 4 * 1024 * 1024);
    }
    assert!(sink.puts.borrow().len() > 2);

    sink.puts.borrow_mut().clear();
    let large = (0..6).map(|n| (format!("l{n}"), "y".repeat(700_000).into_bytes()));
    let records: Vec<_> = std::iter::once(filler).chain(large).collect();
    let mut kinesis = event(&records);
    kinesis["sourceKinesisStreamArn"] = json!("arn:aws:kinesis:us-east-1:000000000000:stream/s");
    for record in kinesis["records"].as_array_mut().unwrap() {
        record["kinesisRecordMetadata"] = json!({"partitionKey": "p", "sequenceNumber": "1"});
    }
    invoke(&sink, &kinesis).await;
    let puts = sink.puts.borrow();
    assert!(!puts.is_empty());
    for (target, records) in puts.iter() {
        assert_eq!(*target, Target::KinesisStream("arn:aws:kinesis:us-east-1:000000000000:stream/s".into()));
        assert!(records.iter().all(|record| record.partition_key == "p"));
    }
}

#[tokio::test]
async fn failed_puts_are_repeated_for_the_failed_records_only() {
    let sink =
        sink(|put, record| (put == 0 && record.index % 2 == 1).then(|| "ServiceUnavailableException: slow".into()));
    let answers = invoke(&sink, &event(&growing(20, 10_000))).await;
    assert!(answers.iter().all(|(_, result, _)| result != "ProcessingFailed"));
    let puts = sink.puts.borrow();
    let indexes = |put: usize| puts[put].1.iter().map(|record| record.index).collect::<Vec<_>>();
    assert_eq!(puts.len(), 2);
    assert_eq!(indexes(1), indexes(0).into_iter().filter(|index| index % 2 == 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_cannot_be_put_is_processing_failed_with_the_reason() {
    let sink = sink(|_, record| (record.index == 19).then(|| "InternalFailure: down".into()));
    let answers = invoke(&sink, &event(&growing(20, 10_000))).await;
    let failed: Vec<_> = answers.iter().filter(|(_, result, _)| result == "ProcessingFailed").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].0, "r19");
    assert_eq!(sink.puts.borrow().len(), MAX_PUTS as usize);
    let report = sink.objects.borrow().values().cloned().collect::<String>();
    assert!(report.contains("not re-ingested: InternalFailure: down"), "{report}");
}

#[tokio::test]
async fn a_record_does_not_go_round_for_ever() {
    let sink = sink(never);
    let mut records = growing(20, 10_000);
    let worn = format!("#logmill-reingested {} {MAX_ROUNDS}\n", ARRIVAL - 1);
    records[19].1.splice(0..0, worn.into_bytes());
    let answers = invoke(&sink, &event(&records)).await;
    assert_eq!(answers[19].1, "ProcessingFailed");
    assert!(sink.puts.borrow().iter().all(|(_, records)| records.iter().all(|record| record.index != 19)));
}

#[tokio::test]
async fn an_output_that_no_answer_holds_fails_alone() {
    let sink = sink(never);
    let answers = invoke(&sink, &event(&[growing(1, 400_000)[0].clone(), ("b".into(), b"x".to_vec())])).await;
    assert_eq!((answers[0].1.as_str(), answers[1].1.as_str()), ("ProcessingFailed", "Ok"));
    assert!(sink.puts.borrow().is_empty());
    assert!(sink.objects.borrow().values().all(|report| report.contains("does not fit into any answer")));
}

#[tokio::test]
async fn inputs_go_back_only_as_far_as_the_answer_holds_them() {
    // Outputs up to the cut, then three inputs of 200 kB in base64 that are no text: 316 kB of room are left.
    let mut records = growing(11, 9_700);
    records.extend((0..3).map(|n| (format!("bad{n}"), vec![0xFF; 150_000])));
    let answers = invoke(&sink(never), &event(&records)).await;
    let returned = |n: usize| answers[11 + n].2.is_some();
    assert!(answers[11..].iter().all(|(_, result, _)| result == "ProcessingFailed"));
    assert!(returned(0) && !returned(1) && !returned(2));
}

#[tokio::test]
async fn an_event_of_another_kind_fails_the_invocation() {
    let sink = sink(never);
    let context = context(&sink, RuleFile(None));
    for event in ["{}", "[]", "{\"Records\":[]}", "{\"invocationId\":1}"] {
        let error = handle(event, &context).await.unwrap_err().to_string();
        assert!(error.contains("not a Firehose transformation event"), "{error}");
    }
}

#[tokio::test]
async fn a_streams_rule_names_its_formats_and_a_broken_file_is_the_default() {
    let csv = r#"{"streams": {"direct": {"formats": [{"optionName": "CSVTOJSON", "customFieldNames": ["a", "b"]}]}}}"#;
    let cases = [
        (Some(csv), r#"{"a":"1","b":"2","@ingested":1709208000000}"#),
        (Some("{\"streams\": 1}"), r#"{"message":"1,2","@ingested":1709208000000}"#),
        (None, r#"{"message":"1,2","@ingested":1709208000000}"#),
    ];
    for (file, expected) in cases {
        let sink = sink(never);
        let event = event(&[("r".into(), b"1,2\n".to_vec())]).to_string();
        let reply = handle(&event, &context(&sink, RuleFile(file))).await.unwrap();
        assert_eq!(decoded(&reply.records[0].data), format!("{expected}\n"), "{file:?}");
    }
}

#[tokio::test]
async fn records_of_the_largest_size_go_round_in_parts() {
    let sink = sink(never);
    let line = format!("{}\n", "z".repeat(99));
    let records: Vec<_> = (0..4).map(|n| (format!("r{n}"), line.repeat(10_240).into_bytes())).collect();
    assert_eq!(records[0].1.len(), 1_024_000);
    let answers = invoke(&sink, &event(&records)).await;
    assert!(answers.iter().all(|(_, result, _)| result != "ProcessingFailed"));
    let puts = sink.puts.borrow();
    let parts: Vec<_> = puts.iter().flat_map(|(_, records)| records).collect();
    assert!(parts.len() >= 2 && parts.iter().all(|part| part.data.len() <= 1_024_000 && part.data.ends_with(b"\n")));
}
