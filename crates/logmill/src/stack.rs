//! The stack that a command is about: in an account, or in the emulator.

use std::process::ExitCode;

use aws::SdkConfig;

/// Runs a command to its end: whether all of it went well, or why it could not be begun.
pub fn block_on(command: impl Future<Output = Result<bool, String>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(|error| format!("cannot start: {error}")).and_then(|runtime| runtime.block_on(command)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("logmill: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Which stack.
#[derive(clap::Args)]
pub struct StackArguments {
    /// Where it is, when not in AWS (logmill up: http://127.0.0.1:4566)
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL")]
    endpoint: Option<String>,
    /// Its NamePrefix
    #[arg(long, value_name = "NAME", default_value = "logmill")]
    prefix: String,
}

/// A stack, as its names follow from prefix, account and region.
pub struct Stack {
    /// For clients.
    pub config: SdkConfig,
    /// Where it is, when not in AWS.
    pub endpoint: Option<String>,
    prefix: String,
    account: String,
    region: String,
}

impl Stack {
    /// Finds out the account and region.
    pub async fn connect(arguments: &StackArguments) -> Result<Stack, String> {
        let config = aws::load_for(arguments.endpoint.as_deref()).await;
        let region = config.region().map(ToString::to_string).ok_or("no region: set AWS_REGION")?;
        let account = aws::account::id(&config).await.map_err(|error| error.to_string())?;
        let (endpoint, prefix) = (arguments.endpoint.clone(), arguments.prefix.clone());
        Ok(Stack { config, endpoint, prefix, account, region })
    }

    /// `lake`, `index` or `rules`.
    pub fn bucket(&self, kind: &str) -> String {
        format!("{}-{kind}-{}-{}", self.prefix, self.account, self.region)
    }

    /// What the names of its queues begin with.
    pub fn queue_prefix(&self) -> String {
        format!("{}-", self.prefix)
    }

    /// The queue of a consumer.
    pub fn queue(&self, consumer: &str) -> String {
        format!("{}-{consumer}", self.prefix)
    }

    /// The ARN of a queue.
    pub fn queue_arn(&self, name: &str) -> String {
        let partition = match &self.region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        format!("arn:{partition}:sqs:{}:{}:{name}", self.region, self.account)
    }
}
