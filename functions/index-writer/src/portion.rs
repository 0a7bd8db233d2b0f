//! The lines of an object that are committed together.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use ledger::SourceId;
use search_index::write::{DocumentId, Op, Part};

use crate::document::{PARSING, Reader};
use crate::event::Replay;
use crate::failed::Failure;
use crate::lake::Identity;
use crate::lines::{Line, MAX_LINE_BYTES};
use crate::rules::Rule;

/// Lines of a portion at most: a commit has room for 2²⁰ operations. Together with [`MAX_PORTION_BYTES`] this decides where an
/// object is cut, and an object that comes again must be cut in the same places: neither may change.
pub const MAX_PORTION_LINES: usize = 1 << 19;

/// Bytes of a portion's lines, after which it ends.
pub const MAX_PORTION_BYTES: usize = 64 * 1024 * 1024;

/// A line that became an operation.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its number, from 1.
    pub line: u64,
    /// The line.
    pub raw: Bytes,
}

/// What a portion has for one index.
#[derive(Debug, Default)]
pub struct Share {
    /// In the order of the lines.
    pub part: Part,
    /// Of each operation.
    pub origins: Vec<Origin>,
}

/// A portion, ready to be committed.
#[derive(Debug)]
pub struct Portion {
    /// The object.
    pub source: Arc<Identity>,
    /// The number of its first line.
    pub first_line: u64,
    /// Asked for by `logmill replay`.
    pub replay: Option<Replay>,
    /// Its rule.
    pub rule: Arc<Rule>,
    /// By index.
    pub shares: BTreeMap<String, Share>,
    /// Lines that no index gets.
    pub failures: Vec<Failure>,
    /// Lines.
    pub lines: usize,
    /// Their bytes.
    pub bytes: usize,
}

impl Portion {
    /// An empty one.
    pub fn new(source: Arc<Identity>, first_line: u64, rule: Arc<Rule>, replay: Option<Replay>) -> Portion {
        let (shares, failures) = (BTreeMap::new(), Vec::new());
        Portion { source, first_line, replay, rule, shares, failures, lines: 0, bytes: 0 }
    }

    /// Whether it ends here.
    pub fn is_full(&self) -> bool {
        self.lines >= MAX_PORTION_LINES || self.bytes >= MAX_PORTION_BYTES
    }

    /// Takes the next line.
    pub fn add(&mut self, reader: &mut Reader<'_>, line: Line) {
        let number = self.first_line + self.lines as u64;
        self.lines += 1;
        let wanted = |replay: &Replay| replay.lines.as_ref().is_none_or(|lines| lines.contains(&number));
        let wanted = self.replay.as_ref().is_none_or(wanted);
        let raw = match line {
            Line::Text(raw) => raw,
            Line::TooLong if wanted => {
                let reason = format!("the line has more than {MAX_LINE_BYTES} bytes");
                return self.fail(number, None, "line_too_long", reason, None);
            }
            Line::TooLong => return,
        };
        self.bytes += raw.len();
        if !wanted {
            return;
        }
        match reader.read(number, &raw) {
            Ok(None) => {}
            Ok(Some(document)) => {
                let share = self.shares.entry(document.index).or_default();
                share.part.ops.push(document.op);
                share.origins.push(Origin { line: number, raw });
            }
            Err(undecidable) => self.fail(number, undecidable.index, PARSING, undecidable.reason, Some(raw)),
        }
    }

    fn fail(&mut self, line: u64, index: Option<String>, kind: &'static str, reason: String, raw: Option<Bytes>) {
        self.failures.push(Failure { line: Some(line), index, kind: kind.into(), reason, raw });
    }

    /// Gives every part its source. Lines that are asked for one by one were refused before: their source is known already, so they
    /// go without, under ids that are looked up.
    pub fn seal(&mut self) {
        let id = match self.first_line {
            1 => SourceId::object(&self.source.bucket, &self.source.key, &self.source.etag),
            line => SourceId::object(&self.source.bucket, &self.source.key, &format!("{}#{line}", self.source.etag)),
        };
        let by_line = self.replay.as_ref().is_some_and(|replay| replay.lines.is_some());
        for share in self.shares.values_mut() {
            if by_line {
                forget_source(&mut share.part);
            } else {
                share.part.source = Some((id, self.source.modified));
            }
        }
    }

    /// The name of this portion among the object's: of its failures.
    pub fn name(&self) -> String {
        let replayed = if self.replay.is_some() { "-replay" } else { "" };
        format!("{}{replayed}", self.first_line)
    }
}

/// Makes a part independent of what the index remembers: documents with ids from their source are created unless they are there.
pub fn forget_source(part: &mut Part) {
    part.source = None;
    for op in &mut part.ops {
        let (Op::Index { id, source, .. } | Op::Create { id, source }) = op else { continue };
        if let DocumentId::Source(given) = id {
            *op = Op::Create { id: DocumentId::Given(std::mem::take(given)), source: source.clone() };
        }
    }
}
