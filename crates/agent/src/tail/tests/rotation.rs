//! Files renamed, copied, truncated and deleted, while the agent runs, is blocked, or is down.

use super::*;
use crate::fingerprint::Known;

#[test]
fn rename_and_create() {
    for pattern in ["a.log", "a.log*"] {
        let mut rig = Rig::new(pattern, "");
        rig.append("a.log", "one\n");
        rig.check(&["one\n"]);
        rig.append("a.log", "two\n");
        rig.rename("a.log", "a.log.1");
        rig.append("a.log", "three\n");
        // The writer still holds the old one.
        rig.append("a.log.1", "late\n");
        let mut read = rig.read();
        read.sort();
        assert_eq!(read, ["late\n", "three\n", "two\n"], "{pattern}");
        rig.rename("a.log.1", "a.log.2");
        rig.rename("a.log", "a.log.1");
        rig.append("a.log", "four\n");
        rig.check(&["four\n"]);
        assert_eq!(rig.running.counters.parsed.load(std::sync::atomic::Ordering::Relaxed), 5);
    }
}

#[test]
fn deleted_before_its_end() {
    let mut rig = Rig::new("a.log", "");
    rig.append("a.log", "one\n");
    rig.check(&["one\n"]);
    rig.append("a.log", "two\nrest");
    fs::remove_file(rig.path("a.log")).unwrap();
    rig.check(&["two\n"]);
    rig.append("a.log", "new\n");
    rig.check(&["new\n"]);
    rig.pass_time(file::ROTATED_GRACE);
    rig.check(&["rest\n"]);
    rig.pass_time(file::DEPARTED_GRACE);
    rig.check(&[]);
    assert_eq!(rig.tailer.files.len(), 1);
}

#[test]
fn the_last_line_of_a_rotated_file() {
    let mut rig = Rig::new("a.log*", "");
    rig.append("a.log", "one\nno newline");
    rig.check(&["one\n"]);
    rig.pass_time(file::ROTATED_GRACE);
    rig.check(&[]);
    rig.rename("a.log", "a.log.1");
    rig.check(&["no newline\n"]);
    rig.append("a.log.1", " after all\n");
    rig.check(&[" after all\n"]);
}

#[test]
fn the_last_line_of_a_file_rotated_while_the_agent_is_down() {
    let mut rig = Rig::new("a.log*", "");
    rig.append("a.log", "one\nno newline");
    rig.check(&["one\n"]);
    rig.rename("a.log", "a.log.1");
    // A second time: that it was rotated is remembered.
    for _ in 0..2 {
        rig.restart(true);
        rig.check(&[]);
    }
    rig.pass_time(file::ROTATED_GRACE);
    rig.check(&["no newline\n"]);
}

#[test]
fn not_readable_at_a_restart() {
    let mut rig = Rig::new("a.log", "");
    rig.append("a.log", "one\n");
    rig.check(&["one\n"]);
    rig.append("a.log", "two\n");
    rig.running.positions().mark_changed();
    let saved = rig.running.positions().take_changes(0).unwrap();
    // Out of reach at the moment of opening (permissions would not keep root out).
    let listing = rig.running.flow.files.list();
    (rig.running, rig.tailer, rig.receiver) = tailer(&rig.keys.replace("a.log", "none"), Some(Vec::new()));
    let out_of_reach = tempfile::tempdir().unwrap();
    fs::rename(rig.path("a.log"), out_of_reach.path().join("a.log")).unwrap();
    rig.tailer.resume(listing, saved);
    fs::rename(out_of_reach.path().join("a.log"), rig.path("a.log")).unwrap();
    rig.rename("a.log", "none");
    rig.check(&["two\n"]);
}

#[test]
fn copytruncate_with_the_copy_found_after() {
    let mut rig = Rig::new("a.log*", "");
    rig.append("a.log", "one\n");
    rig.check(&["one\n"]);
    rig.append("a.log", "two\n");
    fs::copy(rig.path("a.log"), rig.path("a.log.1")).unwrap();
    fs::write(rig.path("a.log"), "").unwrap();
    rig.check(&["two\n"]);
    rig.append("a.log", "three\n");
    rig.check(&["three\n"]);
    rig.restart(true);
    rig.check(&[]);
}

#[test]
fn copytruncate_out_of_the_pattern() {
    let mut rig = Rig::new("a.log", "");
    rig.append("a.log", "one\n");
    rig.check(&["one\n"]);
    rig.append("a.log", "two\n");
    fs::copy(rig.path("a.log"), rig.path("a.log.1")).unwrap();
    fs::write(rig.path("a.log"), "3\n").unwrap();
    let mut read = rig.read();
    read.sort();
    assert_eq!(read, ["3\n", "two\n"]);
}

#[test]
fn copytruncate_with_the_copy_found_before() {
    let mut rig = Rig::new("a.log*", "");
    rig.append("a.log", "one\ntwo\n");
    rig.check(&["one\n", "two\n"]);
    fs::copy(rig.path("a.log"), rig.path("a.log.1")).unwrap();
    rig.check(&[]);
    fs::write(rig.path("a.log"), "three\n").unwrap();
    rig.check(&["three\n"]);
}

#[test]
fn copytruncate_of_a_file_that_was_idle() {
    let mut rig = Rig::new("a.log*", "");
    rig.append("a.log", "one\ntwo\n");
    rig.check(&["one\n", "two\n"]);
    rig.pass_time(file::IDLE_CLOSE);
    rig.check(&[]);
    assert!(rig.tailer.files[0].file.is_none());
    fs::copy(rig.path("a.log"), rig.path("a.log.1")).unwrap();
    rig.check(&[]);
    // No directory changes with a truncation.
    fs::write(rig.path("a.log"), "three\n").unwrap();
    rig.tailer.refreshed = Some(Instant::now());
    rig.tailer.pass();
    rig.check(&["three\n"]);
}

#[test]
fn a_copy_without_truncation_is_a_file_of_its_own() {
    let mut rig = Rig::new("*", "");
    rig.append("a", "one\n");
    rig.check(&["one\n"]);
    fs::copy(rig.path("a"), rig.path("b")).unwrap();
    rig.check(&[]);
    rig.pass_time(Duration::from_secs(2));
    rig.check(&["one\n"]);
}

#[test]
fn copytruncate_while_the_agent_is_down() {
    let mut rig = Rig::new("a.log*", "");
    rig.append("a.log", "one\n");
    rig.check(&["one\n"]);
    rig.append("a.log", "two\n");
    fs::copy(rig.path("a.log"), rig.path("a.log.1")).unwrap();
    fs::write(rig.path("a.log"), "3\n").unwrap();
    rig.restart(true);
    let mut read = rig.read();
    read.sort();
    assert_eq!(read, ["3\n", "two\n"]);
}

#[test]
fn copytruncate_just_before_a_stop() {
    let mut rig = Rig::new("a.log*", "");
    rig.append("a.log", "one\n");
    rig.check(&["one\n"]);
    rig.append("a.log", "two\n");
    fs::copy(rig.path("a.log"), rig.path("a.log.1")).unwrap();
    fs::write(rig.path("a.log"), "").unwrap();
    // The truncation is seen, the copy is not yet.
    rig.tailer.pass();
    rig.append("a.log", "three\n");
    rig.restart(true);
    let mut read = rig.read();
    read.sort();
    assert_eq!(read, ["three\n", "two\n"]);
}

#[test]
fn truncated_and_refilled_longer_between_two_looks() {
    let mut rig = Rig::new("a.log", "");
    rig.append("a.log", "one\n");
    rig.check(&["one\n"]);
    fs::write(rig.path("a.log"), "another content\n").unwrap();
    rig.check(&["another content\n"]);
    fs::write(rig.path("a.log"), "x\n").unwrap();
    rig.check(&["x\n"]);
}

#[test]
fn restart_goes_on_at_the_low_water_mark() {
    let mut rig = Rig::new("a.log*", "");
    rig.append("a.log", "one\n");
    rig.check(&["one\n"]);
    rig.append("a.log", "two\n");
    rig.restart(true);
    rig.check(&["two\n"]);
    rig.append("a.log", "three\n");
    rig.tailer.pass();
    rig.restart(false);
    rig.check(&["three\n"]);
    rig.rename("a.log", "a.log.1");
    rig.append("a.log.1", "four\n");
    rig.append("a.log", "five\n");
    rig.restart(true);
    let mut read = rig.read();
    read.sort();
    assert_eq!(read, ["five\n", "four\n"]);
}

#[test]
fn renamed_out_of_the_pattern_while_the_agent_is_down() {
    let mut rig = Rig::new("a.log", "");
    rig.append("a.log", "one\n");
    rig.check(&["one\n"]);
    rig.append("a.log", "two\n");
    rig.rename("a.log", "a.log.1");
    rig.append("a.log", "three\n");
    rig.restart(true);
    let mut read = rig.read();
    read.sort();
    assert_eq!(read, ["three\n", "two\n"]);
}

#[test]
fn made_and_renamed_out_of_the_pattern_while_the_agent_is_down() {
    let year_2200 = 7_258_118_400;
    for (seen, expected) in [(0, &["four\n", "one\n", "three\n", "two\n"][..]), (year_2200, &["four\n", "one\n"])] {
        let mut rig = Rig::new("a.log", "");
        if Known::of(&fs::metadata(rig.root.path()).unwrap()).born == 0 {
            return; // This file system does not say when a file was made.
        }
        rig.append("a.log", "zero\n");
        rig.check(&["zero\n"]);
        rig.append("a.log", "one\n");
        rig.rename("a.log", "a.log.3");
        for (text, name) in
            [("two\n", "a.log-20260101"), ("three\n", "a.log.1"), ("no\n", "a.log.old"), ("no\n", "b.log.1")]
        {
            rig.append(name, text);
        }
        rig.append("a.log.4.gz", "no\n");
        rig.append("a.log.5", "unpacked\n");
        let unpacked = OpenOptions::new().write(true).open(rig.path("a.log.5")).unwrap();
        unpacked.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
        rig.append("a.log", "four\n");
        rig.restart_after(true, seen);
        let mut read = rig.read();
        read.sort();
        assert_eq!(read, expected, "{seen}");
        rig.restart_after(true, seen);
        rig.check(&[]);
    }
}

#[test]
fn truncated_again_and_again_while_the_destination_takes_nothing() {
    let mut rig = Rig::new("a.log", ", \"publishQueueCapacity\": 1, \"maxBufferSizeRecords\": 1");
    rig.append("a.log", "one\ntwo\nthree\n");
    for (old, new) in [("a.log.1", "four\n"), ("a.log.2", "five\n"), ("a.log.3", "six\n")] {
        rig.tailer.refreshed = None;
        rig.tailer.refresh_if_due();
        rig.tailer.pass();
        fs::copy(rig.path("a.log"), rig.path(old)).unwrap();
        fs::write(rig.path("a.log"), new).unwrap();
    }
    // What was handed on is acknowledged only now; each look finds room for a batch or two.
    let mut read: Vec<_> = (0..20).flat_map(|_| rig.read()).collect();
    read.sort();
    assert_eq!(read, ["five\n", "four\n", "one\n", "six\n", "three\n", "two\n"]);
}
