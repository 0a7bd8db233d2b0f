//! The line that stands for a record that could not be transformed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

/// Why a record is under `processing-failed`. Its line carries numbers as numbers, as delivered files have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Invocations that had the record.
    pub attempts_made: u32,
    /// When the record arrived, epoch ms.
    pub arrival_timestamp: i64,
    /// `Lambda.FunctionError`, `Lambda.ProcessingFailedStatus`, …
    pub error_code: String,
    /// What was wrong.
    pub error_message: String,
    /// When the last invocation ended, epoch ms.
    pub attempt_ending_timestamp: i64,
    /// The function.
    pub lambda_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    attempts_made: u32,
    arrival_timestamp: i64,
    error_code: &'a str,
    error_message: &'a str,
    attempt_ending_timestamp: i64,
    raw_data: String,
    lambda_arn: &'a str,
}

impl Failure {
    /// The line of the error object for a record of these bytes, line feed included.
    pub fn line(&self, raw: &[u8]) -> String {
        let line = Line {
            attempts_made: self.attempts_made,
            arrival_timestamp: self.arrival_timestamp,
            error_code: &self.error_code,
            error_message: &self.error_message,
            attempt_ending_timestamp: self.attempt_ending_timestamp,
            raw_data: BASE64_STANDARD.encode(raw),
            lambda_arn: &self.lambda_arn,
        };
        // Strings and numbers only: this cannot fail.
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_the_contract() {
        let failure = Failure {
            attempts_made: 4,
            arrival_timestamp: 1_535_000_000_123,
            error_code: "Lambda.FunctionError".into(),
            error_message: "a \"quoted\"\nmessage".into(),
            attempt_ending_timestamp: 1_535_000_001_000,
            lambda_arn: "arn:aws:lambda:us-east-1:000000000000:function:f".into(),
        };
        let expected = concat!(
            r#"{"attemptsMade":4,"arrivalTimestamp":1535000000123,"errorCode":"Lambda.FunctionError","#,
            r#""errorMessage":"a \"quoted\"\nmessage","attemptEndingTimestamp":1535000001000,"rawData":"/wBh","#,
            r#""lambdaArn":"arn:aws:lambda:us-east-1:000000000000:function:f"}"#,
            "\n"
        );
        assert_eq!(failure.line(&[0xff, 0x00, b'a']), expected);
    }
}
