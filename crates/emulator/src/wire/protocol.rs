//! One request and its reply, in whichever protocol the client speaks.

use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cbor::Unit;
use crate::error::ApiError;

/// The protocols of the services that are called by operation name. S3 (through s3s) and Lambda (REST) have their own doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `application/x-amz-json-1.0`.
    AwsJson10,
    /// `application/x-amz-json-1.1`.
    AwsJson11,
    /// `application/x-amz-cbor-1.1`: Kinesis of older SDKs and the KPL.
    AwsCbor11,
    /// `smithy-protocol: rpc-v2-cbor`: CloudWatch of the Rust SDK.
    RpcV2Cbor,
    /// Form in, XML out: SNS, STS; CloudWatch of older SDKs.
    Query,
}

/// A request for an operation of a service.
#[derive(Debug)]
pub struct Call {
    /// The operation, as its service names it: `PutRecords`.
    pub operation: String,
    /// How its body is written.
    pub protocol: Protocol,
    /// The body.
    pub body: Bytes,
    /// The headers.
    pub headers: HeaderMap,
    /// The id that the reply carries.
    pub request_id: String,
}

/// A reply's body in its protocol.
#[derive(Debug)]
pub struct Reply {
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// The input of the operation. A body that does not fit its shape is a `SerializationException` that names the field.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        match self.protocol {
            Protocol::AwsJson10 | Protocol::AwsJson11 => super::json::decode(&self.body),
            Protocol::AwsCbor11 => super::cbor::decode(&self.body, Unit::Milliseconds),
            Protocol::RpcV2Cbor => super::cbor::decode(&self.body, Unit::Seconds),
            Protocol::Query => super::query::decode(&self.body),
        }
    }

    /// The reply of the operation.
    pub fn reply<T: Serialize>(&self, output: &T) -> Result<Reply, ApiError> {
        match self.protocol {
            Protocol::AwsJson10 => super::json::encode("application/x-amz-json-1.0", output),
            Protocol::AwsJson11 => super::json::encode("application/x-amz-json-1.1", output),
            Protocol::AwsCbor11 => super::cbor::encode("application/x-amz-cbor-1.1", Unit::Milliseconds, output),
            Protocol::RpcV2Cbor => super::cbor::encode("application/cbor", Unit::Seconds, output),
            Protocol::Query => super::query::encode(&self.operation, &self.request_id, output),
        }
    }

    /// The reply of an operation that has no output.
    pub fn empty(&self) -> Result<Reply, ApiError> {
        match self.protocol {
            // A service of this protocol answers with no body at all.
            Protocol::AwsJson11 => Ok(Reply { content_type: "application/x-amz-json-1.1", body: Bytes::new() }),
            _ => self.reply(&serde_json::Map::new()),
        }
    }
}
