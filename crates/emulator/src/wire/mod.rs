//! The one port: who is asked for what, in which protocol.
//!
//! A request names its service by `X-Amz-Target`, by path, or by the credential scope of its signature (which is not verified:
//! any credentials will do). Requests with a foreign `Host` or `Origin` are refused, so that a web page cannot reach the
//! emulator through a browser.

pub mod cbor;
pub(crate) mod connections;
mod encoding;
pub(crate) mod guard;
pub mod json;
pub mod protocol;
pub mod query;
mod route;
mod server;
pub mod types;

pub use server::serve;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

/// A request as it came.
pub type HttpRequest = http::Request<hyper::body::Incoming>;

/// A response of any service.
pub type HttpResponse = http::Response<HttpBody>;

/// The body of a response; an error ends the connection.
pub type HttpBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// A body that is all there.
pub fn full(bytes: impl Into<Bytes>) -> HttpBody {
    use http_body_util::BodyExt;
    http_body_util::Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}
