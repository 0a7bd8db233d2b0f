//! Takes the lake objects that wait, in the order of their keys.

use lambda::Error;
use lambda::rules::RuleListing;
use ledger::{Seen, SourceId, StoreError};

use crate::failed::{self, Report};
use crate::fold::{Fold, Stop};
use crate::folding::{Call, Folder, Taken};
use crate::lake::{self, LakeObject, Lines};
use crate::outside::Outside;
use crate::places;

/// Objects that one commit takes.
const MAX_OBJECTS: usize = 64;

/// Takes objects until the commit is full.
pub(crate) async fn take<O: Outside, S: RuleListing>(
    folder: &Folder<O, S>,
    fold: &mut Fold<'_>,
    call: Call,
) -> Result<Taken, Error> {
    let name = fold.application().name();
    let segments = places::lake(&folder.index, name);
    let mut waiting = segments.list(None).await?;
    if let Some((current, _)) = &fold.state.lake.current {
        // The one that was begun goes on.
        waiting.sort_by_key(|position| position != current);
    }
    let mut taken = Taken { more: waiting.len() > MAX_OBJECTS, ..Taken::default() };
    waiting.truncate(MAX_OBJECTS);
    let mut objects = Vec::with_capacity(waiting.len());
    for position in waiting {
        let Some(segment) = segments.read(&position).await? else { continue };
        let object: LakeObject = serde_json::from_slice(&segment.payload)
            .map_err(|error| format!("application {name}: segment {position}: {error}"))?;
        objects.push((position, object));
    }
    let now = call.now.max(fold.state.now);
    let sources: Vec<(SourceId, i64)> = objects.iter().map(|(_, object)| (object.id(), object.at)).collect();
    let known = fold.state.lake.positions.check(&*folder.index, &sources, now).await?;
    let mut new = Vec::new();
    for ((position, object), seen) in objects.into_iter().zip(known) {
        match seen {
            Seen::Known => {}
            Seen::Stale => {
                tracing::warn!(application = name, key = object.key, "older than positions are kept, left out");
                fold.state.counters.stale += 1;
                taken.changed = true;
            }
            Seen::New => match lines(folder, fold, &position, &object).await? {
                Lines::All => new.push((object.id(), object.at)),
                Lines::Some(number) => {
                    let current = Some((position, number));
                    taken.changed |= number > 0 && fold.state.lake.current != current;
                    fold.state.lake.current = current.filter(|_| number > 0);
                    taken.stop = fold.stop();
                    break;
                }
            },
        }
        taken.finished.push((segments.clone(), position));
    }
    if !new.is_empty() {
        let prefix = places::positions_prefix(name);
        fold.state.lake.positions = fold.state.lake.positions.with(&*folder.index, &prefix, &new, now).await?;
        taken.changed = true;
    }
    taken.more |= taken.stop == Some(Stop::Rows);
    if call.tick && !taken.more && taken.stop.is_none() {
        // What is announced is folded, so what comes later was, as a rule, taken by Firehose after this.
        let at = call.now - folder.lake_lag;
        taken.changed |= at > fold.state.watermark;
        fold.bound(at);
    }
    Ok(taken)
}

/// Folds an object's lines. One that cannot be read, or not to its end, is reported and counts as taken.
async fn lines<O: Outside, S: RuleListing>(
    folder: &Folder<O, S>,
    fold: &mut Fold<'_>,
    position: &str,
    object: &LakeObject,
) -> Result<Lines, Error> {
    let body = match folder.lake.get(&object.key).await {
        Ok(there) if there.etag.0.trim_matches('"') == object.etag => Ok(there.body),
        Ok(_) => Err("replaced by another object".to_owned()),
        Err(error @ StoreError::NotFound { .. }) => Err(error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let current = fold.state.lake.current.clone().filter(|(current, _)| current == position);
    let skip = current.as_ref().map_or(0, |(_, lines)| *lines);
    let lines = body.and_then(|body| lake::fold_lines(fold, &body, object.at, skip).map_err(|error| error.to_string()));
    let reason = match lines {
        Ok(Lines::Some(number)) => return Ok(Lines::Some(number)),
        Ok(Lines::All) => None,
        Err(reason) => Some(reason),
    };
    if current.is_some() {
        fold.state.lake.current = None;
    }
    if let Some(reason) = reason {
        fold.state.counters.poison += 1;
        let source = format!("s3://{}/{}", object.bucket, object.key);
        let report =
            Report { source: &source, position: &object.etag, arrival: object.at, reason: &reason, raw_data: None };
        let hash = position.rsplit('.').next().unwrap_or_default();
        failed::store(&*folder.lake, &format!("{}-{hash}", fold.application().name()), &report).await?;
    }
    Ok(Lines::All)
}
