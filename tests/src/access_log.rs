//! A web server's log as tests write it: numbered lines, rotation by rename, and an agent that ships it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::stack::{Agent, wait_for};

/// The statuses of lines, by their number.
const STATUSES: [u16; 5] = [200, 200, 404, 500, 304];

/// A log that grows and is rotated by rename, each line with its number.
pub struct Log {
    path: PathBuf,
    file: File,
    /// Lines so far.
    pub written: u64,
    rotations: u64,
}

impl Log {
    /// `access.log` in `folder`.
    pub fn create(folder: &Path) -> Log {
        let path = folder.join("access.log");
        let file = open(&path);
        Log { path, file, written: 0, rotations: 0 }
    }

    /// Writes the next `count` lines.
    pub fn write(&mut self, count: u64) {
        let mut text = String::new();
        for number in self.written..self.written + count {
            let status = status(number);
            text.push_str(&format!(
                "10.0.0.1 - - [20/Nov/2026:16:36:01 +0000] \"GET /n/{number} HTTP/1.1\" {status} 512 \"-\" \"test\"\n"
            ));
        }
        self.file.write_all(text.as_bytes()).expect("the log takes lines");
        self.written += count;
    }

    /// Renames it and goes on in a new file.
    pub fn rotate(&mut self) {
        self.rotations += 1;
        std::fs::rename(&self.path, self.path.with_extension(format!("log.{}", self.rotations))).expect("a rename");
        self.file = open(&self.path);
    }
}

/// Opens a log file to append to.
pub fn open(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("a log file")
}

/// The status of a line.
pub fn status(number: u64) -> u16 {
    STATUSES[number as usize % STATUSES.len()]
}

/// The number of a line, from the request that the converter took out of it.
pub fn number(document: &Value) -> u64 {
    assert!(document["@ingested"].is_i64(), "no @ingested in {document}");
    let request = document["request"].as_str().unwrap_or_else(|| panic!("no request in {document}"));
    request.strip_prefix("GET /n/").and_then(|rest| rest.split(' ').next()?.parse().ok()).expect("a numbered request")
}

/// Writes the configuration of an agent that ships the log to `destination` (key of the flow, name of the stream).
pub fn agent_configuration(folder: &Path, endpoint: &str, destination: (&str, &str)) -> PathBuf {
    let path = folder.join("agent.json");
    let configuration = serde_json::json!({
        "cloudwatch.emitMetrics": false,
        "firehose.endpoint": endpoint,
        "kinesis.endpoint": endpoint,
        "checkpointFile": folder.join("checkpoints"),
        "flows": [{
            "filePattern": folder.join("access.log*"),
            destination.0: destination.1,
            "initialPosition": "START_OF_FILE",
            "maxBufferAgeMillis": 1000,
            "dataProcessingOptions": [{ "optionName": "LOGTOJSON", "logFormat": "COMBINEDAPACHELOG" }],
        }],
    });
    std::fs::write(&path, configuration.to_string()).expect("a configuration");
    path
}

/// Sets a key of the agent's (only) flow.
pub fn set_in_flow(configuration: &Path, key: &str, value: Value) {
    let text = std::fs::read_to_string(configuration).expect("a configuration");
    let mut whole: Value = serde_json::from_str(&text).expect("JSON");
    whole["flows"][0][key] = value;
    std::fs::write(configuration, whole.to_string()).expect("a configuration");
}

/// Starts the agent and waits until it has looked: of files that are there already it reads the newest from its start, and of
/// others only what is added, so rotation may begin now.
pub fn start_agent(configuration: &Path) -> Agent {
    let agent = Agent::start(configuration);
    let checkpoints = configuration.with_file_name("checkpoints.logmill");
    wait_for("the agent's first checkpoint", || checkpoints.exists().then_some(()));
    agent
}
