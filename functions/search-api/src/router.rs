//! Paths to handlers.
//!
//! Each family of the API has a table of its routes at its head. Of several patterns that fit a path, the one whose first
//! difference is a literal wins (`/_search/scroll` before `/{index}/{type}`).

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use crate::api::FAMILIES;
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::request::{Method, Request};

/// What a handler comes to.
pub type Outcome = Result<Reply, ApiError>;

/// Answers a call. A function's process has one thread, so the future need not be `Send`.
pub type Handler = for<'a> fn(&'a Context, &'a Call) -> Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// A path with what answers it.
pub struct Route {
    /// Methods that it takes; `HEAD` where `GET` is.
    pub methods: &'static [Method],
    /// `/{index}/_doc/{id}`
    pub pattern: &'static str,
    /// Answers it.
    pub handler: Handler,
}

/// A row of a table: `route!(Get | Post, "/_search" => search)`.
macro_rules! route {
    ($($method:ident)|+, $pattern:literal => $handler:expr) => {
        $crate::router::Route {
            methods: &[$($crate::request::Method::$method),+],
            pattern: $pattern,
            handler: |context, call| Box::pin($handler(context, call)),
        }
    };
}
pub(crate) use route;

/// Name in a pattern → part of the path.
pub type Parts = Vec<(&'static str, String)>;

/// A request with the parts of its path.
#[derive(Debug)]
pub struct Call {
    /// The request.
    pub request: Request,
    parts: Parts,
    /// When the work on it began.
    pub started: Instant,
}

impl Call {
    /// The part of the path of this name, if the pattern has it.
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// `index` of the path; the empty text without one.
    pub fn index(&self) -> &str {
        self.part("index").unwrap_or_default()
    }

    /// `id` or `name` of the path; the empty text without one.
    pub fn name(&self) -> &str {
        self.part("name").or(self.part("id")).unwrap_or_default()
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.request.parameters.get(name)
    }

    /// A switch among the parameters.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        self.request.parameters.flag(name, default)
    }

    /// Milliseconds that the work has taken.
    pub fn took(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Finds what answers a request.
pub fn find(request: &Request) -> Result<(Handler, Parts), ApiError> {
    let segments = request.segments();
    let routes = FAMILIES.iter().flat_map(|family| family.iter());
    let fitting: Vec<&Route> = routes.filter(|route| fits(route.pattern, &segments)).collect();
    let takes = |route: &&&Route| {
        route.methods.contains(&request.method)
            || (request.method == Method::Head && route.methods.contains(&Method::Get))
    };
    if let Some(route) = fitting.iter().filter(takes).max_by_key(|route| literals(route.pattern)) {
        return Ok((route.handler, parts(route.pattern, segments)));
    }
    let (path, method) = (&request.path, request.method.name());
    if fitting.is_empty() {
        let reason = format!("no handler found for uri [{path}] and method [{method}]");
        return Err(ApiError::illegal(reason));
    }
    let mut allowed: BTreeSet<Method> = fitting.iter().flat_map(|route| route.methods.iter().copied()).collect();
    if allowed.contains(&Method::Get) {
        allowed.insert(Method::Head);
    }
    let allowed = allowed.into_iter().map(Method::name).collect::<Vec<_>>().join(", ");
    let reason = format!("Incorrect HTTP method for uri [{path}] and method [{method}], allowed: [{allowed}]");
    let mut error = ApiError::illegal(reason).with_status(405);
    error.header = Some(("Allow", allowed));
    Err(error)
}

fn pattern_segments(pattern: &'static str) -> impl Iterator<Item = &'static str> {
    pattern.split('/').filter(|part| !part.is_empty())
}

fn variable(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn fits(pattern: &'static str, segments: &[String]) -> bool {
    pattern_segments(pattern).count() == segments.len()
        && pattern_segments(pattern).zip(segments).all(|(expected, segment)| match variable(expected) {
            // Names of indexes and types never begin so, names of operations always do.
            Some("index") => !segment.starts_with('_') || segment == "_all",
            Some("type") => !segment.starts_with('_'),
            Some(_) => true,
            None => expected == segment,
        })
}

/// `true` for each part that is a literal: the greatest is the most particular.
fn literals(pattern: &'static str) -> Vec<bool> {
    pattern_segments(pattern).map(|segment| variable(segment).is_none()).collect()
}

fn parts(pattern: &'static str, segments: Vec<String>) -> Parts {
    let named = pattern_segments(pattern).zip(segments);
    named.filter_map(|(expected, segment)| variable(expected).map(|name| (name, segment))).collect()
}

impl Call {
    /// A request whose path has these parts.
    pub fn new(request: Request, parts: Parts, started: Instant) -> Call {
        Call { request, parts, started }
    }
}
