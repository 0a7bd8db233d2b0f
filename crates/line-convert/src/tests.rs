//! Chains and their configuration. The scanner, the expressions and the writer have their cases beside them.

use super::*;
use serde_json::json;

fn check(options: Value, input: &str, expected: Result<&str, Outcome>) {
    let converter = Converter::new(&options).unwrap_or_else(|error| panic!("{options}: {error}"));
    let mut out = b"kept".to_vec();
    let outcome = converter.convert(input.as_bytes(), &mut out);
    let text = String::from_utf8(out.split_off(4)).unwrap();
    assert_eq!(out, b"kept");
    match expected {
        Ok(expected) => assert_eq!((outcome, text.as_str()), (Outcome::Converted, expected), "{options} {input:?}"),
        Err(expected) => assert_eq!((outcome, text.as_str()), (expected, ""), "{options} {input:?}"),
    }
}

fn csv(delimiter: &str) -> Value {
    json!([{"optionName": "CSVTOJSON", "customFieldNames": ["a", "b"], "delimiter": delimiter}])
}

fn log(format: &str) -> Value {
    json!([{"optionName": "LOGTOJSON", "logFormat": format}])
}

#[test]
fn columns() {
    check(csv(","), "1,2\n", Ok("{\"a\":\"1\",\"b\":\"2\"}\n"));
    check(csv(","), "1,,\n", Ok("{\"a\":\"1\",\"b\":null}\n"));
    check(csv(","), "\n", Ok("{\"a\":\"\",\"b\":null}\n"));
    check(csv(","), ",x", Ok("{\"a\":\"\",\"b\":\"x\"}\n"));
    check(csv("|"), "xyz", Ok("{\"a\":\"x\",\"b\":\"y\"}\n"));
    check(csv("."), "xyz", Ok("{\"a\":null,\"b\":null}\n"));
    check(csv(r"\t"), "x\ty", Ok("{\"a\":\"x\",\"b\":\"y\"}\n"));
    check(csv("(?=[A-Z])"), "aBc", Ok("{\"a\":\"a\",\"b\":\"Bc\"}\n"));
    check(csv("x*"), "axxb", Ok("{\"a\":\"a\",\"b\":\"\"}\n"));
    let null = json!([{"optionName": "CSVTOJSON", "customFieldNames": null}]);
    check(null, "a", Err(Outcome::Raw("CSVTOJSON: customFieldNames is null".into())));
    check(csv("("), "a", Err(Outcome::Raw("CSVTOJSON: delimiter \"(\": unclosed group".into())));
}

#[test]
fn formats() {
    let error = "[Mon Sep 09 10:42:29.9 2011] [:error] [pid 1] [client ::1] x";
    check(log("APACHEERRORLOG"), error, Err(Outcome::Skip));
    let error = "[Monday September 9 1:42:29 2011] [error] [pid 1] [client h.:80] \n";
    let expected = "{\"timestamp\":\"Monday September 9 1:42:29 2011\",\"module\":null,\"severity\":\"error\",\"processid\":\"1\",\
        \"threadid\":null,\"client\":\"h.:80\",\"message\":\"\"}\n";
    check(log("APACHEERRORLOG"), error, Ok(expected));
    check(log("APACHEERRORLOG"), &error.replace("Monday", "Mond"), Err(Outcome::Skip));
    check(log("APACHEERRORLOG"), &error.replace("[error]", "[proxy-fcgi:error]"), Err(Outcome::Skip));
    let expected = "{\"timestamp\":\"Oct 11 22:14:15\",\"hostname\":\"h\",\"program\":\"k\",\"processid\":\"7\",\"message\":\"-\"}\n";
    check(log("SYSLOG"), "Oct 11 22:14:15 <134> h k[7]: -\n", Ok(expected));
    check(log("SYSLOG"), "Oct 11 22:14:15 <34> h k[7]: -\n", Err(Outcome::Skip));
    check(log("SYSLOG"), "Oct 11 22:14:15 h k[07]: -\n", Err(Outcome::Skip));
    check(log("RFC3339SYSLOG"), "2024-02-29T12:00:08z h k: m", Err(Outcome::Skip));
}

#[test]
fn chains() {
    let stamped = json!([{"optionName": "SINGLELINE"}, {"optionName": "ADDMETADATA", "timestamp": "TRUE"}]);
    let converter = Converter::new(&stamped).unwrap();
    let mut out = Vec::new();
    assert_eq!(converter.convert_at(b"a\n b\n", 1_234, &mut out), Outcome::Converted);
    let expected = "{\"ts\":\"1970-01-01T00:00:01.234Z\",\"metadata\":null,\"data\":\"ab\"}\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    check(json!([{"optionName": "ADDBRACKETS"}]), "a\n", Ok("{a\n}"));
    check(
        json!([{"optionName": "LOGTOJSON", "logFormat": "SYSLOG"}, {"optionName": "ADDBRACKETS"}]),
        "a",
        Err(Outcome::Skip),
    );
    check(json!(null), "as it is", Ok("as it is"));
    check(json!([{"optionName": "ADDEC2METADATA", "logFormat": "SYSLOG"}]), "as it is\n", Ok("as it is\n"));
}

#[test]
fn only_an_empty_chain_is_the_identity() {
    assert!(Converter::new(&Value::Null).unwrap().is_identity());
    assert!(!Converter::new(&csv(",")).unwrap().is_identity());
    let ec2 = Converter::new(&json!([{"optionName": "ADDEC2METADATA", "logFormat": "SYSLOG"}])).unwrap();
    assert_eq!((ec2.is_identity(), ec2.warnings().len()), (true, 1));
}

#[test]
fn a_broken_configuration_names_option_and_key() {
    let cases = [
        (json!({}), "expected a list"),
        (json!([1]), "dataProcessingOptions[0]: expected an object"),
        (json!([{}]), "Required configuration value missing: optionName"),
        (
            json!([{"optionName": "x"}]),
            "Value(x) is not legally accepted by key: optionName. Legal values are ADDMETADATA,",
        ),
        (json!([{"optionName": "CSVTOJSON"}]), "Required list missing: customFieldNames"),
        (
            json!([{"optionName": "CSVTOJSON", "customFieldNames": "a"}]),
            "Configuration value is not a list: customFieldNames",
        ),
        (json!([{"optionName": "LOGTOJSON"}]), "Required configuration value missing: logFormat"),
        (
            json!([{"optionName": "LOGTOJSON", "logFormat": "SYSLOG", "matchPattern": "a"}]),
            "customFieldNames must be given",
        ),
        (json!([{"optionName": "LOGTOJSON", "logFormat": "SYSLOG", "customFieldNames": ["a"]}]), "has 5 fields"),
        (
            json!([{"optionName": "LOGTOJSON", "logFormat": "SYSLOG", "matchPattern": "(", "customFieldNames": ["a"]}]),
            "LOGTOJSON: matchPattern \"(\": unclosed group",
        ),
        (json!([{"optionName": "ADDMETADATA", "timestamp": true}]), "ADDMETADATA: timestamp: expected the string"),
        (
            json!([{"optionName": "SINGLELINE", "parseOptions": ["X"]}]),
            "Value(X) is not legally accepted by key: parseOptions",
        ),
        (json!([{"optionName": "USINGPLUGGIN"}]), "Required configuration value missing: className"),
        (json!([{"optionName": "USINGPLUGGIN", "className": "a.B"}]), "a Java class cannot be loaded"),
    ];
    for (options, part) in cases {
        let error = Converter::new(&options).unwrap_err().to_string();
        assert!(error.contains(part), "{options}: {error}");
    }
}
