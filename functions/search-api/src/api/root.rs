//! `GET /`, and what clients ask for before they trust a server.

use serde_json::json;

use crate::context::Context;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};

pub(crate) const ROUTES: &[Route] =
    &[route!(Get, "/" => info), route!(Get, "/_license" => license), route!(Get, "/_xpack" => xpack)];

/// elasticsearch-py and -js 7.14 and later look for tagline, build_flavor and the product header; Beats, Logstash and Vector read
/// the version.
async fn info(context: &Context, _: &Call) -> Outcome {
    let cluster = &context.cluster;
    Reply::ok(&json!({
        "name": cluster.name,
        "cluster_name": cluster.name,
        "cluster_uuid": cluster.uuid,
        "version": {
            "number": cluster.version,
            "build_flavor": "default",
            "build_type": "tar",
            "build_hash": "0000000000000000000000000000000000000000",
            "build_date": "2026-11-20T00:00:00.000Z",
            "build_snapshot": false,
            "lucene_version": "9.11.1",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    }))
}

/// Beats and Logstash refuse to work without an active licence.
async fn license(context: &Context, _: &Call) -> Outcome {
    Reply::ok(&json!({"license": {
        "status": "active",
        "uid": context.cluster.uuid,
        "type": "basic",
        "issue_date": "2026-11-20T00:00:00.000Z",
        "issue_date_in_millis": 1_795_132_800_000_u64,
        "max_nodes": 1000,
        "issued_to": context.cluster.name,
        "issuer": "logmill",
        "start_date_in_millis": -1,
    }}))
}

/// Beats before 7.13 ask this instead.
async fn xpack(context: &Context, _: &Call) -> Outcome {
    let feature = |available: bool| json!({"available": available, "enabled": available});
    Reply::ok(&json!({
        "build": {"hash": "0000000000000000000000000000000000000000", "date": "2026-11-20T00:00:00.000Z"},
        "license": {"uid": context.cluster.uuid, "type": "basic", "mode": "basic", "status": "active"},
        "features": {"ilm": feature(true), "monitoring": feature(false), "security": feature(false)},
        "tagline": "You know, for X",
    }))
}
