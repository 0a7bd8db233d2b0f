//! STS: who am I, and roles to be: anybody may be anybody here.

use serde::{Deserialize, Serialize};

use crate::Ctx;
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::ApiError;
use crate::wire::protocol::{Call, Reply};
use crate::wire::types::Number;

/// How long the credentials of a role are good unless asked otherwise, seconds (AssumeRole).
const DEFAULT_DURATION: i64 = 3600;

/// The shortest and the longest duration, seconds (AssumeRole).
const DURATIONS: std::ops::RangeInclusive<i64> = 900..=43_200;

/// Answers an operation.
pub async fn call(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    match call.operation.as_str() {
        "GetCallerIdentity" => call.reply(&caller(&ctx.config)),
        "AssumeRole" => call.reply(&assume_role(call.input()?, now_ms())?),
        other => Err(ApiError::not_emulated("sts", other)),
    }
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Caller {
    user_id: String,
    account: String,
    arn: String,
}

/// Whoever signed, it is the account's root: signatures are not verified.
fn caller(config: &Config) -> Caller {
    let account = config.account.clone();
    Caller { user_id: account.clone(), arn: format!("arn:aws:iam::{account}:root"), account }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AssumeRole {
    role_arn: Option<String>,
    role_session_name: Option<String>,
    duration_seconds: Option<Number>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRole {
    credentials: Credentials,
    assumed_role_user: AssumedRoleUser,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: &'static str,
    secret_access_key: &'static str,
    session_token: String,
    /// ISO 8601: the only protocol of STS is XML.
    expiration: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    assumed_role_id: String,
    arn: String,
}

/// Credentials of the right shape. They open nothing and are checked nowhere.
fn assume_role(input: AssumeRole, now: i64) -> Result<AssumedRole, ApiError> {
    let null = |path: &str| validation("null", path, "not be null");
    let role_arn = input.role_arn.ok_or_else(|| null("roleArn"))?;
    let session = input.role_session_name.ok_or_else(|| null("roleSessionName"))?;
    let parts: Vec<&str> = role_arn.splitn(6, ':').collect();
    let role = match parts[..] {
        ["arn", partition, "iam", "", account, resource] if partition.starts_with("aws") => {
            resource.strip_prefix("role/").map(|path| (account, path.rsplit('/').next().unwrap_or(path)))
        }
        _ => None,
    };
    let Some((account, role)) = role else {
        let message = format!("{role_arn} is invalid: expected arn:aws:iam::ACCOUNT:role/NAME");
        return Err(ApiError::bad_request("ValidationError", message));
    };
    let valid = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(2..=64).contains(&session.len()) || !session.chars().all(valid) {
        let constraint = r"satisfy regular expression pattern: [\w+=,.@-]{2,64}";
        return Err(validation(&format!("'{session}'"), "roleSessionName", constraint));
    }
    let duration = input.duration_seconds.map_or(DEFAULT_DURATION, |seconds| seconds.0 as i64);
    if !DURATIONS.contains(&duration) {
        let constraint = format!("have value between {} and {}", DURATIONS.start(), DURATIONS.end());
        return Err(validation(&format!("'{duration}'"), "durationSeconds", &constraint));
    }
    let expiration = jiff::Timestamp::from_second(now / 1000 + duration).map_err(ApiError::internal)?;
    Ok(AssumedRole {
        credentials: Credentials {
            access_key_id: "ASIAEMULATOREMULATOR",
            secret_access_key: "emulator/secret/access/key/of/forty/byte",
            session_token: format!("emulator-session-of-{role}"),
            expiration: expiration.to_string(),
        },
        assumed_role_user: AssumedRoleUser {
            assumed_role_id: format!("AROAEMULATOREMULATOR:{session}"),
            arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
        },
    })
}

fn validation(value: &str, path: &str, constraint: &str) -> ApiError {
    let message = format!(
        "1 validation error detected: Value {value} at '{path}' failed to satisfy constraint: Member must {constraint}"
    );
    ApiError::bad_request("ValidationError", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assume(arn: &str, session: &str, duration: Option<f64>) -> Result<AssumedRole, ApiError> {
        let input = AssumeRole {
            role_arn: Some(arn.into()),
            role_session_name: Some(session.into()),
            duration_seconds: duration.map(Number),
        };
        assume_role(input, 1_790_000_000_000)
    }

    #[test]
    fn the_caller_is_the_root() {
        let caller = caller(&Config::new("unused"));
        assert_eq!((caller.account.as_str(), caller.arn.as_str()), ("000000000000", "arn:aws:iam::000000000000:root"));
    }

    #[test]
    fn a_role_is_assumed() {
        let role = assume("arn:aws:iam::123456789012:role/path/writer", "agent", None).unwrap();
        assert_eq!(role.assumed_role_user.arn, "arn:aws:sts::123456789012:assumed-role/writer/agent");
        assert_eq!(role.credentials.expiration, "2026-09-21T15:13:20Z");
        assert_eq!((role.credentials.access_key_id.len(), role.credentials.secret_access_key.len()), (20, 40));
    }

    #[test]
    fn a_role_that_cannot_be_is_refused() {
        for (arn, session, duration) in [
            ("writer", "agent", None),
            ("arn:aws:s3:::bucket", "agent", None),
            ("arn:aws:iam::123456789012:user/u", "agent", None),
            ("arn:aws:iam::123456789012:role/r", "a", None),
            ("arn:aws:iam::123456789012:role/r", "a b", None),
            ("arn:aws:iam::123456789012:role/r", "agent", Some(899.0)),
            ("arn:aws:iam::123456789012:role/r", "agent", Some(43_201.0)),
        ] {
            let error = assume(arn, session, duration).unwrap_err();
            assert_eq!(error.code, "ValidationError", "{arn} {session} {duration:?}");
        }
        assert_eq!(assume_role(AssumeRole::default(), 0).unwrap_err().code, "ValidationError");
    }
}
