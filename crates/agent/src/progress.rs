//! The original's progress lines, word for word: people grep and alarm on them.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, info, warn};

use crate::flow::{Running, get};

/// Behind by so much is a warning (the original's level).
const BEHIND_WARN: u64 = 40 << 20;
/// Behind by so much is said at info level (the original's level).
const BEHIND_INFO: u64 = 20 << 20;

/// Logs the progress of all flows.
pub fn report(flows: &[Arc<Running>], uptime: Duration) {
    let sum = |count: fn(&Running) -> u64| flows.iter().map(|flow| count(flow)).sum::<u64>();
    for running in flows {
        let id = &running.flow.id;
        info!("{}", tailer_line(running));
        behind(&format!("FileTailer[{id}]: Tailer is"), running.bytes_behind(), running.files_behind());
        extras(running);
    }
    let (records, bytes) = (sum(|flow| get(&flow.counters.parsed)), sum(|flow| get(&flow.counters.bytes)));
    let sent = sum(|flow| get(&flow.counters.sent));
    info!("{}", agent_line(records, bytes, sent, uptime));
    behind("Agent: Tailing is", sum(Running::bytes_behind), sum(Running::files_behind));
}

impl Running {
    fn bytes_behind(&self) -> u64 {
        get(&self.counters.bytes_behind)
    }

    fn files_behind(&self) -> u64 {
        get(&self.counters.files_behind)
    }
}

fn agent_line(records: u64, bytes: u64, sent: u64, uptime: Duration) -> String {
    format!(
        "Agent: Progress: {records} records parsed ({bytes} bytes), and {sent} records sent successfully to destinations. \
         Uptime: {}ms",
        uptime.as_millis()
    )
}

fn tailer_line(running: &Running) -> String {
    let counters = &running.counters;
    format!(
        "FileTailer[{}]: Tailer Progress: Tailer has parsed {} records ({} bytes), transformed {} records, skipped {} \
         records, and has successfully sent {} records to destination.",
        running.flow.id,
        get(&counters.parsed),
        get(&counters.bytes),
        get(&counters.transformed),
        get(&counters.skipped),
        get(&counters.sent)
    )
}

fn behind(who: &str, bytes: u64, files: u64) {
    if bytes == 0 && files == 0 {
        return;
    }
    let line = behind_line(who, bytes, files);
    match bytes {
        BEHIND_WARN.. => warn!("{line}"),
        BEHIND_INFO.. => info!("{line}"),
        _ => debug!("{line}"),
    }
}

fn behind_line(who: &str, bytes: u64, files: u64) -> String {
    let mut line = format!("{who} {:.6} MB ({bytes} bytes) behind.", bytes as f64 / 1024.0 / 1024.0);
    if files > 0 {
        line += &format!(" There are {files} file(s) newer than current file(s) being tailed.");
    }
    line
}

/// Ours: what is worth knowing and the original does not count.
fn extras(running: &Running) {
    let counters = &running.counters;
    let (truncated, raw, without_id) = (get(&counters.truncated), get(&counters.raw), get(&counters.without_id));
    if truncated + raw + without_id > 0 {
        let id = &running.flow.id;
        info!("FileTailer[{id}]: {truncated} records truncated, {raw} not converted, {without_id} without a record id");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_for_word() {
        assert_eq!(
            agent_line(3, 120, 2, Duration::from_millis(30_042)),
            "Agent: Progress: 3 records parsed (120 bytes), and 2 records sent successfully to destinations. \
             Uptime: 30042ms"
        );
        assert_eq!(
            behind_line("Agent: Tailing is", 1_572_864, 0),
            "Agent: Tailing is 1.500000 MB (1572864 bytes) behind."
        );
        assert_eq!(
            behind_line("FileTailer[fh:s:/l/*]: Tailer is", 0, 2),
            "FileTailer[fh:s:/l/*]: Tailer is 0.000000 MB (0 bytes) behind. \
             There are 2 file(s) newer than current file(s) being tailed."
        );
    }
}
