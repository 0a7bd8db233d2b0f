//! The lines of an object, gzip or plain, as its bytes arrive.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;

/// Most bytes of an object once it is decompressed: eight times what Firehose buffers at most (128 MiB).
pub const MAX_OBJECT_BYTES: u64 = 1024 * 1024 * 1024;

/// Most bytes out for a byte in, above [`RATIO_FREE_BYTES`]. Log text compresses 5 to 100 times, a bomb 1,000 times.
pub const MAX_RATIO: u64 = 500;

/// Objects that come to less than this may have any ratio.
pub const RATIO_FREE_BYTES: u64 = 16 * 1024 * 1024;

/// Longest line that is indexed. A Firehose record has 1 MiB at most; an inbox's writer may join more into a document.
pub const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// Bytes that are decompressed at once: deflate makes at most 1,032 of one, so what they come to stays below 17 MiB.
const PIECE: usize = 16 * 1024;

/// First bytes of every gzip member (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An object that cannot be read, now or ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not gzip although it begins so, or cut off.
    #[error("not whole gzip: {0}")]
    Gzip(String),
    /// Over [`MAX_OBJECT_BYTES`].
    #[error("more than {MAX_OBJECT_BYTES} bytes decompressed")]
    Size,
    /// Over [`MAX_RATIO`].
    #[error("more than {MAX_RATIO} bytes of each compressed byte, above {RATIO_FREE_BYTES} bytes")]
    Ratio,
}

/// A line, without its line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Its bytes.
    Text(Bytes),
    /// It has more than [`MAX_LINE_BYTES`].
    TooLong,
}

/// Bytes in, lines out: after each [`Lines::feed`] take [`Lines::next_line`] until there is none, then [`Lines::finish`], and the rest.
#[derive(Default)]
pub struct Lines {
    decoder: Decoder,
    scanned: usize,
    skipping: bool,
    finished: bool,
}

enum Decoder {
    /// Fewer than two bytes were seen.
    Start(Text),
    Plain(Text),
    Gzip(Box<MultiGzDecoder<Text>>),
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder::Start(Text::default())
    }
}

/// Text that no line was made of yet.
#[derive(Default)]
struct Text {
    buffer: BytesMut,
    bytes_in: u64,
    bytes_out: u64,
    over: Option<Unreadable>,
}

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes_out += bytes.len() as u64;
        if self.bytes_out > MAX_OBJECT_BYTES {
            self.over = Some(Unreadable::Size);
        } else if self.bytes_out > RATIO_FREE_BYTES && self.bytes_out > self.bytes_in.saturating_mul(MAX_RATIO) {
            self.over = Some(Unreadable::Ratio);
        }
        if self.over.is_some() {
            return Err(io::Error::other("over a cap"));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Decoder {
    fn text(&mut self) -> &mut Text {
        match self {
            Decoder::Start(text) | Decoder::Plain(text) => text,
            Decoder::Gzip(decoder) => decoder.get_mut(),
        }
    }

    /// Two bytes decide what an object is.
    fn decide(&mut self, at_end: bool) -> io::Result<()> {
        let Decoder::Start(text) = self else { return Ok(()) };
        if text.buffer.len() < GZIP_MAGIC.len() && !at_end {
            return Ok(());
        }
        let mut text = std::mem::take(text);
        if !text.buffer.starts_with(&GZIP_MAGIC) {
            *self = Decoder::Plain(text);
            return Ok(());
        }
        let start = text.buffer.split();
        text.bytes_out = 0;
        let mut decoder = Box::new(MultiGzDecoder::new(text));
        let written = decoder.write_all(&start);
        *self = Decoder::Gzip(decoder);
        written
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.text().bytes_in += bytes.len() as u64;
        match self {
            Decoder::Start(text) | Decoder::Plain(text) => text.write_all(bytes)?,
            Decoder::Gzip(decoder) => decoder.write_all(bytes)?,
        }
        self.decide(false)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.decide(true)?;
        match self {
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Start(_) | Decoder::Plain(_) => Ok(()),
        }
    }
}

impl Lines {
    /// The next bytes of the object, in pieces of [`Lines::pieces`].
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), Unreadable> {
        let written = self.decoder.write(piece);
        self.verdict(written)
    }

    /// Bytes of the object, cut to what may be fed at once.
    pub fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        bytes.chunks(PIECE)
    }

    /// There are no more bytes. What is left without a line feed is a line, too.
    pub fn finish(&mut self) -> Result<(), Unreadable> {
        let finished = self.decoder.finish();
        self.verdict(finished)?;
        self.finished = true;
        Ok(())
    }

    fn verdict(&mut self, written: io::Result<()>) -> Result<(), Unreadable> {
        written.map_err(|error| match self.decoder.text().over.take() {
            Some(over) => over,
            None => Unreadable::Gzip(error.to_string()),
        })
    }

    /// The next line, if it is there to its end.
    pub fn next_line(&mut self) -> Option<Line> {
        let finished = self.finished;
        if matches!(self.decoder, Decoder::Start(_)) && !finished {
            return None;
        }
        let buffer = &mut self.decoder.text().buffer;
        let mut line = match memchr::memchr(b'\n', &buffer[self.scanned..]) {
            Some(at) => {
                let mut line = buffer.split_to(self.scanned + at + 1);
                line.truncate(line.len() - 1);
                line
            }
            None if finished && (self.skipping || !buffer.is_empty()) => buffer.split(),
            None => {
                self.scanned = buffer.len();
                if self.scanned > MAX_LINE_BYTES {
                    buffer.clear();
                    (self.scanned, self.skipping) = (0, true);
                }
                return None;
            }
        };
        self.scanned = 0;
        if std::mem::take(&mut self.skipping) || line.len() > MAX_LINE_BYTES {
            return Some(Line::TooLong);
        }
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Some(Line::Text(line.freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(object: &[u8], piece: usize) -> (Vec<String>, Option<Unreadable>) {
        let (mut lines, mut got) = (Lines::default(), Vec::new());
        let mut take = |lines: &mut Lines| {
            while let Some(line) = lines.next_line() {
                got.push(match line {
                    Line::Text(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                    Line::TooLong => "<too long>".to_owned(),
                });
            }
        };
        for piece in object.chunks(piece) {
            if let Err(error) = lines.feed(piece) {
                take(&mut lines);
                return (got, Some(error));
            }
            take(&mut lines);
        }
        let finished = lines.finish().err();
        take(&mut lines);
        (got, finished)
    }

    fn check(object: &[u8], expected: &[&str], unreadable: Option<&str>) {
        for piece in [1, 7, PIECE] {
            let (lines, error) = read(object, piece);
            assert_eq!(lines, expected, "pieces of {piece}");
            match (&error, unreadable) {
                (None, None) => {}
                (Some(error), Some(part)) if error.to_string().contains(part) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn plain_and_gzip() {
        check(b"", &[], None);
        check(b"a", &["a"], None);
        check(b"a\n\nb\r\nc", &["a", "", "b", "c"], None);
        check(&gzip(b"a\nb\n"), &["a", "b"], None);
        check(&gzip(b""), &[], None);
        check(&[gzip(b"a\nb"), gzip(b"c\nd")].concat(), &["a", "bc", "d"], None);
    }

    #[test]
    fn broken_gzip() {
        let whole = gzip("line\n".repeat(3).as_bytes());
        let (_, error) = read(&whole[..whole.len() - 4], PIECE);
        assert!(matches!(error, Some(Unreadable::Gzip(_))), "{error:?}");
        let mut damaged = whole.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(matches!(read(&damaged, PIECE).1, Some(Unreadable::Gzip(_))));
        check(b"\x1f\x8bnothing of the kind", &[], Some("not whole gzip"));
        check(&[0x1f, 0x8b], &[], Some("not whole gzip"));
    }

    #[test]
    fn caps() {
        let bomb = gzip(&vec![b'\n'; 2 * RATIO_FREE_BYTES as usize]);
        assert_eq!(read(&bomb, PIECE).1, Some(Unreadable::Ratio));
        let long = [b"a\n".to_vec(), vec![b'x'; MAX_LINE_BYTES + 1], b"\nb\n".to_vec()].concat();
        let (lines, error) = read(&long, PIECE);
        assert_eq!((lines, error), (vec!["a".to_owned(), "<too long>".to_owned(), "b".to_owned()], None));
        let endless = vec![b'x'; 2 * MAX_LINE_BYTES];
        assert_eq!(read(&endless, PIECE).0, ["<too long>"]);
    }
}
