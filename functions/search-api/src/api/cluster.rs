//! `_cluster` and `_nodes`: one node, always well.

use serde_json::{Value, json};

use crate::body::MAX_BODY;
use crate::context::Context;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets::Targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Get, "/_cluster/health" => health),
    route!(Get, "/_cluster/health/{index}" => health),
    route!(Get, "/_cluster/settings" => settings),
    route!(Get, "/_nodes" => nodes),
    route!(Get, "/_nodes/{what}" => nodes),
];

async fn health(context: &Context, call: &Call) -> Outcome {
    let shards = match call.index() {
        "" => context.catalog.resolve(&["*"]).await?.len(),
        _ => Targets::of(call)?.readers(context).await?.len(),
    };
    // What is not so now will not be so later: there is nothing to wait for.
    let reached =
        reaches(call.parameter("wait_for_nodes"), 1) && reaches(call.parameter("wait_for_active_shards"), shards);
    let status = if reached { 200 } else { 408 };
    Reply::json(
        status,
        &json!({
            "cluster_name": context.cluster.name,
            "status": "green",
            "timed_out": !reached,
            "number_of_nodes": 1,
            "number_of_data_nodes": 1,
            "active_primary_shards": shards,
            "active_shards": shards,
            "relocating_shards": 0,
            "initializing_shards": 0,
            "unassigned_shards": 0,
            "delayed_unassigned_shards": 0,
            "number_of_pending_tasks": 0,
            "number_of_in_flight_fetch": 0,
            "task_max_waiting_in_queue_millis": 0,
            "active_shards_percent_as_number": 100.0,
        }),
    )
}

/// Whether there are as many as `4`, `>=4`, `ge(4)`, `<4`, … say; `all` there always are.
fn reaches(wanted: Option<&str>, there: usize) -> bool {
    let Some(wanted) = wanted else { return true };
    let digits = wanted.trim_matches(|c: char| !c.is_ascii_digit());
    let Ok(number) = digits.parse::<usize>() else { return true };
    match wanted[..wanted.find(digits).unwrap_or_default()].trim_end_matches('(') {
        "<=" | "le" => there <= number,
        "<" | "lt" => there < number,
        ">" | "gt" => there > number,
        _ => there >= number,
    }
}

async fn settings(_: &Context, _: &Call) -> Outcome {
    Reply::ok(&json!({"persistent": {}, "transient": {}}))
}

/// Who sniffs for nodes finds the address that he came to.
async fn nodes(context: &Context, call: &Call) -> Outcome {
    let cluster = &context.cluster;
    let address = call.request.header("host").unwrap_or("127.0.0.1:9200");
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let node: Value = json!({
        "name": cluster.name,
        "transport_address": address,
        "host": host,
        "ip": host,
        "version": cluster.version,
        "build_flavor": "default",
        "roles": ["data", "ingest", "master"],
        "attributes": {},
        "http": {"bound_address": [address], "publish_address": address, "max_content_length_in_bytes": MAX_BODY},
        "ingest": {"processors": []},
    });
    let mut nodes = serde_json::Map::new();
    nodes.insert(cluster.uuid.clone(), node);
    Reply::ok(&json!({
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": cluster.name,
        "nodes": nodes,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for() {
        for (wanted, expected) in [
            (None, true),
            (Some("1"), true),
            (Some("2"), false),
            (Some(">=1"), true),
            (Some("ge(2)"), false),
            (Some("<2"), true),
            (Some("gt(1)"), false),
            (Some("all"), true),
        ] {
            assert_eq!(reaches(wanted, 1), expected, "{wanted:?}");
        }
    }
}
