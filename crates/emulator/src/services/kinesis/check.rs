//! Errors in the service's own words, and the checks of single values.

use crate::config::Config;
use crate::error::ApiError;

/// `InvalidArgumentException`.
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidArgumentException", message)
}

/// `ResourceNotFoundException` for a stream.
pub fn no_stream(config: &Config, stream: &str) -> ApiError {
    let message = format!("Stream {stream} under account {} not found.", config.account);
    ApiError::bad_request("ResourceNotFoundException", message)
}

/// `ValidationException`: a value breaks its constraint in the service model.
pub fn validation(value: &str, path: &str, constraint: &str) -> ApiError {
    let message = format!(
        "1 validation error detected: Value {value} at '{path}' failed to satisfy constraint: Member must {constraint}"
    );
    ApiError::bad_request("ValidationException", message)
}

/// Refuses a dry run: doing the thing would be worse.
pub fn no_dry_run(dry_run: bool, operation: &str) -> Result<(), ApiError> {
    match dry_run {
        true => Err(ApiError::not_emulated("kinesis", &format!("{operation} with DryRun"))),
        false => Ok(()),
    }
}

/// The value of a required member.
pub fn required<T>(value: Option<T>, path: &str) -> Result<T, ApiError> {
    value.ok_or_else(|| validation("null", path, "not be null"))
}

/// A number between two bounds, both included.
pub fn within(value: i64, path: &str, min: i64, max: i64) -> Result<i64, ApiError> {
    if value < min {
        return Err(validation(&format!("'{value}'"), path, &format!("have value greater than or equal to {min}")));
    }
    if value > max {
        return Err(validation(&format!("'{value}'"), path, &format!("have value less than or equal to {max}")));
    }
    Ok(value)
}

/// A text of so many characters.
pub fn length(value: &str, path: &str, min: usize, max: usize) -> Result<(), ApiError> {
    let characters = value.chars().count();
    let quoted = format!("'{value}'");
    if characters < min {
        return Err(validation(&quoted, path, &format!("have length greater than or equal to {min}")));
    }
    if characters > max {
        return Err(validation(&quoted, path, &format!("have length less than or equal to {max}")));
    }
    Ok(())
}

/// The name of the stream that a request names by `StreamName` or `StreamARN`.
pub fn stream_name(config: &Config, name: Option<&str>, arn: Option<&str>) -> Result<String, ApiError> {
    let of_arn = arn.map(|arn| name_in_arn(config, arn)).transpose()?;
    match (name, of_arn) {
        (Some(name), Some(other)) if name != other => {
            Err(invalid(format!("StreamARN names the stream {other}, StreamName the stream {name}.")))
        }
        (_, Some(name)) => Ok(name.to_owned()),
        (Some(name), None) => check_name(name).map(|()| name.to_owned()),
        (None, None) => Err(invalid("One of StreamName and StreamARN must be given.")),
    }
}

fn name_in_arn<'a>(config: &Config, arn: &'a str) -> Result<&'a str, ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let name = match parts[..] {
        ["arn", partition, "kinesis", _, _, resource] if partition.starts_with("aws") => {
            resource.strip_prefix("stream/")
        }
        _ => None,
    };
    let Some(name) = name else {
        let pattern = r"satisfy regular expression pattern: arn:aws.*:kinesis:.*:\d{12}:stream/\S+";
        return Err(validation(&format!("'{arn}'"), "streamARN", pattern));
    };
    // A stream of another account or region: there is no such stream here.
    if parts[3] != config.region || parts[4] != config.account {
        return Err(ApiError::bad_request("ResourceNotFoundException", format!("Stream {arn} not found.")));
    }
    Ok(name)
}

/// The longest name of a stream or shard (service model, `StreamName`, `ShardId`).
const MAX_NAME: usize = 128;

/// A stream's name: `[a-zA-Z0-9_.-]+`.
pub fn check_name(name: &str) -> Result<(), ApiError> {
    length(name, "streamName", 1, MAX_NAME)?;
    if name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) {
        return Ok(());
    }
    Err(validation(&format!("'{name}'"), "streamName", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"))
}

/// A hash key: `0|([1-9]\d{0,38})` below 2^128.
pub fn hash_key(text: &str, path: &str) -> Result<u128, ApiError> {
    let digits = !text.is_empty() && text.len() <= 39 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        let pattern = r"satisfy regular expression pattern: 0|([1-9]\d{0,38})";
        return Err(validation(&format!("'{text}'"), path, pattern));
    }
    text.parse().map_err(|_| {
        let (first, rest) = path.rsplit('.').next().unwrap_or(path).split_at(1);
        let name = format!("{}{rest}", first.to_ascii_uppercase());
        invalid(format!("Invalid {name}. {name} must be in the range: [0, 2^128-1]. Specified value was {text}"))
    })
}
