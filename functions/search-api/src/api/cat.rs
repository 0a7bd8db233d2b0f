//! `_cat`: tables for people.

use jiff::Timestamp;
use search_index::Reader;
use search_index::search;
use search_query::SearchRequest;

use super::index_settings::{index_uuid, sent};
use super::search::none_left;
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::{Content, Reply};
use crate::router::{Call, Outcome, Route, route};
use crate::table::{self, Cell, Column, number, text};
use crate::targets::Targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Get, "/_cat" => list),
    route!(Get, "/_cat/indices" => indices),
    route!(Get, "/_cat/indices/{index}" => indices),
    route!(Get, "/_cat/health" => health),
    route!(Get, "/_cat/count" => count),
    route!(Get, "/_cat/count/{index}" => count),
    route!(Get, "/_cat/aliases" => aliases),
    route!(Get, "/_cat/aliases/{name}" => aliases),
];

/// What `GET /_cat` names.
const LIST: &str = "=^.^=\n/_cat/aliases\n/_cat/aliases/{alias}\n/_cat/count\n/_cat/count/{index}\n/_cat/health\n/_cat/indices\n\
                    /_cat/indices/{index}\n";

async fn list(_: &Context, _: &Call) -> Outcome {
    Ok(Reply { status: 200, headers: Vec::new(), content: Content::Text(LIST.to_owned()) })
}

const INDICES: &[Column] = &[
    text("health", &["h"], "current health status"),
    text("status", &["s"], "open/close status"),
    text("index", &["i", "idx"], "index name"),
    text("uuid", &["id"], "index uuid"),
    number("pri", &["p", "shards.primary", "shardsPrimary"], "number of primary shards"),
    number("rep", &["r", "shards.replica", "shardsReplica"], "number of replica shards"),
    number("docs.count", &["dc", "docsCount"], "available docs"),
    number("docs.deleted", &["dd", "docsDeleted"], "deleted docs"),
    number("creation.date", &["cd"], "index creation date (millisecond value)").hidden(),
    text("creation.date.string", &["cds"], "index creation date (as string)").hidden(),
    number("store.size", &["ss", "storeSize"], "store size of primaries & replicas"),
    number("pri.store.size", &["prs", "pri.storeSize"], "store size of primaries"),
];

async fn indices(context: &Context, call: &Call) -> Outcome {
    let wanted = call.parameter("health").filter(|health| !health.is_empty());
    if let Some(other) = wanted.filter(|health| !matches!(*health, "green" | "yellow" | "red")) {
        return Err(ApiError::illegal(format!("unknown cluster health status [{other}]")));
    }
    let mut readers = Targets::of(call)?.readers(context).await?;
    // All are well.
    readers.retain(|_| wanted.is_none_or(|health| health == "green"));
    table::answer(call, INDICES, readers.iter().map(row).collect())
}

fn row(reader: &Reader) -> Vec<Cell> {
    let state = &reader.state;
    let sum = |of: fn(&search_index::manifest::Split) -> u64| state.splits.iter().map(|split| of(split)).sum::<u64>();
    let deleted = sum(|split| split.deleted.into());
    let documents = sum(|split| split.meta.documents.into()).saturating_sub(deleted);
    let size = sum(|split| split.meta.size);
    let word = |word: &str| Cell::Text(word.to_owned());
    vec![
        word("green"),
        word("open"),
        word(&reader.name),
        word(&index_uuid(reader)),
        word(sent(reader, "index.number_of_shards").unwrap_or("1")),
        word(sent(reader, "index.number_of_replicas").unwrap_or("0")),
        Cell::Number(documents),
        Cell::Number(deleted),
        Cell::Number(u64::try_from(state.created).unwrap_or_default()),
        Cell::Text(at(state.created).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()),
        Cell::Bytes(size),
        Cell::Bytes(size),
    ]
}

const HEALTH: &[Column] = &[
    text("epoch", &["t", "time"], "seconds since 1970-01-01 00:00:00"),
    text("timestamp", &["ts", "hms", "hhmmss"], "time in HH:MM:SS"),
    text("cluster", &["cl"], "cluster name"),
    text("status", &["st"], "health status"),
    number("node.total", &["nt", "nodeTotal"], "total number of nodes"),
    number("node.data", &["nd", "nodeData"], "number of nodes that can store data"),
    number("shards", &["t", "sh", "shards.total", "shardsTotal"], "total number of shards"),
    number("pri", &["p", "shards.primary", "shardsPrimary"], "number of primary shards"),
    number("relo", &["r", "shards.relocating", "shardsRelocating"], "number of relocating nodes"),
    number("init", &["i", "shards.initializing", "shardsInitializing"], "number of initializing nodes"),
    number("unassign", &["u", "shards.unassigned", "shardsUnassigned"], "number of unassigned shards"),
    number("pending_tasks", &["pt", "pendingTasks"], "number of pending tasks"),
    number("max_task_wait_time", &["mtwt", "maxTaskWaitTime"], "wait time of longest task pending"),
    number("active_shards_percent", &["asp", "activeShardsPercent"], "active number of shards in percent"),
];

async fn health(context: &Context, call: &Call) -> Outcome {
    let shards = Cell::Number(context.catalog.resolve(&["*"]).await?.len() as u64);
    let (epoch, time) = now(call);
    let word = |word: &str| Cell::Text(word.to_owned());
    let zero = Cell::Number(0);
    let mut row = vec![epoch, time, word(&context.cluster.name), word("green"), Cell::Number(1), Cell::Number(1)];
    row.extend([shards.clone(), shards, zero.clone(), zero.clone(), zero.clone(), zero, word("-"), word("100.0%")]);
    if !call.flag("ts", true)? {
        return table::answer(call, &HEALTH[2..], vec![row.split_off(2)]);
    }
    table::answer(call, HEALTH, vec![row])
}

const COUNT: &[Column] = &[
    text("epoch", &["t", "time"], "seconds since 1970-01-01 00:00:00"),
    text("timestamp", &["ts", "hms", "hhmmss"], "time in HH:MM:SS"),
    text("count", &["dc", "docs.count", "docsCount"], "the document count"),
];

async fn count(context: &Context, call: &Call) -> Outcome {
    let readers = Targets::of(call)?.readers(context).await?;
    let query = SearchRequest::parse(b"", &call.request.parameters.0)?.query;
    let answer = search::count(&readers, &query, call.request.now).await?;
    none_left(&answer)?;
    let (epoch, time) = now(call);
    table::answer(call, COUNT, vec![vec![epoch, time, Cell::Number(answer.total.map_or(0, |total| total.value))]])
}

const ALIASES: &[Column] = &[
    text("alias", &["a"], "alias name"),
    text("index", &["i", "idx"], "index alias points to"),
    text("filter", &["f", "fi"], "filter"),
    text("routing.index", &["ri", "routingIndex"], "index routing"),
    text("routing.search", &["rs", "routingSearch"], "search routing"),
    text("is_write_index", &["w", "isWriteIndex"], "write index"),
];

/// There are none.
async fn aliases(_: &Context, call: &Call) -> Outcome {
    table::answer(call, ALIASES, Vec::new())
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

fn now(call: &Call) -> (Cell, Cell) {
    let now = at(call.request.now);
    (Cell::Text(now.as_second().to_string()), Cell::Text(now.strftime("%H:%M:%S").to_string()))
}
