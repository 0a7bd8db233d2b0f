use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::clock::now_ms;
use crate::config::Config;
use crate::store::Store;
use crate::wire::cbor::{self, Unit};

struct Fixture {
    store: Store,
    _dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Arc::new(Config::new(dir.path())), &[SCHEMA]).unwrap();
        Fixture { store, _dir: dir }
    }

    async fn put(&self, input: Value) -> Result<(), ApiError> {
        let input = serde_json::from_value(input).unwrap();
        self.store.write(move |tx| put::put_metric_data(tx, input)).await
    }

    async fn datum(&self, datum: Value) -> Result<(), ApiError> {
        self.put(json!({ "Namespace": "n", "MetricData": [datum] })).await
    }

    async fn list(&self, input: Value) -> Result<Value, ApiError> {
        let input = serde_json::from_value(input).unwrap();
        let output = self.store.read(move |db| list::list_metrics(db, input)).await?;
        Ok(serde_json::to_value(output).unwrap())
    }

    /// What is stored: time, unit, resolution, count, sum, minimum, maximum, samples.
    async fn rows(&self) -> Vec<Value> {
        let rows = |db: &rusqlite::Connection| {
            let mut statement = db.prepare("SELECT * FROM cloudwatch_data ORDER BY rowid")?;
            let rows = statement.query_map([], |row| {
                let number = |name: &str| row.get::<_, f64>(name);
                Ok(json!([
                    row.get::<_, i64>("at")?,
                    row.get::<_, String>("unit")?,
                    row.get::<_, i64>("resolution")?,
                    number("sample_count")?,
                    number("sum")?,
                    number("minimum")?,
                    number("maximum")?,
                    row.get::<_, Option<String>>("samples")?,
                ]))
            })?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        };
        self.store.read(rows).await.unwrap()
    }
}

#[tokio::test]
async fn every_form_of_a_datum_is_stored_with_its_statistics() {
    let f = Fixture::new();
    let at = (now_ms() - 60_000) / 1000;
    let set = json!({ "SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4 });
    for (datum, expected) in [
        (json!({ "Value": 2 }), json!(["None", 60, 1.0, 2.0, 2.0, 2.0, null])),
        (json!({ "Value": "2.5", "StorageResolution": "1" }), json!(["None", 1, 1.0, 2.5, 2.5, 2.5, null])),
        (json!({ "StatisticValues": set, "Unit": "Bytes" }), json!(["Bytes", 60, 4.0, 10.0, 1.0, 4.0, null])),
        (json!({ "Values": [1, 3.5] }), json!(["None", 60, 2.0, 4.5, 1.0, 3.5, "[[1.0,1.0],[3.5,1.0]]"])),
        (
            json!({ "Values": [1, -3], "Counts": [2, 1] }),
            json!(["None", 60, 3.0, -1.0, -3.0, 1.0, "[[1.0,2.0],[-3.0,1.0]]"]),
        ),
    ] {
        let mut whole = json!({ "MetricName": "m", "Timestamp": at });
        whole.as_object_mut().unwrap().extend(datum.as_object().unwrap().clone());
        f.datum(whole).await.unwrap();
        let mut row = f.rows().await.pop().unwrap();
        assert_eq!(row.as_array_mut().unwrap().remove(0), at * 1000, "{datum}");
        assert_eq!(row, expected, "{datum}");
    }
    // Without a time it is now's; with an entity it is stored like any other.
    let before = now_ms();
    let entity = json!({ "Entity": { "Attributes": { "a": "b" } }, "MetricData": [{ "MetricName": "e", "Value": 0 }] });
    f.put(json!({ "Namespace": "n", "EntityMetricData": [entity], "StrictEntityValidation": true })).await.unwrap();
    assert!(f.rows().await.pop().unwrap()[0].as_i64().unwrap() >= before);
}

#[tokio::test]
async fn a_datum_that_breaks_a_rule_refuses_the_call() {
    let f = Fixture::new();
    let with = |member: Value| {
        let mut datum = json!({ "MetricName": "m", "Value": 1 });
        datum.as_object_mut().unwrap().extend(member.as_object().unwrap().clone());
        datum
    };
    let only = |member: Value| {
        let mut datum = json!({ "MetricName": "m" });
        datum.as_object_mut().unwrap().extend(member.as_object().unwrap().clone());
        datum
    };
    let seconds = |ms: i64| (now_ms() + ms) / 1000;
    let many: Vec<Value> = (0..31).map(|n| json!({ "Name": n.to_string(), "Value": "v" })).collect();
    let twice = json!([{ "Name": "a", "Value": "1" }, { "Name": "a", "Value": "2" }]);
    const VALUE: &str = "InvalidParameterValue";
    const MISSING: &str = "MissingParameter";
    const COMBINATION: &str = "InvalidParameterCombination";
    for (datum, code, about) in [
        (json!({ "Value": 1 }), MISSING, "The parameter MetricData.member.2.MetricName is required."),
        (json!({ "MetricName": "", "Value": 1 }), VALUE, "MetricName must not be empty"),
        (json!({ "MetricName": "m".repeat(256), "Value": 1 }), VALUE, "at most 255 characters"),
        (json!({ "MetricName": "m" }), MISSING, "At least one of the parameters"),
        (
            with(json!({ "Values": [1] })),
            COMBINATION,
            "MetricData.member.2.Value and MetricData.member.2.Values are mutually",
        ),
        (with(json!({ "StatisticValues": {} })), COMBINATION, "StatisticValues are mutually exclusive"),
        (only(json!({ "StatisticValues": { "Sum": 1 } })), MISSING, "StatisticValues.SampleCount is required"),
        (
            only(json!({ "StatisticValues": { "SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1 } })),
            VALUE,
            "StatisticValues.Minimum is greater",
        ),
        (only(json!({ "Values": [1, 2], "Counts": [1] })), VALUE, "must be of the same size"),
        (only(json!({ "Values": [1], "Counts": [0] })), VALUE, "Counts.member.1 is invalid"),
        (only(json!({ "Values": vec![1; 151] })), VALUE, "size greater than 150"),
        (only(json!({ "Values": [] })), MISSING, "Values is required"),
        (with(json!({ "Value": "NaN" })), VALUE, "The value NaN for parameter MetricData.member.2.Value is invalid."),
        (with(json!({ "Value": 3e108 })), VALUE, "is invalid"),
        (
            with(json!({ "Unit": "Parsecs" })),
            VALUE,
            "The value Parsecs for parameter MetricData.member.2.Unit is invalid.",
        ),
        (with(json!({ "StorageResolution": 30 })), VALUE, "StorageResolution is invalid"),
        (with(json!({ "Timestamp": seconds(-15 * 24 * 3_600_000) })), VALUE, "within the past two weeks"),
        (with(json!({ "Timestamp": seconds(3 * 3_600_000) })), VALUE, "no more than two hours in the future"),
        (with(json!({ "Dimensions": many })), VALUE, "size greater than 30"),
        (with(json!({ "Dimensions": twice })), VALUE, "The dimension a is given twice"),
        (with(json!({ "Dimensions": [{ "Name": "a" }] })), MISSING, "Dimensions.member.1.Value is required"),
        (with(json!({ "Dimensions": [{ "Name": "a", "Value": "" }] })), VALUE, "must not be empty"),
    ] {
        let data = json!([{ "MetricName": "good", "Value": 1 }, datum]);
        let error = f.put(json!({ "Namespace": "n", "MetricData": data })).await.unwrap_err();
        assert_eq!(error.query_code, Some(code), "{datum}: {error}");
        assert!(error.message.contains(about), "{datum}: {error}");
    }
    let good = json!({ "MetricName": "m", "Value": 1 });
    for (input, code) in [
        (json!({ "MetricData": [good] }), MISSING),
        (json!({ "Namespace": "n" }), MISSING),
        (json!({ "Namespace": ":n", "MetricData": [good] }), VALUE),
        (json!({ "Namespace": " ", "MetricData": [good] }), VALUE),
        (json!({ "Namespace": "é", "MetricData": [good] }), VALUE),
        (json!({ "Namespace": "n", "MetricData": vec![good; 1001] }), VALUE),
    ] {
        assert_eq!(f.put(input).await.unwrap_err().query_code, Some(code));
    }
    assert!(f.rows().await.is_empty(), "nothing of a refused call is stored");
    assert!(put::check_size(1024 * 1024).is_ok() && put::check_size(1024 * 1024 + 1).is_err());
}

#[tokio::test]
async fn metrics_are_listed_by_their_filters() {
    let f = Fixture::new();
    let dimension = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    for (namespace, name, dimensions) in [
        ("a", "x", json!([])),
        ("a", "x", json!([dimension("host", "1"), dimension("az", "z")])),
        ("a", "x", json!([dimension("az", "z"), dimension("host", "1")])),
        ("a", "y", json!([dimension("host", "2")])),
        ("b", "x", json!([dimension("host", "1")])),
    ] {
        let datum = json!({ "MetricName": name, "Value": 1, "Dimensions": dimensions });
        f.put(json!({ "Namespace": namespace, "MetricData": [datum] })).await.unwrap();
    }
    for (input, expected) in [
        (json!({}), 4),
        (json!({ "Namespace": "a" }), 3),
        (json!({ "MetricName": "x" }), 3),
        (json!({ "Namespace": "a", "MetricName": "y" }), 1),
        (json!({ "Dimensions": [{ "Name": "host" }] }), 3),
        (json!({ "Dimensions": [{ "Name": "host", "Value": "1" }] }), 2),
        (json!({ "Dimensions": [{ "Name": "host", "Value": "1" }, { "Name": "az" }] }), 1),
        (json!({ "Dimensions": [{ "Name": "none" }] }), 0),
        (json!({ "RecentlyActive": "PT3H" }), 4),
    ] {
        let output = f.list(input.clone()).await.unwrap();
        assert_eq!(output["Metrics"].as_array().unwrap().len(), expected, "{input}");
    }
    let output = f.list(json!({ "Namespace": "b" })).await.unwrap();
    let metric = json!({ "Namespace": "b", "MetricName": "x", "Dimensions": [dimension("host", "1")] });
    assert_eq!(output, json!({ "Metrics": [metric] }));
    for input in [json!({ "NextToken": "!" }), json!({ "RecentlyActive": "PT1H" })] {
        assert!(f.list(input.clone()).await.is_err(), "{input}");
    }
    let age =
        |tx: &crate::store::Tx<'_>| Ok(tx.execute("UPDATE cloudwatch_metrics SET last_put = last_put - 14400000", [])?);
    f.store.write(age).await.unwrap();
    assert_eq!(f.list(json!({ "RecentlyActive": "PT3H" })).await.unwrap(), json!({ "Metrics": [] }));
}

#[tokio::test]
async fn a_long_list_comes_in_pages_and_old_data_go() {
    let f = Fixture::new();
    let data: Vec<Value> = (0..1000).map(|n| json!({ "MetricName": format!("m{n}"), "Value": 1 })).collect();
    f.put(json!({ "Namespace": "n", "MetricData": data })).await.unwrap();
    f.datum(json!({ "MetricName": "last", "Value": 1 })).await.unwrap();
    let (mut sizes, mut names, mut token) = (Vec::new(), std::collections::BTreeSet::new(), Value::Null);
    loop {
        let output = f.list(json!({ "NextToken": token })).await.unwrap();
        let metrics = output["Metrics"].as_array().unwrap();
        sizes.push(metrics.len());
        names.extend(metrics.iter().map(|metric| metric["MetricName"].to_string()));
        match output.get("NextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!((sizes, names.len()), (vec![500, 500, 1], 1001));

    let age = |tx: &crate::store::Tx<'_>| {
        tx.execute("UPDATE cloudwatch_data SET at = at - 16 * 86400000", [])?;
        Ok(tx.execute("UPDATE cloudwatch_metrics SET last_put = last_put - 16 * 86400000", [])?)
    };
    f.store.write(age).await.unwrap();
    f.datum(json!({ "MetricName": "new", "Value": 1 })).await.unwrap();
    assert_eq!(f.rows().await.len(), 1);
    let output = f.list(json!({})).await.unwrap();
    assert_eq!(output["Metrics"][0]["MetricName"], "new");
}

/// The body as the Rust SDK writes it: maps and arrays of indefinite length, the time a tagged double.
#[tokio::test]
async fn a_body_of_rpc_v2_cbor_is_understood() {
    let f = Fixture::new();
    let at = now_ms() / 1000 - 60;
    let mut body = b"\xbf\x69Namespace\x61n\x6aMetricData\x9f\xbf\x6aMetricName\x61m\x6aDimensions\x9f".to_vec();
    body.extend(b"\xbf\x64Name\x64host\x65Value\x611\xff\xff\x69Timestamp\xc1\xfb");
    body.extend((at as f64 + 0.25).to_be_bytes());
    body.extend(b"\x65Value\xfb");
    body.extend(1.5f64.to_be_bytes());
    body.extend(b"\x64Unit\x65Count\x71StorageResolution\x01\xff\xff\xff");
    let input = cbor::decode(&body, Unit::Seconds).unwrap();
    f.store.write(move |tx| put::put_metric_data(tx, input)).await.unwrap();
    assert_eq!(f.rows().await, [json!([at * 1000 + 250, "Count", 1, 1.0, 1.5, 1.5, 1.5, null])]);
}
