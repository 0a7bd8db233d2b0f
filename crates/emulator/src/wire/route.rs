//! Which service a request is for.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;

use super::protocol::Protocol;

/// The services that have an API here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// CloudWatch.
    CloudWatch,
    /// Firehose.
    Firehose,
    /// Kinesis Data Streams.
    Kinesis,
    /// CloudWatch Logs.
    Logs,
    /// SNS.
    Sns,
    /// SQS.
    Sqs,
    /// STS.
    Sts,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A service called by operation name; of a query request the operation stands in the body and is not known yet.
    Operation(Service, Protocol, Option<String>),
    /// S3's REST API.
    S3,
    /// Lambda's REST API.
    Lambda,
    /// The health page.
    Health,
    /// None of ours; what it asked for.
    Unknown(String),
}

impl Route {
    /// The service's name, as endpoints have it.
    pub fn service(&self) -> &'static str {
        match self {
            Route::S3 => "s3",
            Route::Lambda => "lambda",
            Route::Health | Route::Unknown(_) => "",
            Route::Operation(service, ..) => match service {
                Service::CloudWatch => "monitoring",
                Service::Firehose => "firehose",
                Service::Kinesis => "kinesis",
                Service::Logs => "logs",
                Service::Sns => "sns",
                Service::Sqs => "sqs",
                Service::Sts => "sts",
            },
        }
    }
}

/// `X-Amz-Target` prefixes, from the service models.
const TARGETS: &[(&str, Service)] = &[
    ("AmazonSQS", Service::Sqs),
    ("Firehose_20150804", Service::Firehose),
    ("GraniteServiceVersion20100801", Service::CloudWatch),
    ("Kinesis_20131202", Service::Kinesis),
    ("Logs_20140328", Service::Logs),
];

/// Paths of rpc-v2-cbor begin so: `/service/NAME/operation/OPERATION`.
const RPC_V2: &str = "/service/";

/// Path of the pages about the emulator itself: not a bucket's name.
const HEALTH: &str = "/_logmill/health";

/// Finds the route of a request.
pub fn route(request: &Parts) -> Route {
    let path = request.uri.path();
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    if path == HEALTH || path == "/_logmill" || path == "/_logmill/" {
        return Route::Health;
    }
    if let Some(target) = header("x-amz-target") {
        return by_target(target, header(CONTENT_TYPE.as_str()).unwrap_or_default());
    }
    if let Some(rest) = path.strip_prefix(RPC_V2)
        && let Some((service, operation)) = rest.split_once("/operation/")
    {
        return match TARGETS.iter().find(|(name, _)| *name == service) {
            Some((_, service)) => Route::Operation(*service, Protocol::RpcV2Cbor, Some(operation.to_owned())),
            None => Route::Unknown(format!("{service} {operation}")),
        };
    }
    match scope_service(request) {
        Some("s3") => Route::S3,
        Some("lambda") => Route::Lambda,
        Some("sns") => Route::Operation(Service::Sns, Protocol::Query, None),
        Some("sts") => Route::Operation(Service::Sts, Protocol::Query, None),
        Some("sqs") => Route::Operation(Service::Sqs, Protocol::Query, None),
        Some("monitoring") => Route::Operation(Service::CloudWatch, Protocol::Query, None),
        Some(other) => Route::Unknown(format!("{other} {} {path}", request.method)),
        // Nobody signed: a person with curl.
        None if path == "/" && request.method == http::Method::GET => Route::Health,
        None if path.starts_with("/2015-03-31/") => Route::Lambda,
        None => Route::S3,
    }
}

fn by_target(target: &str, content_type: &str) -> Route {
    let Some((prefix, operation)) = target.rsplit_once('.') else { return Route::Unknown(target.to_owned()) };
    let Some((_, service)) = TARGETS.iter().find(|(name, _)| *name == prefix) else {
        return Route::Unknown(target.to_owned());
    };
    let protocol = match content_type.split(';').next().unwrap_or_default().trim() {
        "application/x-amz-cbor-1.1" => Protocol::AwsCbor11,
        "application/x-amz-json-1.0" => Protocol::AwsJson10,
        _ => Protocol::AwsJson11,
    };
    Route::Operation(*service, protocol, Some(operation.to_owned()))
}

/// The service in the credential scope: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`, in the header or a presigned URL.
fn scope_service(request: &Parts) -> Option<&str> {
    let header = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(scope) = header.and_then(|header| header.split_once("Credential=")) {
        return scope.1.split('/').nth(3);
    }
    let query = request.uri.query()?;
    let scope = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
    scope.split("%2F").flat_map(|part| part.split('/')).nth(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut builder = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_request_finds_its_service() {
        let signed =
            |service: &str| format!("AWS4-HMAC-SHA256 Credential=k/20261120/us-east-1/{service}/aws4_request, Sig");
        let kinesis = ("x-amz-target", "Kinesis_20131202.PutRecords");
        let op = |service, protocol, name: &str| Route::Operation(service, protocol, Some(name.to_owned()));
        for (request, expected) in [
            (
                parts("POST", "/", &[kinesis, ("content-type", "application/x-amz-json-1.1")]),
                op(Service::Kinesis, Protocol::AwsJson11, "PutRecords"),
            ),
            (
                parts("POST", "/", &[kinesis, ("content-type", "application/x-amz-cbor-1.1")]),
                op(Service::Kinesis, Protocol::AwsCbor11, "PutRecords"),
            ),
            (
                parts("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", &[]),
                op(Service::CloudWatch, Protocol::RpcV2Cbor, "PutMetricData"),
            ),
            (
                parts("POST", "/", &[("authorization", &signed("sns"))]),
                Route::Operation(Service::Sns, Protocol::Query, None),
            ),
            (parts("GET", "/bucket/key?X-Amz-Credential=k%2F20261120%2Fus-east-1%2Fs3%2Faws4_request", &[]), Route::S3),
            (parts("GET", "/bucket/key", &[]), Route::S3),
            (parts("GET", "/", &[]), Route::Health),
            (parts("GET", "/", &[("authorization", &signed("s3"))]), Route::S3),
            (
                parts("POST", "/", &[("x-amz-target", "DynamoDB_20120810.PutItem")]),
                Route::Unknown("DynamoDB_20120810.PutItem".into()),
            ),
        ] {
            assert_eq!(route(&request), expected);
        }
    }
}
