//! The shell that every function runs in.
//!
//! `start` builds the function's context once per cold start (configuration, clients, compiled rules); then each invocation's
//! event goes, typed, to the handler with that context, and its reply back to the Lambda Runtime API. A start that fails is
//! logged and reported as the runtime's init error, so that it shows under its own cause and not as a process that died.
//! [`batch`] holds the replies for partly failed batches, [`rules`] the caches of a rule file
//! in the rules bucket and of a folder of them.
//!
//! Absent: S3 and every other SDK client (a function brings its own), formats and rules of any kind.

pub mod batch;
mod deadline;
mod init_error;
pub mod rules;

use std::pin::Pin;
use std::process::ExitCode;

use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

pub use batch::BatchReply;
pub use deadline::Deadline;
pub use rules::{RuleCache, RuleError, RuleSource, Stored};

/// What a start or a handler fails with; its text is the invocation's `errorMessage`.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The level of our log lines, as `tracing` directives (`info`, `debug,hyper=warn`, …).
const LOG_LEVEL: &str = "LOG_LEVEL";

/// Runs a function until the environment is taken down: `start` once, then `handler` for each event.
///
/// `main` is `#[tokio::main(flavor = "current_thread")]` and returns this call's exit code.
pub async fn run<Context, Event, Reply>(
    start: impl AsyncFnOnce() -> Result<Context, Error>,
    handler: impl AsyncFn(Event, &Context) -> Result<Reply, Error>,
) -> ExitCode
where
    Event: for<'de> Deserialize<'de>,
    Reply: Serialize,
{
    Box::pin(run_until(start, async |event, context: &Context, _| handler(event, context).await)).await
}

/// As [`run`], for a handler that fills its time: it is told when Lambda will end it.
pub async fn run_until<Context, Event, Reply>(
    start: impl AsyncFnOnce() -> Result<Context, Error>,
    handler: impl AsyncFn(Event, &Context, Deadline) -> Result<Reply, Error>,
) -> ExitCode
where
    Event: for<'de> Deserialize<'de>,
    Reply: Serialize,
{
    log_to_stdout();
    let context = match start().await {
        Ok(context) => context,
        Err(error) => {
            tracing::error!(error = %error, "the function cannot start");
            init_error::report(&error.to_string()).await;
            return ExitCode::FAILURE;
        }
    };
    let (context, handler) = (&context, &handler);
    let service = lambda_runtime::service_fn(|event: LambdaEvent<Event>| {
        let deadline = Deadline::of_epoch_ms(event.context.deadline);
        // Its type is forgotten: inside the runtime's own layers, an SDK call's future is too deep for the compiler.
        let handled: Pin<Box<dyn Future<Output = Result<Reply, Error>>>> =
            Box::pin(handler(event.payload, context, deadline));
        handled
    });
    match Box::pin(lambda_runtime::run(service)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %error, "the runtime stopped");
            ExitCode::FAILURE
        }
    }
}

/// One JSON object a line, no colours: what CloudWatch Logs and its metric filters read.
fn log_to_stdout() {
    let filter = std::env::var(LOG_LEVEL).ok().and_then(|level| EnvFilter::try_new(level).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    // A second initialisation (tests in one process) keeps the first.
    let json = tracing_subscriber::fmt().json().flatten_event(true).with_span_list(false);
    let _ = json.with_ansi(false).with_env_filter(filter).try_init();
}

/// A required environment variable; the error names it and says what it is for.
pub fn required_env(name: &str, meaning: &str) -> Result<String, Error> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        _ => Err(format!("environment variable {name} is not set, expected {meaning}").into()),
    }
}
