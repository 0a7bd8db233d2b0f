//! What fits into one answer.

/// Most bytes of a Lambda's synchronous reply, and so of the answer, base64 and envelope included (Lambda quotas, 6 MB).
pub const MAX_ANSWER_BYTES: usize = 6_291_556;
/// Where outputs are cut off, as AWS's own blueprint does; the rest is for inputs that go back.
pub const CUT_BYTES: usize = 6_000_000;
/// `{"records":[]}`.
const ENVELOPE_BYTES: usize = 14;

/// Where an output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into this answer.
    Here,
    /// Round again: there is no room left for it here.
    Again,
    /// Nowhere: no answer has room for it, though nothing else were in it.
    Nowhere,
}

/// The room in an answer.
#[derive(Debug)]
pub struct Room {
    used: usize,
}

impl Room {
    /// An answer to records with these overheads ([`crate::wire::Answer::overhead`]), without data yet.
    pub fn new(overheads: impl Iterator<Item = usize>) -> Room {
        Room { used: ENVELOPE_BYTES + overheads.sum::<usize>() }
    }

    /// Places an output of `data` bytes in base64 whose record has the given overhead.
    pub fn place(&mut self, overhead: usize, data: usize) -> Place {
        if ENVELOPE_BYTES + overhead + data > CUT_BYTES {
            return Place::Nowhere;
        }
        if self.used + data > CUT_BYTES {
            return Place::Again;
        }
        self.used += data;
        Place::Here
    }

    /// True when an input of `data` bytes can go back: Firehose has it anyway, so it may be left out.
    pub fn returns(&mut self, data: usize) -> bool {
        let fits = self.used + data <= MAX_ANSWER_BYTES;
        self.used += if fits { data } else { 0 };
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_cut_and_inputs_fill_up() {
        let mut room = Room::new([100, 100].into_iter());
        assert_eq!(room.place(100, CUT_BYTES - 113), Place::Nowhere);
        assert_eq!(room.place(100, 4_000_000), Place::Here);
        assert_eq!(room.place(100, 2_000_000), Place::Again);
        assert_eq!(room.place(100, CUT_BYTES - 4_000_214), Place::Here);
        assert_eq!(room.place(100, 1), Place::Again);
        assert!(!room.returns(MAX_ANSWER_BYTES - CUT_BYTES + 1));
        assert!(room.returns(MAX_ANSWER_BYTES - CUT_BYTES));
        assert!(!room.returns(1));
    }
}
