//! The rows of a RANGE window, of all its partitions: they leave in the order in which they came.
//!
//! A page is bytes: its format, then for each row how many milliseconds it came after the one before, its partition's number, and
//! what must be known of its arguments when it leaves.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::bytes::{Reader, fingerprint, hex, put_number, put_value};
use crate::page::PageId;
use crate::value::{Datum, Value};

/// The first byte of a page.
const FORMAT: u8 = 1;

/// A page of long texts is full sooner: it is read as a whole.
const PAGE_BYTES: usize = 1 << 20;

/// Where a page's first row is, behind the milliseconds that it came after itself.
const START: usize = 2;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Queue {
    /// In order; all but the last are full.
    #[serde(rename = "p")]
    pages: VecDeque<Page>,
    /// How many pages have gone.
    #[serde(rename = "g")]
    gone: u64,
    /// Where in the first page the row is that leaves next.
    #[serde(rename = "o")]
    offset: usize,
    /// Its ROWTIME.
    #[serde(rename = "n")]
    next: i64,
    /// ROWTIME of the row that came last.
    #[serde(rename = "l")]
    last: i64,
    /// How many rows the page has that is being filled.
    #[serde(rename = "f")]
    filled: usize,
    /// Of the window (ms).
    #[serde(rename = "r")]
    range: i64,
    /// A page that was needed and was not there: this state is wrong for ever.
    #[serde(skip)]
    missing: Option<PageId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Page {
    /// ROWTIME of its first row.
    #[serde(rename = "t")]
    first: i64,
    /// Set when it was taken.
    #[serde(rename = "i")]
    id: Option<PageId>,
    /// None: it is stored elsewhere.
    #[serde(rename = "b", with = "hex")]
    bytes: Option<Vec<u8>>,
}

/// A row that leaves, or will.
pub(super) struct QueuedRow {
    pub(super) rowtime: i64,
    pub(super) partition: u32,
    pub(super) kept: KeptValues,
}

/// What must be known of a row's arguments when it leaves.
pub(super) type KeptValues = SmallVec<[Value; 2]>;

impl Queue {
    pub(super) fn new(range: i64) -> Queue {
        Queue { range, ..Queue::default() }
    }

    /// A row comes; says whether it fills its page.
    pub(super) fn push<'d>(
        &mut self,
        rowtime: i64,
        partition: u32,
        kept: impl Iterator<Item = Datum<'d>>,
        page_rows: usize,
    ) -> bool {
        if self.filled == 0 {
            self.pages.push_back(Page { first: rowtime, id: None, bytes: Some(vec![FORMAT]) });
            self.last = rowtime;
            if self.pages.len() == 1 {
                self.begin();
            }
        }
        let Some(Page { bytes: Some(bytes), .. }) = self.pages.back_mut() else { return false };
        put_number(bytes, rowtime.wrapping_sub(self.last) as u64);
        put_number(bytes, u64::from(partition));
        kept.for_each(|value| put_value(bytes, &value));
        self.last = rowtime;
        self.filled += 1;
        let is_full = self.filled >= page_rows || bytes.len() >= PAGE_BYTES;
        if is_full {
            self.filled = 0;
        }
        is_full
    }

    /// A page becomes the first one.
    fn begin(&mut self) {
        self.offset = START;
        if let Some(page) = self.pages.front() {
            self.next = page.first;
        }
    }

    /// Whether a row leaves before this time.
    pub(super) fn has_before(&self, time: i64) -> bool {
        !self.pages.is_empty() && self.next < time
    }

    /// Whether all rows do.
    pub(super) fn is_before(&self, time: i64) -> bool {
        !self.pages.is_empty() && self.last < time
    }

    /// All rows leave, and no page is needed for it.
    pub(super) fn clear(&mut self) {
        self.gone += self.pages.len() as u64;
        self.pages.clear();
        self.filled = 0;
    }

    /// Whether the next row to leave is the first of a full page.
    pub(super) fn begins_page(&self) -> bool {
        self.offset == START && self.full_pages() > 0
    }

    /// Whether the page that came last has been full since its first row is still there.
    pub(super) fn is_last_page_whole(&self) -> bool {
        self.pages.len() > 1 || self.offset == START
    }

    fn full_pages(&self) -> usize {
        self.pages.len() - usize::from(self.filled > 0)
    }

    /// The rows of the first page, if it is there.
    pub(super) fn first_page(&self, width: usize) -> Vec<QueuedRow> {
        self.pages.front().map_or(Vec::new(), |page| page.rows(width))
    }

    pub(super) fn last_page(&self, width: usize) -> Vec<QueuedRow> {
        self.pages.back().map_or(Vec::new(), |page| page.rows(width))
    }

    /// The next row leaves: `None` if there is none, or if its page is not there.
    pub(super) fn pop(&mut self, width: usize) -> Option<QueuedRow> {
        let page = self.pages.front()?;
        let Some(bytes) = &page.bytes else {
            self.missing.clone_from(&page.id);
            return None;
        };
        let mut reader = Reader { bytes, place: self.offset };
        let row = row(&mut reader, self.next, width)?;
        if let Some(later) = reader.number() {
            self.offset = reader.place;
            self.next = self.next.wrapping_add(later as i64);
        } else {
            self.pages.pop_front();
            self.gone += 1;
            if self.pages.is_empty() {
                self.filled = 0;
            }
            self.begin();
        }
        Some(row)
    }

    /// Full pages that have not been taken yet; those that have are let go of. Their names begin with `prefix`.
    pub(crate) fn take(&mut self, prefix: &str, taken: &mut Vec<(PageId, Vec<u8>)>) {
        let full = self.full_pages();
        for (page, number) in self.pages.iter_mut().take(full).zip(self.gone..) {
            let Some(bytes) = page.bytes.take() else { continue };
            if page.id.is_none() {
                let id = PageId(format!("{prefix}-{number}-{:016x}", fingerprint(&bytes)));
                page.id = Some(id.clone());
                taken.push((id, bytes));
            }
        }
    }

    /// Pages that are not there, with a row that leaves when there is one of this time.
    pub(crate) fn wanted(&self, until: i64) -> impl Iterator<Item = &PageId> {
        let time = until.saturating_sub(self.range);
        let starts = std::iter::once(self.next).chain(self.pages.iter().skip(1).map(|page| page.first));
        let leaving = self.pages.iter().zip(starts).take_while(move |(_, start)| *start < time);
        leaving.filter(|(page, _)| page.bytes.is_none()).filter_map(|(page, _)| page.id.as_ref())
    }

    pub(crate) fn missing(&self) -> Option<&PageId> {
        self.missing.as_ref()
    }

    /// All pages that are stored elsewhere, whether they are here too or not.
    pub(crate) fn named(&self) -> impl Iterator<Item = &PageId> {
        self.pages.iter().filter_map(|page| page.id.as_ref())
    }

    /// Whether the page is one of these; or what is wrong with its bytes.
    pub(crate) fn give(&mut self, id: &PageId, bytes: &[u8]) -> Result<bool, String> {
        let Some(page) = self.pages.iter_mut().find(|page| page.id.as_ref() == Some(id)) else { return Ok(false) };
        if !id.0.ends_with(&format!("-{:016x}", fingerprint(bytes))) {
            return Err(format!("page {}: these are not its bytes", id.0));
        }
        if bytes.first() != Some(&FORMAT) {
            return Err(format!("page {}: of an unknown format", id.0));
        }
        page.bytes = Some(bytes.to_vec());
        Ok(true)
    }
}

impl Page {
    fn rows(&self, width: usize) -> Vec<QueuedRow> {
        let Some(bytes) = &self.bytes else { return Vec::new() };
        let (mut reader, mut rowtime) = (Reader { bytes, place: START }, self.first);
        let mut rows = Vec::new();
        while let Some(row) = row(&mut reader, rowtime, width) {
            rows.push(row);
            rowtime = rowtime.wrapping_add(reader.number().unwrap_or(0) as i64);
        }
        rows
    }
}

fn row(reader: &mut Reader<'_>, rowtime: i64, width: usize) -> Option<QueuedRow> {
    let partition = u32::try_from(reader.number()?).ok()?;
    let kept = (0..width).map(|_| reader.value()).collect::<Option<_>>()?;
    Some(QueuedRow { rowtime, partition, kept })
}
