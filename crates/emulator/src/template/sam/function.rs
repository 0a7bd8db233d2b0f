//! The function itself, its URL and its invoke configuration.

use super::{added, check_keys, events, globals, literal, present, role};
use crate::template::declare::Declared;
use crate::template::node::{Node, Result};
use crate::template::parameters::Values;

/// What is expanded here.
pub const TYPE: &str = "AWS::Serverless::Function";

/// Properties that the Lambda function has under the same name.
const PASSED: [&str; 13] = [
    "Architectures",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FunctionName",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "ReservedConcurrentExecutions",
    "Runtime",
    "Timeout",
];

/// Properties that mean something else to SAM.
const HANDLED: [&str; 12] = [
    "AssumeRolePolicyDocument",
    "CodeUri",
    "DeadLetterQueue",
    "EventInvokeConfig",
    "Events",
    "FunctionUrlConfig",
    "PermissionsBoundary",
    "Policies",
    "Role",
    "RolePath",
    "Tags",
    "Tracing",
];

/// A function's declaration with the globals merged in, while it is expanded.
pub struct Function<'a> {
    /// As written; `properties` below are the ones to read.
    pub declared: &'a Declared,
    /// Its properties, globals included.
    pub properties: Node,
    /// The template's parameters.
    pub parameters: &'a Values,
}

/// A statement list that its role gets, with the policy's name.
pub type Policy = Node;

/// The resources of one function.
pub fn expand(declared: &Declared, global: Option<&Node>, parameters: &Values) -> Result<Vec<Declared>> {
    let properties = match global {
        Some(global) => globals::merge(global, &declared.properties),
        None => declared.properties.clone(),
    };
    let function = Function { declared, properties, parameters };
    let known: Vec<&str> = PASSED.into_iter().chain(HANDLED).collect();
    check_keys(function.properties.entries(), &format!("{TYPE} {}", declared.id), &known)?;

    let (mut resources, invoke_policies) = function.invoke_config()?;
    let events = events::expand(&function)?;
    let role = role::expand(&function, invoke_policies, &events)?;
    resources.insert(0, function.lambda()?);
    resources.extend(function.url()?);
    resources.extend(role);
    resources.extend(events.resources);
    Ok(resources)
}

impl Function<'_> {
    /// A property.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.properties.get(name)
    }

    /// `!Ref` of the function.
    pub fn reference(&self) -> Node {
        self.declared.at.reference(&self.declared.id)
    }

    /// `!GetAtt Function.Arn`.
    pub fn arn(&self) -> Node {
        self.declared.at.attribute(&self.declared.id, "Arn")
    }

    /// `Tags` as CloudFormation has them, with SAM's own.
    pub fn tags(&self) -> Result<Node> {
        let at = self.declared.at;
        let tag = |key: &str, value: Node| at.map([("Key", at.text(key)), ("Value", value)]);
        let mut tags = vec![tag("lambda:createdBy", at.text("SAM"))];
        if let Some(node) = self.get("Tags") {
            tags.extend(node.expect_map("Tags")?.iter().map(|entry| tag(&entry.key, entry.value.clone())));
        }
        Ok(at.list(tags))
    }

    fn lambda(&self) -> Result<Declared> {
        let at = self.declared.at;
        let mut entries: Vec<(&str, Option<Node>)> =
            PASSED.into_iter().map(|name| (name, self.get(name).cloned())).collect();
        let role = self.get("Role").cloned();
        entries.push(("Role", Some(role.unwrap_or_else(|| at.attribute(&role::id(self.declared), "Arn")))));
        entries.push(("Code", Some(self.code()?)));
        entries.push(("Tags", Some(self.tags()?)));
        entries.push(("TracingConfig", self.get("Tracing").map(|mode| at.map([("Mode", mode.clone())]))));
        let target = self.get("DeadLetterQueue").map(|queue| self.expect(queue, "DeadLetterQueue", "TargetArn"));
        let target = target.transpose()?.cloned();
        entries.push(("DeadLetterConfig", target.map(|arn| at.map([("TargetArn", arn)]))));
        let properties = present(self.declared, entries);
        Ok(Declared { kind: "AWS::Lambda::Function".into(), properties, ..self.declared.clone() })
    }

    /// Where the code is: what `sam deploy` would have uploaded `CodeUri` to, or the bucket and key that it names.
    fn code(&self) -> Result<Node> {
        let at = self.declared.at;
        let node = self.get("CodeUri").ok_or_else(|| at.fault(format!("{} has no CodeUri", self.declared.id)))?;
        let uri = node.expect_text("CodeUri")?;
        let (bucket, key) = uri.strip_prefix("s3://").and_then(|uri| uri.split_once('/')).unwrap_or(("local", uri));
        Ok(at.map([("S3Bucket", node.at.text(bucket)), ("S3Key", node.at.text(key))]))
    }

    fn url(&self) -> Result<Vec<Declared>> {
        let Some(config) = self.get("FunctionUrlConfig") else { return Ok(Vec::new()) };
        check_keys(config.expect_map("FunctionUrlConfig")?, "FunctionUrlConfig", &["AuthType", "Cors", "InvokeMode"])?;
        let (at, id) = (self.declared.at, &self.declared.id);
        let auth = self.expect(config, "FunctionUrlConfig", "AuthType")?;
        let auth_type = literal(auth, self.parameters, "AuthType")?;
        if !["AWS_IAM", "NONE"].contains(&auth_type.as_str()) {
            return Err(auth.at.fault(format!("AuthType: expected AWS_IAM or NONE, found {auth_type:?}")));
        }
        let properties = [
            ("TargetFunctionArn", Some(self.reference())),
            ("AuthType", Some(auth.clone())),
            ("Cors", config.get("Cors").cloned()),
            ("InvokeMode", config.get("InvokeMode").cloned()),
        ];
        let url = added(self.declared, format!("{id}Url"), "AWS::Lambda::Url", present(self.declared, properties));
        if auth_type != "NONE" {
            return Ok(vec![url]);
        }
        let permission = |suffix: &str, action: &str, how: (&str, Node)| {
            let properties = at.map([
                ("Action", at.text(action)),
                ("FunctionName", self.reference()),
                ("Principal", at.text("*")),
                how,
            ]);
            added(self.declared, format!("{id}{suffix}"), "AWS::Lambda::Permission", properties)
        };
        Ok(vec![
            url,
            permission("UrlPublicPermissions", "lambda:InvokeFunctionUrl", ("FunctionUrlAuthType", at.text("NONE"))),
            permission(
                "URLInvokeAllowPublicAccess",
                "lambda:InvokeFunction",
                ("InvokedViaFunctionUrl", at.json(&true.into())),
            ),
        ])
    }

    /// `EventInvokeConfig`, the queues and topics that it leaves to SAM, and what the role needs for its destinations.
    fn invoke_config(&self) -> Result<(Vec<Declared>, Vec<Policy>)> {
        let Some(config) = self.get("EventInvokeConfig") else { return Ok((Vec::new(), Vec::new())) };
        let (at, id) = (self.declared.at, format!("{}EventInvokeConfig", self.declared.id));
        let known = ["DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"];
        check_keys(config.expect_map("EventInvokeConfig")?, "EventInvokeConfig", &known)?;

        let (mut resources, mut policies, mut destinations) = (Vec::new(), Vec::new(), Vec::new());
        for when in ["OnSuccess", "OnFailure"] {
            let Some(node) = config.get("DestinationConfig").and_then(|node| node.get(when)) else { continue };
            let kind_node = self.expect(node, when, "Type")?;
            let kind = literal(kind_node, self.parameters, "Type")?;
            let owner = format!("{id}{when}");
            let destination = match (node.get("Destination"), kind.as_str()) {
                (Some(destination), _) => destination.clone(),
                (None, "SQS") => {
                    resources.push(added(self.declared, format!("{owner}Queue"), "AWS::SQS::Queue", at.map([])));
                    at.attribute(&format!("{owner}Queue"), "Arn")
                }
                (None, "SNS") => {
                    resources.push(added(self.declared, format!("{owner}Topic"), "AWS::SNS::Topic", at.map([])));
                    at.reference(&format!("{owner}Topic"))
                }
                (None, _) => return Err(node.at.fault(format!("{when}: Destination is missing"))),
            };
            policies.push(role::destination_policy(&owner, &kind, &destination, kind_node.at)?);
            destinations.push((when, at.map([("Destination", destination)])));
        }
        let properties = [
            ("DestinationConfig", Some(at.map(destinations))),
            ("FunctionName", Some(self.reference())),
            ("MaximumEventAgeInSeconds", config.get("MaximumEventAgeInSeconds").cloned()),
            ("MaximumRetryAttempts", config.get("MaximumRetryAttempts").cloned()),
            ("Qualifier", Some(at.text("$LATEST"))),
        ];
        let properties = present(self.declared, properties);
        resources.push(added(self.declared, id, "AWS::Lambda::EventInvokeConfig", properties));
        Ok((resources, policies))
    }

    /// A property that must be there.
    pub fn expect<'n>(&self, node: &'n Node, what: &str, property: &str) -> Result<&'n Node> {
        let missing = || node.at.fault(format!("{what} of {}: {property} is missing", self.declared.id));
        node.get(property).ok_or_else(missing)
    }
}
