//! Records gathered up to what one call may hold, and the way of a full batch to the sender.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;

use crate::flow::Running;
use crate::positions::{BatchId, FileKey};
use crate::sink::Record;

/// First size of a batch's memory; it grows to what is needed and is freed with the batch.
const FIRST_BYTES: usize = 64 << 10;

/// A batch on its way. Records leave it when they are acknowledged.
#[derive(Debug)]
pub struct Batch {
    /// Its number within the flow.
    pub id: BatchId,
    /// Its bytes in the budget, as it was closed.
    pub bytes: usize,
    data: Bytes,
    records: Vec<Buffered>,
    files: Vec<FileKey>,
}

#[derive(Debug)]
struct Buffered {
    range: Range<usize>,
    key: Option<String>,
    file: FileKey,
    from: u64,
}

impl Batch {
    /// The records of a call.
    pub fn to_records(&self) -> Vec<Record> {
        let record = |one: &Buffered| Record { data: self.data.slice(one.range.clone()), key: one.key.clone() };
        self.records.iter().map(record).collect()
    }

    /// Records not acknowledged yet.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether all are acknowledged.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Takes out the records that were stored and tells the positions.
    pub fn acknowledge(&mut self, failed: impl Fn(usize) -> bool, running: &Running) {
        let mut index = 0;
        self.records.retain(|_| {
            index += 1;
            failed(index - 1)
        });
        let mut positions = running.positions();
        for file in &self.files {
            let lowest = self.records.iter().find(|record| record.file == *file).map(|record| record.from);
            positions.acknowledged(*file, self.id, lowest);
        }
    }
}

/// Where the tailer puts its records.
pub struct Outbox {
    running: Arc<Running>,
    sender: UnboundedSender<Batch>,
    open: Option<Open>,
    /// A full batch that waits for room in the budget. Nothing is read then.
    closed: Option<Batch>,
    next_id: BatchId,
}

struct Open {
    since: Instant,
    id: BatchId,
    data: Vec<u8>,
    records: Vec<Buffered>,
    files: Vec<FileKey>,
    key_bytes: usize,
}

impl Outbox {
    /// An empty one.
    pub fn new(running: Arc<Running>, sender: UnboundedSender<Batch>) -> Outbox {
        Outbox { running, sender, open: None, closed: None, next_id: 0 }
    }

    /// Adds a record that starts at `from`. `false`: there is no room now, and it was not added.
    pub fn push(&mut self, data: &[u8], key: Option<String>, file: FileKey, from: u64) -> bool {
        if let Some(open) = &mut self.open {
            if open.join(data, file, self.running.flow.aggregate_bytes) {
                return true;
            }
            let flow = &self.running.flow;
            let bytes = open.bytes() + data.len() + key.as_ref().map_or(0, String::len);
            if open.records.len() >= flow.max_buffer_records || bytes > flow.max_buffer_bytes {
                self.close();
            }
        }
        if !self.submit() {
            return false;
        }
        let open = self.open.get_or_insert_with(|| {
            self.next_id += 1;
            Open {
                since: Instant::now(),
                id: self.next_id,
                data: Vec::with_capacity(FIRST_BYTES),
                records: Vec::new(),
                files: Vec::new(),
                key_bytes: 0,
            }
        });
        if open.files.last() != Some(&file) && !open.files.contains(&file) {
            open.files.push(file);
            self.running.positions().opened(file, open.id, from);
        }
        open.key_bytes += key.as_ref().map_or(0, String::len);
        let start = open.data.len();
        open.data.extend_from_slice(data);
        open.records.push(Buffered { range: start..open.data.len(), key, file, from });
        true
    }

    /// Closes the open batch if it is old enough, and hands on what is closed.
    pub fn close_if_old(&mut self) {
        let age = self.running.flow.max_buffer_age;
        if self.closed.is_none() && self.open.as_ref().is_some_and(|open| open.since.elapsed() >= age) {
            self.close();
        }
        self.submit();
    }

    /// Hands everything on; `false`: call again when there is room.
    pub fn flush(&mut self) -> bool {
        if self.closed.is_none() {
            self.close();
        }
        self.submit() && self.open.is_none()
    }

    /// Whether a record could be added.
    pub fn has_room(&mut self) -> bool {
        self.submit()
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        self.closed = Some(Batch {
            id: open.id,
            bytes: open.bytes(),
            data: Bytes::from(open.data),
            records: open.records,
            files: open.files,
        });
    }

    fn submit(&mut self) -> bool {
        let Some(batch) = &self.closed else { return true };
        if !self.running.budget.take(batch.bytes) {
            return false;
        }
        if let Some(batch) = self.closed.take() {
            // The receiver is gone only when the agent ends.
            self.sender.send(batch).ok();
        }
        true
    }
}

impl Open {
    fn bytes(&self) -> usize {
        self.data.len() + self.key_bytes
    }

    /// `aggregatedRecordSizeBytes`: lines of one file that follow each other are one record up to that size.
    fn join(&mut self, data: &[u8], file: FileKey, up_to: usize) -> bool {
        let Some(last) = self.records.last_mut().filter(|_| up_to > 0) else { return false };
        if last.file != file || last.range.len() + data.len() > up_to {
            return false;
        }
        self.data.extend_from_slice(data);
        last.range.end = self.data.len();
        true
    }
}

#[cfg(test)]
mod tests;
