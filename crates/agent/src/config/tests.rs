use std::path::PathBuf;
use std::time::Duration;

use super::*;

fn source(name: &str, text: &str) -> Source {
    Source { path: PathBuf::from(name), text: text.to_owned() }
}

fn parse_one(text: &str) -> Result<Loaded, ConfigError> {
    parse(&source("agent.json", text), &[])
}

/// A configuration of one flow with further keys.
fn flow_with(keys: &str) -> String {
    format!("{{\"flows\": [{{\"filePattern\": \"/l/a.log*\", \"deliveryStream\": \"s\"{keys}}}]}}")
}

#[test]
fn the_tutorial_and_its_misspelt_key() {
    let text = r#"{
  "cloudwatch.emitMetrics": true, // as the tutorial has it
  "firehose.endpoint": "http://127.0.0.1:4566",
  "flows": [
    {
      "filePattern": "/var/log/httpd/access_log*",
      "initialPostion": "START_OF_FILE", /* sic */
      "deliveryStream": "log-ingestion-stream",
      "dataProcessingOptions": [{"optionName": "LOGTOJSON", "logFormat": "COMBINEDAPACHELOG"}]
    }
  ]
}"#;
    let loaded = parse_one(text).unwrap();
    assert_eq!(
        loaded.warnings,
        ["agent.json, line 7: unknown key `initialPostion` is ignored: did you mean `initialPosition`?"]
    );
    let flow = &loaded.config.flows[0];
    assert_eq!(flow.id, "fh:log-ingestion-stream:/var/log/httpd/access_log*");
    assert_eq!(flow.initial_position, InitialPosition::EndOfFile);
    assert_eq!(loaded.config.firehose.endpoint.as_deref(), Some("http://127.0.0.1:4566"));
    assert_eq!(flow.options[0]["logFormat"], "COMBINEDAPACHELOG");
}

#[test]
fn defaults_and_conversions() {
    let text = flow_with(", \"maxBufferAgeMillis\": \"6000\", \"skipHeaderLines\": \"1\", \"kinesisStream\": 7");
    let Loaded { config, warnings } = parse_one(&text).unwrap();
    let flow = &config.flows[0];
    assert_eq!(flow.max_buffer_age, Duration::from_secs(6));
    assert_eq!((flow.skip_header_lines, flow.max_buffer_records, flow.max_buffer_bytes), (1, 500, 4 << 20));
    assert_eq!((flow.queue_capacity, flow.poll), (100, Duration::from_millis(100)));
    assert_eq!(flow.truncated_terminator, b"\n");
    assert_eq!(config.shutdown_timeout, Duration::from_secs(10));
    assert!(warnings[0].contains("only deliveryStream is used"), "{warnings:?}");
    let kinesis = parse_one(r#"{"flows": [{"filePattern": "/l/*", "kinesisStream": "k"}]}"#).unwrap().config;
    assert_eq!((kinesis.flows[0].id.as_str(), kinesis.flows[0].max_buffer_bytes), ("kinesis:k:/l/*", 5 << 20));
}

#[test]
fn booleans_of_any_case() {
    for (value, expected) in
        [("true", true), ("\"YES\"", true), ("\"T\"", true), ("1", true), ("\"n\"", false), ("0", false)]
    {
        let text = flow_with("").replacen('{', &format!("{{\"cloudwatch.emitMetrics\": {value}, "), 1);
        assert_eq!(parse_one(&text).unwrap().config.emit_metrics, expected, "{value}");
    }
}

#[test]
fn errors_name_file_and_line() {
    let check = |text: &str, line: Option<usize>, words: &str| {
        let error = parse_one(text).unwrap_err();
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.to_string().starts_with("agent.json") && error.to_string().contains(words), "{text}: {error}");
    };
    check("{\n\"flows\": [],\n}", Some(3), "expected a key in double quotes");
    check("{}", None, "no flows");
    check("{\"flows\": []}", None, "no flows");
    check("[]", Some(1), "the configuration is a list: expected an object");
    check("{\n\"flows\": {}}", Some(2), "`flows` is an object: expected a list");
    check("{\"flows\": [\n{}]}", Some(2), "Required configuration value missing: deliveryStream or kinesisStream");
    check("{\"flows\": [{\"deliveryStream\": \"s\"}]}", Some(1), "Required configuration value missing: filePattern");
    check(
        &flow_with(",\n\"maxBufferAgeMillis\": 999"),
        Some(2),
        "`maxBufferAgeMillis` is 999: expected 1000 to 900000",
    );
    check(&flow_with(",\n\"maxBufferSizeRecords\": \"501\""), Some(2), "expected 1 to 500");
    check(&flow_with(",\n\"maxBufferSizeRecords\": \"many\""), Some(2), "`many`: expected a whole number");
    check(&flow_with(",\n\"maxBufferSizeRecords\": [1]"), Some(2), "is a list: expected a whole number");
    check(&flow_with(",\n\"publishQueueCapacity\": -1"), Some(2), "expected 1 to");
    check(
        &flow_with(",\n\n\"initialPosition\": \"end_of_file\""),
        Some(3),
        "Value(end_of_file) is not legally accepted by key: initialPosition. Legal values are END_OF_FILE,START_OF_FILE",
    );
    check(&flow_with(",\n\"dataProcessingOptions\": [{\"optionName\": \"NO\"}]"), Some(2), "`dataProcessingOptions`: ");
    check(&flow_with(",\n\"dataProcessingOptions\": {}"), Some(2), "expected a list");
    check(&flow_with(",\n\"multiLineStartPattern\": \"(\""), Some(2), "`multiLineStartPattern`: ");
    check(&flow_with(",\n\"recordIdField\": \"\""), Some(2), "expected the name of a field");
    check("{\"flows\": [{\"filePattern\": \"a.log\", \"deliveryStream\": \"s\"}]}", Some(1), "a directory is required");
    check("{\"flows\": [{\"filePattern\": \"/l/\", \"deliveryStream\": \"s\"}]}", Some(1), "`filePattern`: ");
    check(&flow_with("").replacen('{', "{\"awsAccessKeyId\": \"a\",", 1), Some(1), "missing: awsSecretAccessKey");
    check(
        &flow_with("").replacen('{', "{\"cloudwatch.emitMetrics\": \"maybe\",", 1),
        Some(1),
        "expected true or false",
    );
    check(&flow_with("").replacen('{', "{\"log.level\": \"loud\",", 1), Some(1), "expected one of TRACE");
    let twice = flow_with("").replace("}]", "},\n{\"filePattern\": \"/l/a.log*\", \"deliveryStream\": \"s\"}]");
    check(&twice, Some(2), "Duplicate flow: fh:s:/l/a.log*");
}

#[test]
fn warnings_name_file_and_line() {
    let check = |text: &str, expected: &[&str]| {
        let warnings = parse_one(text).unwrap().warnings;
        assert_eq!(warnings, expected, "{text}");
    };
    check(&flow_with(""), &[]);
    check(
        &flow_with("").replacen('{', "{\n\"useHttpGzip\": \"true\", \"useTcpKeepAlive\": false,", 1),
        &["agent.json, line 2: not supported yet: `useHttpGzip`, it has no effect"],
    );
    check(
        &flow_with("").replacen('{', "{\n\"userDefinedCredentialsProvider.classname\": \"x.Y\",", 1),
        &["agent.json, line 2: not supported yet: `userDefinedCredentialsProvider.classname`, it has no effect"],
    );
    check(
        &flow_with("").replacen('{', "{\n\"initialPosition\": \"START_OF_FILE\",", 1),
        &["agent.json, line 2: key `initialPosition` is ignored here: it belongs in a flow"],
    );
    check(&flow_with(", \"comment\": 1"), &["agent.json, line 1: unknown key `comment` is ignored"]);
    check(
        &flow_with(",\n\"skipHeaderLines\": 1,\n\"skipHeaderLines\": 2"),
        &["agent.json, line 3: key `skipHeaderLines` is given twice: the last one counts"],
    );
    check(
        &flow_with(",\n\"aggregatedRecordSizeBytes\": 100, \"multiLineStartPattern\": \"x\""),
        &["agent.json, line 2: `aggregatedRecordSizeBytes` has no effect beside multiLineStartPattern"],
    );
}

#[test]
fn endpoints_and_regions() {
    let check = |keys: &str, endpoint: Option<&str>, region: Option<&str>| {
        let config = parse_one(&flow_with("").replacen('{', &format!("{{{keys}"), 1)).unwrap().config;
        assert_eq!(
            (config.kinesis.endpoint.as_deref(), config.kinesis.region.as_deref()),
            (endpoint, region),
            "{keys}"
        );
    };
    check("", None, None);
    check("\"kinesis.endpoint\": \"\",", None, None);
    check("\"kinesis.region\": \"eu-west-1\",", None, Some("eu-west-1"));
    check("\"kinesis.endpoint\": \"http://127.0.0.1:4566\",", Some("http://127.0.0.1:4566"), None);
    let aws = "https://kinesis.eu-west-1.amazonaws.com";
    check("\"kinesis.endpoint\": \"kinesis.eu-west-1.amazonaws.com\",", Some(aws), Some("eu-west-1"));
    check("\"kinesis.endpoint\": \"https://kinesis.eu-west-1.amazonaws.com\",", Some(aws), Some("eu-west-1"));
    check(
        "\"kinesis.endpoint\": \"vpce-1.example\", \"kinesis.region\": \"us-west-2\",",
        Some("https://vpce-1.example"),
        Some("us-west-2"),
    );
}

#[test]
fn files_of_agent_d_add_flows() {
    let main = source("agent.json", "{\"awsAccessKeyId\": \"\"}");
    let one = source("a.json", &flow_with("").replacen('{', "{\n\"checkpointFile\": \"/x\",", 1));
    let broken = source("b.json", "{");
    let loaded = parse(&main, &[one, broken]).unwrap();
    assert_eq!(loaded.config.flows.len(), 1);
    assert_eq!(loaded.warnings[0], "a.json, line 2: `checkpointFile` is ignored: only `flows` is read here");
    assert!(loaded.warnings[1].starts_with("b.json, line 1, column 2: "), "{:?}", loaded.warnings);

    let again = [source("a.json", &flow_with("")), source("b.json", &flow_with(""))];
    let error = parse(&main, &again).unwrap_err();
    assert_eq!((error.path.to_str(), error.line), (Some("b.json"), Some(1)));
}

#[test]
fn load_reads_the_directory_beside_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent.json");
    assert!(load(&path).unwrap_err().to_string().contains("cannot be read"));
    std::fs::write(&path, "{}").unwrap();
    std::fs::create_dir_all(directory.path().join("agent.d/ignored")).unwrap();
    std::fs::write(directory.path().join("agent.d/one.json"), flow_with("")).unwrap();
    assert_eq!(load(&path).unwrap().config.flows[0].id, "fh:s:/l/a.log*");
}

#[test]
fn local_endpoints() {
    let check = |endpoint: &str, expected: bool| assert_eq!(is_local(endpoint), expected, "{endpoint}");
    check("http://127.0.0.1:4566", true);
    check("127.0.0.1:4566", true);
    check("http://localhost:4566/", true);
    check("http://localhost", true);
    check("http://[::1]:1", true);
    check("https://firehose.us-east-1.amazonaws.com", false);
    check("http://localhost.example.com", false);
    check("http://10.0.0.1", false);
}
