//! `aws-chunked` bodies: `SIZE[;chunk-signature=…]`, the data, …, a chunk of size 0, trailers.
//!
//! Signatures of chunks and trailers are skipped, as all signatures are.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::ApiError;

/// The longest line of a chunk's head or a trailer: HTTP servers' usual limit of a header line.
const MAX_LINE: usize = 8 * 1024;

/// The most trailers: clients send a checksum and a signature.
const MAX_TRAILERS: usize = 16;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Data(u64),
    DataEnd,
    Trailer,
    Done,
}

/// Decodes a body piece by piece.
pub(super) struct Decoder {
    state: State,
    /// A line or chunk's end that is not complete yet; data is never kept.
    buffer: BytesMut,
    /// `x-amz-decoded-content-length`: what must come out in all.
    left: u64,
    trailers: HeaderMap,
}

impl Decoder {
    /// `length` is the decoded length that was announced.
    pub(super) fn new(length: u64) -> Decoder {
        Decoder { state: State::Head, buffer: BytesMut::new(), left: length, trailers: HeaderMap::new() }
    }

    /// Takes in a piece of the body and gives the data in it.
    pub(super) fn feed(&mut self, mut piece: Bytes) -> Result<Vec<Bytes>, ApiError> {
        let mut data = Vec::new();
        while !piece.is_empty() {
            match self.state {
                State::Data(size) => {
                    let take = piece.len().min(usize::try_from(size).unwrap_or(usize::MAX));
                    data.push(piece.split_to(take));
                    let size = size - take as u64;
                    self.state = if size == 0 { State::DataEnd } else { State::Data(size) };
                }
                State::Done => return Err(malformed("there is more after the last chunk")),
                State::Head | State::DataEnd | State::Trailer => {
                    if let Some(line) = self.line(&mut piece)? {
                        self.take_line(&line)?;
                    }
                }
            }
        }
        Ok(data)
    }

    /// The body has ended; gives the trailers.
    pub(super) fn finish(mut self) -> Result<HeaderMap, ApiError> {
        // The empty line after the last chunk is left out by some clients.
        let ended = self.state == State::Done || (self.state == State::Trailer && self.buffer.is_empty());
        if !ended || self.left != 0 {
            return Err(incomplete());
        }
        Ok(std::mem::take(&mut self.trailers))
    }

    /// A line without its end, once all of it is there.
    fn line(&mut self, piece: &mut Bytes) -> Result<Option<BytesMut>, ApiError> {
        let end = piece.iter().position(|&byte| byte == b'\n');
        let take = end.map_or(piece.len(), |end| end + 1);
        if self.buffer.len() + take > MAX_LINE {
            return Err(malformed("a chunk's head is too long"));
        }
        self.buffer.extend_from_slice(&piece[..take]);
        piece.advance(take);
        if end.is_none() {
            return Ok(None);
        }
        let mut line = self.buffer.split();
        line.truncate(line.len() - 1);
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Ok(Some(line))
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), ApiError> {
        self.state = match self.state {
            State::DataEnd if line.is_empty() => State::Head,
            State::DataEnd => return Err(malformed("a chunk is longer than its head says")),
            State::Trailer if line.is_empty() => State::Done,
            State::Trailer => {
                self.take_trailer(line)?;
                State::Trailer
            }
            _ => match chunk_size(line)? {
                0 => State::Trailer,
                size if size > self.left => return Err(incomplete()),
                size => {
                    self.left -= size;
                    State::Data(size)
                }
            },
        };
        Ok(())
    }

    fn take_trailer(&mut self, line: &[u8]) -> Result<(), ApiError> {
        let colon = line.iter().position(|&b| b == b':').ok_or_else(|| malformed("a trailer has no colon"))?;
        let name = HeaderName::from_bytes(&line[..colon]).map_err(|_| malformed("a trailer's name is not one"))?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii())
            .map_err(|_| malformed("a trailer's value is not one"))?;
        if self.trailers.len() == MAX_TRAILERS {
            return Err(malformed("there are too many trailers"));
        }
        self.trailers.insert(name, value);
        Ok(())
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, ApiError> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    u64::from_str_radix(digits.trim(), 16).map_err(|_| malformed("a chunk's head has no size in hex"))
}

fn incomplete() -> ApiError {
    let message = "You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header";
    ApiError::bad_request("IncompleteBody", message)
}

fn malformed(what: &str) -> ApiError {
    ApiError::bad_request("InvalidRequest", format!("the aws-chunked body is malformed: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data and trailers, or a part of the error.
    type Expected<'e> = Result<(&'e str, &'e [(&'e str, &'e str)]), &'e str>;

    /// Decodes `body`, cut into pieces of every size: the outcome never depends on it.
    fn check(body: &str, length: u64, expected: Expected<'_>) {
        for size in 1..=body.len().max(1) {
            let mut decoder = Decoder::new(length);
            let mut data = Vec::new();
            let mut outcome = Ok(());
            for piece in body.as_bytes().chunks(size) {
                match decoder.feed(Bytes::copy_from_slice(piece)) {
                    Ok(pieces) => pieces.iter().for_each(|piece| data.extend_from_slice(piece)),
                    Err(error) => {
                        outcome = Err(error);
                        break;
                    }
                }
            }
            match (outcome.and_then(|()| decoder.finish()), expected) {
                (Ok(trailers), Ok((text, expected))) => {
                    assert_eq!(String::from_utf8(data).unwrap(), text, "pieces of {size}");
                    let got: Vec<_> = trailers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
                    assert_eq!(got, expected, "pieces of {size}");
                }
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}, pieces of {size}"),
                (got, expected) => panic!("{body:?}: got {got:?}, expected {expected:?}, pieces of {size}"),
            }
        }
    }

    #[test]
    fn bodies() {
        let crc = ("x-amz-checksum-crc32", "AAAAAA==");
        let signature = ("x-amz-trailer-signature", "ab");
        check("5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=cd\r\n\r\n", 5, Ok(("hello", &[])));
        check(
            "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
            11,
            Ok(("hello world", &[crc])),
        );
        check(
            "A;chunk-signature=x\r\n0123456789\r\n0;chunk-signature=y\r\nx-amz-checksum-crc32: AAAAAA==\r\nx-amz-trailer-signature:ab\r\n\r\n",
            10,
            Ok(("0123456789", &[crc, signature])),
        );
        check("0\r\n\r\n", 0, Ok(("", &[])));
        check("2\r\nab\r\n0\r\n", 2, Ok(("ab", &[])));
        check("4\r\n\r\n\r\n\r\n0\r\n\r\n", 4, Ok(("\r\n\r\n", &[])));
    }

    #[test]
    fn bodies_that_are_refused() {
        check("", 0, Err("IncompleteBody"));
        check("5\r\nhel", 5, Err("IncompleteBody"));
        check("5\r\nhello\r\n", 5, Err("IncompleteBody"));
        check("5\r\nhello\r\n0\r\n\r\n", 6, Err("IncompleteBody"));
        check("5\r\nhello\r\n0\r\n\r\n", 4, Err("IncompleteBody"));
        check("0\r\nx-amz-checksum-crc32:AA", 0, Err("IncompleteBody"));
        check("hello", 5, Err("IncompleteBody"));
        check("zz\r\n", 5, Err("no size in hex"));
        check("2\r\nabc\r\n0\r\n\r\n", 2, Err("longer than its head"));
        check("0\r\n\r\nmore", 0, Err("more after the last chunk"));
        check("0\r\nnonsense\r\n\r\n", 0, Err("no colon"));
        check(&"1".repeat(MAX_LINE + 1), 5, Err("head is too long"));
    }
}
