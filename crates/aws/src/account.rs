//! Whose credentials these are.

use aws_config::SdkConfig;

use crate::CallError;

/// The account's twelve digits.
pub async fn id(config: &SdkConfig) -> Result<String, CallError> {
    let answer = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| CallError::of("sts GetCallerIdentity", error))?;
    Ok(answer.account.unwrap_or_default())
}
