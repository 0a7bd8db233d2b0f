//! `--demo`: a web server's access log that grows, and the agent that ships it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Zoned;

/// Lines a second: enough to see it move, little enough for a laptop that is left on.
const LINES_PER_SECOND: u32 = 20;

/// The log is rotated by rename at this size, one older file is kept: what a web server's log rotation does.
const ROTATE_BYTES: u64 = 4 * 1024 * 1024;

/// How long the agent may take to send what it has read when it is told to stop, a little over its `shutdownTimeoutMillis`.
const AGENT_STOP: Duration = Duration::from_secs(12);

const AGENT_CONFIGURATION: &str = r#"{
  "cloudwatch.emitMetrics": false,
  "firehose.endpoint": "ENDPOINT",
  "kinesis.endpoint": "ENDPOINT",
  "checkpointFile": "FOLDER/checkpoints",
  "flows": [
    {
      "filePattern": "FOLDER/access.log*",
      "deliveryStream": "log-ingestion-stream",
      "initialPosition": "START_OF_FILE",
      "maxBufferAgeMillis": 1000,
      "recordIdField": "line_id",
      "dataProcessingOptions": [
        { "optionName": "LOGTOJSON", "logFormat": "COMBINEDAPACHELOG" }
      ]
    }
  ]
}
"#;

/// The running demonstration.
pub struct Demo {
    stop: Arc<AtomicBool>,
    /// Writes the log and watches the agent, which it gives back at the end.
    thread: std::thread::JoinHandle<Child>,
    /// The growing log.
    pub log: PathBuf,
    /// The agent's configuration.
    pub configuration: PathBuf,
}

impl Demo {
    /// Starts both in `folder`, against the emulator at `endpoint`; from the main thread, since the agent ends with the thread
    /// that starts it.
    pub fn start(folder: &Path, endpoint: &str, agent: &Path) -> io::Result<Demo> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let configuration = folder.join("agent.json");
        let text = AGENT_CONFIGURATION.replace("ENDPOINT", endpoint).replace("FOLDER", &folder.to_string_lossy());
        fs::write(&configuration, text)?;

        let log = folder.join("access.log");
        let output = folder.join("agent.log");
        let agent = start_agent(agent, &configuration, &output)?;
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("demo-log".into()).spawn({
            let (log, stop) = (log.clone(), stop.clone());
            move || {
                let mut watch = Watch { agent, output, ended: false };
                if let Err(e) = write_log(&log, &stop, || watch.check()) {
                    eprintln!("demo: {} is not written any more: {e}", log.display());
                }
                watch.agent
            }
        })?;
        Ok(Demo { stop, thread, log, configuration })
    }

    /// Stops the log, then the agent, which sends what it has.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        let Ok(mut agent) = self.thread.join() else { return };
        if !matches!(agent.try_wait(), Ok(None)) {
            return;
        }
        // SAFETY: the child has not been waited for to its end, so its process id is still its own.
        unsafe { libc::kill(agent.id() as libc::pid_t, libc::SIGTERM) };
        let deadline = std::time::Instant::now() + AGENT_STOP;
        while std::time::Instant::now() < deadline {
            if !matches!(agent.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = agent.kill();
        let _ = agent.wait();
    }
}

fn start_agent(agent: &Path, configuration: &Path, output: &Path) -> io::Result<Child> {
    let output = File::create(output)?;
    let mut command = Command::new(agent);
    command
        .arg("-c")
        .arg(configuration)
        // Any credentials will do for the emulator; real ones must not be sent to it.
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")])
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        // A group of its own: Ctrl-C in the terminal is for `logmill`, which ends the agent after the log.
        .process_group(0);
    // An agent left behind by a killed `logmill` would hold its checkpoints against the next one. A kill costs it nothing.
    #[cfg(target_os = "linux")]
    emulator::runtime::die_with_parent(&mut command);
    command.spawn()
}

/// Says when the agent has ended though nobody told it to.
struct Watch {
    agent: Child,
    /// What it has printed.
    output: PathBuf,
    ended: bool,
}

impl Watch {
    fn check(&mut self) {
        if self.ended {
            return;
        }
        if let Ok(Some(status)) = self.agent.try_wait() {
            self.ended = true;
            eprintln!("demo: the agent has ended by itself ({status}), see {}", self.output.display());
        }
    }
}

/// Writes until told to stop, and calls `each_time` after each few lines.
fn write_log(path: &Path, stop: &AtomicBool, mut each_time: impl FnMut()) -> io::Result<()> {
    let mut number: u64 = 0;
    let mut log = BufWriter::new(OpenOptions::new().create(true).append(true).open(path)?);
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..(LINES_PER_SECOND / 10).max(1) {
            writeln!(log, "{}", access_line(number, &Zoned::now()))?;
            number += 1;
        }
        log.flush()?;
        if log.get_ref().metadata()?.len() >= ROTATE_BYTES {
            fs::rename(path, path.with_extension("log.1"))?;
            log = BufWriter::new(OpenOptions::new().create(true).append(true).open(path)?);
        }
        each_time();
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// One line of the combined format; what varies follows from its number, so that runs look alike.
fn access_line(number: u64, now: &Zoned) -> String {
    const PATHS: [&str; 6] = ["/", "/index.html", "/cart", "/product/42", "/api/orders", "/favicon.ico"];
    const STATUSES: [u16; 10] = [200, 200, 200, 200, 200, 200, 304, 404, 200, 500];
    const AGENTS: [&str; 3] =
        ["Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4)"];
    // A multiplicative hash spreads consecutive numbers (Knuth, TAOCP 6.4).
    let mixed = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) as usize;
    format!(
        "10.0.{}.{} - - [{}] \"GET {} HTTP/1.1\" {} {} \"-\" \"{}\"",
        mixed % 4,
        mixed / 4 % 250 + 1,
        now.strftime("%d/%b/%Y:%H:%M:%S %z"),
        PATHS[mixed % PATHS.len()],
        STATUSES[mixed / 7 % STATUSES.len()],
        200 + mixed % 9000,
        AGENTS[mixed / 3 % AGENTS.len()],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_in_the_combined_format() {
        let now: Zoned = "2026-11-20T16:36:01+00:00[UTC]".parse().unwrap();
        let line = access_line(1, &now);
        assert!(line.contains(" - - [20/Nov/2026:16:36:01 +0000] \"GET /"), "{line}");
        assert!(line.ends_with('"'), "{line}");
    }

    #[test]
    fn writes_until_told_to_stop() {
        let folder = tempfile::tempdir().unwrap();
        let (path, stop) = (folder.path().join("access.log"), AtomicBool::new(false));
        let mut times = 0;
        write_log(&path, &stop, || {
            times += 1;
            stop.store(times == 2, Ordering::Relaxed);
        })
        .unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count() as u32, 2 * LINES_PER_SECOND / 10);
        assert!(text.ends_with('\n'), "{text}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_agent_is_killed_with_whoever_started_it() {
        use std::os::unix::fs::PermissionsExt;
        use std::os::unix::process::ExitStatusExt;
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("agent");
        fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let folder = dir.path().join("demo");
        // The system tells of the end of a thread as of the end of its process.
        let started = std::thread::spawn(move || Demo::start(&folder, "http://127.0.0.1:1", &program));
        let demo = started.join().unwrap().unwrap();
        demo.stop.store(true, Ordering::Relaxed);
        let mut agent = demo.thread.join().unwrap();
        assert_eq!(agent.wait().unwrap().signal(), Some(libc::SIGKILL));
    }
}
