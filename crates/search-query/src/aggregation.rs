//! Aggregations.
//!
//! A kind is read in the file of its family below `aggregation/`, found through the table in `aggregation/parse.rs`. A new kind: a
//! variant here, a line in the table, a function in its family.

mod buckets;
mod histogram;
mod interval;
mod metrics;
mod parse;

use serde_json::Value;

use crate::query::Query;
use crate::sort::Order;

pub use parse::MAX_AGGREGATIONS;

/// Buckets that a `terms` aggregation gives by default.
pub const DEFAULT_TERMS: u32 = 10;

/// An aggregation with those inside its buckets.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregation {
    /// What it does.
    pub kind: Kind,
    /// Inside each bucket, in the order of the request. Only buckets have some.
    pub aggregations: Vec<(String, Aggregation)>,
    /// Given back as it came.
    pub meta: Option<Value>,
}

/// What the buckets of `terms` are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketOrder {
    /// `_count`.
    Count(Order),
    /// `_key`.
    Key(Order),
    /// A metric inside (`name`, `name.property`).
    Metric(String, Order),
}

/// The width of the buckets of a `date_histogram`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interval {
    /// `fixed_interval`, in milliseconds.
    Fixed(u64),
    /// `calendar_interval`.
    Calendar(CalendarUnit),
}

/// A unit whose length the calendar decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CalendarUnit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// The kinds of aggregations.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A bucket for each of the most frequent values.
    Terms {
        /// The field.
        field: String,
        /// Buckets at most.
        size: u32,
        /// Their order, first key first. Ends with a `_key`, so that it is total.
        order: Vec<BucketOrder>,
        /// Documents that a bucket has at least.
        min_doc_count: u64,
        /// Documents without the field count as this.
        missing: Option<Value>,
    },
    /// A bucket for each stretch of time.
    DateHistogram {
        /// The field.
        field: String,
        /// Their width.
        interval: Interval,
        /// `format` of `key_as_string`.
        format: Option<String>,
        /// `time_zone` in which the calendar is read.
        time_zone: Option<String>,
        /// `offset`, in milliseconds.
        offset: i64,
        /// Documents that a bucket has at least (default 0: gaps are filled).
        min_doc_count: u64,
        /// `extended_bounds`: gaps are filled from here to there; `null` is open.
        extended_bounds: Option<(Value, Value)>,
    },
    /// A bucket for each stretch of numbers.
    Histogram {
        /// The field.
        field: String,
        /// Their width.
        interval: f64,
        /// Where they begin.
        offset: f64,
        /// Documents that a bucket has at least.
        min_doc_count: u64,
    },
    /// A bucket for each of some ranges.
    Range {
        /// The field.
        field: String,
        /// Name, from (included), to (excluded).
        ranges: Vec<(Option<String>, Option<f64>, Option<f64>)>,
    },
    /// One bucket of what a query finds.
    Filter(Query),
    /// A bucket for each of some queries.
    Filters(Vec<(String, Query)>),
    /// `stats`.
    Stats(String),
    /// `extended_stats`.
    ExtendedStats(String),
    /// `avg`.
    Avg(String),
    /// `sum`.
    Sum(String),
    /// `min`.
    Min(String),
    /// `max`.
    Max(String),
    /// `value_count`.
    ValueCount(String),
    /// `cardinality`.
    Cardinality(String),
    /// `percentiles`.
    Percentiles {
        /// The field.
        field: String,
        /// Which.
        percents: Vec<f64>,
    },
}
