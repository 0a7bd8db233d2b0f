//! Keeps web pages out: DNS rebinding shows in `Host`, a cross-site request in `Origin`.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use http::uri::Authority;

use crate::error::ApiError;

/// Refuses a request whose `Host` or `Origin` is not this machine: loopback names and addresses, and `listen` itself when the
/// user chose another address to listen on (then the host of any request that reached it by address).
pub fn check(headers: &HeaderMap, listen: IpAddr) -> Result<(), ApiError> {
    let refuse = |what: &str, value: &str| {
        Err(ApiError::new(
            http::StatusCode::FORBIDDEN,
            "AccessDenied",
            format!(
                "{what} {value:?} is not this machine: the emulator answers only requests made to a loopback address"
            ),
        ))
    };
    if let Some(host) = headers.get(HOST) {
        let host = host.to_str().unwrap_or_default();
        if !is_ours(host, listen) {
            return refuse("Host", host);
        }
    }
    if let Some(origin) = headers.get(ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
        if !is_ours(authority, listen) {
            return refuse("Origin", origin);
        }
    }
    Ok(())
}

fn is_ours(authority: &str, listen: IpAddr) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || ip == listen || listen.is_unspecified(),
        Err(_) => host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_ask() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        for (host, origin, allowed) in [
            ("127.0.0.1:4566", None, true),
            ("localhost:4566", None, true),
            ("bucket.localhost:4566", None, true),
            ("[::1]:4566", None, true),
            ("evil.example:4566", None, false),
            ("127.0.0.1.evil.example", None, false),
            ("192.168.1.4:4566", None, false),
            ("127.0.0.1:4566", Some("http://localhost:3000"), true),
            ("127.0.0.1:4566", Some("https://evil.example"), false),
            ("127.0.0.1:4566", Some("null"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(check(&headers, loopback).is_ok(), allowed, "{host} {origin:?}");
        }
    }
}
