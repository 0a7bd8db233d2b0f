//! A function's program: its file, and the environment that its process gets.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::config::Config;
use crate::services::lambda::{FunctionSpec, LATEST};

/// Variables of the emulator's own environment that a process may see: what programs need to find others, and backtraces.
const INHERITED: &[&str] = &["PATH", "RUST_BACKTRACE"];

/// What a process is started from. Two with the same revision are interchangeable.
#[derive(Debug, Clone)]
pub struct Program {
    /// The function.
    pub spec: FunctionSpec,
    /// The function's ARN.
    pub arn: String,
    /// The binary.
    pub path: PathBuf,
    /// Changes with the function's configuration and with the file.
    pub revision: String,
}

impl Program {
    /// Looks at the binary on disk.
    pub fn find(config: &Config, spec: FunctionSpec) -> Program {
        let path = config.binaries.join(&spec.binary);
        let path = std::path::absolute(&path).unwrap_or(path);
        let file = std::fs::metadata(&path).ok();
        let file = file.map(|file| (file.ino(), file.mtime(), file.mtime_nsec(), file.size()));
        let revision = format!("{file:?} {spec:?}");
        let arn = config.arn("lambda", &format!("function:{}", spec.name));
        Program { spec, arn, path, revision }
    }

    /// The command that starts it: `api` is `AWS_LAMBDA_RUNTIME_API`, `tmp` its own folder.
    pub fn command(&self, config: &Config, api: &str, stream: &str, tmp: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let spec = &self.spec;
        command
            .envs(&spec.environment)
            .env("AWS_LAMBDA_FUNCTION_NAME", &spec.name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", spec.memory.to_string())
            .env("AWS_LAMBDA_FUNCTION_VERSION", LATEST)
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", log_group(&spec.name))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", stream)
            .env("AWS_LAMBDA_RUNTIME_API", api)
            .env("AWS_REGION", &config.region)
            .env("AWS_DEFAULT_REGION", &config.region)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_ENDPOINT_URL", config.endpoint())
            .env("_HANDLER", "bootstrap")
            .env("TZ", ":UTC")
            .env("TMPDIR", tmp)
            // The SDK must not find the user's profile.
            .env("HOME", tmp)
            .current_dir(tmp);
        command
    }
}

/// Where a function's lines go.
pub fn log_group(function: &str) -> String {
    format!("/aws/lambda/{function}")
}
