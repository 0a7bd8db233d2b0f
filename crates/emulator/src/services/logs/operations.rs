//! The operations of the API.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::errors;
use super::events::{self, InputEvent};
use super::groups::{self, Group};
use super::pattern::Pattern;
use super::query::{self, Event, Filter, MAX_PAGE_EVENTS, Page, Position};
use super::streams::{self, Listing, OrderBy, Stream};
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::protocol::{Call, Reply};

/// What a description gives at most (DescribeLogGroups, DescribeLogStreams).
const MAX_DESCRIBED: usize = 50;

/// Streams that FilterLogEvents can name.
const MAX_STREAM_NAMES: usize = 100;

/// Tags of a group (TagResource).
const MAX_TAGS: usize = 50;

/// Answers an operation.
pub async fn call(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let output = match call.operation.as_str() {
        "DescribeLogGroups" => describe_log_groups(ctx, call.input()?).await?,
        "DescribeLogStreams" => describe_log_streams(ctx, call.input()?).await?,
        "PutLogEvents" => put_log_events(ctx, call.input()?).await?,
        "GetLogEvents" => get_log_events(ctx, call.input()?).await?,
        "FilterLogEvents" => filter_log_events(ctx, call.input()?).await?,
        "ListTagsForResource" | "ListTagsLogGroup" => list_tags(ctx, call.input()?).await?,
        other => {
            let work = silent(other).ok_or_else(|| ApiError::not_emulated("logs", other))?;
            let input: Input = call.input()?;
            ctx.store.write(move |tx| work(tx, &input)).await?;
            return call.empty();
        }
    };
    call.reply(&output)
}

type Silent = fn(&Tx<'_>, &Input) -> Result<(), ApiError>;

/// The operations that change something and answer nothing.
fn silent(operation: &str) -> Option<Silent> {
    Some(match operation {
        "CreateLogGroup" => |tx, input| groups::create(tx, &input.log_group_name, &input.tags).map(drop),
        "DeleteLogGroup" => |tx, input| groups::remove(tx, &group(tx, input)?),
        "PutRetentionPolicy" => put_retention_policy,
        "DeleteRetentionPolicy" => |tx, input| groups::set_retention(tx, &group(tx, input)?, None),
        "CreateLogStream" => |tx, input| streams::create(tx, &group(tx, input)?, &input.log_stream_name).map(drop),
        "DeleteLogStream" => delete_log_stream,
        "TagLogGroup" | "TagResource" => tag,
        "UntagResource" => untag,
        _ => return None,
    })
}

/// The input of most operations; each reads the fields it knows.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    log_group_name: String,
    log_group_identifier: String,
    resource_arn: String,
    log_stream_name: String,
    retention_in_days: Option<u32>,
    tags: Tags,
    tag_keys: Vec<String>,
    log_events: Vec<InputEvent>,
    // Descriptions.
    log_group_name_prefix: String,
    log_group_name_pattern: String,
    log_stream_name_prefix: Option<String>,
    order_by: String,
    descending: bool,
    // Reading.
    log_stream_names: Vec<String>,
    filter_pattern: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    start_from_head: bool,
    limit: Option<usize>,
    next_token: String,
}

type Tags = BTreeMap<String, String>;

/// The group that the input names, by name, identifier or ARN.
fn group(db: &rusqlite::Connection, input: &Input) -> Result<Group, ApiError> {
    let names = [&input.log_group_name, &input.log_group_identifier, &input.resource_arn];
    match names.iter().find(|name| !name.is_empty()) {
        Some(name) => groups::by_name(db, groups::name_of(name)),
        None => Err(errors::invalid("logGroupName (or logGroupIdentifier, resourceArn) is missing")),
    }
}

fn put_retention_policy(tx: &Tx<'_>, input: &Input) -> Result<(), ApiError> {
    let days = input.retention_in_days.ok_or_else(|| errors::invalid("retentionInDays is missing"))?;
    groups::set_retention(tx, &group(tx, input)?, Some(days))
}

fn delete_log_stream(tx: &Tx<'_>, input: &Input) -> Result<(), ApiError> {
    let group = group(tx, input)?;
    streams::remove(tx, &group, &streams::by_name(tx, &group, &input.log_stream_name)?)
}

fn tag(tx: &Tx<'_>, input: &Input) -> Result<(), ApiError> {
    let group = group(tx, input)?;
    let mut tags = group.tags.clone();
    tags.extend(input.tags.clone());
    if tags.len() > MAX_TAGS {
        let message = format!("The resource {} has more than {MAX_TAGS} tags", group.name);
        return Err(ApiError::bad_request("TooManyTagsException", message));
    }
    groups::set_tags(tx, &group, &tags)
}

fn untag(tx: &Tx<'_>, input: &Input) -> Result<(), ApiError> {
    let group = group(tx, input)?;
    let mut tags = group.tags.clone();
    tags.retain(|key, _| !input.tag_keys.contains(key));
    groups::set_tags(tx, &group, &tags)
}

async fn list_tags(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    let tags = ctx.store.read(move |db| Ok(group(db, &input)?.tags)).await?;
    Ok(json!({ "tags": tags }))
}

async fn describe_log_groups(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    let limit = bounded(input.limit, MAX_DESCRIBED)?;
    if !input.log_group_name_prefix.is_empty() && !input.log_group_name_pattern.is_empty() {
        return Err(errors::invalid("logGroupNamePrefix and logGroupNamePattern exclude each other"));
    }
    let after: String = read_token(&input.next_token)?.unwrap_or_default();
    let (prefix, pattern) = (input.log_group_name_prefix, input.log_group_name_pattern);
    let mut found = ctx.store.read(move |db| groups::list(db, &prefix, &pattern, &after, limit + 1)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let mut output = json!({ "logGroups": found.iter().map(|group| show_group(ctx, group)).collect::<Vec<_>>() });
    if let Some(last) = found.last().filter(|_| more) {
        output["nextToken"] = token(&json!(last.name)).into();
    }
    Ok(output)
}

fn show_group(ctx: &Ctx, group: &Group) -> Value {
    let arn = group.arn(&ctx.config);
    let mut shown = json!({
        "logGroupName": group.name,
        "creationTime": group.created_at,
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "storedBytes": group.bytes,
        "logGroupClass": "STANDARD",
        "logGroupArn": arn,
    });
    if let Some(days) = group.retention_days {
        shown["retentionInDays"] = days.into();
    }
    shown
}

async fn describe_log_streams(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    let order = match input.order_by.as_str() {
        "" | "LogStreamName" => OrderBy::Name,
        "LastEventTime" if input.log_stream_name_prefix.is_some() => {
            return Err(errors::invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
        }
        "LastEventTime" => OrderBy::LastEvent,
        other => return Err(errors::invalid(format!("orderBy {other:?}: expected LogStreamName or LastEventTime"))),
    };
    let limit = bounded(input.limit, MAX_DESCRIBED)?;
    let listing = Listing {
        prefix: input.log_stream_name_prefix.clone().unwrap_or_default(),
        order,
        descending: input.descending,
        after: read_token(&input.next_token)?,
        limit: limit + 1,
    };
    let work = move |db: &rusqlite::Connection| {
        let group = group(db, &input)?;
        let found = streams::list(db, &group, &listing)?;
        Ok((group, found))
    };
    let (group, mut found) = ctx.store.read(work).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let arn = group.arn(&ctx.config);
    let mut output = json!({ "logStreams": found.iter().map(|stream| show_stream(&arn, stream)).collect::<Vec<_>>() });
    if let Some(last) = found.last().filter(|_| more) {
        output["nextToken"] = token(&json!(last.position(order))).into();
    }
    Ok(output)
}

fn show_stream(group_arn: &str, stream: &Stream) -> Value {
    let mut shown = json!({
        "logStreamName": stream.name,
        "creationTime": stream.created_at,
        "arn": format!("{group_arn}:log-stream:{}", stream.name),
        "storedBytes": 0, // CloudWatch Logs has answered 0 since 2019
        "uploadSequenceToken": sequence_token(stream.last_ingested.unwrap_or(0)),
    });
    for (name, at) in [
        ("firstEventTimestamp", stream.first_event),
        ("lastEventTimestamp", stream.last_event),
        ("lastIngestionTime", stream.last_ingested),
    ] {
        if let Some(at) = at {
            shown[name] = at.into();
        }
    }
    shown
}

async fn put_log_events(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    events::check(&input.log_events)?;
    let work = move |tx: &Tx<'_>| {
        let group = group(tx, &input)?;
        let stream = streams::by_name(tx, &group, &input.log_stream_name)?;
        events::put(tx, &group, &stream, &input.log_events)
    };
    let (last, rejected) = ctx.store.write(work).await?;
    let mut output = json!({ "nextSequenceToken": sequence_token(last) });
    if let Some(rejected) = rejected {
        output["rejectedLogEventsInfo"] = serde_json::to_value(rejected).map_err(ApiError::internal)?;
    }
    Ok(output)
}

/// Nobody has to send it back since 2023, but older agents wait for one.
fn sequence_token(number: i64) -> String {
    format!("{number:056}")
}

async fn get_log_events(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    let limit = bounded(input.limit, MAX_PAGE_EVENTS)?;
    let start = input.start_time.unwrap_or(0).max(0);
    let end = input.end_time.unwrap_or(i64::MAX);
    let (forward, token) = match read_page_token(&input.next_token)? {
        Some((forward, position)) => (forward, Some(position)),
        None => (input.start_from_head, None),
    };
    let from = token.unwrap_or(Position::before(if forward { start } else { end }));
    let work = move |db: &rusqlite::Connection| {
        let group = group(db, &input)?;
        let stream = streams::by_name(db, &group, &input.log_stream_name)?;
        let start = start.max(group.oldest(now_ms()));
        query::page(db, &stream, &Page { start, end, from, forward, limit })
    };
    let found = ctx.store.read(work).await?;
    let (first, last) = match (found.first(), found.last(), token) {
        (Some(first), Some(last), _) => (first.position, last.position),
        // At the end of the stream the token stays as it is, and the way back begins with the event that it names.
        (.., Some(at)) if forward => (Position { id: at.id.saturating_add(1), ..at }, at),
        (.., Some(at)) => (at, Position { id: (at.id - 1).max(0), ..at }),
        (.., None) => (Position::before(start), Position::before(start)),
    };
    let events: Vec<Value> = found
        .iter()
        .map(|event| {
            json!({ "timestamp": event.position.timestamp, "message": event.message, "ingestionTime": event.ingested_at })
        })
        .collect();
    Ok(json!({
        "events": events,
        "nextForwardToken": format!("f/{}/s", last.digits()),
        "nextBackwardToken": format!("b/{}/s", first.digits()),
    }))
}

/// Whether a token goes forward, and from where: `f/` and `b/`, the digits of a place, `/s`.
fn read_page_token(token: &str) -> Result<Option<(bool, Position)>, ApiError> {
    if token.is_empty() {
        return Ok(None);
    }
    let digits = token.get(2..).map(|rest| rest.strip_suffix("/s").unwrap_or(rest));
    match (token.get(..2), digits.and_then(Position::parse)) {
        (Some("f/"), Some(position)) => Ok(Some((true, position))),
        (Some("b/"), Some(position)) => Ok(Some((false, position))),
        _ => Err(errors::invalid("The specified nextToken is invalid.")),
    }
}

async fn filter_log_events(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    if input.log_stream_names.len() > MAX_STREAM_NAMES {
        return Err(errors::invalid(format!("logStreamNames: more than {MAX_STREAM_NAMES}")));
    }
    let start = input.start_time.unwrap_or(0).max(0);
    let from = match input.next_token.as_str() {
        "" => Position::before(start),
        token => Position::parse(token).ok_or_else(|| errors::invalid("The specified nextToken is invalid."))?,
    };
    let mut filter = Filter {
        stream_names: input.log_stream_names.clone(),
        stream_prefix: input.log_stream_name_prefix.clone(),
        pattern: Pattern::parse(&input.filter_pattern)?,
        from,
        end: input.end_time.unwrap_or(i64::MAX),
        limit: bounded(input.limit, MAX_PAGE_EVENTS)?,
    };
    let work = move |db: &rusqlite::Connection| {
        let group = group(db, &input)?;
        filter.from = filter.from.max(Position::before(group.oldest(now_ms())));
        query::filter(db, &group, &filter)
    };
    let (found, next) = ctx.store.read(work).await?;
    let events: Vec<Value> = found.iter().map(|(stream, event)| show_filtered(stream, event)).collect();
    let mut output = json!({ "events": events, "searchedLogStreams": [] });
    if let Some(next) = next {
        output["nextToken"] = next.digits().into();
    }
    Ok(output)
}

fn show_filtered(stream: &str, event: &Event) -> Value {
    json!({
        "logStreamName": stream,
        "timestamp": event.position.timestamp,
        "message": event.message,
        "ingestionTime": event.ingested_at,
        "eventId": event.position.digits(),
    })
}

fn bounded(limit: Option<usize>, max: usize) -> Result<usize, ApiError> {
    match limit.unwrap_or(max) {
        0 => Err(errors::invalid("limit: expected at least 1")),
        limit if limit > max => Err(errors::invalid(format!("limit: expected at most {max}, found {limit}"))),
        limit => Ok(limit),
    }
}

fn token(position: &Value) -> String {
    BASE64_STANDARD.encode(position.to_string())
}

fn read_token<T: DeserializeOwned>(token: &str) -> Result<Option<T>, ApiError> {
    if token.is_empty() {
        return Ok(None);
    }
    let position = BASE64_STANDARD.decode(token).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    position.map(Some).ok_or_else(|| errors::invalid("The specified nextToken is invalid."))
}
