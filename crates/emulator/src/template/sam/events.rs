//! A function's `Events`: SNS, SQS, Kinesis, Schedule, ScheduleV2. Each event is a function over [`Event`] that adds resources
//! and what the role needs; a new kind is a new arm in [`expand`].

use super::function::{Function, Policy};
use super::role::{destination_policy, statement_policy, trust_document};
use super::{added, check_keys, literal, present};
use crate::template::declare::Declared;
use crate::template::node::{Entry, Kind, Node, Result, unknown};

/// What the events of a function come to.
#[derive(Default)]
pub struct Events {
    /// Their resources.
    pub resources: Vec<Declared>,
    /// Names of managed policies for the role.
    pub managed: Vec<&'static str>,
    /// Policies for the role.
    pub policies: Vec<Policy>,
}

/// EventBridge's limit of a target's id.
const MAX_TARGET_ID: usize = 64;

/// An event source mapping's own properties: SAM takes them as they are.
const MAPPING: [&str; 14] = [
    "BatchSize",
    "BisectBatchOnFunctionError",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "ScalingConfig",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
];

/// The resources of a function's events, in the order of their names (as SAM takes them).
pub fn expand(function: &Function<'_>) -> Result<Events> {
    let mut events = Events::default();
    let mut declared: Vec<&Entry> = match function.get("Events") {
        Some(node) => node.expect_map("Events")?.iter().collect(),
        None => Vec::new(),
    };
    declared.sort_by(|a, b| a.key.cmp(&b.key));
    for entry in declared {
        let kind = function.expect(&entry.value, &format!("event {}", entry.key), "Type")?;
        let empty = entry.at.map([]);
        let event = Event {
            function,
            id: format!("{}{}", function.declared.id, entry.key),
            entry,
            properties: entry.value.get("Properties").unwrap_or(&empty),
        };
        event.properties.expect_map(&format!("Properties of event {}", entry.key))?;
        match literal(kind, function.parameters, "Type")?.as_str() {
            "SNS" => event.sns(&mut events)?,
            "SQS" => {
                event.mapping(&mut events, "Queue")?;
                add_managed(&mut events, "AWSLambdaSQSQueueExecutionRole");
            }
            "Kinesis" => {
                event.mapping(&mut events, "Stream")?;
                add_managed(&mut events, "AWSLambdaKinesisExecutionRole");
            }
            "Schedule" => event.schedule(&mut events)?,
            "ScheduleV2" => event.schedule_v2(&mut events)?,
            other => {
                return Err(unknown(
                    kind.at,
                    "type of event",
                    other,
                    ["SNS", "SQS", "Kinesis", "Schedule", "ScheduleV2"],
                ));
            }
        }
    }
    Ok(events)
}

fn add_managed(events: &mut Events, name: &'static str) {
    if !events.managed.contains(&name) {
        events.managed.push(name);
    }
}

struct Event<'f> {
    function: &'f Function<'f>,
    id: String,
    entry: &'f Entry,
    properties: &'f Node,
}

impl Event<'_> {
    fn get(&self, name: &str) -> Option<Node> {
        self.properties.get(name).cloned()
    }

    fn expect(&self, name: &str) -> Result<Node> {
        self.function.expect(self.properties, &format!("event {}", self.entry.key), name).cloned()
    }

    fn check(&self, known: &[&str]) -> Result<()> {
        check_keys(self.properties.entries(), &format!("event {}", self.entry.key), known)
    }

    fn push<'k>(
        &self,
        events: &mut Events,
        suffix: &str,
        kind: &str,
        properties: impl IntoIterator<Item = (&'k str, Option<Node>)>,
    ) {
        let properties = present(self.function.declared, properties);
        events.resources.push(added(self.function.declared, format!("{}{suffix}", self.id), kind, properties));
    }

    fn permission(&self, events: &mut Events, principal: &str, source: Node) {
        let at = self.entry.at;
        let properties = [
            ("Action", Some(at.text("lambda:InvokeFunction"))),
            ("FunctionName", Some(self.function.reference())),
            ("Principal", Some(at.text(principal))),
            ("SourceArn", Some(source)),
        ];
        self.push(events, "Permission", "AWS::Lambda::Permission", properties);
    }

    fn mapping(&self, events: &mut Events, source: &str) -> Result<()> {
        self.check(&[&MAPPING[..], &[source, "DestinationConfig"]].concat())?;
        let mut properties: Vec<(&str, Option<Node>)> =
            MAPPING.into_iter().map(|name| (name, self.get(name))).collect();
        properties.push(("EventSourceArn", Some(self.expect(source)?)));
        properties.push(("FunctionName", Some(self.function.reference())));
        if let Some(config) = self.properties.get("DestinationConfig") {
            let (config, policy) = self.on_failure(config)?;
            properties.push(("DestinationConfig", Some(config)));
            events.policies.extend(policy);
        }
        self.push(events, "", "AWS::Lambda::EventSourceMapping", properties);
        Ok(())
    }

    /// `DestinationConfig` without the `Type` that only SAM knows, and the policy that follows from it.
    fn on_failure(&self, config: &Node) -> Result<(Node, Option<Policy>)> {
        let on_failure = self.function.expect(config, "DestinationConfig", "OnFailure")?;
        let destination = self.function.expect(on_failure, "OnFailure", "Destination")?;
        let policy = on_failure
            .get("Type")
            .map(|kind| destination_policy(&self.id, kind.expect_text("Type")?, destination, kind.at))
            .transpose()?;
        let at = config.at;
        Ok((at.map([("OnFailure", at.map([("Destination", destination.clone())]))]), policy))
    }

    fn sns(&self, events: &mut Events) -> Result<()> {
        self.check(&["Topic", "Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "SqsSubscription"])?;
        let at = self.entry.at;
        let topic = self.expect("Topic")?;
        let (protocol, endpoint) = match self.properties.get("SqsSubscription") {
            None | Some(Node { kind: Kind::Bool(false), .. }) => {
                self.permission(events, "sns.amazonaws.com", topic.clone());
                ("lambda", self.function.arn())
            }
            Some(subscription) => ("sqs", self.through_queue(events, subscription, &topic)?),
        };
        let properties = [
            ("Endpoint", Some(endpoint)),
            ("Protocol", Some(at.text(protocol))),
            ("TopicArn", Some(topic)),
            ("Region", self.get("Region")),
            ("FilterPolicy", self.get("FilterPolicy")),
            ("FilterPolicyScope", self.get("FilterPolicyScope")),
            ("RedrivePolicy", self.get("RedrivePolicy")),
        ];
        self.push(events, "", "AWS::SNS::Subscription", properties);
        Ok(())
    }

    /// Topic → queue (SAM's own with `true`) → function. Returns the queue's ARN.
    fn through_queue(&self, events: &mut Events, subscription: &Node, topic: &Node) -> Result<Node> {
        let at = self.entry.at;
        let (arn, url, batch_size) = if let Kind::Bool(_) = subscription.kind {
            let queue = format!("{}Queue", self.id);
            self.push(events, "Queue", "AWS::SQS::Queue", []);
            (at.attribute(&queue, "Arn"), at.reference(&queue), None)
        } else {
            let known = ["QueueArn", "QueueUrl", "BatchSize"];
            check_keys(subscription.expect_map("SqsSubscription")?, "SqsSubscription", &known)?;
            let expect = |name| self.function.expect(subscription, "SqsSubscription", name).cloned();
            (expect("QueueArn")?, expect("QueueUrl")?, subscription.get("BatchSize").cloned())
        };
        let mapping = [
            ("BatchSize", Some(batch_size.unwrap_or_else(|| at.json(&10.into())))), // SAM's default
            ("Enabled", Some(at.json(&true.into()))),
            ("EventSourceArn", Some(arn.clone())),
            ("FunctionName", Some(self.function.reference())),
        ];
        self.push(events, "EventSourceMapping", "AWS::Lambda::EventSourceMapping", mapping);
        add_managed(events, "AWSLambdaSQSQueueExecutionRole");
        let statement = at.map([
            ("Action", at.text("sqs:SendMessage")),
            ("Effect", at.text("Allow")),
            ("Principal", at.text("*")),
            ("Resource", arn.clone()),
            ("Condition", at.map([("ArnEquals", at.map([("aws:SourceArn", topic.clone())]))])),
        ]);
        let document = at.map([("Version", at.text("2012-10-17")), ("Statement", at.list([statement]))]);
        let policy = [("PolicyDocument", Some(document)), ("Queues", Some(at.list([url])))];
        self.push(events, "QueuePolicy", "AWS::SQS::QueuePolicy", policy);
        Ok(arn)
    }

    fn schedule(&self, events: &mut Events) -> Result<()> {
        self.check(&[
            "Schedule",
            "Name",
            "Description",
            "Enabled",
            "State",
            "Input",
            "DeadLetterConfig",
            "RetryPolicy",
        ])?;
        let at = self.entry.at;
        let state = match self.properties.get("Enabled") {
            None => self.get("State"),
            Some(node) => match literal(node, self.function.parameters, "Enabled")?.to_lowercase().as_str() {
                "true" => Some(at.text("ENABLED")),
                _ => Some(at.text("DISABLED")),
            },
        };
        const SUFFIX: &str = "LambdaTarget";
        let target_id: String = self.id.chars().take(MAX_TARGET_ID - SUFFIX.len()).chain(SUFFIX.chars()).collect();
        let target = [
            ("Arn", Some(self.function.arn())),
            ("Id", Some(at.text(target_id))),
            ("Input", self.get("Input")),
            ("DeadLetterConfig", self.dead_letters()?),
            ("RetryPolicy", self.get("RetryPolicy")),
        ];
        let target = present(self.function.declared, target);
        let rule = [
            ("ScheduleExpression", Some(self.expect("Schedule")?)),
            ("Name", self.get("Name")),
            ("Description", self.get("Description")),
            ("State", state),
            ("Targets", Some(at.list([target]))),
        ];
        self.push(events, "", "AWS::Events::Rule", rule);
        self.permission(events, "events.amazonaws.com", at.attribute(&self.id, "Arn"));
        Ok(())
    }

    fn schedule_v2(&self, events: &mut Events) -> Result<()> {
        const PASSED: [&str; 8] = [
            "ScheduleExpression",
            "State",
            "Description",
            "StartDate",
            "EndDate",
            "ScheduleExpressionTimezone",
            "GroupName",
            "KmsKeyArn",
        ];
        let own = ["FlexibleTimeWindow", "Name", "Input", "RoleArn", "DeadLetterConfig", "RetryPolicy"];
        self.check(&[&PASSED[..], &own[..]].concat())?;
        self.expect("ScheduleExpression")?;
        let at = self.entry.at;
        let role = self.get("RoleArn");
        let made = role.is_none();
        let target = [
            ("Arn", Some(self.function.arn())),
            ("RoleArn", Some(role.unwrap_or_else(|| at.attribute(&format!("{}Role", self.id), "Arn")))),
            ("Input", self.get("Input")),
            ("DeadLetterConfig", self.dead_letters()?),
            ("RetryPolicy", self.get("RetryPolicy")),
        ];
        let mut schedule: Vec<(&str, Option<Node>)> = PASSED.into_iter().map(|name| (name, self.get(name))).collect();
        let window = self.get("FlexibleTimeWindow").unwrap_or_else(|| at.map([("Mode", at.text("OFF"))]));
        schedule.push(("FlexibleTimeWindow", Some(window)));
        schedule.push(("Name", Some(self.get("Name").unwrap_or_else(|| at.text(&self.id)))));
        schedule.push(("Target", Some(present(self.function.declared, target))));
        self.push(events, "", "AWS::Scheduler::Schedule", schedule);
        if made {
            self.schedule_role(events)?;
        }
        Ok(())
    }

    fn schedule_role(&self, events: &mut Events) -> Result<()> {
        let at = self.entry.at;
        let mut policies =
            vec![statement_policy(format!("{}LambdaPolicy", self.id), "lambda:InvokeFunction", self.function.arn())];
        if let Some(arn) = self.dead_letters()?.and_then(|config| config.get("Arn").cloned()) {
            policies.push(statement_policy(format!("{}SQSPolicy", self.id), "sqs:SendMessage", arn));
        }
        let role = [
            ("AssumeRolePolicyDocument", Some(trust_document(at, "scheduler.amazonaws.com"))),
            ("Policies", Some(at.list(policies))),
        ];
        self.push(events, "Role", "AWS::IAM::Role", role);
        Ok(())
    }

    /// `DeadLetterConfig: {Arn: …}`; SAM's making of the queue is not supported.
    fn dead_letters(&self) -> Result<Option<Node>> {
        let Some(config) = self.properties.get("DeadLetterConfig") else { return Ok(None) };
        check_keys(config.expect_map("DeadLetterConfig")?, "DeadLetterConfig", &["Arn"])?;
        Ok(Some(config.clone()))
    }
}
