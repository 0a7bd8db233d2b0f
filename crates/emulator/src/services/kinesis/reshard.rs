//! Resharding: split, merge, and both of them in a row for UpdateShardCount.

use serde::{Deserialize, Serialize};

use super::check::{self, hash_key, invalid};
use super::shards::{self, Row};
use super::streams::{self, Mode, Stream};
use crate::config::Config;
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// The most shards that UpdateShardCount scales to (UpdateShardCount).
const MAX_TARGET: i64 = 10_000;

/// How often a stream may be scaled in a day (UpdateShardCount).
const MAX_SCALINGS: i64 = 10;

const DAY_MS: i64 = 24 * 3_600_000;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Split {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_to_split: Option<String>,
    new_starting_hash_key: Option<String>,
}

/// SplitShard.
pub fn split_shard(tx: &Tx<'_>, input: Split) -> Result<(), ApiError> {
    let stream = streams::named(tx, tx.config(), &input.stream_name, &input.stream_arn)?;
    let id = check::required(input.shard_to_split, "shardToSplit")?;
    let key = check::required(input.new_starting_hash_key, "newStartingHashKey")?;
    let at = hash_key(&key, "newStartingHashKey")?;
    let shard = shards::named(tx, tx.config(), &stream, &id)?;
    check_open(tx.config(), &stream, &shard)?;
    if at <= shard.hash_start.saturating_add(1) || at >= shard.hash_end {
        return Err(invalid(format!(
            "NewStartingHashKey {key} used in SplitShard() on shard {id} in stream {} under account {} is not both greater \
             than one plus the shard's StartingHashKey {} and less than the shard's EndingHashKey {}.",
            stream.name,
            tx.config().account,
            shard.hash_start,
            shard.hash_end,
        )));
    }
    streams::check_shard_limit(tx, 1)?;
    split(tx, &stream, &shard, at)?;
    tx.wake(Wake::Stream(stream.name));
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Merge {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_to_merge: Option<String>,
    adjacent_shard_to_merge: Option<String>,
}

/// MergeShards.
pub fn merge_shards(tx: &Tx<'_>, input: Merge) -> Result<(), ApiError> {
    let stream = streams::named(tx, tx.config(), &input.stream_name, &input.stream_arn)?;
    let id = check::required(input.shard_to_merge, "shardToMerge")?;
    let adjacent_id = check::required(input.adjacent_shard_to_merge, "adjacentShardToMerge")?;
    let shard = shards::named(tx, tx.config(), &stream, &id)?;
    let adjacent = shards::named(tx, tx.config(), &stream, &adjacent_id)?;
    check_open(tx.config(), &stream, &shard)?;
    check_open(tx.config(), &stream, &adjacent)?;
    let follows = |left: &Row, right: &Row| left.hash_end.checked_add(1) == Some(right.hash_start);
    if !follows(&shard, &adjacent) && !follows(&adjacent, &shard) {
        return Err(invalid(format!(
            "Shards {id} and {adjacent_id} in stream {} under account {} are not an adjacent pair of shards eligible for \
             merging",
            stream.name,
            tx.config().account,
        )));
    }
    merge(tx, &stream, &shard, &adjacent)?;
    tx.wake(Wake::Stream(stream.name));
    Ok(())
}

fn check_open(config: &Config, stream: &Stream, shard: &Row) -> Result<(), ApiError> {
    if shard.closed.is_none() {
        return Ok(());
    }
    Err(invalid(format!(
        "Shard {} in stream {} under account {} has already been merged or split, and thus is not eligible for merging or \
         splitting.",
        shards::id(shard.number),
        stream.name,
        config.account,
    )))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Scale {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    target_shard_count: Option<i64>,
    scaling_type: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Scaled {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    current_shard_count: i64,
    target_shard_count: i64,
}

/// UpdateShardCount.
pub fn update_shard_count(tx: &Tx<'_>, input: Scale) -> Result<Scaled, ApiError> {
    let stream = streams::named(tx, tx.config(), &input.stream_name, &input.stream_arn)?;
    let target = check::required(input.target_shard_count, "targetShardCount")?;
    let target = check::within(target, "targetShardCount", 1, i64::from(i32::MAX))?;
    let kind = check::required(input.scaling_type, "scalingType")?;
    if kind != "UNIFORM_SCALING" {
        let constraint = "satisfy enum value set: [UNIFORM_SCALING]";
        return Err(check::validation(&format!("'{kind}'"), "scalingType", constraint));
    }
    if stream.mode == Mode::OnDemand {
        let message = format!("Stream {} is in ON_DEMAND mode: its shard count cannot be updated.", stream.name);
        return Err(ApiError::bad_request("ValidationException", message));
    }
    let current = shards::open(tx, &stream.name)?.len() as i64;
    check_target(current, target)?;
    if target != current {
        streams::check_shard_limit(tx, target - current)?;
        count_scaling(tx, &stream)?;
        scale(tx, &stream, target)?;
        tx.wake(Wake::Stream(stream.name.clone()));
    }
    Ok(Scaled {
        stream_arn: tx.config().arn("kinesis", &format!("stream/{}", stream.name)),
        stream_name: stream.name,
        current_shard_count: current,
        target_shard_count: target,
    })
}

/// At most double, at least half (UpdateShardCount).
fn check_target(current: i64, target: i64) -> Result<(), ApiError> {
    let bound = if target > MAX_TARGET {
        format!("more than {MAX_TARGET} shards")
    } else if target > current * 2 {
        "more than double the current open shard count".to_owned()
    } else if target * 2 < current {
        "less than half the current open shard count".to_owned()
    } else {
        return Ok(());
    };
    Err(invalid(format!(
        "UpdateShardCount cannot scale to {bound}. Current open shard count: {current} Target shard count: {target}"
    )))
}

fn count_scaling(tx: &Tx<'_>, stream: &Stream) -> Result<(), ApiError> {
    let (count, since): (i64, i64) = tx
        .prepare_cached("SELECT scalings, scalings_since FROM kinesis_streams WHERE name = ?1")?
        .query_row([&stream.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (count, since) = if tx.now() - since >= DAY_MS { (0, tx.now()) } else { (count, since) };
    if count >= MAX_SCALINGS {
        let message = format!("Stream {} has been scaled {MAX_SCALINGS} times within 24 hours.", stream.name);
        return Err(ApiError::bad_request("LimitExceededException", message));
    }
    tx.prepare_cached("UPDATE kinesis_streams SET scalings = ?2, scalings_since = ?3 WHERE name = ?1")?.execute((
        &stream.name,
        count + 1,
        since,
    ))?;
    Ok(())
}

/// Splits the open shards at the bounds of `target` equal ranges, then merges what lies within one range.
fn scale(tx: &Tx<'_>, stream: &Stream, target: i64) -> Result<(), ApiError> {
    for shard in shards::open(tx, &stream.name)? {
        let mut rest = shard;
        for bound in (1..target).map(|index| shards::uniform_start(index, target)) {
            if rest.hash_start < bound && bound <= rest.hash_end {
                rest = split(tx, stream, &rest, bound)?.1;
            }
        }
    }
    let mut pieces = shards::open(tx, &stream.name)?.into_iter().peekable();
    for index in 1..=target {
        let Some(mut whole) = pieces.next() else { break };
        let inside = |piece: &Row| index == target || piece.hash_start < shards::uniform_start(index, target);
        while let Some(piece) = pieces.next_if(inside) {
            whole = merge(tx, stream, &whole, &piece)?;
        }
    }
    Ok(())
}

/// Closes a shard and opens its two children, which part at `at`.
fn split(tx: &Tx<'_>, stream: &Stream, shard: &Row, at: u128) -> Result<(Row, Row), ApiError> {
    close(tx, shard)?;
    let second = (tx.now() / 1000).max(shard.sequence_second + 1);
    let open = |range| shards::open_one(tx, &stream.name, second, range, Some(shard.number), None);
    Ok((open((shard.hash_start, at - 1))?, open((at, shard.hash_end))?))
}

/// Closes two neighbours and opens their child.
fn merge(tx: &Tx<'_>, stream: &Stream, shard: &Row, adjacent: &Row) -> Result<Row, ApiError> {
    close(tx, shard)?;
    close(tx, adjacent)?;
    let second = (tx.now() / 1000).max(shard.sequence_second.max(adjacent.sequence_second) + 1);
    let range = (shard.hash_start.min(adjacent.hash_start), shard.hash_end.max(adjacent.hash_end));
    shards::open_one(tx, &stream.name, second, range, Some(shard.number), Some(adjacent.number))
}

fn close(tx: &Tx<'_>, shard: &Row) -> Result<(), ApiError> {
    tx.prepare_cached("UPDATE kinesis_shards SET closed = ?2 WHERE id = ?1")?.execute((shard.key, tx.now()))?;
    Ok(())
}
