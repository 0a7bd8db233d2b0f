//! Log lines in the original's form: `2026-07-07 12:00:00.123+0000 HOST (THREAD) CLASS [LEVEL] MESSAGE`.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Mutex;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, Layer as FmtLayer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs to a file, appended to, or to standard error. `level` is for the agent's own lines; libraries speak from `warn` on.
/// The error is the file's.
pub fn start(level: &str, file: Option<&Path>) -> std::io::Result<()> {
    let level: Level = level.parse().unwrap_or(Level::INFO);
    // Not every host has instance metadata; a call without credentials says so itself.
    let filter = Targets::new()
        .with_default(Level::WARN)
        .with_target("aws_config", Level::ERROR)
        .with_targets([("agent", level), ("logmill_agent", level)]);
    let form = Form { host: host_name() };
    let file = file.map(|path| OpenOptions::new().create(true).append(true).open(path)).transpose()?;
    let layer = match file {
        Some(file) => FmtLayer::new().event_format(form).with_ansi(false).with_writer(Mutex::<File>::new(file)).boxed(),
        None => FmtLayer::new().event_format(form).with_ansi(false).with_writer(std::io::stderr).boxed(),
    };
    // A second start (tests) keeps the first.
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().ok();
    Ok(())
}

struct Form {
    host: String,
}

impl<S, N> FormatEvent<S, N> for Form
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let time = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S.%3f%z").to_string();
        let metadata = event.metadata();
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("agent");
        write!(to, "{time} {} ({thread}) {} [{}] ", self.host, metadata.target(), metadata.level())?;
        context.format_fields(to.by_ref(), event)?;
        writeln!(to)
    }
}

/// This machine's name; `localhost` if it has none.
pub fn host_name() -> String {
    let mut name = [0u8; 256];
    // SAFETY: the buffer is writable for the length given.
    let failed = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) } != 0;
    let length = name.iter().position(|byte| *byte == 0).unwrap_or(0);
    if failed || length == 0 { "localhost".to_owned() } else { String::from_utf8_lossy(&name[..length]).into_owned() }
}
