//! The role that SAM makes for a function without one: managed policies, and its own from `Policies`, dead letters,
//! destinations and events.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::added;
use super::events::Events;
use super::function::{Function, Policy};
use crate::template::declare::Declared;
use crate::template::node::{Entry, Kind, Node, Place, Result, unknown};

/// Policy templates by name, with their parameters: written by `scripts/resource-types`.
static TEMPLATES: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("policy_templates.json")).unwrap_or_default());

/// AWS's managed policies whose ARN has the path `service-role/`, of those that functions are given by name.
const SERVICE_ROLES: [&str; 8] = [
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaENIManagementAccess",
    "AWSLambdaKinesisExecutionRole",
    "AWSLambdaMSKExecutionRole",
    "AWSLambdaRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
];

/// The logical id of a function's role.
pub fn id(function: &Declared) -> String {
    format!("{}Role", function.id)
}

/// The role; none for a function that names its own.
pub fn expand(function: &Function<'_>, invoke: Vec<Policy>, events: &Events) -> Result<Option<Declared>> {
    if function.get("Role").is_some() {
        return Ok(None);
    }
    let at = function.declared.at;
    let mut managed = vec![managed_policy(at, "AWSLambdaBasicExecutionRole")];
    if function.get("Tracing").is_some_and(|mode| mode.scalar().as_deref() != Some("Disabled")) {
        managed.push(managed_policy(at, "AWSXrayWriteOnlyAccess"));
    }
    let mut inline = Vec::new();
    if let Some(queue) = function.get("DeadLetterQueue") {
        inline.push(dead_letter_policy(function, queue)?);
    }
    inline.extend(invoke);
    let policies = match function.get("Policies") {
        None => &[][..],
        Some(Node { kind: Kind::List(items), .. }) => items,
        Some(one) => std::slice::from_ref(one),
    };
    for (index, node) in policies.iter().enumerate() {
        match policy(node, &format!("{}Policy{index}", id(function.declared)))? {
            Granted::Managed(node) => push_new(&mut managed, node),
            Granted::Inline(node) => inline.push(node),
            Granted::Nothing => {}
        }
    }
    for name in &events.managed {
        push_new(&mut managed, managed_policy(at, name));
    }
    inline.extend(events.policies.iter().cloned());
    Ok(Some(role(function, managed, inline)?))
}

fn role(function: &Function<'_>, managed: Vec<Node>, inline: Vec<Node>) -> Result<Declared> {
    let at = function.declared.at;
    let trust = function.get("AssumeRolePolicyDocument").cloned();
    let mut entries = vec![
        ("AssumeRolePolicyDocument", trust.unwrap_or_else(|| trust_document(at, "lambda.amazonaws.com"))),
        ("ManagedPolicyArns", at.list(managed)),
        ("Tags", function.tags()?),
    ];
    if !inline.is_empty() {
        entries.push(("Policies", at.list(inline)));
    }
    for (name, property) in [("Path", "RolePath"), ("PermissionsBoundary", "PermissionsBoundary")] {
        entries.extend(function.get(property).map(|node| (name, node.clone())));
    }
    Ok(added(function.declared, id(function.declared), "AWS::IAM::Role", at.map(entries)))
}

/// Who may take a role.
pub fn trust_document(at: Place, service: &str) -> Node {
    at.json(&json!({
        "Version": "2012-10-17",
        "Statement": [{"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": [service]}}],
    }))
}

fn push_new(list: &mut Vec<Node>, node: Node) {
    if !list.iter().any(|other| other.to_json() == node.to_json()) {
        list.push(node);
    }
}

/// The ARN of a managed policy of AWS by name; an ARN as it is.
fn managed_policy(at: Place, name: &str) -> Node {
    if name.starts_with("arn:") {
        return at.text(name);
    }
    let path = if SERVICE_ROLES.contains(&name) { "service-role/" } else { "" };
    at.text(format!("arn:aws:iam::aws:policy/{path}{name}"))
}

/// A policy of one statement under this name.
pub fn statement_policy(name: String, action: &str, resource: Node) -> Policy {
    let at = resource.at;
    let statement = at.map([("Action", at.text(action)), ("Effect", at.text("Allow")), ("Resource", resource)]);
    at.map([("PolicyName", at.text(name)), ("PolicyDocument", at.map([("Statement", at.list([statement]))]))])
}

/// What a destination of this type demands of the role.
pub fn destination_policy(owner: &str, kind: &str, destination: &Node, at: Place) -> Result<Policy> {
    let destination_at = destination.at;
    match kind {
        "SQS" => Ok(statement_policy(format!("{owner}SQSPolicy"), "sqs:SendMessage", destination.clone())),
        "SNS" => Ok(statement_policy(format!("{owner}SNSPolicy"), "sns:publish", destination.clone())),
        "Lambda" => Ok(statement_policy(format!("{owner}LambdaPolicy"), "lambda:InvokeFunction", destination.clone())),
        "S3" | "S3Bucket" => {
            let parts = destination_at.list([destination.clone(), destination_at.text("*")]);
            let objects = destination_at.map([("Fn::Join", destination_at.list([destination_at.text("/"), parts]))]);
            let allow = |action: &str, resource: Node| {
                at.map([("Action", at.text(action)), ("Effect", at.text("Allow")), ("Resource", resource)])
            };
            let statements = [allow("s3:PutObject", objects), allow("s3:ListBucket", destination.clone())];
            let document = at.map([("Statement", at.list(statements))]);
            Ok(at.map([("PolicyName", at.text(format!("{owner}S3Policy"))), ("PolicyDocument", document)]))
        }
        other => Err(unknown(at, "type of destination", other, ["SQS", "SNS", "Lambda", "S3Bucket"])),
    }
}

fn dead_letter_policy(function: &Function<'_>, queue: &Node) -> Result<Policy> {
    let kind = function.expect(queue, "DeadLetterQueue", "Type")?;
    let action = match kind.expect_text("Type of DeadLetterQueue")? {
        "SQS" => "sqs:SendMessage",
        "SNS" => "sns:Publish",
        other => return Err(unknown(kind.at, "type of DeadLetterQueue", other, ["SQS", "SNS"])),
    };
    let target = function.expect(queue, "DeadLetterQueue", "TargetArn")?.clone();
    let mut policy = statement_policy("DeadLetterQueuePolicy".into(), action, target);
    if let Kind::Map(entries) = &mut policy.kind
        && let Some(Entry { value: Node { kind: Kind::Map(document), .. }, .. }) = entries.last_mut()
    {
        document.push(Entry { key: "Version".into(), at: kind.at, value: kind.at.text("2012-10-17") });
    }
    Ok(policy)
}

enum Granted {
    Managed(Node),
    Inline(Node),
    Nothing,
}

/// An item of `Policies`: a managed policy, a document, a template, or a choice between such.
fn policy(node: &Node, name: &str) -> Result<Granted> {
    let at = node.at;
    let inline = |document: Node| at.map([("PolicyName", at.text(name)), ("PolicyDocument", document)]);
    match (&node.kind, node.intrinsic()) {
        (Kind::Text(text), _) => Ok(Granted::Managed(managed_policy(at, text))),
        (_, _) if node.is_no_value() => Ok(Granted::Nothing),
        (_, Some(("Fn::If", choice))) => {
            let [condition, yes, no] = choice.expect_list("Fn::If")? else {
                return Err(choice.at.fault("Fn::If: expected [condition, value if true, value if false]"));
            };
            let chosen = |yes: Node, no: Node| at.map([("Fn::If", at.list([condition.clone(), yes, no]))]);
            let nothing = || at.reference("AWS::NoValue");
            match (policy(yes, name)?, policy(no, name)?) {
                (Granted::Nothing, Granted::Nothing) => Ok(Granted::Nothing),
                (Granted::Inline(yes), Granted::Inline(no)) => Ok(Granted::Inline(chosen(yes, no))),
                (Granted::Inline(yes), Granted::Nothing) => Ok(Granted::Inline(chosen(yes, nothing()))),
                (Granted::Nothing, Granted::Inline(no)) => Ok(Granted::Inline(chosen(nothing(), no))),
                (Granted::Managed(yes), Granted::Managed(no)) => Ok(Granted::Managed(chosen(yes, no))),
                (Granted::Managed(yes), Granted::Nothing) => Ok(Granted::Managed(chosen(yes, nothing()))),
                (Granted::Nothing, Granted::Managed(no)) => Ok(Granted::Managed(chosen(nothing(), no))),
                _ => Err(at.fault("Policies: the two sides of Fn::If must be policies of one kind")),
            }
        }
        (_, Some(_)) => Ok(Granted::Managed(node.clone())),
        _ if node.get("Statement").is_some() => Ok(Granted::Inline(inline(node.clone()))),
        _ => match node.expect_map("a policy")? {
            [entry] => Ok(Granted::Inline(inline(from_template(entry)?))),
            _ => Err(at.fault(
                "a policy: expected the name of a managed policy, a document with Statement, or a policy template",
            )),
        },
    }
}

/// A policy template with its parameters put in.
fn from_template(entry: &Entry) -> Result<Node> {
    let template = TEMPLATES.get(&entry.key).filter(|template| template.is_object());
    let names = || TEMPLATES.iter().filter(|(_, value)| value.is_object()).map(|(name, _)| name.as_str());
    let template = template.ok_or_else(|| unknown(entry.at, "policy template", &entry.key, names()))?;
    let declared: Vec<&str> =
        template["Parameters"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let given = entry.value.expect_map(&entry.key)?;
    super::check_keys(given, &format!("policy template {}", entry.key), &declared)?;
    if let Some(missing) = declared.iter().find(|name| entry.value.get(name).is_none()) {
        return Err(entry.at.fault(format!("policy template {}: {missing} is missing", entry.key)));
    }
    let statement = fill(&entry.at.json(&template["Statement"]), &entry.value);
    Ok(entry.at.map([("Statement", statement)]))
}

/// Puts the given values where the template refers to its parameters.
fn fill(node: &Node, given: &Node) -> Node {
    if let Some(("Ref", Node { kind: Kind::Text(name), .. })) = node.intrinsic()
        && let Some(value) = given.get(name)
    {
        return value.clone();
    }
    let kind = match &node.kind {
        Kind::List(items) => Kind::List(items.iter().map(|item| fill(item, given)).collect()),
        Kind::Map(entries) => {
            let filled = |entry: &Entry| Entry { value: fill(&entry.value, given), ..entry.clone() };
            Kind::Map(entries.iter().map(filled).collect())
        }
        other => other.clone(),
    };
    Node { at: node.at, kind }
}
