//! A flow's reading loop, on a thread of its own (files have no asynchronous reads worth having).
//!
//! Look at the files (`file`), list the directories when something moved in them (`refresh`), read a block of each file that has
//! news, split it into records (`split`), shape them (`record`) and put them into the outbox; when that has no room, nothing is
//! read. All files of the pattern are followed at once. One read buffer serves them all and is given back when there is
//! nothing to do.

mod copies;
mod file;
mod missed;
mod refresh;
mod split;
mod trouble;

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc::UnboundedSender;
use tracing::{info, warn};

use crate::batch::{Batch, Outbox};
use crate::checkpoint::Entry;
use crate::flow::{Running, add, set};
use crate::pattern::LinePattern;
use crate::positions::FileKey;
use crate::record::{Notes, Shaped, Shaper};
use file::{Followed, Look};
use split::Splitter;
use trouble::Trouble;

/// Bytes read at once; a longer record makes its own reads longer.
const BLOCK: usize = 256 << 10;
/// Blocks of one file before the next file has its turn.
const BLOCKS_PER_TURN: usize = 16;
/// With `multiLineStartPattern`: a record that nothing has followed for this long is complete. (The original hands it out at
/// once and cuts stack traces in two.)
const MULTI_LINE_FLUSH: Duration = Duration::from_secs(3);
/// With more files than this, quiet ones are looked at less often.
const MANY_FILES: usize = 64;
/// The shortest pause, where the configuration says 0.
const SHORTEST_POLL: Duration = Duration::from_millis(1);

/// The reader of a flow.
pub struct Tailer {
    running: Arc<Running>,
    outbox: Outbox,
    shaper: Shaper,
    splitter: Splitter,
    /// The longest record that is looked at whole: a call's size, as in the original.
    longest: usize,
    host: String,
    files: Vec<Followed>,
    /// Positions of files that were truncated: their old content may be found in a copy.
    orphans: Vec<Orphan>,
    /// Directories looked into, with the time of their last change if that is sure to be the last.
    directories: Vec<(PathBuf, Option<SystemTime>)>,
    refreshed: Option<Instant>,
    /// Files that cannot be opened, so that each is reported once.
    unreadable: HashSet<PathBuf>,
    trouble: Trouble,
    buffer: Vec<u8>,
    turn: usize,
}

struct Orphan {
    key: FileKey,
    entry: Entry,
    since: Instant,
}

/// What became of a record.
#[derive(PartialEq)]
enum Taken {
    Yes,
    NoRoom,
    Footer,
}

/// What became of a file's turn.
#[derive(PartialEq)]
enum Turn {
    Read,
    Nothing,
    NoRoom,
}

impl Tailer {
    /// Finds the files and their positions, without reading records. `saved` are the files of the flow's checkpoint, if
    /// there is one.
    pub fn new(
        running: Arc<Running>,
        sender: UnboundedSender<Batch>,
        host: &str,
        saved: Option<Vec<Entry>>,
    ) -> Result<Tailer, line_convert::ConfigError> {
        let flow = &running.flow;
        let mut tailer = Tailer {
            outbox: Outbox::new(running.clone(), sender),
            shaper: Shaper::new(flow)?,
            splitter: Splitter::new(flow.multi_line_start.clone()),
            longest: flow.destination.limits().bytes,
            host: host.to_owned(),
            files: Vec::new(),
            orphans: Vec::new(),
            directories: Vec::new(),
            refreshed: None,
            unreadable: HashSet::new(),
            trouble: Trouble::default(),
            buffer: Vec::new(),
            turn: 0,
            running,
        };
        tailer.start(saved);
        Ok(tailer)
    }

    /// Reads until the flow is stopped; then hands on what is read.
    pub fn run(mut self) {
        while !self.running.is_stopping() {
            self.refresh_if_due();
            let read = self.pass();
            self.outbox.close_if_old();
            self.report_behind();
            if !read {
                self.rest();
                self.running.budget.wait(self.running.flow.poll.max(SHORTEST_POLL));
            }
        }
        while !self.running.is_aborted() && !self.outbox.flush() {
            self.running.budget.wait(SHORTEST_POLL);
        }
    }

    /// Gives memory back while there is nothing to do.
    fn rest(&mut self) {
        if !self.buffer.is_empty() {
            self.buffer = Vec::new();
            self.shaper.rest();
        }
    }

    /// A turn for every file; whether anything was read.
    fn pass(&mut self) -> bool {
        let mut any = false;
        let count = self.files.len();
        let first = self.turn;
        for step in 0..count {
            if self.running.is_stopping() {
                break;
            }
            let index = (first + step) % count;
            // Without room too: what is not seen before it is truncated is never found in its copy.
            self.look(index);
            if !self.outbox.has_room() {
                continue;
            }
            match self.turn_of(index) {
                Ok(turn) => {
                    self.files[index].failing = false;
                    any |= turn == Turn::Read;
                    if turn == Turn::NoRoom {
                        // Who stopped for want of room is not always first again.
                        self.turn = index + 1;
                    }
                }
                Err(error) => self.report_failure(index, &error),
            }
        }
        any
    }

    fn report_failure(&mut self, index: usize, error: &io::Error) {
        let file = &mut self.files[index];
        if !std::mem::replace(&mut file.failing, true) {
            warn!("{} cannot be read, trying again: {error}", file.path.display());
        }
    }

    fn look(&mut self, index: usize) {
        let quiet = self.files.len() > MANY_FILES;
        let file = &mut self.files[index];
        if quiet && file.grown.elapsed() > file::QUIET_AFTER && file.polled.elapsed() < file::QUIET_POLL {
            return;
        }
        let looked = file.look().and_then(|look| Ok((look, file.lengthen_fingerprint()?)));
        match looked {
            Ok((Look::Truncated, _)) => self.truncated(index),
            Ok((Look::Same, longer)) => {
                if longer {
                    let (key, fingerprint) = (file.key, file.fingerprint);
                    self.running.recognise(key, fingerprint);
                }
                self.check_copy(index);
            }
            Err(error) => self.report_failure(index, &error),
        }
    }

    fn turn_of(&mut self, index: usize) -> io::Result<Turn> {
        let mut turn = Turn::Nothing;
        for _ in 0..BLOCKS_PER_TURN {
            let file = &self.files[index];
            let flush = !file.has_news() && self.is_flush_due(file);
            if !file.has_news() && !flush {
                break;
            }
            match self.read_block(index, flush)? {
                Turn::Read => turn = Turn::Read,
                Turn::Nothing => break,
                Turn::NoRoom => return Ok(Turn::NoRoom),
            }
            if self.running.is_stopping() {
                break;
            }
        }
        Ok(turn)
    }

    /// Whether the record at the end is to be sent though its end was not seen.
    fn is_flush_due(&self, file: &Followed) -> bool {
        let pending = !file.ended && file.held.is_none() && file.size > file.offset && file.file.is_some();
        pending
            && (file.is_over() || self.splitter.is_multi_line() && file.grown.elapsed() >= MULTI_LINE_FLUSH)
            && file.discarding_from.is_none()
    }

    /// Reads once at the file's offset and takes the records.
    fn read_block(&mut self, index: usize, flush: bool) -> io::Result<Turn> {
        if self.shaper.needs_ids() && self.files[index].line_id.is_none() {
            let file = &mut self.files[index];
            let id = Some(file.make_line_id(&self.host)?.to_owned());
            self.running.positions().identify(file.key, |entry| entry.line_id = id);
        }
        let file = &mut self.files[index];
        let want = file.want.clamp(BLOCK, self.longest);
        if self.buffer.len() < want {
            self.buffer.resize(want, 0);
        }
        let Some(handle) = &file.file else { return Ok(Turn::Nothing) };
        let count = handle.read_at(&mut self.buffer[..want], file.offset)?;
        if count == 0 {
            // Truncated since the look; the next look says so.
            file.scanned = file.size;
            return Ok(Turn::Nothing);
        }
        let buffer = std::mem::take(&mut self.buffer);
        let (consumed, room) = self.take_records(index, &buffer[..count], flush);
        self.buffer = buffer;
        let file = &mut self.files[index];
        file.offset += consumed as u64;
        file.size = file.size.max(file.offset);
        let at_end = file.offset - consumed as u64 + count as u64 >= file.size;
        file.scanned = if at_end && room { file.size } else { file.offset };
        // A record longer than what was read: read more of it at once.
        file.want = if consumed == 0 && room && !at_end { want * 2 } else { 0 };
        self.running.positions().consumed(file.key, file.offset, file.discarding_from);
        if !room {
            return Ok(Turn::NoRoom);
        }
        Ok(if consumed > 0 || !at_end { Turn::Read } else { Turn::Nothing })
    }

    /// Takes the records of a block that starts at the file's offset: bytes consumed, and whether there was room for all.
    fn take_records(&mut self, index: usize, data: &[u8], flush: bool) -> (usize, bool) {
        let base = self.files[index].offset;
        let Some(mut at) = self.header(base, data) else { return (0, true) };
        while at < data.len() {
            let rest = &data[at..];
            let from = base + at as u64;
            if self.files[index].discarding_from.is_some() {
                let (length, over) = self.splitter.discard(rest);
                at += length;
                if !over {
                    break;
                }
                self.files[index].discarding_from = None;
                continue;
            }
            let whole = self.splitter.next(rest);
            let runaway = whole.is_none() && rest.len() >= self.longest;
            let Some(length) =
                whole.or_else(|| runaway.then_some(self.longest)).or_else(|| self.last(index, rest, flush))
            else {
                break;
            };
            let taken = if rest[length - 1] == b'\n' || runaway {
                self.take_record(index, &rest[..length], from)
            } else {
                self.take_record(index, &[&rest[..length], b"\n"].concat(), from)
            };
            match taken {
                Taken::NoRoom => return (at, false),
                Taken::Footer => {
                    self.files[index].ended = true;
                    break;
                }
                Taken::Yes => at += length,
            }
            if runaway {
                let path = self.files[index].path.display();
                warn!("Runaway record: {path} at offset {from} is longer than {length} bytes, the rest is dropped");
                self.files[index].discarding_from = Some(base + at as u64);
            }
        }
        (at, true)
    }

    /// Length of the header lines at the start of a file; `None`: they are not all there.
    fn header(&self, base: u64, data: &[u8]) -> Option<usize> {
        let lines = self.running.flow.skip_header_lines;
        if base > 0 || lines == 0 {
            return Some(0);
        }
        let end = memchr::memchr_iter(b'\n', data).nth(lines - 1).map(|at| at + 1);
        // Longer than the longest record it is no header: go on with the records.
        end.or_else(|| (data.len() >= self.longest).then_some(0))
    }

    /// Length of the last record of a file, whose end is not there, when it is to be sent.
    fn last(&self, index: usize, rest: &[u8], flush: bool) -> Option<usize> {
        if !flush {
            return None;
        }
        if self.files[index].is_over() { Some(rest.len()) } else { self.splitter.pending(rest) }
    }

    fn take_record(&mut self, index: usize, record: &[u8], from: u64) -> Taken {
        let file = &self.files[index];
        let counters = &self.running.counters;
        if self.running.flow.footer.as_ref().is_some_and(|footer| is_footer(footer, record)) {
            info!("{}: footer at offset {from}, the rest of the file is not read", file.path.display());
            return Taken::Footer;
        }
        let id = || format!("{}-{from}-{}", file.line_id.as_deref().unwrap_or_default(), from + record.len() as u64);
        match self.shaper.shape(record, id) {
            Shaped::Skip => {
                add(&counters.skipped, 1);
                let path = file.path.display();
                let line =
                    format_args!("1 record parsed but skipped for processing and delivering: {path} at offset {from}");
                self.trouble.report(line);
            }
            Shaped::Record { data, key, notes } => {
                if !self.outbox.push(data, key, file.key, from) {
                    return Taken::NoRoom;
                }
                if notes != Notes::default() {
                    note(&self.running, &mut self.trouble, file, from, data.len(), notes);
                }
            }
        }
        add(&counters.parsed, 1);
        add(&counters.bytes, record.len() as u64);
        Taken::Yes
    }

    fn report_behind(&self) {
        let counters = &self.running.counters;
        set(&counters.bytes_behind, self.files.iter().map(Followed::behind).sum());
        let new = self.files.iter().filter(|file| file.offset == 0 && file.size > 0 && !file.ended).count();
        set(&counters.files_behind, new as u64);
    }
}

fn is_footer(footer: &LinePattern, record: &[u8]) -> bool {
    footer.is_match(record.trim_ascii())
}

fn note(running: &Running, trouble: &mut Trouble, file: &Followed, from: u64, length: usize, notes: Notes) {
    let counters = &running.counters;
    let path = file.path.display();
    add(&counters.transformed, u64::from(notes.transformed));
    add(&counters.without_id, u64::from(notes.without_id));
    if let Some(reason) = notes.raw {
        add(&counters.raw, 1);
        trouble.report(format_args!("{path} at offset {from}: not converted, sent as it is: {reason}"));
    }
    if let Some(before) = notes.truncated_from {
        add(&counters.truncated, 1);
        trouble.report(format_args!("{path} at offset {from}: record of {before} bytes truncated to {length}"));
    }
}

#[cfg(test)]
mod tests;
