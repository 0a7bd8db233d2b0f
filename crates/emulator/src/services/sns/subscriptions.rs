//! Subscriptions.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::filter::Policy;
use super::{SubscriptionSpec, errors, topics};
use crate::config::Config;
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// Protocols of SNS that the emulator does not deliver to.
const NOT_EMULATED: &[&str] = &["application", "email", "email-json", "firehose", "http", "https", "sms"];

/// A subscription that exists, or is about to.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// The topic's ARN and an id.
    pub arn: String,
    /// What was asked for.
    pub spec: SubscriptionSpec,
    /// `RedrivePolicy`: the queue that gets what cannot be delivered.
    pub redrive_arn: Option<String>,
}

/// Makes a subscription or brings it to `spec`; returns its ARN. There is one per topic, protocol and endpoint.
pub fn ensure_subscription(tx: &Tx<'_>, spec: &SubscriptionSpec) -> Result<String, ApiError> {
    let mut subscription = match find_like(tx, spec)? {
        Some(existing) => existing,
        None => Subscription { arn: new_arn(spec), spec: spec.clone(), redrive_arn: None },
    };
    subscription.spec = spec.clone();
    save(tx, &subscription)?;
    Ok(subscription.arn)
}

/// Subscribe: the same again is no error, other attributes are.
pub fn create(tx: &Tx<'_>, spec: SubscriptionSpec, attributes: &BTreeMap<String, String>) -> Result<String, ApiError> {
    let mut wanted = Subscription { arn: new_arn(&spec), spec, redrive_arn: None };
    set_all(&mut wanted, attributes)?;
    let Some(existing) = find_like(tx, &wanted.spec)? else {
        save(tx, &wanted)?;
        return Ok(wanted.arn);
    };
    let (has, wants) = (existing.show(tx.config()), wanted.show(tx.config()));
    if attributes.keys().any(|name| has.get(name) != wants.get(name)) {
        return Err(errors::invalid("Attributes Reason: Subscription already exists with different attributes"));
    }
    Ok(existing.arn)
}

/// Sets attributes as Subscribe and SetSubscriptionAttributes give them; an empty value clears.
pub fn set_all(subscription: &mut Subscription, attributes: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for (name, value) in attributes {
        let wrong = |expected: &str| errors::invalid(format!("Attributes Reason: {name}: expected {expected}"));
        let spec = &mut subscription.spec;
        match name.as_str() {
            "RawMessageDelivery" => {
                spec.raw = value.to_ascii_lowercase().parse().map_err(|_| wrong("true or false"))?;
            }
            "FilterPolicy" => {
                let policy: Option<Value> =
                    if value.is_empty() { None } else { serde_json::from_str(value).map_err(|_| wrong("JSON"))? };
                spec.filter_policy = policy.filter(|policy| *policy != json!({}));
            }
            "FilterPolicyScope" => {
                spec.filter_body = match value.as_str() {
                    "MessageBody" => true,
                    "MessageAttributes" => false,
                    _ => return Err(wrong("MessageAttributes or MessageBody")),
                };
            }
            "RedrivePolicy" if value.is_empty() => subscription.redrive_arn = None,
            "RedrivePolicy" => {
                let policy: Value = serde_json::from_str(value).unwrap_or_default();
                let arn = policy.get("deadLetterTargetArn").and_then(Value::as_str);
                let arn = arn.filter(|arn| arn.starts_with("arn:aws:sqs:"));
                subscription.redrive_arn =
                    Some(arn.ok_or_else(|| wrong("{\"deadLetterTargetArn\": queue ARN}"))?.to_owned());
            }
            _ => {
                return Err(errors::invalid(format!(
                    "AttributeName Reason: {name} is unknown, or not for this protocol"
                )));
            }
        }
    }
    Ok(())
}

/// Writes a subscription, if it makes sense.
pub fn save(tx: &Tx<'_>, subscription: &Subscription) -> Result<(), ApiError> {
    let spec = &subscription.spec;
    topics::by_arn(tx, tx.config(), &spec.topic_arn)?;
    check(spec)?;
    let policy = spec.filter_policy.as_ref();
    tx.prepare_cached(
        "INSERT INTO sns_subscriptions (arn, topic_arn, protocol, endpoint, raw, filter_policy, filter_body, redrive_arn)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (arn) DO UPDATE SET raw = ?5, filter_policy = ?6, filter_body = ?7, redrive_arn = ?8",
    )?
    .execute(params![
        subscription.arn,
        spec.topic_arn,
        spec.protocol,
        spec.endpoint,
        spec.raw,
        policy.map(Value::to_string),
        spec.filter_body,
        subscription.redrive_arn,
    ])?;
    tx.wake(Wake::Resources);
    Ok(())
}

/// Removes a subscription; one that is gone is no error.
pub fn remove(tx: &Tx<'_>, arn: &str) -> Result<(), ApiError> {
    check_arn(arn)?;
    tx.prepare_cached("DELETE FROM sns_subscriptions WHERE arn = ?1")?.execute([arn])?;
    tx.wake(Wake::Resources);
    Ok(())
}

/// The subscription of this ARN.
pub fn by_arn(db: &Connection, arn: &str) -> Result<Subscription, ApiError> {
    check_arn(arn)?;
    let mut statement = db.prepare_cached(&select("WHERE arn = ?1"))?;
    statement.query_row([arn], read).optional()?.ok_or_else(|| errors::no_subscription(arn))?
}

/// Up to `limit` subscriptions after the ARN `after`, in order of ARN; of one topic, or of all.
pub fn list(db: &Connection, topic: Option<&str>, after: &str, limit: usize) -> Result<Vec<Subscription>, ApiError> {
    let sql = select("WHERE arn > ?1 AND (?2 IS NULL OR topic_arn = ?2) ORDER BY arn LIMIT ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = Vec::new();
    for row in statement.query_map((after, topic, limit as i64), read)? {
        found.push(row??);
    }
    Ok(found)
}

/// All subscriptions of a topic: as many as there are, since each of them gets the message.
pub fn of_topic(db: &Connection, topic_arn: &str) -> Result<Vec<Subscription>, ApiError> {
    let mut statement = db.prepare_cached(&select("WHERE topic_arn = ?1 ORDER BY rowid"))?;
    let mut found = Vec::new();
    for row in statement.query_map([topic_arn], read)? {
        found.push(row??);
    }
    Ok(found)
}

impl Subscription {
    /// Everything that GetSubscriptionAttributes shows.
    pub fn show(&self, config: &Config) -> BTreeMap<String, String> {
        let spec = &self.spec;
        let mut shown = BTreeMap::new();
        let mut add = |name: &str, value: String| drop(shown.insert(name.to_owned(), value));
        add("SubscriptionArn", self.arn.clone());
        add("TopicArn", spec.topic_arn.clone());
        add("Protocol", spec.protocol.clone());
        add("Endpoint", spec.endpoint.clone());
        add("Owner", config.account.clone());
        add("ConfirmationWasAuthenticated", "true".to_owned());
        add("PendingConfirmation", "false".to_owned());
        add("RawMessageDelivery", spec.raw.to_string());
        if let Some(policy) = &spec.filter_policy {
            add("FilterPolicy", policy.to_string());
            add("FilterPolicyScope", if spec.filter_body { "MessageBody" } else { "MessageAttributes" }.to_owned());
        }
        if let Some(arn) = &self.redrive_arn {
            add("RedrivePolicy", json!({ "deadLetterTargetArn": arn }).to_string());
        }
        shown
    }
}

fn new_arn(spec: &SubscriptionSpec) -> String {
    format!("{}:{}", spec.topic_arn, uuid::Uuid::new_v4())
}

fn find_like(db: &Connection, spec: &SubscriptionSpec) -> Result<Option<Subscription>, ApiError> {
    let sql = select("WHERE topic_arn = ?1 AND protocol = ?2 AND endpoint = ?3");
    let mut statement = db.prepare_cached(&sql)?;
    statement.query_row((&spec.topic_arn, &spec.protocol, &spec.endpoint), read).optional()?.transpose()
}

fn select(rest: &str) -> String {
    format!(
        "SELECT arn, topic_arn, protocol, endpoint, raw, filter_policy, filter_body, redrive_arn FROM sns_subscriptions {rest}"
    )
}

fn read(row: &Row<'_>) -> rusqlite::Result<Result<Subscription, ApiError>> {
    let policy: Option<String> = row.get(5)?;
    let spec = SubscriptionSpec {
        topic_arn: row.get(1)?,
        protocol: row.get(2)?,
        endpoint: row.get(3)?,
        raw: row.get(4)?,
        filter_policy: None,
        filter_body: row.get(6)?,
    };
    let (arn, redrive_arn) = (row.get(0)?, row.get(7)?);
    let policy = policy.map(|text| serde_json::from_str(&text)).transpose().map_err(ApiError::internal);
    Ok(policy.map(|filter_policy| Subscription { arn, spec: SubscriptionSpec { filter_policy, ..spec }, redrive_arn }))
}

fn check(spec: &SubscriptionSpec) -> Result<(), ApiError> {
    match spec.protocol.as_str() {
        "sqs" if spec.endpoint.ends_with(".fifo") => {
            return Err(errors::invalid(
                "Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
            ));
        }
        "sqs" if !spec.endpoint.starts_with("arn:aws:sqs:") => return Err(errors::invalid("SQS endpoint ARN")),
        "lambda" if !spec.endpoint.starts_with("arn:aws:lambda:") => {
            return Err(errors::invalid("Lambda endpoint ARN"));
        }
        "lambda" if spec.raw => {
            let reason = "Delivery protocol [lambda] does not support raw message delivery";
            return Err(errors::invalid(format!("Attributes Reason: RawMessageDelivery: {reason}")));
        }
        "sqs" | "lambda" => {}
        other if NOT_EMULATED.contains(&other) => {
            return Err(ApiError::not_emulated("sns", &format!("subscriptions of protocol {other}")));
        }
        other => return Err(errors::invalid(format!("Protocol Reason: {other:?} is no protocol of SNS"))),
    }
    match &spec.filter_policy {
        Some(policy) => Policy::parse(policy, spec.filter_body).map(drop),
        None => Ok(()),
    }
}

fn check_arn(arn: &str) -> Result<(), ApiError> {
    if arn.starts_with("arn:aws:sns:") && arn.split(':').count() == 7 {
        return Ok(());
    }
    Err(errors::invalid(format!("SubscriptionArn Reason: {arn:?} is not the ARN of a subscription")))
}
