//! The environment, typed. Region, credentials and endpoints are read by the SDK (`AWS_*`).

use lambda::{Error, required_env};

/// The bucket of the indexes, and of users' keys under `auth/`.
const INDEX_BUCKET: &str = "INDEX_BUCKET";
/// `AuthType` of the function's URL: `AWS_IAM` (default; Lambda checks signatures before it calls us) or `NONE` (this function
/// checks keys, and refuses to start without any).
const SEARCH_AUTH: &str = "SEARCH_AUTH";
/// The version that `GET /` claims. Clients compare it with their own: Beats before 8.15 want at least their own minor version.
const SEARCH_VERSION: &str = "SEARCH_VERSION";
/// Where the SDK sends its requests instead of AWS. The emulator sets it to its own address.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// This function's name, given by Lambda: `<NamePrefix>-search-api`.
const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";

/// What `GET /` claims by default: new enough for Beats 8, whose check ended with this version, and not so new that the
/// clients of version 7 refuse it.
const DEFAULT_VERSION: &str = "8.15.0";

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Whoever gets here: Lambda has checked the signature (`AWS_IAM`), or this is the emulator, on loopback.
    Open,
    /// Whoever has one of the keys in the index bucket.
    Keys,
}

/// What the function is configured with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the index bucket.
    pub index_bucket: String,
    /// Who may call.
    pub auth: Auth,
    /// The version that `GET /` claims.
    pub version: String,
    /// `cluster_name`: the `NamePrefix`.
    pub cluster_name: String,
}

impl Config {
    /// Reads the environment; the error names the missing or wrong variable.
    pub fn from_env() -> Result<Config, Error> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let function = required_env(FUNCTION_NAME, "the function's name, as Lambda sets it")?;
        Ok(Config {
            index_bucket: required_env(INDEX_BUCKET, "the name of the index bucket")?,
            auth: auth(variable(SEARCH_AUTH).as_deref(), variable(ENDPOINT).as_deref())?,
            version: variable(SEARCH_VERSION).unwrap_or_else(|| DEFAULT_VERSION.to_owned()),
            cluster_name: function.strip_suffix("-search-api").unwrap_or(&function).to_owned(),
        })
    }
}

fn auth(url: Option<&str>, endpoint: Option<&str>) -> Result<Auth, Error> {
    match url {
        None | Some("AWS_IAM") => Ok(Auth::Open),
        Some("NONE") if endpoint.is_some_and(is_loopback) => Ok(Auth::Open),
        Some("NONE") => Ok(Auth::Keys),
        Some(other) => Err(format!("environment variable {SEARCH_AUTH} is {other:?}, expected AWS_IAM or NONE").into()),
    }
}

fn is_loopback(endpoint: &str) -> bool {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let name = host.strip_prefix('[').and_then(|rest| rest.split(']').next()).or(host.split(':').next());
    name == Some("localhost")
        || name.and_then(|name| name.parse().ok()).is_some_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: Option<&str>, endpoint: Option<&str>, expected: Auth) {
        assert_eq!(auth(url, endpoint).unwrap(), expected, "{url:?} {endpoint:?}");
    }

    #[test]
    fn who_may_call() {
        check(None, None, Auth::Open);
        check(Some("AWS_IAM"), None, Auth::Open);
        check(Some("NONE"), None, Auth::Keys);
        check(Some("NONE"), Some("https://s3.eu-west-1.amazonaws.com"), Auth::Keys);
        check(Some("NONE"), Some("http://127.0.0.1.example.com:4566"), Auth::Keys);
        check(Some("NONE"), Some("http://127.0.0.1:4566"), Auth::Open);
        check(Some("NONE"), Some("http://localhost:4566/"), Auth::Open);
        check(Some("NONE"), Some("http://[::1]:4566"), Auth::Open);
        assert!(auth(Some("open"), None).unwrap_err().to_string().contains("expected AWS_IAM or NONE"));
    }
}
