//! The real programs, as a user starts them: `logmill up --no-build`, `logmill-agent -c`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use serde_json::Value;

/// The longest anything in these tests is waited for.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Between two looks at a condition.
const POLL: Duration = Duration::from_millis(50);

/// The folder of the programs: the test programs are in its `deps`.
pub fn programs() -> PathBuf {
    let this = std::env::current_exe().expect("this program has a path");
    let folder = this.parent().expect("a program is in a folder");
    if folder.ends_with("deps") { folder.parent().expect("deps is in a folder").to_owned() } else { folder.to_owned() }
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is in the repository").to_owned()
}

/// The Python that `scripts/venv` makes, or that of the environment it is told of.
pub fn python() -> PathBuf {
    let venv = std::env::var_os("LOGMILL_VENV").map_or_else(|| repository().join(".venv"), PathBuf::from);
    let python = venv.join("bin/python");
    assert!(python.exists(), "{} is not there: run scripts/venv", python.display());
    python
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// Waits until `condition` gives a value.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(POLL);
    }
}

/// The same for a condition that asks a service.
pub async fn wait_until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// How to start a [`Stack`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Relative to the repository.
    pub template: PathBuf,
    /// Values for its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Seed of injected faults.
    pub inject: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Options { template: "template.yaml".into(), parameters: BTreeMap::new(), inject: None }
    }
}

impl Options {
    /// With a parameter's value.
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// A running emulator with the resources of a template. Killed when dropped.
pub struct Stack {
    child: Child,
    options: Options,
    data: tempfile::TempDir,
    port: u16,
    /// Where AWS clients connect to.
    pub endpoint: String,
    /// The template's outputs.
    pub outputs: BTreeMap<String, String>,
}

impl Stack {
    /// Starts and waits until it is up.
    pub fn start(options: Options) -> Stack {
        let data = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let (child, ready) = launch(&options, data.path(), port);
        let mut stack = Stack { child, options, data, port, endpoint: String::new(), outputs: BTreeMap::new() };
        stack.read(&ready);
        stack
    }

    fn read(&mut self, ready: &Value) {
        self.endpoint = ready["endpoint"].as_str().expect("an endpoint").to_owned();
        self.outputs = serde_json::from_value(ready["outputs"].clone()).unwrap_or_default();
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The emulator's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, without a word to anybody.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts again on the same data and port.
    pub fn restart(&mut self) {
        let (child, ready) = launch(&self.options, self.data.path(), self.port);
        self.child = child;
        self.read(&ready);
    }

    /// Asks it to stop, as Ctrl-C does, and gives its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        signal(self.child.id(), "TERM");
        wait_for("the emulator to stop", || self.child.try_wait().ok().flatten()).code()
    }

    /// Process ids of the function processes that run `program`.
    pub fn function_processes(&self, program: &str) -> Vec<u32> {
        children_of(self.child.id(), program)
    }

    /// SDK configuration that reaches it.
    pub fn sdk(&self) -> SdkConfig {
        sdk(&self.endpoint)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.kill();
    }
}

/// SDK configuration that reaches `endpoint` with credentials of nobody.
pub fn sdk(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(Credentials::new(
            "test", "test", None, None, "tests",
        )))
        .retry_config(aws_config::retry::RetryConfig::standard().with_max_attempts(10))
        .http_client(aws::http_client())
        .build()
}

fn launch(options: &Options, data: &Path, port: u16) -> (Child, Value) {
    let mut command = Command::new(programs().join("logmill"));
    command.current_dir(repository()).args(["up", "--no-build", "--format", "json", "--search-port", "0"]);
    command.arg("--template").arg(&options.template).arg("--data-dir").arg(data).arg("--port").arg(port.to_string());
    for (name, value) in &options.parameters {
        command.arg("--parameter").arg(format!("{name}={value}"));
    }
    if let Some(seed) = options.inject {
        command.arg("--inject").arg(seed.to_string());
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("logmill starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = lines.next().and_then(Result::ok).unwrap_or_else(|| {
        let status = child.wait();
        panic!("logmill up ended before it was up: {status:?}")
    });
    (child, serde_json::from_str(&line).expect("a line of JSON"))
}

/// The agent's process. Killed when dropped.
pub struct Agent {
    child: Child,
    configuration: PathBuf,
    log: PathBuf,
}

impl Agent {
    /// Starts it with a configuration file; its log goes beside that.
    pub fn start(configuration: &Path) -> Agent {
        let log = configuration.with_extension("log");
        Agent { child: launch_agent(configuration, &log), configuration: configuration.to_owned(), log }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts again.
    pub fn restart(&mut self) {
        self.child = launch_agent(&self.configuration, &self.log);
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to stop and gives its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        signal(self.child.id(), "TERM");
        wait_for("the agent to stop", || self.child.try_wait().ok().flatten()).code()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill();
    }
}

fn launch_agent(configuration: &Path, log: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("the agent's log");
    Command::new(programs().join("logmill-agent"))
        .arg("-c")
        .arg(configuration)
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")])
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("the agent's log"))
        .stderr(log)
        .spawn()
        .expect("logmill-agent starts")
}

/// Sends a signal by name.
pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).stderr(Stdio::null()).status();
}

/// Children of `parent` that run `program`.
fn children_of(parent: u32, program: &str) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // `pid (name) state ppid …`; a name may hold blanks and brackets.
        let parent_field = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
        let runs = std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| path.ends_with(program));
        parent_field == Some(parent) && runs
    })
    .collect()
}
