//! `agent.json`: text → positioned JSON ([`json`]) → sections read with the original's conversions ([`section`]) → [`Config`].
//!
//! Everything that can be wrong is found here, with file and line; the rest of the agent sees only meaningful values.

mod flow;
pub mod json;
mod keys;
mod section;

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use flow::{Destination, Flow, InitialPosition, PartitionKey};

use json::{Kind, Node};
use section::{Section, Wrong};

/// Where the original keeps its checkpoints.
const DEFAULT_CHECKPOINT_FILE: &str = "/var/run/aws-kinesis-agent/checkpoints";
/// The original's `maxSendingThreadsPerCore`.
const SENDING_THREADS_PER_CORE: u64 = 12;
/// Milliseconds in the longest time that a key may ask for (about 24 days): more is a typing error.
const MAX_MILLIS: u64 = i32::MAX as u64;

/// A service's address: both, either or neither given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Service {
    /// With its scheme.
    pub endpoint: Option<String>,
    /// Of the key, or taken from an endpoint of AWS's form.
    pub region: Option<String>,
}

/// The configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// What is read and where it goes; at least one.
    pub flows: Vec<Flow>,
    /// Access key id and secret of the file.
    pub access_key: Option<(String, String)>,
    /// Role to assume and its external id.
    pub assume_role: Option<(String, Option<String>)>,
    /// STS, for the role.
    pub sts: Service,
    /// Kinesis Data Streams.
    pub kinesis: Service,
    /// Data Firehose.
    pub firehose: Service,
    /// The original's SQLite file. Ours stands beside it (see `checkpoint`).
    pub checkpoint_file: PathBuf,
    /// How long a file that is gone is remembered.
    pub checkpoint_ttl: Duration,
    /// Whether metrics are asked for (the original's default).
    pub emit_metrics: bool,
    /// Period of the progress lines.
    pub status_period: Duration,
    /// Calls at once, all flows together.
    pub max_sends: usize,
    /// To connect.
    pub connect_timeout: Duration,
    /// Without an answer.
    pub socket_timeout: Duration,
    /// For sending what is read, when stopped.
    pub shutdown_timeout: Duration,
    /// `log.level`: trace to error.
    pub log_level: Option<String>,
    /// `log.file`; standard error otherwise.
    pub log_file: Option<PathBuf>,
}

/// A configuration and what its writer should know about it.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// `FILE, line N: …`, in the order of the files.
    pub warnings: Vec<String>,
}

/// Why the agent cannot start with this configuration.
#[derive(Debug, PartialEq, thiserror::Error)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// Its line, when it is about one.
    pub line: Option<usize>,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A configuration file in memory.
#[derive(Debug)]
pub struct Source {
    /// Its name, for messages.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// Reads the file and the plain files of `agent.d` beside it, in the order of their names.
pub fn load(path: &Path) -> Result<Loaded, ConfigError> {
    let read = |path: &Path| match std::fs::read_to_string(path) {
        Ok(text) => Ok(Source { path: path.to_owned(), text }),
        Err(error) => {
            Err(ConfigError { path: path.to_owned(), line: None, message: format!("cannot be read: {error}") })
        }
    };
    let main = read(path)?;
    let mut unread = Vec::new();
    let mut more = Vec::new();
    for path in plain_files(&path.with_file_name("agent.d")) {
        match read(&path) {
            Ok(source) => more.push(source),
            Err(error) => unread.push(format!("{error}; the file is ignored")),
        }
    }
    let mut loaded = parse(&main, &more)?;
    loaded.warnings.extend(unread);
    Ok(loaded)
}

fn plain_files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

/// The configuration of a main file and further files of flows.
pub fn parse(main: &Source, more: &[Source]) -> Result<Loaded, ConfigError> {
    let mut warnings = Vec::new();
    let root = json::parse(&main.text).map_err(|error| ConfigError {
        path: main.path.clone(),
        line: Some(error.line),
        message: format!("column {}: {}", error.column, error.message),
    })?;
    let mut flows = Vec::new();
    let mut config = top(&root, &main.path, &mut warnings).map_err(|wrong| at(&main.path, wrong))?;
    add_flows(&root, main, &mut flows, &mut warnings)?;
    for source in more {
        match json::parse(&source.text) {
            Ok(root) => {
                for entry in keys_but_flows(&root) {
                    warnings.push(at(&source.path, entry).to_string());
                }
                add_flows(&root, source, &mut flows, &mut warnings)?;
            }
            Err(error) => warnings.push(format!("{}, {error}; the file is ignored", source.path.display())),
        }
    }
    if flows.is_empty() {
        let message = "no flows: expected a list `flows` with at least one".to_owned();
        return Err(ConfigError { path: main.path.clone(), line: None, message });
    }
    config.flows = flows;
    Ok(Loaded { config, warnings })
}

fn at(path: &Path, wrong: Wrong) -> ConfigError {
    ConfigError { path: path.to_owned(), line: Some(wrong.line), message: wrong.message }
}

/// Files of `agent.d` may say only `flows`.
fn keys_but_flows(root: &Node) -> Vec<Wrong> {
    let Kind::Object(entries) = &root.kind else { return Vec::new() };
    let others = entries.iter().filter(|entry| entry.key != "flows");
    others
        .map(|entry| Wrong {
            line: entry.line,
            message: format!("`{}` is ignored: only `flows` is read here", entry.key),
        })
        .collect()
}

fn add_flows(
    root: &Node,
    source: &Source,
    flows: &mut Vec<Flow>,
    warnings: &mut Vec<String>,
) -> Result<(), ConfigError> {
    let mut add = || -> Result<(), Wrong> {
        let Some(node) = Section::new(root, keys::TOP, "the configuration")?.get("flows") else { return Ok(()) };
        let Kind::List(items) = &node.kind else {
            return Err(section::wrong(node, format!("`flows` is {}: expected a list", node.kind_name())));
        };
        let mut seen: HashSet<String> = flows.iter().map(|flow: &Flow| flow.id.clone()).collect();
        for (index, item) in items.iter().enumerate() {
            let section = Section::new(item, keys::FLOW, &format!("flow {}", index + 1))?;
            let mut warn = |line, message: String| {
                warnings.push(format!("{}, line {line}: {message}", source.path.display()));
            };
            section.check_keys(&mut warn);
            let flow = flow::read(&section, &mut warn)?;
            if !seen.insert(flow.id.clone()) {
                return Err(section::wrong(item, format!("Duplicate flow: {}", flow.id)));
            }
            flows.push(flow);
        }
        Ok(())
    };
    add().map_err(|wrong| at(&source.path, wrong))
}

/// Everything but the flows.
fn top(root: &Node, path: &Path, warnings: &mut Vec<String>) -> Result<Config, Wrong> {
    let section = Section::new(root, keys::TOP, "the configuration")?;
    section.check_keys(|line, message| warnings.push(format!("{}, line {line}: {message}", path.display())));
    let millis = |key: &str, default: u64| section.number(key, default, 0..=MAX_MILLIS).map(Duration::from_millis);
    Ok(Config {
        flows: Vec::new(),
        access_key: access_key(&section)?,
        assume_role: filled(&section, "assumeRoleARN")?
            .map(|role| Ok((role, filled(&section, "assumeRoleExternalId")?)))
            .transpose()?,
        sts: service(&section, "sts.endpoint", None)?,
        kinesis: service(&section, "kinesis.endpoint", Some("kinesis.region"))?,
        firehose: service(&section, "firehose.endpoint", Some("firehose.region"))?,
        checkpoint_file: filled(&section, "checkpointFile")?.unwrap_or(DEFAULT_CHECKPOINT_FILE.to_owned()).into(),
        checkpoint_ttl: Duration::from_secs(section.number("checkpointTimeToLiveDays", 7, 0..=36_500)? * 86_400),
        emit_metrics: section.boolean("cloudwatch.emitMetrics", true)?,
        status_period: Duration::from_secs(section.number("log.statusReportingPeriodSeconds", 30, 1..=86_400)?),
        max_sends: max_sends(&section)?,
        connect_timeout: millis("connectionTimeoutMillis", 10_000)?,
        socket_timeout: millis("socketTimeoutMillis", 50_000)?,
        shutdown_timeout: millis("shutdownTimeoutMillis", 10_000)?,
        log_level: log_level(&section)?,
        log_file: filled(&section, "log.file")?.map(PathBuf::from),
    })
}

/// A string; `""` is the same as no key.
fn filled(section: &Section<'_>, key: &str) -> Result<Option<String>, Wrong> {
    Ok(section.string(key)?.filter(|value| !value.is_empty()))
}

fn access_key(section: &Section<'_>) -> Result<Option<(String, String)>, Wrong> {
    match (filled(section, "awsAccessKeyId")?, filled(section, "awsSecretAccessKey")?) {
        (Some(id), Some(secret)) => Ok(Some((id, secret))),
        (None, None) => Ok(None),
        // Going on with whatever else the host has would send the data to another account.
        (id, _) => {
            let missing = if id.is_some() { "awsSecretAccessKey" } else { "awsAccessKeyId" };
            let message = format!("Required configuration value missing: {missing} (the other half is given)");
            Err(Wrong { line: section.line(), message })
        }
    }
}

fn service(section: &Section<'_>, endpoint: &str, region: Option<&str>) -> Result<Service, Wrong> {
    let endpoint = filled(section, endpoint)?;
    let region = match region {
        Some(key) => filled(section, key)?,
        None => None,
    };
    let region = region.or_else(|| endpoint.as_deref().and_then(region_of));
    let endpoint = endpoint.map(|url| match url.contains("://") {
        true => url,
        // No emulator insists on TLS; everything else does.
        false if is_local(&url) => format!("http://{url}"),
        false => format!("https://{url}"),
    });
    Ok(Service { endpoint, region })
}

/// Whether an endpoint is on this machine.
pub fn is_local(endpoint: &str) -> bool {
    let host = endpoint.split("://").last().unwrap_or_default();
    ["127.", "localhost:", "localhost/", "[::1]"].iter().any(|local| host.starts_with(local)) || host == "localhost"
}

/// `eu-west-1` of `firehose.eu-west-1.amazonaws.com`.
fn region_of(endpoint: &str) -> Option<String> {
    let host = endpoint.split("://").last()?.split(['/', ':']).next()?;
    let mut labels = host.split('.');
    let (_service, region, domain) = (labels.next()?, labels.next()?, labels.next()?);
    (domain == "amazonaws" || domain == "api").then(|| region.to_owned())
}

fn max_sends(section: &Section<'_>) -> Result<usize, Wrong> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let per_core = section.number("maxSendingThreadsPerCore", SENDING_THREADS_PER_CORE, 1..=1_000)?;
    let default = (per_core * cores).max(2);
    Ok(section.number("maxSendingThreads", default, 1..=10_000)? as usize)
}

fn log_level(section: &Section<'_>) -> Result<Option<String>, Wrong> {
    let Some(node) = section.get("log.level") else { return Ok(None) };
    let level = section.string("log.level")?.unwrap_or_default().to_lowercase();
    match level.as_str() {
        "fatal" => Ok(Some("error".to_owned())),
        "trace" | "debug" | "info" | "warn" | "error" => Ok(Some(level)),
        _ => Err(section::wrong(
            node,
            format!("`log.level` is `{level}`: expected one of TRACE, DEBUG, INFO, WARN, ERROR"),
        )),
    }
}

#[cfg(test)]
mod tests;
