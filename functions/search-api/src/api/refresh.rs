//! `_refresh` and `_flush`: nothing is left to be done, every write is searchable and durable once it is answered.

use serde_json::json;

use crate::context::Context;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets::Targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Get | Post, "/_refresh" => refresh),
    route!(Get | Post, "/{index}/_refresh" => refresh),
    route!(Get | Post, "/_flush" => refresh),
    route!(Get | Post, "/{index}/_flush" => refresh),
];

async fn refresh(context: &Context, call: &Call) -> Outcome {
    let shards = Targets::of(call)?.readers(context).await?.len();
    Reply::ok(&json!({"_shards": {"total": shards, "successful": shards, "failed": 0}}))
}
