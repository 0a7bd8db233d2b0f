//! The REST API: paths to operations, errors in REST JSON.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::functions::{self, AsyncSpec, Function};
use super::mapping_spec::Source;
use super::mappings::{self, Mapping};
use super::urls::{self, FunctionUrl};
use super::{LATEST, arn, invoke};
use crate::Ctx;
use crate::config::Config;
use crate::error::ApiError;
use crate::runtime::MAX_REQUEST;
use crate::wire::{HttpRequest, HttpResponse, full};

/// Items of one page of a list (ListFunctions: 50; the others 100).
const MAX_ITEMS: usize = 50;

/// Answers a request; an error becomes a response.
pub async fn call(ctx: &Ctx, request: HttpRequest) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let answer = match Limited::new(body, MAX_REQUEST).collect().await {
        Ok(body) => operate(ctx, &parts, body.to_bytes()).await,
        Err(e) if e.is::<LengthLimitError>() => {
            let message = format!("Request must be smaller than {MAX_REQUEST} bytes for the InvokeFunction operation");
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message))
        }
        Err(e) => Err(ApiError::bad_request("InvalidRequestContentException", format!("the body was not read: {e}"))),
    };
    answer.unwrap_or_else(|error| error_response(&error))
}

/// `{"Type":"User","Message":…}` with the code in a header.
pub fn error_response(error: &ApiError) -> HttpResponse {
    let side = if error.status.is_server_error() { "Service" } else { "User" };
    let mut body = json!({ "Type": side, "Message": error.message });
    if error.code == "TooManyRequestsException" {
        body["Reason"] = json!(if error.message.contains("Reserved") {
            "ReservedFunctionConcurrentInvocationLimitExceeded"
        } else {
            "ConcurrentInvocationLimitExceeded"
        });
    }
    let mut response = respond(error.status, &body);
    if let Ok(code) = HeaderValue::from_str(&error.code) {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}

fn respond(status: StatusCode, body: &Value) -> HttpResponse {
    let mut response = Response::new(full(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

async fn operate(ctx: &Ctx, parts: &Parts, body: Bytes) -> Result<HttpResponse, ApiError> {
    let decoded: Vec<String> = parts
        .uri
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let path: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let query = Query(parts.uri.query().unwrap_or_default());
    let ok = |value: Value| Ok(respond(StatusCode::OK, &value));
    match (&parts.method, path.as_slice()) {
        (&Method::POST, ["2015-03-31", "functions", name, "invocations"]) => {
            check_qualifier(&query, name)?;
            invoke::invoke(ctx, (*name).to_owned(), &parts.headers, body).await
        }
        (&Method::POST, ["2015-03-31", "functions"]) => Err(ApiError::not_emulated(
            "lambda",
            "CreateFunction: functions come from the template, their programs from the folder of binaries",
        )),
        (&Method::GET, ["2015-03-31", "functions"]) => ok(list_functions(ctx, &query).await?),
        (&Method::GET, ["2015-03-31", "functions", name, rest @ ..]) => {
            check_qualifier(&query, name)?;
            let function = function(ctx, name).await?;
            match rest {
                [] => ok(get_function(&ctx.config, &function)),
                ["configuration"] => ok(configuration(&ctx.config, &function)),
                ["policy"] => Err(not_found(format!("No policy is associated with the given resource: {name}"))),
                _ => Err(unknown(parts)),
            }
        }
        (method, ["2019-09-25", "functions", name, "event-invoke-config"]) => {
            let config = event_invoke_config(ctx, method, name, &body, parts).await?;
            ok(config)
        }
        (&Method::GET, ["2021-10-31", "functions", name, kind @ ("url" | "urls")]) => {
            ok(function_url(ctx, name, *kind == "urls").await?)
        }
        (method, ["2015-03-31", "event-source-mappings", rest @ ..]) => {
            mapping(ctx, method, rest, &query, &body, parts).await
        }
        _ => Err(unknown(parts)),
    }
}

/// The parameters of a query.
struct Query<'q>(&'q str);

impl Query<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let value = self.0.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
    }

    fn max_items(&self, most: usize) -> usize {
        self.get("MaxItems").and_then(|n| n.parse().ok()).unwrap_or(most).clamp(1, most)
    }
}

fn check_qualifier(query: &Query<'_>, name: &str) -> Result<(), ApiError> {
    query.get("Qualifier").map_or(Ok(()), |qualifier| arn::check_qualifier(name, &qualifier))
}

fn unknown(parts: &Parts) -> ApiError {
    ApiError::not_emulated("lambda", &format!("{} {}", parts.method, parts.uri.path()))
}

fn not_found(message: String) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
}

fn input(body: &Bytes) -> Result<Value, ApiError> {
    match serde_json::from_slice::<Value>(if body.is_empty() { b"{}" } else { body }) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(ApiError::bad_request("InvalidRequestContentException", "expected a JSON object")),
        Err(e) => Err(ApiError::bad_request("InvalidRequestContentException", format!("not JSON: {e}"))),
    }
}

async fn function(ctx: &Ctx, name: &str) -> Result<Function, ApiError> {
    let name = name.to_owned();
    ctx.store.read(move |db| functions::get(db, &name)).await
}

fn iso(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

fn configuration(config: &Config, function: &Function) -> Value {
    let spec = &function.spec;
    let mut shown = json!({
        "FunctionName": spec.name,
        "FunctionArn": config.arn("lambda", &format!("function:{}", spec.name)),
        "Runtime": "provided.al2023",
        "Role": format!("arn:aws:iam::{}:role/{}", config.account, spec.name),
        "Handler": "bootstrap",
        "CodeSize": 0,
        "Description": "",
        "Timeout": spec.timeout,
        "MemorySize": spec.memory,
        "LastModified": iso(function.modified_at),
        "Version": LATEST,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": { "Size": spec.ephemeral_storage },
        "State": "Active",
        "LastUpdateStatus": "Successful",
    });
    if !spec.environment.is_empty() {
        shown["Environment"] = json!({ "Variables": spec.environment });
    }
    if let Some(target) = &spec.asynchronous.dead_letter {
        shown["DeadLetterConfig"] = json!({ "TargetArn": target });
    }
    shown
}

fn get_function(config: &Config, function: &Function) -> Value {
    let mut shown = json!({
        "Configuration": configuration(config, function),
        "Code": { "RepositoryType": "File", "Location": config.binaries.join(&function.spec.binary) },
    });
    if let Some(reserved) = function.spec.reserved_concurrency {
        shown["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
    }
    shown
}

async fn list_functions(ctx: &Ctx, query: &Query<'_>) -> Result<Value, ApiError> {
    let (after, max) = (query.get("Marker").unwrap_or_default(), query.max_items(MAX_ITEMS));
    let mut found = ctx.store.read(move |db| functions::list(db, &after, max + 1)).await?;
    let more = found.len() > max;
    found.truncate(max);
    let next = if more { found.last().map(|function| function.spec.name.clone()) } else { None };
    let shown: Vec<Value> = found.iter().map(|function| configuration(&ctx.config, function)).collect();
    Ok(page("Functions", shown, next))
}

fn page(name: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut page = json!({ name: items });
    if let Some(next) = next {
        page["NextMarker"] = json!(next);
    }
    page
}

async fn event_invoke_config(
    ctx: &Ctx,
    method: &Method,
    name: &str,
    body: &Bytes,
    parts: &Parts,
) -> Result<Value, ApiError> {
    let mut function = function(ctx, name).await?;
    match *method {
        Method::GET => {}
        Method::PUT | Method::POST => {
            let change = input(body)?;
            let asynchronous = &mut function.spec.asynchronous;
            if *method == Method::PUT {
                *asynchronous = AsyncSpec { dead_letter: asynchronous.dead_letter.take(), ..Default::default() };
            }
            let number = |name: &str| change[name].as_u64().map(|n| u32::try_from(n).unwrap_or(u32::MAX));
            let destination = |name: &str| Some(change["DestinationConfig"][name]["Destination"].as_str()?.to_owned());
            asynchronous.retries = number("MaximumRetryAttempts").or(asynchronous.retries);
            asynchronous.max_age = number("MaximumEventAgeInSeconds").or(asynchronous.max_age);
            asynchronous.on_success = destination("OnSuccess").or(asynchronous.on_success.take());
            asynchronous.on_failure = destination("OnFailure").or(asynchronous.on_failure.take());
            let spec = function.spec.clone();
            ctx.store.write(move |tx| functions::ensure_function(tx, &spec)).await?;
        }
        _ => return Err(unknown(parts)),
    }
    let spec = &function.spec.asynchronous;
    let destination = |arn: &Option<String>| arn.as_ref().map_or(json!({}), |arn| json!({ "Destination": arn }));
    Ok(json!({
        "FunctionArn": ctx.config.arn("lambda", &format!("function:{}:{LATEST}", function.spec.name)),
        "LastModified": function.modified_at as f64 / 1000.0,
        "MaximumRetryAttempts": spec.retries.unwrap_or(2),
        "MaximumEventAgeInSeconds": spec.max_age.unwrap_or(21_600),
        "DestinationConfig": { "OnSuccess": destination(&spec.on_success), "OnFailure": destination(&spec.on_failure) },
    }))
}

async fn function_url(ctx: &Ctx, name: &str, all: bool) -> Result<Value, ApiError> {
    let function = function(ctx, name).await?.spec.name;
    let find = function.clone();
    let url = ctx.store.read(move |db| urls::find(db, &find)).await?;
    if all {
        let urls: Vec<Value> = url.iter().map(|url| url_configuration(&ctx.config, url)).collect();
        return Ok(json!({ "FunctionUrlConfigs": urls }));
    }
    match url {
        Some(url) => Ok(url_configuration(&ctx.config, &url)),
        None => Err(not_found(format!("The resource you requested does not exist: function {function} has no URL"))),
    }
}

fn url_configuration(config: &Config, url: &FunctionUrl) -> Value {
    let mut shown = json!({
        "FunctionUrl": urls::url_of(config, url.port),
        "FunctionArn": config.arn("lambda", &format!("function:{}", url.function)),
        "AuthType": url.auth,
        "InvokeMode": "BUFFERED",
        "CreationTime": iso(url.created_at),
        "LastModifiedTime": iso(url.created_at),
    });
    if let Some(cors) = &url.cors {
        shown["Cors"] = cors.clone();
    }
    shown
}

async fn mapping(
    ctx: &Ctx,
    method: &Method,
    rest: &[&str],
    query: &Query<'_>,
    body: &Bytes,
    parts: &Parts,
) -> Result<HttpResponse, ApiError> {
    let read = |uuid: String| ctx.store.read(move |db| mappings::get(db, &uuid));
    match (method, rest) {
        (&Method::GET, []) => Ok(respond(StatusCode::OK, &list_mappings(ctx, query).await?)),
        (&Method::POST, []) => {
            let spec = input(body)?;
            let uuid = ctx.store.write(move |tx| create(tx, &spec)).await?;
            Ok(respond(StatusCode::ACCEPTED, &mapping_configuration(&ctx.config, &read(uuid).await?)))
        }
        (&Method::GET, [uuid]) => {
            Ok(respond(StatusCode::OK, &mapping_configuration(&ctx.config, &read((*uuid).to_owned()).await?)))
        }
        (&Method::PUT, [uuid]) => {
            let (change, id) = (input(body)?, (*uuid).to_owned());
            let uuid = ctx.store.write(move |tx| update(tx, &id, &change)).await?;
            Ok(respond(StatusCode::ACCEPTED, &mapping_configuration(&ctx.config, &read(uuid).await?)))
        }
        (&Method::DELETE, [uuid]) => {
            let known = read((*uuid).to_owned()).await?;
            let mut shown = mapping_configuration(&ctx.config, &known);
            shown["State"] = json!("Deleting");
            ctx.store.write(move |tx| mappings::remove(tx, &known.uuid)).await?;
            Ok(respond(StatusCode::ACCEPTED, &shown))
        }
        _ => Err(unknown(parts)),
    }
}

fn create(tx: &crate::store::Tx<'_>, spec: &Value) -> Result<String, ApiError> {
    let function = spec["FunctionName"].as_str().unwrap_or_default();
    let function = functions::get(tx, function)?.spec.name;
    let source = &spec["EventSourceArn"];
    let known = mappings::list(tx)?;
    if let Some(known) = known.iter().find(|m| m.function == function && m.spec.event_source_arn.as_str() == source) {
        let message = format!(
            "The event source arn ({source}) and function ({function}) provided mapping already exists. Please update or \
             delete the existing mapping with UUID {}",
            known.uuid
        );
        return Err(ApiError::new(StatusCode::CONFLICT, "ResourceConflictException", message));
    }
    mappings::ensure_mapping(tx, spec)
}

/// Puts the given properties over the known ones.
fn update(tx: &crate::store::Tx<'_>, uuid: &str, change: &Value) -> Result<String, ApiError> {
    let known = mappings::get(tx, uuid)?;
    let mut spec = serde_json::to_value(&known.spec).map_err(ApiError::internal)?;
    for (name, value) in change.as_object().into_iter().flatten() {
        if name == "FunctionName" && value.as_str().map(arn::function_name).transpose()? != Some(&known.function) {
            return Err(ApiError::not_emulated("lambda", "UpdateEventSourceMapping to another function"));
        }
        if name != "UUID" {
            spec[name] = value.clone();
        }
    }
    mappings::ensure_mapping(tx, &spec)
}

async fn list_mappings(ctx: &Ctx, query: &Query<'_>) -> Result<Value, ApiError> {
    let function = query.get("FunctionName");
    let function = function.as_deref().map(arn::function_name).transpose()?;
    let source = query.get("EventSourceArn");
    let (after, max) = (query.get("Marker"), query.max_items(MAX_ITEMS * 2));
    let found = ctx.store.read(mappings::list).await?;
    let mut matching = found
        .iter()
        .filter(|mapping| function.is_none_or(|name| mapping.function == name))
        .filter(|mapping| source.as_ref().is_none_or(|arn| mapping.spec.event_source_arn == *arn))
        .skip_while(|mapping| after.as_ref().is_some_and(|after| mapping.uuid != *after))
        .skip(usize::from(after.is_some()));
    let page_items: Vec<&Mapping> = matching.by_ref().take(max).collect();
    let next = matching.next().and(page_items.last()).map(|mapping| mapping.uuid.clone());
    let shown = page_items.iter().map(|mapping| mapping_configuration(&ctx.config, mapping)).collect();
    Ok(page("EventSourceMappings", shown, next))
}

fn mapping_configuration(config: &Config, mapping: &Mapping) -> Value {
    let spec = &mapping.spec;
    let mut shown = json!({
        "UUID": mapping.uuid,
        "EventSourceArn": spec.event_source_arn,
        "EventSourceMappingArn": config.arn("lambda", &format!("event-source-mapping:{}", mapping.uuid)),
        "FunctionArn": config.arn("lambda", &format!("function:{}", mapping.function)),
        "BatchSize": mapping.batch_size(),
        "MaximumBatchingWindowInSeconds": spec.maximum_batching_window_in_seconds,
        "FunctionResponseTypes": spec.function_response_types,
        "LastModified": mapping.modified_at as f64 / 1000.0,
        "LastProcessingResult": mapping.last_result,
        "State": if spec.enabled { "Enabled" } else { "Disabled" },
        "StateTransitionReason": "USER_INITIATED",
    });
    match mapping.source {
        Source::Queue => {
            if let Some(scaling) = spec.scaling_config {
                shown["ScalingConfig"] = json!(scaling);
            }
        }
        Source::Stream => {
            shown["StartingPosition"] = json!(spec.starting_position);
            if let (Some("AT_TIMESTAMP"), Some(at)) = (spec.starting_position.as_deref(), mapping.start_at) {
                shown["StartingPositionTimestamp"] = json!(at as f64 / 1000.0);
            }
            shown["ParallelizationFactor"] = json!(1);
            shown["BisectBatchOnFunctionError"] = json!(spec.bisect_batch_on_function_error);
            shown["MaximumRetryAttempts"] = json!(spec.maximum_retry_attempts.unwrap_or(-1));
            shown["MaximumRecordAgeInSeconds"] = json!(spec.maximum_record_age_in_seconds.unwrap_or(-1));
            shown["TumblingWindowInSeconds"] = json!(0);
            shown["DestinationConfig"] = spec.destination_config.clone().unwrap_or_else(|| json!({ "OnFailure": {} }));
        }
    }
    shown
}
