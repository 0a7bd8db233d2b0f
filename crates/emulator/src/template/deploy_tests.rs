//! Our own template and SAM's features, made through the real services.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{Config, Emulator};

fn repository(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

fn config(data: &Path, template: PathBuf, parameters: &[(&str, &str)]) -> Config {
    Config {
        port: 0,
        template: Some(template),
        parameters: parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        ..Config::new(data)
    }
}

#[tokio::test]
async fn our_own_template_is_made_and_made_again() {
    let data = tempfile::tempdir().unwrap();
    for parameters in [&[][..], &[("EnableStream", "true"), ("BufferSeconds", "1")], &[("EnableStream", "true")]] {
        let config = config(data.path(), repository("template.yaml"), parameters);
        let emulator = Emulator::start(config).await.unwrap_or_else(|e| panic!("{parameters:?}: {e}"));
        let stack = emulator.stack().unwrap();
        assert_eq!(stack.outputs["LakeBucketName"], "logmill-lake-000000000000-us-east-1");
        assert_eq!(stack.outputs.contains_key("LogStream"), parameters.contains(&("EnableStream", "true")));
        let (kind, id) = &stack.resources["FirehoseTransform"];
        assert_eq!((kind.as_str(), id.as_str()), ("AWS::Lambda::Function", "logmill-firehose-transform"));
        emulator.stop().await;
    }
}

#[tokio::test]
async fn the_url_of_a_function_is_where_it_listens() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("t.yaml");
    let text = "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: ., Runtime: provided.al2023, Handler: bootstrap, FunctionUrlConfig: {AuthType: AWS_IAM}}\nOutputs:\n  Url: {Value: !GetAtt FUrl.FunctionUrl}\n";
    std::fs::write(&path, text).unwrap();
    let emulator = Emulator::start(config(&data.path().join("state"), path, &[])).await.unwrap();
    let url = emulator.stack().unwrap().outputs["Url"].clone();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    emulator.stop().await;
}

#[tokio::test]
async fn every_template_of_the_oracle_is_made() {
    for name in ["events.yaml", "functions.yaml", "conditions.yaml"] {
        let data = tempfile::tempdir().unwrap();
        let emulator = Emulator::start(config(data.path(), repository("tests/templates/sam").join(name), &[])).await;
        emulator.unwrap_or_else(|e| panic!("{name}: {e}")).stop().await;
    }
}

#[tokio::test]
async fn a_resource_that_cannot_be_made_names_its_line() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("t.yaml");
    let text = json!({"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "not a name"}}}});
    std::fs::write(&path, Value::to_string(&text)).unwrap();
    let error = Emulator::start(config(&data.path().join("state"), path, &[])).await.err().unwrap().to_string();
    assert!(error.contains("t.yaml:1: Q (AWS::SQS::Queue)"), "{error}");
}
