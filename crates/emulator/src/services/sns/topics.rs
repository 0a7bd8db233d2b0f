//! Topics by name and ARN.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::errors;
use crate::config::Config;
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// The longest name of a topic (CreateTopic).
const MAX_NAME: usize = 256;

/// Attributes that can be set; they are kept and shown.
const SETTABLE: &[&str] =
    &["DeliveryPolicy", "DisplayName", "KmsMasterKeyId", "Policy", "SignatureVersion", "TracingConfig"];

/// A topic that exists.
pub struct Topic {
    /// Its name.
    pub name: String,
    /// What was set.
    pub attributes: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Makes a topic, or sets the given attributes of the one there is; returns its ARN.
pub fn ensure_topic(tx: &Tx<'_>, name: &str, attributes: &BTreeMap<String, String>) -> Result<String, ApiError> {
    check_name(name)?;
    check_attributes(attributes)?;
    let arn = tx.config().arn("sns", name);
    let mut topic =
        find(tx, name)?.unwrap_or(Topic { name: name.to_owned(), attributes: BTreeMap::new(), tags: BTreeMap::new() });
    topic.attributes.extend(attributes.clone());
    save(tx, &topic)?;
    Ok(arn)
}

/// CreateTopic: the same again is no error, other attributes are.
pub fn create(
    tx: &Tx<'_>,
    name: &str,
    attributes: &BTreeMap<String, String>,
    tags: &BTreeMap<String, String>,
) -> Result<String, ApiError> {
    match find(tx, name)? {
        None => {
            let arn = ensure_topic(tx, name, attributes)?;
            save(tx, &Topic { name: name.to_owned(), attributes: attributes.clone(), tags: tags.clone() })?;
            Ok(arn)
        }
        Some(topic) if attributes.iter().any(|(key, value)| topic.attributes.get(key) != Some(value)) => {
            Err(errors::invalid("Attributes Reason: Topic already exists with different attributes"))
        }
        Some(topic) if tags.iter().any(|(key, value)| topic.tags.get(key) != Some(value)) => {
            Err(errors::invalid("Tags Reason: Topic already exists with different tags"))
        }
        Some(_) => Ok(tx.config().arn("sns", name)),
    }
}

/// Writes a topic.
pub fn save(tx: &Tx<'_>, topic: &Topic) -> Result<(), ApiError> {
    let attributes = serde_json::to_string(&topic.attributes).map_err(ApiError::internal)?;
    let tags = serde_json::to_string(&topic.tags).map_err(ApiError::internal)?;
    tx.prepare_cached(
        "INSERT INTO sns_topics (name, attributes, tags) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET attributes = ?2, tags = ?3",
    )?
    .execute((&topic.name, attributes, tags))?;
    tx.wake(Wake::Resources);
    Ok(())
}

/// Removes a topic and its subscriptions; one that is gone is no error.
pub fn remove(tx: &Tx<'_>, arn: &str) -> Result<(), ApiError> {
    let name = name_of(tx.config(), arn)?;
    tx.prepare_cached("DELETE FROM sns_topics WHERE name = ?1")?.execute([name])?;
    tx.prepare_cached("DELETE FROM sns_subscriptions WHERE topic_arn = ?1")?.execute([arn])?;
    tx.wake(Wake::Resources);
    Ok(())
}

/// Sets one attribute.
pub fn set_attribute(tx: &Tx<'_>, arn: &str, name: &str, value: &str) -> Result<(), ApiError> {
    let mut topic = by_arn(tx, tx.config(), arn)?;
    let attribute = BTreeMap::from([(name.to_owned(), value.to_owned())]);
    check_attributes(&attribute)?;
    topic.attributes.extend(attribute);
    save(tx, &topic)
}

/// The topic of this ARN.
pub fn by_arn(db: &Connection, config: &Config, arn: &str) -> Result<Topic, ApiError> {
    find(db, name_of(config, arn)?)?.ok_or_else(|| errors::no_topic(arn))
}

/// Up to `limit` names after `after`, in order.
pub fn names(db: &Connection, after: &str, limit: usize) -> Result<Vec<String>, ApiError> {
    let mut statement = db.prepare_cached("SELECT name FROM sns_topics WHERE name > ?1 ORDER BY name LIMIT ?2")?;
    let names = statement.query_map((after, limit as i64), |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Everything that GetTopicAttributes shows.
pub fn show(db: &Connection, config: &Config, arn: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let mut shown = by_arn(db, config, arn)?.attributes;
    let mut statement = db.prepare_cached("SELECT count(*) FROM sns_subscriptions WHERE topic_arn = ?1")?;
    let subscriptions: i64 = statement.query_row([arn], |row| row.get(0))?;
    for (name, value) in [
        ("TopicArn", arn.to_owned()),
        ("Owner", config.account.clone()),
        ("DisplayName", String::new()),
        ("Policy", default_policy(config, arn)),
        ("EffectiveDeliveryPolicy", effective_delivery_policy(shown.get("DeliveryPolicy"))),
        ("SubscriptionsConfirmed", subscriptions.to_string()),
        ("SubscriptionsPending", "0".to_owned()),
        ("SubscriptionsDeleted", "0".to_owned()),
    ] {
        shown.entry(name.to_owned()).or_insert(value);
    }
    Ok(shown)
}

fn find(db: &Connection, name: &str) -> Result<Option<Topic>, ApiError> {
    let mut statement = db.prepare_cached("SELECT attributes, tags FROM sns_topics WHERE name = ?1")?;
    let found = statement.query_row([name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((attributes, tags)): Option<(String, String)> = found else { return Ok(None) };
    let attributes = serde_json::from_str(&attributes).map_err(ApiError::internal)?;
    let tags = serde_json::from_str(&tags).map_err(ApiError::internal)?;
    Ok(Some(Topic { name: name.to_owned(), attributes, tags }))
}

fn name_of<'a>(config: &Config, arn: &'a str) -> Result<&'a str, ApiError> {
    match arn.strip_prefix(&config.arn("sns", "")) {
        Some(name) if !name.is_empty() && !name.contains(':') => Ok(name),
        _ if arn.starts_with("arn:aws:sns:") && arn.split(':').count() == 6 => Err(errors::no_topic(arn)),
        _ => Err(errors::invalid(format!("TopicArn Reason: {arn:?} is not the ARN of a topic"))),
    }
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.ends_with(".fifo") {
        return Err(ApiError::not_emulated("sns", "FIFO topics"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
        return Err(errors::invalid("Topic Name"));
    }
    Ok(())
}

fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for (name, value) in attributes {
        match name.as_str() {
            "FifoTopic" if value == "false" => {}
            "FifoTopic" | "ContentBasedDeduplication" | "ArchivePolicy" | "FifoThroughputScope" => {
                return Err(ApiError::not_emulated("sns", "FIFO topics"));
            }
            "Policy" | "DeliveryPolicy" if serde_json::from_str::<serde_json::Map<_, _>>(value).is_err() => {
                return Err(errors::invalid(format!("{name} Reason: not a JSON object")));
            }
            known if SETTABLE.contains(&known) || known.contains("Feedback") => {}
            other => return Err(errors::invalid(format!("AttributeName Reason: {other} is unknown"))),
        }
    }
    Ok(())
}

/// The retries of HTTP endpoints: the system's defaults, and over them what was set (SNS developer guide, "Creating an HTTP/S
/// delivery policy").
fn effective_delivery_policy(set: Option<&String>) -> String {
    let mut effective = json!({
        "http": {
            "defaultHealthyRetryPolicy": {
                "minDelayTarget": 20,
                "maxDelayTarget": 20,
                "numRetries": 3,
                "numMaxDelayRetries": 0,
                "numNoDelayRetries": 0,
                "numMinDelayRetries": 0,
                "backoffFunction": "linear",
            },
            "disableSubscriptionOverrides": false,
            "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
        },
    });
    if let Some(set) = set.and_then(|set| serde_json::from_str(set).ok()) {
        overlay(&mut effective, set);
    }
    effective.to_string()
}

/// Puts the members of `over` into `base`, in objects of objects too.
fn overlay(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                overlay(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

fn default_policy(config: &Config, arn: &str) -> String {
    let actions = [
        "GetTopicAttributes",
        "SetTopicAttributes",
        "AddPermission",
        "RemovePermission",
        "DeleteTopic",
        "Subscribe",
        "ListSubscriptionsByTopic",
        "Publish",
    ];
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": actions.map(|action| format!("SNS:{action}")),
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": config.account}},
        }],
    })
    .to_string()
}
