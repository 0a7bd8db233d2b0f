//! `java.util.regex`: users of the Kinesis Agent and of Kinesis Data Analytics write Java's expressions.
//!
//! `translate` rewrites an expression in the syntax that `regex` and `fancy-regex` share; a [`Pattern`] runs it on `regex` where that
//! can say it (linear time), else on `fancy-regex` with a bound on its steps.
//!
//! ```
//! let pattern = java_regex::Pattern::whole(r"(\w+)=(\d++)").unwrap();
//! assert_eq!(pattern.captures("a=1"), Ok(Some(vec![Some("a"), Some("1")])));
//! ```

mod pattern;
mod translate;

pub use pattern::{MAX_STEPS, Pattern, Spans};
pub use translate::PatternError;
