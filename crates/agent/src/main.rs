//! `logmill-agent`: tails files and sends their lines to Firehose and Kinesis streams.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use agent::config::{Loaded, load};

/// Overrides `log.level`, as for the original.
const LOG_LEVEL: &str = "AGENT_LOG_LEVEL";
/// The original's place.
const DEFAULT_CONFIGURATION: &str = "/etc/aws-kinesis/agent.json";
/// Threads for file system calls of the runtime (checkpoints, credential files).
const BLOCKING_THREADS: usize = 2;

const EXAMPLES: &str = "\
Examples:
  logmill-agent                            read /etc/aws-kinesis/agent.json and the files of agent.d beside it
  logmill-agent -c agent.json              another file
  logmill-agent -c agent.json --check      say what is wrong with it and stop
  AGENT_LOG_LEVEL=DEBUG logmill-agent      say more

A smallest agent.json:
  {
    \"firehose.endpoint\": \"http://127.0.0.1:4566\", // leave it out for AWS
    \"checkpointFile\": \"/var/lib/logmill/checkpoints\",
    \"flows\": [{
      \"filePattern\": \"/var/log/httpd/access_log*\",
      \"deliveryStream\": \"log-ingestion-stream\",
      \"initialPosition\": \"START_OF_FILE\",
      \"dataProcessingOptions\": [{\"optionName\": \"LOGTOJSON\", \"logFormat\": \"COMBINEDAPACHELOG\"}]
    }]
  }

It stops on SIGTERM and SIGINT: what is read is sent, a checkpoint is written, the exit code is 0.";

/// Follows log files and sends their lines to Firehose and Kinesis streams (a drop-in for the Amazon Kinesis Agent).
#[derive(Parser)]
#[command(name = "logmill-agent", version, after_help = EXAMPLES)]
struct Arguments {
    /// The configuration.
    #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIGURATION)]
    configuration: PathBuf,
    /// Read the configuration, print warnings and errors, and stop.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // --help and --version are no failure; the original's code for the rest is 1.
            let code = ExitCode::from(u8::from(error.use_stderr()));
            error.print().ok();
            return code;
        }
    };
    let loaded = match load(&arguments.configuration) {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("logmill-agent: {error}");
            return ExitCode::FAILURE;
        }
    };
    if arguments.check { check(&arguments.configuration, &loaded) } else { start(loaded) }
}

fn check(path: &Path, loaded: &Loaded) -> ExitCode {
    for warning in &loaded.warnings {
        println!("warning: {warning}");
    }
    for flow in &loaded.config.flows {
        let listing = flow.files.list();
        for (path, error) in &listing.unreadable {
            println!("warning: flow {}: {} cannot be opened: {error}", flow.id, path.display());
        }
        println!("flow {}: {} file(s) match now", flow.id, listing.files.len());
    }
    println!("{}: {} flow(s), {} warning(s)", path.display(), loaded.config.flows.len(), loaded.warnings.len());
    ExitCode::SUCCESS
}

fn start(loaded: Loaded) -> ExitCode {
    let Loaded { config, warnings } = loaded;
    let level = std::env::var(LOG_LEVEL).ok().or_else(|| config.log_level.clone()).unwrap_or("info".to_owned());
    if let Err(error) = agent::log::start(&level, config.log_file.as_deref()) {
        agent::log::start(&level, None).ok();
        warn!("log.file cannot be written, logging to standard error: {error}");
    }
    for warning in warnings {
        warn!("{warning}");
    }
    raise_file_limit();
    // One thread is enough for the calls; each flow reads on its own.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build();
    let result = runtime.map_err(agent::RunError::from).and_then(|runtime| {
        info!("logmill-agent {}: starting {} flow(s)", env!("CARGO_PKG_VERSION"), config.flows.len());
        runtime.block_on(async {
            let stop = stop_signal()?;
            agent::run(config, stop).await
        })
    });
    match result {
        Ok(()) => {
            info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Every file of every pattern is kept open: as many as the system allows.
fn raise_file_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls only read or write the struct given.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}
