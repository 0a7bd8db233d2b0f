//! Real files in temporary directories; the tailer is driven by hand, pass by pass.

mod rotation;

use std::fs::{self, OpenOptions};
use std::io::Write;

use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::config::{Source, parse};

/// A flow over a directory, its tailer and what it has handed on.
struct Rig {
    root: TempDir,
    keys: String,
    running: Arc<Running>,
    tailer: Tailer,
    receiver: UnboundedReceiver<Batch>,
}

impl Rig {
    /// A flow with a checkpoint, so that every file is read from 0.
    fn new(pattern: &str, keys: &str) -> Rig {
        Self::over(tempfile::tempdir().unwrap(), pattern, keys, Some(Vec::new()))
    }

    fn over(root: TempDir, pattern: &str, keys: &str, saved: Option<Vec<Entry>>) -> Rig {
        let keys = format!("\"filePattern\": \"{}/{pattern}\", \"deliveryStream\": \"s\"{keys}", root.path().display());
        let (running, tailer, receiver) = tailer(&keys, saved);
        Rig { root, keys, running, tailer, receiver }
    }

    /// What a checkpoint would hold now; the sender acknowledges everything first if asked to.
    fn restart(&mut self, acknowledge: bool) {
        self.restart_after(acknowledge, 0);
    }

    /// The same with the checkpoint's time.
    fn restart_after(&mut self, acknowledge: bool, seen: i64) {
        self.tailer.outbox.flush();
        while let Ok(mut batch) = self.receiver.try_recv() {
            if acknowledge {
                batch.acknowledge(|_| false, &self.running);
            }
        }
        self.running.positions().mark_changed();
        let saved = self.running.positions().take_changes(seen);
        (self.running, self.tailer, self.receiver) = tailer(&self.keys, Some(saved.unwrap()));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Lists and reads until nothing is left, and gives the new records in order.
    fn read(&mut self) -> Vec<String> {
        let mut records = Vec::new();
        loop {
            self.tailer.refreshed = None;
            self.tailer.refresh_if_due();
            let read = self.tailer.pass();
            self.tailer.outbox.flush();
            while let Ok(mut batch) = self.receiver.try_recv() {
                records.extend(batch.to_records().iter().map(|r| String::from_utf8_lossy(&r.data).into_owned()));
                batch.acknowledge(|_| false, &self.running);
                self.running.budget.give_back(batch.bytes);
            }
            if !read {
                return records;
            }
        }
    }

    #[track_caller]
    fn check(&mut self, expected: &[&str]) {
        assert_eq!(self.read(), expected);
    }

    /// Makes every file look as if nothing had happened to it for a time.
    fn pass_time(&mut self, time: Duration) {
        for file in &mut self.tailer.files {
            file.grown -= time;
            file.departed = file.departed.map(|since| since - time);
            file.held = file.held.map(|(since, twin)| (since - time, twin));
        }
    }
}

fn tailer(keys: &str, saved: Option<Vec<Entry>>) -> (Arc<Running>, Tailer, UnboundedReceiver<Batch>) {
    let text = format!("{{\"flows\": [{{{keys}}}]}}");
    let mut config = parse(&Source { path: "agent.json".into(), text }, &[]).unwrap().config;
    let running = Arc::new(Running::new(config.flows.remove(0), Arc::default()));
    let (sender, receiver) = unbounded_channel();
    let tailer = Tailer::new(running.clone(), sender, "host", saved).unwrap();
    (running, tailer, receiver)
}

#[test]
fn lines_as_they_come() {
    let mut rig = Rig::new("a.log", "");
    rig.check(&[]);
    rig.append("a.log", "one\ntwo\nthr");
    rig.check(&["one\n", "two\n"]);
    rig.append("a.log", "ee\n\n");
    rig.check(&["three\n", "\n"]);
    rig.append("b.log", "not mine\n");
    rig.check(&[]);
}

#[test]
fn all_files_of_a_pattern_at_once() {
    let mut rig = Rig::new("*.log", "");
    for round in 0..3 {
        let names = ["a.log", "b.log", "c.log", "d.log.gz"];
        names.iter().for_each(|name| rig.append(name, &format!("{name} {round}\n")));
        let mut read = rig.read();
        read.sort();
        assert_eq!(read, [format!("a.log {round}\n"), format!("b.log {round}\n"), format!("c.log {round}\n")]);
    }
}

#[test]
fn where_it_starts_without_a_checkpoint() {
    let check = |keys: &str, text: &str, expected: &[&str]| {
        let root = tempfile::tempdir().unwrap();
        let old = root.path().join("a.log.1");
        fs::write(&old, "old\n").unwrap();
        fs::File::open(&old).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000)).unwrap();
        fs::write(root.path().join("a.log"), text).unwrap();
        let mut rig = Rig::over(root, "a.log*", keys, None);
        assert_eq!(rig.read(), expected, "{keys} {text:?}");
        rig.append("a.log.1", "added\n");
        rig.append("a.log.2", "new\n");
        let mut read = rig.read();
        read.sort();
        assert_eq!(read, ["added\n", "new\n"]);
    };
    check("", "one\ntwo\n", &["two\n"]);
    check("", "one\ntwo\nthr", &["two\n"]);
    check("", "one\n", &["one\n"]);
    check("", "", &[]);
    check(", \"initialPosition\": \"START_OF_FILE\"", "one\ntwo\n", &["one\n", "two\n"]);
}

#[test]
fn headers_are_passed_over_in_every_file() {
    let mut rig = Rig::new("a.log*", ", \"skipHeaderLines\": 2");
    rig.append("a.log", "# 1\n# ");
    rig.check(&[]);
    rig.append("a.log", "2\none\n");
    rig.check(&["one\n"]);
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", "# 1\n# 3\ntwo\n");
    rig.check(&["two\n"]);
}

#[test]
fn nothing_after_a_footer() {
    let mut rig = Rig::new("a.log*", ", \"fileFooterPattern\": \"# end\"");
    rig.append("a.log", "one\n  # end \ntwo\n");
    rig.check(&["one\n"]);
    rig.append("a.log", "three\n");
    rig.check(&[]);
    fs::write(rig.path("a.log"), "new\n").unwrap();
    rig.check(&["new\n"]);
}

#[test]
fn records_of_several_lines() {
    let mut rig = Rig::new("a.log", ", \"multiLineStartPattern\": \"\\\\[\"");
    rig.append("a.log", "[one\n at x\n[two\n");
    rig.check(&["[one\n at x\n"]);
    // The rest of a stack trace comes with the next write.
    rig.append("a.log", " at y\n");
    rig.check(&[]);
    rig.pass_time(MULTI_LINE_FLUSH);
    rig.check(&["[two\n at y\n"]);
}

#[test]
fn a_line_of_2_mb_is_truncated() {
    let mut rig = Rig::new("a.log", "");
    let long = "x".repeat(2 << 20);
    rig.append("a.log", &format!("one\n{long}\ntwo\n"));
    let read = rig.read();
    assert_eq!(read.iter().map(String::len).collect::<Vec<_>>(), [4, 1_024_000, 4]);
    assert!(read[1].ends_with("x\n"));
    assert_eq!(crate::flow::get(&rig.running.counters.truncated), 1);
}

#[test]
fn a_runaway_line_is_cut_and_the_rest_dropped() {
    let mut rig = Rig::new("a.log", "");
    let long = "x".repeat(5 << 20);
    rig.append("a.log", &format!("one\n{long}"));
    assert_eq!(rig.read().iter().map(String::len).collect::<Vec<_>>(), [4, 1_024_000]);
    rig.append("a.log", "more of it");
    rig.check(&[]);
    rig.restart(true);
    rig.append("a.log", " and its end\ntwo\n");
    rig.check(&["two\n"]);
}

#[test]
fn skipped_records_advance_the_checkpoint() {
    let mut rig = Rig::new(
        "a.log",
        ", \"dataProcessingOptions\": [{\"optionName\": \"LOGTOJSON\", \
        \"logFormat\": \"COMMONAPACHELOG\"}]",
    );
    rig.append("a.log", "no access log\n# nor this\n");
    rig.read();
    let key = rig.tailer.files[0].key;
    assert_eq!(rig.running.positions().low_water(key), Some(25));
}

#[test]
fn line_ids_stay_the_same_and_differ() {
    let mut rig = Rig::new("a.log*", ", \"recordIdField\": \"id\"");
    rig.append("a.log", "{\"n\":1}\n{\"n\":2}\n");
    let first = rig.read();
    assert!(first[0].starts_with("{\"n\":1,\"id\":\"") && first[0].ends_with("-0-8\"}\n"), "{first:?}");
    assert!(first[1].ends_with("-8-16\"}\n"), "{first:?}");
    // Renamed and read again from the start, as after a lost acknowledgement.
    rig.rename("a.log", "a.log.1");
    (rig.running, rig.tailer, rig.receiver) = tailer(&rig.keys, Some(Vec::new()));
    assert_eq!(rig.read(), first);
    // Truncated: the same bytes are other lines.
    fs::write(rig.path("a.log.1"), "").unwrap();
    rig.check(&[]);
    rig.append("a.log.1", "{\"n\":1}\n{\"n\":2}\n");
    let again = rig.read();
    assert!(again.len() == 2 && again[0] != first[0], "{again:?}");
}

#[test]
fn back_pressure_stops_reading() {
    let mut rig = Rig::new("a.log", ", \"publishQueueCapacity\": 1, \"maxBufferSizeRecords\": 1");
    rig.append("a.log", "1\n2\n3\n4\n");
    rig.tailer.refresh_if_due();
    assert!(!rig.tailer.pass() || rig.tailer.files[0].offset <= 6);
    assert!(rig.receiver.try_recv().is_ok() && rig.receiver.try_recv().is_err());
    assert!(rig.tailer.files[0].offset < 8);
    assert_eq!(rig.running.positions().low_water(rig.tailer.files[0].key), Some(0));
}
