//! Which indexes a request is about.

use futures::{StreamExt, stream};
use search_index::{Error as IndexError, Reader};

use crate::context::Context;
use crate::error::ApiError;
use crate::router::Call;

/// Manifests read at once.
const READS: usize = 64;

/// An expression of indexes (`logs-*,-logs-2025*,other`) with what the parameters say about it.
#[derive(Clone, Debug)]
pub struct Targets {
    expression: String,
    patterns: Vec<String>,
    /// `ignore_unavailable`: a name that does not exist is left out.
    ignore_unavailable: bool,
    /// `allow_no_indices`: a pattern that matches nothing is no error.
    allow_no_indices: bool,
}

impl Targets {
    /// What the path names; all indexes if it names none.
    pub fn of(call: &Call) -> Result<Targets, ApiError> {
        Targets::named(call, call.index())
    }

    /// This expression, with the parameters of the call.
    pub fn named(call: &Call, expression: &str) -> Result<Targets, ApiError> {
        let mut targets = Targets::parse(expression);
        targets.ignore_unavailable = call.flag("ignore_unavailable", false)?;
        targets.allow_no_indices = call.flag("allow_no_indices", true)?;
        if !expands(call.parameter("expand_wildcards"))? {
            targets.patterns.retain(|pattern| !is_pattern(pattern));
        }
        Ok(targets)
    }

    /// This expression, with the parameters' defaults.
    pub fn parse(expression: &str) -> Targets {
        let all = |name: &str| if name == "_all" { "*".to_owned() } else { name.to_owned() };
        let mut patterns: Vec<String> = expression.split(',').filter(|name| !name.is_empty()).map(all).collect();
        if patterns.is_empty() {
            patterns.push("*".to_owned());
        }
        Targets {
            expression: if expression.is_empty() { "_all".to_owned() } else { expression.to_owned() },
            patterns,
            ignore_unavailable: false,
            allow_no_indices: true,
        }
    }

    /// What a line of `_msearch` says of its own.
    pub fn overrule(&mut self, ignore_unavailable: Option<bool>, allow_no_indices: Option<bool>) {
        self.ignore_unavailable = ignore_unavailable.unwrap_or(self.ignore_unavailable);
        self.allow_no_indices = allow_no_indices.unwrap_or(self.allow_no_indices);
    }

    /// The names; those without `*` may not exist.
    pub async fn names(&self, context: &Context) -> Result<Vec<String>, ApiError> {
        let mut patterns: Vec<&str> = self.patterns.iter().map(String::as_str).collect();
        if !patterns.iter().any(|pattern| is_pattern(pattern)) {
            patterns.sort_unstable();
            patterns.dedup();
            return Ok(patterns.into_iter().map(str::to_owned).collect());
        }
        loop {
            match context.catalog.resolve(&patterns).await {
                Err(IndexError::NoSuchIndex(name)) if self.ignore_unavailable && patterns.contains(&name.as_str()) => {
                    patterns.retain(|pattern| *pattern != name);
                }
                other => return Ok(other?),
            }
        }
    }

    /// A commit of each index. What was deleted since its name was found is left out.
    pub async fn readers(&self, context: &Context) -> Result<Vec<Reader>, ApiError> {
        let names = self.names(context).await?;
        let reads = stream::iter(names).map(|name| async move { (reader(context, &name).await, name) });
        let mut readers = Vec::new();
        let reads: Vec<_> = reads.buffered(READS).collect().await;
        for (read, name) in reads {
            match read {
                Ok(reader) => readers.push(reader),
                Err(error) if error.status == 404 && (self.ignore_unavailable || !self.patterns.contains(&name)) => {}
                Err(error) => return Err(error),
            }
        }
        if readers.is_empty() && !self.allow_no_indices {
            return Err(ApiError::no_such_index(&self.expression));
        }
        Ok(readers)
    }

    /// The one index that a write is about.
    pub fn one(call: &Call) -> Result<&str, ApiError> {
        let name = call.index();
        if is_pattern(name) || name.contains(',') || name == "_all" {
            return Err(ApiError::new(
                400,
                "invalid_index_name_exception",
                format!("Invalid index name [{name}], must not contain the following characters ['*', ',']"),
            )
            .with("index_uuid", "_na_")
            .with("index", name));
        }
        Ok(name)
    }

    /// Whether there is a `*` or an exclusion.
    pub fn has_patterns(&self) -> bool {
        self.patterns.iter().any(|pattern| is_pattern(pattern))
    }
}

/// A commit of an index. A name that none can have is one that none has.
pub async fn reader(context: &Context, name: &str) -> Result<Reader, ApiError> {
    let index = match context.catalog.index(name) {
        Err(IndexError::InvalidName { .. }) => return Err(ApiError::no_such_index(name)),
        other => other?,
    };
    Ok(index.reader().await?)
}

fn is_pattern(name: &str) -> bool {
    name.contains('*') || name.starts_with('-')
}

/// Whether `expand_wildcards` takes in open indexes: all of ours are.
fn expands(parameter: Option<&str>) -> Result<bool, ApiError> {
    let Some(parameter) = parameter.filter(|parameter| !parameter.is_empty()) else { return Ok(true) };
    let mut open = false;
    for kind in parameter.split(',') {
        match kind {
            "open" | "all" => open = true,
            "closed" | "hidden" => {}
            "none" => open = false,
            other => return Err(ApiError::illegal(format!("No valid expand wildcard value [{other}]"))),
        }
    }
    Ok(open)
}
