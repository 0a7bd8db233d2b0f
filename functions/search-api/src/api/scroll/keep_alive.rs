//! How long a scroll lasts.

use crate::error::ApiError;

/// The longest (Elasticsearch's `search.max_keep_alive`, 24 hours).
const MAX: i64 = 24 * 3600 * 1000;

/// `10m` in milliseconds.
pub fn parse(text: &str) -> Result<i64, ApiError> {
    let wrong = || {
        ApiError::illegal(format!(
            "failed to parse setting [scroll] with value [{text}] as a time value: unit is missing or unrecognized"
        ))
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: i64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    match number.checked_mul(unit) {
        Some(keep) if keep <= MAX => Ok(keep),
        _ => Err(ApiError::illegal(format!(
            "Keep alive for scroll ({text}) is too large. It must be less than (1d). This limit can be set by changing the \
             [search.max_keep_alive] cluster level setting."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_alives() {
        for (text, expected) in
            [("10m", Some(600_000)), ("1d", Some(MAX)), ("500ms", Some(500)), ("2d", None), ("1", None), ("m", None)]
        {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
        assert!(parse("25h").unwrap_err().reason.starts_with("Keep alive for scroll (25h) is too large."));
    }
}
