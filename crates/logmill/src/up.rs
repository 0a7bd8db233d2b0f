//! `logmill up`: build, start, say what there is, run until Ctrl-C.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emulator::template::{self, Template};
use emulator::{Config, Emulator, StartError};

use crate::build;
use crate::demo::Demo;
use crate::print::say;

/// What `up` sets differently from a deployed stack, where the template has such a parameter: the stream, because a laptop
/// costs nothing by the hour, and short buffers, because a person is waiting.
const LOCAL_PARAMETERS: &[(&str, &str)] = &[("EnableStream", "true"), ("BufferSeconds", "1")];

/// What is printed without `RUST_LOG`: what the emulator has to say. s3s calls every answer of S3's that is an error (a 404, a
/// failed condition) an error of its own.
const DEFAULT_LOG: &str = "warn,s3s=off";

/// The agent's program.
const AGENT: &str = "logmill-agent";

/// The function whose URL is on `--search-port`.
const SEARCH_API: &str = "search-api";

const EXAMPLES: &str = "Examples:
  logmill up --demo                         the stack, a growing access log and the agent that ships it
  logmill up --parameter BufferSeconds=60   with a deployed stack's buffering
  logmill up --port 5000 --search-port 0 --data-dir /tmp/lm
                                            a second one beside it";

/// Options of `up`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Also write an access log and ship it with the agent
    #[arg(long)]
    demo: bool,
    /// The template whose resources to run
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    template: PathBuf,
    /// Where all state is kept; the next start goes on from it
    #[arg(long, value_name = "DIR", default_value = ".logmill")]
    data_dir: PathBuf,
    /// Port of all AWS APIs; 0 takes a free one
    #[arg(long, default_value_t = emulator::config::DEFAULT_PORT)]
    port: u16,
    /// Address to listen on; other than loopback opens the stack to whoever can reach it
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port of the search API; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 9200)]
    search_port: u16,
    /// Run the programs that are already built
    #[arg(long)]
    no_build: bool,
    /// A value for a parameter of the template (repeatable)
    #[arg(long = "parameter", value_name = "KEY=VALUE", value_parser = key_value)]
    parameters: Vec<(String, String)>,
    /// Wait for the disk at each write: survives a power cut, not only a kill
    #[arg(long)]
    fsync: bool,
    /// Make services fail by rule, from this seed (for tests)
    #[arg(long, value_name = "SEED")]
    inject: Option<u64>,
    /// What to print when the stack is up
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One line of JSON: endpoint, outputs
    Json,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// Runs the command.
pub fn run(arguments: Arguments) -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(DEFAULT_LOG)),
        )
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(&format!("cannot start: {e}")),
    };
    match runtime.block_on(up(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(&message),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("logmill: {message}");
    ExitCode::FAILURE
}

async fn up(arguments: Arguments) -> Result<(), String> {
    let mut config = Config::new(&arguments.data_dir);
    config.host = arguments.host;
    config.port = arguments.port;
    config.template = Some(arguments.template.clone());
    config.binaries = build::binaries_dir()?;
    config.url_ports = BTreeMap::from([(SEARCH_API.to_owned(), arguments.search_port)]);
    config.fsync = arguments.fsync;
    config.inject = arguments.inject;

    // What is wrong is said before anything is built.
    config.parameters.extend(arguments.parameters.iter().cloned());
    let local = local_parameters(&load(&config)?, &config);
    for LocalParameter { name, here, .. } in &local {
        config.parameters.insert((*name).to_owned(), (*here).to_owned());
    }
    let template = load(&config)?;
    port_is_free(&config)?;

    let found = template::binaries(&arguments.template).map_err(|e| e.to_string())?;
    let mut programs: Vec<String> = found.into_iter().map(|(_, binary)| binary).collect();
    if arguments.demo {
        programs.push(AGENT.to_owned());
    }
    if arguments.no_build {
        build::check_built(&programs)?;
    } else {
        let template =
            arguments.template.canonicalize().map_err(|e| format!("{}: {e}", arguments.template.display()))?;
        build::build(&programs, template.parent().unwrap_or(Path::new(".")))?;
    }

    let folder = arguments.data_dir.join("demo");
    let binaries = config.binaries.clone();
    let mut emulator = Emulator::start(config).await.map_err(|e| e.to_string())?;
    let demo = match arguments.demo {
        true => {
            let started = Demo::start(&folder, &emulator.endpoint(), &binaries.join(AGENT));
            Some(started.map_err(|e| format!("demo in {}: {e}", folder.display()))?)
        }
        false => None,
    };
    say(&match arguments.format {
        Format::Json => ready_json(&emulator) + "\n",
        Format::Text => ready_text(&emulator, &template, &local, demo.as_ref()),
    });

    let stopped = tokio::select! {
        asked = wait_for_stop() => asked,
        failure = emulator.failed() => {
            Err(format!("a part of the emulator has ended: {failure}; nothing is lost, the next start goes on"))
        }
    };
    if arguments.format == Format::Text {
        say(&format!("\nstopping; the next `logmill up` goes on from {}\n", arguments.data_dir.display()));
    }
    if let Some(demo) = demo {
        let _ = tokio::task::spawn_blocking(move || demo.stop()).await;
    }
    emulator.stop().await;
    stopped
}

/// Better now than after minutes of building; the emulator says it again should another take the port meanwhile.
fn port_is_free(config: &Config) -> Result<(), String> {
    TcpListener::bind((config.host, config.port)).map(drop).map_err(|source| {
        let address = SocketAddr::new(config.host, config.port).to_string();
        StartError::Listen { address, source }.to_string()
    })
}

async fn wait_for_stop() -> Result<(), String> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| format!("cannot wait for signals: {e}"))?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|e| format!("cannot wait for signals: {e}")),
        _ = terminate.recv() => Ok(()),
    }
}

fn load(config: &Config) -> Result<Template, String> {
    let path = config.template.as_deref().unwrap_or(Path::new("template.yaml"));
    template::load(path, &config.parameters, config).map_err(|e| e.to_string())
}

/// A parameter that has another value here than in a deployed stack.
struct LocalParameter {
    name: &'static str,
    deployed: String,
    here: &'static str,
}

/// Those that the template has, and the user has not set himself.
fn local_parameters(deployed: &Template, config: &Config) -> Vec<LocalParameter> {
    let own = LOCAL_PARAMETERS.iter().filter(|(name, _)| !config.parameters.contains_key(*name));
    own.filter_map(|&(name, here)| {
        let deployed = deployed.parameters.get(name)?.clone();
        (deployed != here).then_some(LocalParameter { name, deployed, here })
    })
    .collect()
}

fn ready_json(emulator: &Emulator) -> String {
    let stack = emulator.stack();
    serde_json::json!({
        "endpoint": emulator.endpoint(),
        "outputs": stack.map(|stack| &stack.outputs),
        "resources": stack.map(|stack| &stack.resources),
    })
    .to_string()
}

fn ready_text(emulator: &Emulator, template: &Template, local: &[LocalParameter], demo: Option<&Demo>) -> String {
    let endpoint = emulator.endpoint();
    let mut text =
        format!("\nlogmill is up: {} resources of {}\n\n", template.resources.len(), template.path.display());
    let outputs = emulator.stack().map(|stack| stack.outputs.clone()).unwrap_or_default();
    let mut rows = vec![
        ("AWS endpoint".to_owned(), endpoint.clone()),
        ("health page".to_owned(), format!("{endpoint}/_logmill/health")),
    ];
    rows.extend(outputs.clone());
    if let Some(demo) = demo {
        rows.push(("demo log".to_owned(), demo.log.display().to_string()));
        rows.push(("agent".to_owned(), demo.configuration.display().to_string()));
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in &rows {
        text.push_str(&format!("  {name:width$}  {value}\n"));
    }
    if !local.is_empty() {
        text.push_str("\ndifferent from a deployed stack\n");
        for LocalParameter { name, deployed, here } in local {
            text.push_str(&format!("  {name}={here} (a deployed stack: {deployed})\n"));
        }
    }
    if let Some(search) = outputs.get("SearchUrl") {
        text.push_str(&search_examples(search, demo.is_some()));
    }
    if let Some(lake) = outputs.get("LakeBucketName") {
        text.push_str(&format!(
            "\ntry (AWS tools take any credentials: export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test)\n  \
             curl -s '{endpoint}/_logmill/health?format=text'\n  \
             logmill status --endpoint {endpoint}\n  \
             curl -s '{endpoint}/{lake}?list-type=2&prefix=logs/'\n  \
             aws --endpoint-url {endpoint} s3 ls s3://{lake}/logs/log-ingestion-stream/ --recursive\n"
        ));
    }
    text.push_str("\nCtrl-C stops everything\n");
    text
}

/// What to ask the search API (the tutorial's questions), and when there is an answer.
fn search_examples(url: &str, demo: bool) -> String {
    let search = url.trim_start_matches("http://").trim_end_matches('/');
    if !demo {
        return format!("\nsearch\n  curl '{search}/_cat/indices?v'\n");
    }
    format!(
        "\nsearch: raw lines within half a minute, the counts by status once a minute has ended\n  \
         curl '{search}/access-log*/_search?q=response:404&pretty'\n  \
         curl '{search}/request_data/_search?pretty'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_ask() {
        let text = search_examples("http://127.0.0.1:9200/", true);
        assert!(text.contains("curl '127.0.0.1:9200/access-log*/_search?q=response:404&pretty'\n"), "{text}");
        assert!(text.contains("curl '127.0.0.1:9200/request_data/_search?pretty'\n"), "{text}");
    }

    #[test]
    fn parameters_are_key_and_value() {
        assert_eq!(key_value("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert_eq!(key_value("A="), Ok(("A".into(), String::new())));
        assert!(key_value("A").is_err());
        assert!(key_value("=b").is_err());
    }
}
