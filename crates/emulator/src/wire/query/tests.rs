use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::wire::types::{Blob, Timestamp};

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    name: Option<String>,
    count: Option<i64>,
    value: Option<f64>,
    on: Option<bool>,
    at: Option<Timestamp>,
    data: Option<Blob>,
    names: Vec<String>,
    attributes: BTreeMap<String, String>,
    dimensions: Vec<Dimension>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Dimension {
    name: String,
    values: Vec<f64>,
}

#[test]
fn a_form_is_read_as_its_type_wants() {
    let none = Input::default;
    for (form, expected) in [
        ("", none()),
        ("Action=Publish&Version=2010-03-31", none()),
        ("Name=a+b%2Bc%26%E2%82%AC", Input { name: Some("a b+c&€".into()), ..none() }),
        ("Name=", Input { name: Some("".into()), ..none() }),
        ("Count=-12&Value=1.5e3&On=true", Input { count: Some(-12), value: Some(1500.0), on: Some(true), ..none() }),
        ("Value=3&Unknown.member.1.X=1", Input { value: Some(3.0), ..none() }),
        ("At=2026-11-20T17%3A00%3A00.250Z", Input { at: Some(Timestamp(1795194000250)), ..none() }),
        ("At=1795194000.25", Input { at: Some(Timestamp(1795194000250)), ..none() }),
        ("Data=aGk%3D", Input { data: Some(Blob("hi".into())), ..none() }),
        ("Names=", none()),
        (
            "Names.member.2=b&Names.member.10=j&Names.member.1=a",
            Input { names: vec!["a".into(), "b".into(), "j".into()], ..none() },
        ),
        ("Names.1=a&Names.2=b", Input { names: vec!["a".into(), "b".into()], ..none() }),
        (
            "Attributes.entry.1.key=Policy&Attributes.entry.1.value=%7B%7D&Attributes.entry.2.Name=n&Attributes.entry.2.Value=v",
            Input { attributes: [("Policy".into(), "{}".into()), ("n".into(), "v".into())].into(), ..none() },
        ),
        (
            "Dimensions.member.1.Name=x&Dimensions.member.1.Values.member.1=1&Dimensions.member.1.Values.member.2=2.5",
            Input { dimensions: vec![Dimension { name: "x".into(), values: vec![1.0, 2.5] }], ..none() },
        ),
    ] {
        assert_eq!(decode::<Input>(form.as_bytes()).unwrap(), expected, "{form}");
    }
}

#[test]
fn an_untyped_field_keeps_maps_and_lists() {
    let form = "MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=String\
                &MessageAttributes.entry.1.Value.StringValue=1&L.member.1=x";
    let value: Value = decode(form.as_bytes()).unwrap();
    assert_eq!(value, json!({"MessageAttributes": {"a": {"DataType": "String", "StringValue": "1"}}, "L": ["x"]}));
}

#[test]
fn lists_nest() {
    let form = "Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1.0\
                &MetricData.member.1.Dimensions.member.1.Name=d&MetricData.member.1.Dimensions.member.1.Value=v\
                &MetricData.member.2.MetricName=o";
    assert_eq!(decode::<Value>(b"Action=ListMetrics").unwrap(), json!({}));
    let value: Value = decode(form.as_bytes()).unwrap();
    let first = json!({"MetricName": "m", "Value": "1.0", "Dimensions": [{"Name": "d", "Value": "v"}]});
    assert_eq!(value, json!({"Namespace": "n", "MetricData": [first, {"MetricName": "o"}]}));
}

#[test]
fn a_form_that_does_not_fit_is_refused_with_the_field() {
    for (form, expected) in [
        ("Count=many", "Count: expected an integer, found \"many\""),
        ("On=perhaps", "On: expected true or false"),
        ("Name.member.1=a", "Name: invalid type: sequence, expected a string"),
        ("Names=a", "Names: expected a list"),
        ("Dimensions.member.1.Name=x", "Dimensions: missing field `Values`"),
        ("Attributes.entry.1.key=a", "Attributes: an entry needs key and value"),
        ("Name=a&Name.b=c", "Name.b: Name has a value and parts"),
        ("Name=%ff", "the form is not UTF-8 text"),
        (&format!("a{}=1", ".a".repeat(100_000)), "more than 32 parts"),
    ] {
        let error = decode::<Input>(form.as_bytes()).unwrap_err();
        assert_eq!(error.code, "SerializationException");
        assert!(error.message.contains(expected), "{:.80}: {}", form, error.message);
    }
}

#[test]
fn the_action_is_found() {
    for (form, expected) in [
        ("Action=Publish&TopicArn=a", Some("Publish")),
        ("TopicArn=a&Action=Get%54opic", Some("GetTopic")),
        ("TopicArn=a", None),
        ("", None),
    ] {
        assert_eq!(action(form.as_bytes()).as_deref(), expected);
    }
}

#[test]
fn output_is_xml() {
    for (output, expected) in [
        (json!({}), ""),
        (json!({"MessageId": "1", "Gone": null, "N": 2, "B": true}), "<MessageId>1</MessageId><N>2</N><B>true</B>"),
        (
            json!({"Topics": [{"TopicArn": "a"}, {"TopicArn": "b"}]}),
            "<Topics><member><TopicArn>a</TopicArn></member><member><TopicArn>b</TopicArn></member></Topics>",
        ),
        (json!({"Topics": []}), "<Topics></Topics>"),
        (
            json!({"Attributes": {"entry": [{"key": "k", "value": "v"}]}}),
            "<Attributes><entry><key>k</key><value>v</value></entry></Attributes>",
        ),
        (
            json!({"T": "<a href=\"x\">&\r\n\u{1}\u{ffff}é"}),
            "<T>&lt;a href=&quot;x&quot;&gt;&amp;&#xD;\n\u{fffd}\u{fffd}é</T>",
        ),
    ] {
        let reply = encode("Op", "id", &output).unwrap();
        assert_eq!(reply.content_type, "text/xml");
        let expected = format!(
            "<OpResponse><OpResult>{expected}</OpResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></OpResponse>"
        );
        assert_eq!(std::str::from_utf8(&reply.body).unwrap(), expected);
    }
}

#[test]
fn errors_say_whose_fault_and_prefer_the_query_code() {
    for (given, expected) in [
        (
            ApiError::bad_request("InvalidParameter", "a < b"),
            "<Type>Sender</Type><Code>InvalidParameter</Code><Message>a &lt; b</Message>",
        ),
        (ApiError::internal("x"), "<Type>Receiver</Type><Code>InternalFailure</Code><Message>x</Message>"),
        (ApiError::bad_request("A", "x").with_query_code("B"), "<Type>Sender</Type><Code>B</Code><Message>x</Message>"),
    ] {
        let reply = error(&given, "id").unwrap();
        let expected = format!("<ErrorResponse><Error>{expected}</Error><RequestId>id</RequestId></ErrorResponse>");
        assert_eq!(std::str::from_utf8(&reply.body).unwrap(), expected);
    }
}
