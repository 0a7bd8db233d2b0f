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
    // Java splits between the halves of a pair, and writes each as a question mark.
    check(csv(""), "\u{1F389}x", Ok("{\"a\":\"?\",\"b\":\"?\"}\n"));
    check(csv("x*"), "a\u{1F389}", Ok("{\"a\":\"a\",\"b\":\"?\"}\n"));
    check(csv(" *"), "\u{1F389}", Ok("{\"a\":\"?\",\"b\":\"?\"}\n"));
    check(csv(","), "\u{1F389},\u{1F389}", Ok("{\"a\":\"\u{1F389}\",\"b\":\"\u{1F389}\"}\n"));
    check(csv(r"\G."), "xyz", Ok("{\"a\":null,\"b\":null}\n"));
    let null = json!([{"optionName": "CSVTOJSON", "customFieldNames": null}]);
    check(null, "a", Err(Outcome::Raw("CSVTOJSON: customFieldNames is null".into())));
    let null = json!([{"optionName": "CSVTOJSON", "customFieldNames": ["a"], "delimiter": null}]);
    check(null, "a", Err(Outcome::Raw("CSVTOJSON: delimiter is null".into())));
    let null = json!([{"optionName": "CSVTOJSON", "customFieldNames": ["a", null]}]);
    check(null, "a", Err(Outcome::Raw("CSVTOJSON: customFieldNames: a name is null".into())));
    let typed =
        json!([{"optionName": "CSVTOJSON", "customFieldNames": [1.0, 1e10, true, [1, "b"], {"c": 2}], "delimiter": 7}]);
    let expected = "{\"1.0\":\"a\",\"1.0E10\":\"b\",\"true\":null,\"[1, b]\":null,\"{c=2}\":null}\n";
    check(typed, "a7b", Ok(expected));
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
fn a_null_name_fails_what_matches() {
    let named = |pattern: Value, names: Value| {
        json!([{"optionName": "LOGTOJSON", "logFormat": "COMMONAPACHELOG",
        "matchPattern": pattern, "customFieldNames": names}])
    };
    let raw = || Err(Outcome::Raw("LOGTOJSON: customFieldNames: a name is null".into()));
    check(named(json!("(a)"), json!([null])), "a\n", raw());
    check(named(json!("(a)"), json!([null])), "b\n", Err(Outcome::Skip));
    check(named(json!("(a)"), json!([null, null])), "a\n", Err(Outcome::Skip));
    let line = "h - - [10/Oct/2000:13:55:36 -0700] \"GET /\" 200 1";
    check(named(Value::Null, json!([null, "b", "c", "d", "e", "f", "g"])), line, raw());
    check(named(Value::Null, json!([null, "b", "c", "d", "e", "f", "g"])), "b", Err(Outcome::Skip));
}

#[test]
fn single_lines() {
    let single = |options: Value| json!([{"optionName": "SINGLELINE", "parseOptions": options}]);
    check(single(json!(["NO_TRIM"])), "a \n b\n", Ok("a  b\n"));
    for passed_over in [json!(["no_trim", "X", 1, null]), json!("NO_TRIM"), json!({"NO_TRIM": true})] {
        check(single(passed_over), "a \n b\n", Ok("ab\n"));
    }
}

#[test]
fn brackets_are_text() {
    let mut out = Vec::new();
    let converter = Converter::new(&json!([{"optionName": "ADDBRACKETS"}])).unwrap();
    assert_eq!(converter.convert(b"a\xff\n", &mut out), Outcome::Converted);
    assert_eq!(String::from_utf8(out).unwrap(), "{a\u{FFFD}\n}");
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
        (json!([{"optionName": "SINGLELINE", "parseOptions": null}]), "parseOptions: expected a list, found null"),
        (json!([{"optionName": "ADDEC2METADATA"}]), "Required configuration value missing: logFormat"),
        (
            json!([{"optionName": "ADDEC2METADATA", "logFormat": "SYSLOG", "matchPattern": "a"}]),
            "customFieldNames must be given",
        ),
        (json!([{"optionName": "USINGPLUGGIN"}]), "Required configuration value missing: className"),
        (json!([{"optionName": "USINGPLUGGIN", "className": "a.B"}]), "a Java class cannot be loaded"),
    ];
    for (options, part) in cases {
        let error = Converter::new(&options).unwrap_err().to_string();
        assert!(error.contains(part), "{options}: {error}");
    }
}
