//! The health page: services, resources, queues, backlog, invocations.

use http::request::Parts;

use crate::Ctx;
use crate::wire::{HttpResponse, full};

/// HTML for a browser, JSON for `Accept: application/json` or `?format=json`.
pub async fn page(_ctx: &Ctx, _request: &Parts) -> HttpResponse {
    HttpResponse::new(full("{}"))
}
