//! What processes print: line by line into the function's log group, written in batches; the last of it is kept for
//! `X-Amz-Log-Type: Tail`.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;

use crate::clock::now_ms;
use crate::services::logs;
use crate::store::Store;

/// The longest line that is one event, bytes (Lambda cuts at 256 KB); a longer one becomes several.
const MAX_LINE: usize = 256 * 1024;

/// How much `LogResult` holds, bytes (Lambda Invoke API: the last 4 KB).
const TAIL: usize = 4 * 1024;

/// Bytes of lines that wait to be written; over this the processes' pipes are not read, so that they wait.
const MAX_QUEUED: usize = 4 * 1024 * 1024;

/// Bytes of one write: a transaction that does not keep the others waiting.
const MAX_WRITE: usize = 512 * 1024;

struct Line {
    group: Arc<str>,
    stream: Arc<str>,
    at: i64,
    text: String,
}

/// Events (epoch ms, message) by group and stream.
type Batch = BTreeMap<(Arc<str>, Arc<str>), Vec<(i64, String)>>;

/// Lines on their way to the log groups.
#[derive(Default)]
pub struct LogQueue {
    queued: Mutex<(VecDeque<Line>, usize)>,
    filled: Notify,
    drained: Notify,
}

impl LogQueue {
    fn push(&self, line: Line) {
        let mut queued = lock(&self.queued);
        queued.1 += line.text.len();
        queued.0.push_back(line);
        drop(queued);
        self.filled.notify_one();
    }

    async fn wait_for_room(&self) {
        loop {
            let drained = self.drained.notified();
            if lock(&self.queued).1 < MAX_QUEUED {
                return;
            }
            drained.await;
        }
    }

    /// Writes what is queued, whenever there is something.
    pub async fn run(&self, store: Store) {
        loop {
            self.filled.notified().await;
            self.flush(&store).await;
        }
    }

    /// Writes what is queued now.
    pub async fn flush(&self, store: &Store) {
        loop {
            let batch = self.take();
            if batch.is_empty() {
                return;
            }
            let written = store.write(move |tx| {
                for ((group, stream), events) in &batch {
                    logs::append(tx, group, stream, events)?;
                }
                Ok(())
            });
            if let Err(error) = written.await {
                tracing::warn!(%error, "lines that functions printed were not written to their log groups");
            }
            self.drained.notify_waiters();
        }
    }

    fn take(&self) -> Batch {
        let mut batch = Batch::new();
        let mut bytes = 0;
        let mut queued = lock(&self.queued);
        while bytes < MAX_WRITE
            && let Some(line) = queued.0.pop_front()
        {
            bytes += line.text.len();
            batch.entry((line.group, line.stream)).or_default().push((line.at, line.text));
        }
        queued.1 -= bytes;
        batch
    }
}

/// What one process prints.
pub struct Output {
    queue: Arc<LogQueue>,
    group: Arc<str>,
    stream: Arc<str>,
    pipes: [Pipe; 2],
    tail: Mutex<VecDeque<u8>>,
}

/// One end of a pipe that does not block, and the line that is not complete yet.
struct Pipe {
    fd: AsyncFd<File>,
    partial: Mutex<Vec<u8>>,
}

impl Output {
    /// Over a process's standard output and error.
    pub fn new(queue: Arc<LogQueue>, group: &str, stream: &str, pipes: [OwnedFd; 2]) -> std::io::Result<Arc<Output>> {
        let [out, err] = pipes.map(|fd| {
            // SAFETY: the file owns its descriptor, and nobody takes it out of the `AsyncFd`.
            let fd = unsafe { AsyncFd::register_with_interest(File::from(fd), Interest::READABLE) };
            Ok::<_, std::io::Error>(Pipe { fd: fd.map_err(|e| e.into_parts().1)?, partial: Mutex::default() })
        });
        Ok(Arc::new(Output {
            queue,
            group: group.into(),
            stream: stream.into(),
            pipes: [out?, err?],
            tail: Mutex::default(),
        }))
    }

    /// Reads both pipes until they are closed.
    pub async fn run(self: Arc<Self>) {
        futures::future::join(self.follow(&self.pipes[0]), self.follow(&self.pipes[1])).await;
    }

    async fn follow(&self, pipe: &Pipe) {
        loop {
            self.queue.wait_for_room().await;
            let Ok(mut ready) = pipe.fd.readable().await else { return };
            match self.read(pipe) {
                Ok(0) => return,
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => ready.clear_ready(),
                Err(_) => return,
            }
        }
    }

    /// Takes what is in the pipes at this moment: a process has written its lines before it answers.
    pub fn catch_up(&self) {
        for pipe in &self.pipes {
            while matches!(self.read(pipe), Ok(1..)) {}
        }
    }

    /// The last lines of a process that is gone may lack their end.
    pub fn finish(&self) {
        self.catch_up();
        for pipe in &self.pipes {
            let rest = std::mem::take(&mut *lock(&pipe.partial));
            if !rest.is_empty() {
                self.line(&rest);
            }
        }
    }

    fn read(&self, pipe: &Pipe) -> std::io::Result<usize> {
        let mut partial = lock(&pipe.partial);
        let mut buffer = [0; 16 * 1024];
        let n = pipe.fd.get_ref().read(&mut buffer)?;
        partial.extend_from_slice(&buffer[..n]);
        let mut rest = partial.as_slice();
        while let Some(end) = rest.iter().position(|b| *b == b'\n').or((rest.len() >= MAX_LINE).then_some(MAX_LINE)) {
            self.line(&rest[..end]);
            let newline = usize::from(rest.get(end) == Some(&b'\n'));
            rest = &rest[end + newline..];
        }
        let kept = rest.len();
        let done = partial.len() - kept;
        partial.drain(..done);
        Ok(n)
    }

    /// A line of the platform's own, or one of the process.
    pub fn line(&self, text: &[u8]) {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        {
            let mut tail = lock(&self.tail);
            tail.extend(text);
            tail.push_back(b'\n');
            let excess = tail.len().saturating_sub(TAIL);
            tail.drain(..excess);
        }
        // An event of a log group has at least one character.
        let text = if text.is_empty() { " ".to_owned() } else { String::from_utf8_lossy(text).into_owned() };
        let (group, stream) = (self.group.clone(), self.stream.clone());
        self.queue.push(Line { group, stream, at: now_ms(), text });
    }

    /// The tail since the last call.
    pub fn take_tail(&self) -> String {
        let tail: Vec<u8> = std::mem::take(&mut *lock(&self.tail)).into();
        String::from_utf8_lossy(&tail).into_owned()
    }
}

/// The data behind these locks is whole at every step: a panic of another holder does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn pipe() -> (File, OwnedFd) {
        let (reader, writer) = std::io::pipe().unwrap();
        let reader = OwnedFd::from(reader);
        // SAFETY: the descriptor is open; O_NONBLOCK is a flag of it.
        assert_eq!(
            unsafe { libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(&reader), libc::F_SETFL, libc::O_NONBLOCK) },
            0
        );
        (File::from(OwnedFd::from(writer)), reader)
    }

    #[tokio::test]
    async fn lines_are_cut_at_their_ends_and_at_the_limit() {
        let queue = Arc::new(LogQueue::default());
        let (mut out, out_end) = pipe();
        let (mut err, err_end) = pipe();
        let output = Output::new(queue.clone(), "g", "s", [out_end, err_end]).unwrap();
        out.write_all(b"one\r\n\nthr").unwrap();
        err.write_all(b"wrong\n").unwrap();
        output.catch_up();
        out.write_all(b"ee\nno end").unwrap();
        drop((out, err));
        output.finish();
        let lines: Vec<String> = queue.take().into_values().flatten().map(|(_, text)| text).collect();
        assert_eq!(lines, ["one", " ", "wrong", "three", "no end"]);
        assert_eq!(output.take_tail(), "one\n\nwrong\nthree\nno end\n");
        assert_eq!(output.take_tail(), "");

        output.line(&[b'x'; TAIL * 2]);
        assert_eq!(output.take_tail().len(), TAIL);
    }
}
