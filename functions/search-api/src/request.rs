//! A request, decoded.

use std::collections::BTreeMap;

use bytes::Bytes;
use percent_encoding::percent_decode_str;

use crate::error::ApiError;

/// The methods that Elasticsearch's paths know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `HEAD`: like `GET`, without the body.
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// Any other: no path takes it.
    Other,
}

impl Method {
    /// Of its name.
    pub fn of(name: &str) -> Method {
        match name {
            "DELETE" => Method::Delete,
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            _ => Method::Other,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Method::Delete => "DELETE",
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Other => "OTHER",
        }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// The path as it came, for messages.
    pub path: String,
    /// The parameters after `?`.
    pub parameters: Parameters,
    /// Headers; their names in lower case, values of one name joined with commas.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
    /// When it arrived (epoch ms).
    pub now: i64,
}

impl Request {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The parts of the path, decoded; empty ones (`//`, a final `/`) do not count.
    pub fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false)).collect()
    }
}

/// Parameters of a URL, decoded, in their order.
#[derive(Clone, Debug, Default)]
pub struct Parameters(pub Vec<(String, String)>);

impl Parameters {
    /// Of the text after `?`.
    pub fn parse(query: &str) -> Parameters {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Parameters(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name, true), decode(value, true)))
                .collect(),
        )
    }

    /// The value of a parameter; of one that came more than once, the last.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A switch: `?name` and `?name=true` are on.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        match self.get(name) {
            None => Ok(default),
            Some("" | "true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(ApiError::illegal(format!(
                "Failed to parse value [{other}] as only [true] or [false] are allowed."
            ))),
        }
    }

    /// A number.
    pub fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse()
            .map(Some)
            .map_err(|_| ApiError::illegal(format!("Failed to parse int parameter [{name}] with value [{text}]")))
    }
}

fn decode(text: &str, plus_is_space: bool) -> String {
    if plus_is_space && text.contains('+') {
        return percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    }
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_as_they_are_written() {
        let parameters = Parameters::parse("q=a%3Ab+c&pretty&size=5&size=7&bad=x&off=false&");
        assert_eq!(parameters.get("q"), Some("a:b c"));
        assert!(parameters.flag("pretty", false).unwrap() && !parameters.flag("off", true).unwrap());
        assert!(parameters.flag("absent", true).unwrap() && parameters.flag("bad", true).is_err());
        assert_eq!(parameters.number("size").unwrap(), Some(7));
        assert!(parameters.number("bad").is_err());
    }
}
