//! Templates that are resolved and templates that are refused. That SAM's expansion is SAM's own is shown by
//! `tests/python/oracle_sam.py`; what the resolver makes of the functions is shown here.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::{Template, binaries, load};
use crate::config::Config;

fn load_text(text: &str, given: &[(&str, &str)]) -> Result<Template, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.yaml");
    std::fs::write(&path, text).unwrap();
    let given: BTreeMap<String, String> = given.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let prefix = format!("{}/", folder.path().display());
    load(&path, &given, &Config::new("")).map_err(|error| error.to_string().replace(&prefix, ""))
}

/// The value of a free-form property in a template with a bit of everything to refer to.
fn value_of(expression: &str) -> Result<Value, String> {
    let text = format!(
        r#"
Parameters:
  Name: {{Type: String, Default: n}}
  List: {{Type: CommaDelimitedList, Default: "x, y"}}
  Number: {{Type: Number, Default: 7}}
Mappings:
  M: {{k: {{text: mapped, list: [1, 2]}}}}
Conditions:
  Holds: !Equals [!Ref Number, 7]
  Fails: !Not [!Condition Holds]
Resources:
  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Sub "${{Name}}-queue"}}}}
  Unnamed: {{Type: AWS::SNS::Topic}}
  Absent: {{Type: AWS::SNS::Topic, Condition: Fails}}
  Bucket: {{Type: AWS::S3::Bucket, Properties: {{BucketName: b}}}}
  P:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: b
      PolicyDocument:
        value: {expression}
"#
    );
    let template = load_text(&text, &[])?;
    let policy = template.resources.iter().find(|resource| resource.id == "P").unwrap();
    Ok(policy.properties["PolicyDocument"].get("value").cloned().unwrap_or(Value::Null))
}

#[test]
fn intrinsic_functions() {
    let check = |expression: &str, expected: Value| {
        assert_eq!(value_of(expression).as_ref(), Ok(&expected), "{expression}");
    };
    check("!Ref Name", json!("n"));
    check("!Ref Number", json!("7"));
    check("!Ref List", json!(["x", "y"]));
    check("!Ref AWS::Region", json!("us-east-1"));
    check("!Ref AWS::AccountId", json!("000000000000"));
    check("!Ref AWS::Partition", json!("aws"));
    check("!Ref AWS::StackName", json!("logmill"));
    check("!Ref AWS::URLSuffix", json!("amazonaws.com"));
    check("!Ref AWS::NoValue", Value::Null);
    check("[1, !Ref AWS::NoValue, 2]", json!([1, 2]));
    check("!Ref Q", json!("http://127.0.0.1:4566/000000000000/n-queue"));
    check("!GetAtt Q.Arn", json!("arn:aws:sqs:us-east-1:000000000000:n-queue"));
    check("!GetAtt [Q, QueueName]", json!("n-queue"));
    check("{\"Fn::GetAtt\": Q.QueueUrl}", json!("http://127.0.0.1:4566/000000000000/n-queue"));
    check("!Ref Bucket", json!("b"));
    check("!GetAtt Bucket.Arn", json!("arn:aws:s3:::b"));
    check("!GetAtt Bucket.DomainName", json!("b.s3.amazonaws.com"));
    check("!Sub a-${Name}-${Q.QueueName}-${!Name}-${AWS::Region}", json!("a-n-n-queue-${Name}-us-east-1"));
    check("!Sub [\"${a}${Name}${Number}\", {a: !Select [0, !Ref List]}]", json!("xn7"));
    check("!Sub no variables, $5 and }", json!("no variables, $5 and }"));
    check("!Join [\"-\", [a, !Ref Name, 3]]", json!("a-n-3"));
    check("!Join [\",\", !Ref List]", json!("x,y"));
    check("!Select [1, !Ref List]", json!("y"));
    check("!Select [\"0\", [a, b]]", json!("a"));
    check("!Split [\":\", \"a:b::c\"]", json!(["a", "b", "", "c"]));
    check("!FindInMap [M, k, text]", json!("mapped"));
    check("!FindInMap [M, k, list]", json!([1, 2]));
    check("!Base64 hello", json!("aGVsbG8="));
    check("!If [Holds, a, b]", json!("a"));
    check("!If [Fails, !Ref Absent, !If [Fails, a, b]]", json!("b"));
    check("{a: !If [Fails, 1, !Ref AWS::NoValue], b: 2}", json!({"b": 2}));
    check(
        "{Condition: {Bool: {aws:SecureTransport: \"false\"}}}",
        json!({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
    );
    check("[yes, No, TRUE, 1, 1.5, -2, 012345678901, 2012-10-17, \"1\"]", {
        json!([true, false, true, 1, 1.5, -2, "012345678901", "2012-10-17", "1"])
    });
}

#[test]
fn intrinsic_functions_refused() {
    let check = |expression: &str, expected: &str| {
        let error = value_of(expression).expect_err(expression);
        assert!(error.starts_with("t.yaml:21:") && error.contains(expected), "{expression}: {error}");
    };
    check("!Ref Nam", "unknown target of Ref: \"Nam\"; did you mean \"Name\"?");
    check("!Ref Absent", "Ref to Absent, which is not made: its condition Fails is false");
    check("!GetAtt Nope.Arn", "unknown target of GetAtt: \"Nope\"");
    check(
        "!GetAtt Q.Url",
        "unknown attribute of AWS::SQS::Queue Q: \"Url\"; expected one of: Arn, QueueName, QueueUrl",
    );
    check("!GetAtt Q", "expected RESOURCE.ATTRIBUTE");
    check("!GetAtt [Q]", "expected [RESOURCE, ATTRIBUTE]");
    check("!If [Fails, !Ref Missing, b]", "unknown target of Ref: \"Missing\"");
    check("!If [Maybe, a, b]", "unknown condition \"Maybe\"; expected one of: Fails, Holds");
    check("!If [Holds, a]", "expected [condition, value if true, value if false]");
    check("!Sub ${Missing}", "unknown target of Ref: \"Missing\"");
    check("!Sub ${open", "has no closing }");
    check("!Sub [a]", "expected TEXT or [TEXT, {NAME: VALUE, …}]");
    check("!Sub ${List}", "expected a string, found a list");
    check("!Join [a]", "expected [delimiter, list]");
    check("!Join [\"\", text]", "Fn::Join's list: expected a list, found a string");
    check("!Select [2, !Ref List]", "index 2 of a list of 2");
    check("!Split [\"\", text]", "an empty delimiter");
    check("!FindInMap [M, x, text]", "unknown key of the mapping \"x\"");
    check("!FindInMap [N, k, text]", "unknown mapping \"N\"");
    check("!ImportValue other-stack", "unknown function \"ImportValue\"");
    check("{\"Fn::ImportValue\": other-stack}", "unknown function \"Fn::ImportValue\"");
    check("{\"Fn::Sub\": a, other: b}", "a function must be the only key of its map");
    check("~", "null is not allowed");
}

#[test]
fn templates_refused() {
    let check = |text: &str, expected: &str| {
        let error = load_text(text, &[]).expect_err(text);
        assert!(error.starts_with(expected), "{text}\nexpected {expected}\ngot      {error}");
    };
    check("", "t.yaml:1:1: an empty file");
    check("Resources: [", "t.yaml:2:1: not valid YAML");
    check("Resources: []", "t.yaml:1:12: Resources: expected a map, found a list");
    check("Description: x", "t.yaml:1:1: the template has no Resources");
    check("Resource: {}", "t.yaml:1:1: unknown section \"Resource\"; did you mean \"Resources\"?");
    check("Resources: {}\n---\nResources: {}", "t.yaml:2:1: a second YAML document");
    check(
        "Resources:\n  A: {Type: AWS::SNS::Topic}\n  A: {Type: AWS::SNS::Topic}",
        "t.yaml:3:3: duplicate key \"A\": it is already on line 2",
    );
    check("Resources:\n  A-B: {Type: AWS::SNS::Topic}", "t.yaml:2:3: logical id \"A-B\": expected letters and digits");
    check("Resources:\n  A: {}", "t.yaml:2:3: A has no Type");
    check(
        "Resources:\n  A: {Type: AWS::SNS::Topc}",
        "t.yaml:2:13: unknown resource type \"AWS::SNS::Topc\"; did you mean \"AWS::SNS::Topic\"?",
    );
    check(
        "Resources:\n  A: {Type: AWS::EC2::Instance}",
        "t.yaml:2:13: unknown resource type \"AWS::EC2::Instance\"; expected one of:",
    );
    check(
        "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Propertys: {}",
        "t.yaml:4:5: unknown attribute of A: \"Propertys\"; did you mean \"Properties\"?",
    );
    check(
        "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n      TopicNam: x",
        "t.yaml:5:7: unknown property of AWS::SNS::Topic: \"TopicNam\"; did you mean \"TopicName\"?",
    );
    check(
        "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties:\n      LifecycleConfiguration:\n        Rules:\n          - Status: Enabled\n            Days: 1",
        "t.yaml:8:13: unknown property of AWS::S3::Bucket.LifecycleConfiguration.Rules: \"Days\"",
    );
    check(
        "Resources:\n  A:\n    Type: AWS::S3::BucketPolicy\n    Properties: {Bucket: b}",
        "t.yaml:4:17: AWS::S3::BucketPolicy: required property PolicyDocument is missing",
    );
    check(
        "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    Properties: {DelaySeconds: soon}",
        "t.yaml:4:32: AWS::SQS::Queue.DelaySeconds: expected a whole number, found \"soon\"",
    );
    check(
        "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    Properties: {QueueName: [a]}",
        "t.yaml:4:29: AWS::SQS::Queue.QueueName: expected a string, found a list",
    );
    check(
        "Resources:\n  A:\n    Type: AWS::SNS::TopicPolicy\n    Properties: {PolicyDocument: {}, Topics: t}",
        "t.yaml:4:46: AWS::SNS::TopicPolicy.Topics: expected a list, found a string",
    );
    check("Resources:\n  A: {Type: AWS::SNS::Topic, DependsOn: B}", "t.yaml:2:41: unknown target of DependsOn: \"B\"");
    check("Resources:\n  A: {Type: AWS::SNS::Topic, Condition: C}", "t.yaml:2:41: unknown condition \"C\"");
    check("Conditions:\n  C: !Equals [a]\nResources: {}", "t.yaml:2:6: Fn::Equals: expected 2 to 2 operands, found 1");
    check("Conditions:\n  C: !Join [a, b]\nResources: {}", "t.yaml:2:6: Fn::Join is no condition");
    check(
        "Conditions:\n  C: !Not [!Condition C]\nResources: {}",
        "t.yaml:2:12: circular dependency: condition C refers to itself",
    );
    check(
        "Conditions:\n  C: !Equals [!Ref A, b]\nResources:\n  A: {Type: AWS::SNS::Topic}",
        "t.yaml:2:15: Ref \"A\" in a condition: expected a parameter or pseudo-parameter",
    );
    check(
        "Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: .}",
        "t.yaml:3:11: AWS::Serverless::Function needs \"Transform: AWS::Serverless-2016-10-31\"",
    );
    check(
        "Transform: Other\nResources: {}",
        "t.yaml:1:12: unknown transform \"Other\"; expected one of: AWS::Serverless-2016-10-31",
    );
    check("Resources: {}\nOutputs:\n  O: {}", "t.yaml:3:3: output O has no Value");
    check(
        "Resources: {}\nOutputs:\n  O: {Valu: x}",
        "t.yaml:3:7: unknown attribute of output O: \"Valu\"; did you mean \"Value\"?",
    );
    check("Resources: {}\nOutputs:\n  O: {Value: !Ref X}", "t.yaml:3:14: unknown target of Ref: \"X\"");
    check("Resources: !Subb x", "t.yaml:1:12: unknown function \"Subb\"; did you mean \"Sub\"?");
    check(
        "Parameters:\n  P: {Type: String}\nResources: {}",
        "t.yaml:2:3: parameter P has no Default and was given no value",
    );
    check(
        "Parameters:\n  P: {Type: Sting, Default: a}\nResources: {}",
        "t.yaml:2:13: unknown Type of parameter P: \"Sting\"; did you mean \"String\"?",
    );
    check(
        "Parameters:\n  P: {Type: String, Default: a}\nResources:\n  P: {Type: AWS::SNS::Topic}",
        "t.yaml:4:3: P is both a parameter and a resource",
    );
    check("a: &a {x: 1}\nb:\n  <<: *a", "t.yaml:3:3: the merge key \"<<\" is not part of CloudFormation's YAML");
}

#[test]
fn functions_refused() {
    let check = |properties: &str, expected: &str| {
        let text = format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      {}\n      {properties}",
            "CodeUri: .\n      Runtime: provided.al2023\n      Handler: bootstrap"
        );
        let error = load_text(&text, &[]).expect_err(properties);
        assert!(error.contains(expected), "{properties}\nexpected {expected}\ngot      {error}");
    };
    check(
        "Timout: 3",
        "t.yaml:9:7: unknown property of AWS::Serverless::Function F: \"Timout\"; did you mean \"Timeout\"?",
    );
    check("Timeout: long", "t.yaml:9:16: AWS::Lambda::Function.Timeout: expected a whole number");
    check("Events: {E: {Type: S4}}", "t.yaml:9:26: unknown type of event \"S4\"");
    check("Events: {E: {Type: SQS}}", "event E of F: Queue is missing");
    check("Events: {E: {Type: SQS, Properties: {Queue: q, Batch: 1}}}", "unknown property of event E: \"Batch\"");
    check(
        "Policies: [{S3RedPolicy: {BucketName: b}}]",
        "unknown policy template \"S3RedPolicy\"; did you mean \"S3ReadPolicy\"?",
    );
    check("Policies: [{S3ReadPolicy: {}}]", "policy template S3ReadPolicy: BucketName is missing");
    check("Policies: [{S3ReadPolicy: {Bucket: b}}]", "unknown property of policy template S3ReadPolicy: \"Bucket\"");
    check("FunctionUrlConfig: {AuthType: OPEN}", "AuthType: expected AWS_IAM or NONE, found \"OPEN\"");
    check("FunctionUrlConfig: {}", "FunctionUrlConfig of F: AuthType is missing");
    check("DeadLetterQueue: {Type: S3, TargetArn: a}", "unknown type of DeadLetterQueue \"S3\"");
    check("EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: Lambda}}}", "OnFailure: Destination is missing");
    check("Role: !GetAtt F.Arn", "t.yaml:3:3: circular dependency: F (line 3) → F (line 3)");
}

#[test]
fn a_circle_is_named() {
    let text = "Resources:\n  A: {Type: AWS::SNS::Topic, DependsOn: [B]}\n  B: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref C}}\n  C: {Type: AWS::SNS::Topic, Properties: {DisplayName: !GetAtt A.TopicName}}";
    let error = load_text(text, &[]).unwrap_err();
    assert_eq!(error, "t.yaml:2:3: circular dependency: A (line 2) → B (line 3) → C (line 4) → A (line 2)");
    let text = "Resources:\n  A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref A}}";
    let error = load_text(text, &[]).unwrap_err();
    assert_eq!(error, "t.yaml:2:3: circular dependency: the name of A refers to itself");
}

#[test]
fn resources_come_after_what_they_need() {
    let text = "Resources:\n  A: {Type: AWS::SNS::Topic, DependsOn: C}\n  B: {Type: AWS::SNS::Topic}\n  C: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref D}}\n  D: {Type: AWS::SNS::Topic}";
    let template = load_text(text, &[]).unwrap();
    let ids: Vec<&str> = template.resources.iter().map(|resource| resource.id.as_str()).collect();
    assert_eq!(ids, ["D", "C", "A", "B"]);
}

#[test]
fn parameters_are_checked() {
    const TEXT: &str = r#"
Parameters:
  Name: {Type: String, Default: abc, AllowedPattern: "^[a-z]+$", MinLength: 2, MaxLength: 4}
  Size: {Type: Number, Default: 2, MinValue: 1, MaxValue: 10}
  Mode: {Type: String, Default: "on", AllowedValues: ["on", "off"], ConstraintDescription: on or off}
Resources: {}
"#;
    assert!(load_text(TEXT, &[("Name", "xy"), ("Size", "10"), ("Mode", "off")]).is_ok());
    let check = |name: &str, value: &str, expected: &str| {
        let error = load_text(TEXT, &[(name, value)]).expect_err(value);
        assert!(error.contains(expected), "{name}={value}: {error}");
    };
    check("Nam", "x", "unknown parameter \"Nam\"; did you mean \"Name\"?");
    check("Name", "ABC", "t.yaml:3:3: parameter Name: \"ABC\" is not allowed: expected a match of ^[a-z]+$");
    check("Name", "a", "expected a length of at least 2");
    check("Name", "abcde", "expected a length of at most 4");
    check("Size", "0", "t.yaml:4:3: parameter Size: \"0\" is not allowed: expected a value of at least 1");
    check("Size", "11", "expected a value of at most 10");
    check("Size", "many", "expected a number");
    check("Mode", "auto", "parameter Mode: \"auto\" is not allowed: expected on or off");
}

#[test]
fn aliases_cannot_grow_without_bound() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let items = vec![format!("*a{}", n - 1); 10].join(", ");
        text.push_str(&format!("a{n}: &a{n} [{items}]\n"));
    }
    let error = load_text(&text, &[]).unwrap_err();
    assert!(error.contains("its aliases expand to more than 200000 nodes"), "{error}");
    let deep = format!("a: {}", "[".repeat(150));
    let error = load_text(&deep, &[]).unwrap_err();
    assert!(error.contains("nested more than 100 deep"), "{error}");
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn own_template(given: &[(&str, &str)]) -> Template {
    let given = given.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    load(&repository().join("template.yaml"), &given, &Config::new("")).unwrap()
}

#[test]
fn our_own_template_is_what_the_design_says() {
    let find = |template: &Template, id: &str| template.resources.iter().find(|r| r.id == id).cloned();
    let template = own_template(&[]);
    assert!(find(&template, "LogStream").is_none() && find(&template, "LogStreamDelivery").is_none());
    assert_eq!(template.outputs["LakeBucketName"], "logmill-lake-000000000000-us-east-1");
    let lake = find(&template, "LakeBucket").unwrap();
    let topics = lake.properties["NotificationConfiguration"]["TopicConfigurations"].as_array().unwrap().clone();
    let prefixes: Vec<&Value> = topics.iter().map(|t| &t["Filter"]["S3Key"]["Rules"][0]["Value"]).collect();
    assert_eq!(prefixes, ["logs/", "inbox/"]);
    let stream = find(&template, "IngestionStream").unwrap();
    let destination = &stream.properties["ExtendedS3DestinationConfiguration"];
    assert_eq!(destination["Prefix"], "logs/log-ingestion-stream/!{timestamp:yyyy/MM/dd/HH}/");
    assert_eq!(destination["BufferingHints"], json!({"IntervalInSeconds": 60, "SizeInMBs": 64}));
    let function = find(&template, "FirehoseTransform").unwrap();
    assert_eq!(
        (function.kind.as_str(), function.binary.as_deref()),
        ("AWS::Lambda::Function", Some("firehose-transform"))
    );

    let template = own_template(&[("EnableStream", "true"), ("BufferSeconds", "1")]);
    let delivery = find(&template, "LogStreamDelivery").unwrap();
    let source = &delivery.properties["KinesisStreamSourceConfiguration"]["KinesisStreamARN"];
    assert_eq!(source, "arn:aws:kinesis:us-east-1:000000000000:stream/log-stream");
    // Every name is given: none contains the stack's generated ending, so that stacks can stand side by side.
    for resource in &template.resources {
        let named = super::names::name_property(&resource.kind).is_none_or(|name| resource.text(name).is_some());
        assert!(named || resource.kind == "AWS::IAM::Role", "{} has no name of its own", resource.id);
    }
}

#[test]
fn binaries_to_build() {
    let found = binaries(&repository().join("template.yaml")).unwrap();
    let mut names: Vec<&str> = found.iter().map(|(_, binary)| binary.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["firehose-transform", "index-janitor", "index-writer", "search-api", "stream-analytics"]);
    for (folder, _) in &found {
        assert!(Path::new(folder).join("Cargo.toml").exists(), "{folder}");
    }
}
