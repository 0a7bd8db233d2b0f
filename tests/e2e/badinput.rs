//! What a user gets wrong is named: file, line, what was expected.

use std::path::Path;
use std::process::{Command, Output};

use logmill_tests::stack::{Options, Stack, free_port, programs, repository};

fn logmill(arguments: &[&str]) -> Output {
    Command::new(programs().join("logmill")).current_dir(repository()).args(arguments).output().expect("logmill runs")
}

fn up(template: &Path, data: &Path, port: u16) -> String {
    let port = port.to_string();
    let output = logmill(&[
        "up",
        "--no-build",
        "--port",
        &port,
        "--search-port",
        "0",
        "--template",
        &template.to_string_lossy(),
        "--data-dir",
        &data.to_string_lossy(),
    ]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).expect("text")
}

fn check(text: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    std::fs::write(&template, text).unwrap();
    let error = up(&template, &folder.path().join("data"), free_port());
    for part in expected {
        assert!(error.contains(part), "expected {part:?} in {error}");
    }
}

#[test]
fn a_template_with_an_error_is_refused_with_its_line() {
    check("Resources:\n  A:\n    Type: AWS::EC2::Instance\n", &["template.yaml:3", "AWS::EC2::Instance"]);
    check(
        "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueName: a\n",
        &["template.yaml:5", "QueName", "QueueName"],
    );
    check(
        "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    DependsOn: B\n  B:\n    Type: AWS::SQS::Queue\n    DependsOn: A\n",
        &["template.yaml:", "A", "B"],
    );
    check(
        "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: !Ref Nobody\n",
        &["template.yaml:5", "Nobody"],
    );
    check("Resources: [\n", &["template.yaml:"]);
}

#[test]
fn a_port_in_use_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = up(Path::new("template.yaml"), folder.path(), port);
    assert!(error.contains(&format!("127.0.0.1:{port}")) && error.contains("--port"), "{error}");
}

#[test]
fn a_data_directory_in_use_is_said() {
    let stack = Stack::start(Options::default());
    let error = up(Path::new("template.yaml"), stack.data(), free_port());
    assert!(error.contains("in use by another emulator"), "{error}");
}

#[test]
fn check_names_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("firehose-transform.json");
    std::fs::write(&file, "{\n  \"streams\": {\n    \"a\": { \"formatz\": [] }\n  }\n}\n").unwrap();
    let output = logmill(&["check", &file.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("firehose-transform.json:3:") && text.contains("formatz"), "{text}");

    let output = logmill(&["check", "infra/rules/firehose-transform.json", "template.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn check_warns_of_a_misspelt_key_of_the_agent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.json");
    let text = "{\n  \"flows\": [{\n    \"filePattern\": \"/tmp/x/a.log*\",\n    \"deliveryStream\": \"s\",\n    \"initialPostion\": \"START_OF_FILE\"\n  }]\n}\n";
    std::fs::write(&file, text).unwrap();
    let output = logmill(&["check", &file.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("line 5") && text.contains("initialPostion") && text.contains("initialPosition"), "{text}");
}
