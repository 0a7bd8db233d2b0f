//! Where the postings of terms are, so that they can be read together with the dictionary that names them.

use std::ops::Range;

use tantivy::postings::TermInfo;

use super::format::{Cursor, Malformed, add, put_bytes, put_varint};

/// A new entry of the map begins when so many bytes of postings have gone by: about as much as one request reads in the time that
/// it takes to begin answering.
const POSTINGS_STEP: u64 = 32 << 10;
/// The same for positions, of which there are more.
const POSITIONS_STEP: u64 = 64 << 10;

/// A sorted sample of a field's terms, with where their postings and positions begin in the object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostingsMap {
    /// The field's number in the schema.
    pub field: u32,
    entries: Vec<Entry>,
    /// Where those of the last term end.
    end: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Not above its first term, and above the last term of the entry before.
    key: Vec<u8>,
    start: Place,
}

/// A place in the object's postings, and one in its positions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    postings: u64,
    positions: u64,
}

impl PostingsMap {
    /// Where the postings and positions of a term are, if the field has it.
    pub fn term(&self, term: &[u8], positions: bool) -> impl Iterator<Item = Range<u64>> {
        let after = self.entries.partition_point(|entry| entry.key.as_slice() <= term);
        self.between(after.saturating_sub(1), after, positions)
    }

    /// Where those of all terms in a range are.
    pub fn terms(&self, terms: &Range<Vec<u8>>, positions: bool) -> impl Iterator<Item = Range<u64>> {
        let first = self.entries.partition_point(|entry| entry.key <= terms.start).saturating_sub(1);
        let after = self.entries.partition_point(|entry| entry.key < terms.end);
        self.between(first, after, positions)
    }

    fn between(&self, first: usize, after: usize, positions: bool) -> impl Iterator<Item = Range<u64>> {
        let place = |n: usize| self.entries.get(n).map_or(self.end, |entry| entry.start);
        let (start, end) = if first < after { (place(first), place(after)) } else { Default::default() };
        let postings = Some(start.postings..end.postings);
        let positions = positions.then_some(start.positions..end.positions);
        postings.into_iter().chain(positions).filter(|range| !range.is_empty())
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.field));
        put_varint(out, self.entries.len() as u64);
        let (mut key, mut place): (&[u8], _) = (&[], Place::default());
        for entry in &self.entries {
            let shared = shared(key, &entry.key);
            put_varint(out, shared as u64);
            put_bytes(out, &entry.key[shared..]);
            put_place(out, place, entry.start);
            (key, place) = (&entry.key, entry.start);
        }
        put_place(out, place, self.end);
    }

    pub fn decode(cursor: &mut Cursor<'_>) -> Result<PostingsMap, Malformed> {
        let field = cursor.varint()? as u32;
        let (mut key, mut start) = (Vec::new(), Place::default());
        let count = cursor.count()?;
        let entry = |_| {
            let shared = cursor.varint()?;
            if shared > key.len() as u64 {
                return Err("a key longer than the one before");
            }
            key.truncate(shared as usize);
            key.extend_from_slice(cursor.bytes()?);
            start = place(cursor, start)?;
            Ok(Entry { key: key.clone(), start })
        };
        let entries = (0..count).map(entry).collect::<Result<_, _>>()?;
        Ok(PostingsMap { field, entries, end: place(cursor, start)? })
    }
}

fn put_place(out: &mut Vec<u8>, before: Place, place: Place) {
    put_varint(out, place.postings - before.postings);
    put_varint(out, place.positions - before.positions);
}

fn place(cursor: &mut Cursor<'_>, before: Place) -> Result<Place, Malformed> {
    let postings = add(before.postings, cursor.varint()?)?;
    Ok(Place { postings, positions: add(before.positions, cursor.varint()?)? })
}

fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Samples the terms of a field as they go by in order.
pub struct Sampler {
    map: PostingsMap,
    base: Place,
    before: Vec<u8>,
}

impl Sampler {
    /// `postings` and `positions` are where the field's begin in the object.
    pub fn new(field: u32, postings: u64, positions: u64) -> Sampler {
        let base = Place { postings, positions };
        Sampler { map: PostingsMap { field, entries: Vec::new(), end: base }, base, before: Vec::new() }
    }

    pub fn add(&mut self, term: &[u8], info: &TermInfo) {
        let at = |postings: usize, positions: usize| Place {
            postings: self.base.postings + postings as u64,
            positions: self.base.positions + positions as u64,
        };
        let start = at(info.postings_range.start, info.positions_range.start);
        let end = at(info.postings_range.end, info.positions_range.end);
        let far = |from: Place, to: Place| {
            to.postings - from.postings >= POSTINGS_STEP || to.positions - from.positions >= POSITIONS_STEP
        };
        // A term with much of its own begins an entry too, so that its neighbours do not read it.
        if self.map.entries.last().is_none_or(|entry| far(entry.start, start) || far(start, end)) {
            let key = term[..(shared(&self.before, term) + 1).min(term.len())].to_vec();
            self.map.entries.push(Entry { key, start });
        }
        self.before.clear();
        self.before.extend_from_slice(term);
        self.map.end = end;
    }

    pub fn finish(self) -> PostingsMap {
        self.map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> PostingsMap {
        let mut sampler = Sampler::new(2, 1_000, 9_000);
        let (mut postings, mut positions) = (0, 0);
        for n in 0..100_000usize {
            let (long, wide) = (if n == 50_000 { 100_000 } else { 3 }, n % 9);
            let info = TermInfo {
                doc_freq: 1,
                postings_range: postings..postings + long,
                positions_range: positions..positions + wide,
            };
            sampler.add(format!("{n:06}").as_bytes(), &info);
            (postings, positions) = (postings + long, positions + wide);
        }
        sampler.finish()
    }

    #[test]
    fn a_term_is_within_the_ranges_that_the_map_tells() {
        let map = map();
        let ranges = |term: &str| map.term(term.as_bytes(), true).collect::<Vec<_>>();
        let at = |n: u64| 1_000 + n * 3 + if n > 50_000 { 99_997 } else { 0 };
        for n in [0, 1, 10_000, 49_999, 50_001, 77_777, 99_999] {
            let found = &ranges(&format!("{n:06}"));
            assert!(found[0].start <= at(n) && at(n) + 3 <= found[0].end, "{n}: {found:?}");
            assert!(found[0].end - found[0].start < 2 * POSTINGS_STEP);
            assert!(found[1].end - found[1].start < 2 * POSITIONS_STEP);
        }
        assert!(ranges("050000")[0].contains(&at(50_000)));
        assert!(ranges("050000")[0].end >= at(50_000) + 100_000);
        assert_eq!(map.term(b"000000", false).count(), 1);
    }

    #[test]
    fn a_range_of_terms_is_within_the_ranges_that_the_map_tells() {
        let map = map();
        let found: Vec<_> = map.terms(&(b"0001".to_vec()..b"0002".to_vec()), false).collect();
        assert!(found[0].start <= 1_300 && found[0].end >= 1_600, "{found:?}");
        let all: Vec<_> = map.terms(&(Vec::new()..vec![0xff]), true).collect();
        assert_eq!(all[0], 1_000..1_000 + 99_999 * 3 + 100_000);
        assert_eq!(PostingsMap::default().term(b"x", true).count(), 0);
    }

    #[test]
    fn it_comes_back() {
        let (map, mut out) = (map(), Vec::new());
        map.encode(&mut out);
        assert_eq!(PostingsMap::decode(&mut Cursor::new(&out)), Ok(map));
        for end in 0..out.len() {
            assert!(PostingsMap::decode(&mut Cursor::new(&out[..end])).is_err());
        }
    }
}
