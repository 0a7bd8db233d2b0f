//! `filter_path`: which parts of an answer come back (Elasticsearch's "Response Filtering").

use serde_json::Value;

use crate::pattern::matches;

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of names, also none.
    AnyDepth,
    /// One name, perhaps with `*`.
    Name(String),
}

type Path = Vec<Segment>;

/// What lies below a name for some paths.
enum Step<'a> {
    /// A path ends here: everything.
    Whole,
    /// What the paths say that go on; none: nothing.
    Below(Vec<&'a [Segment]>),
}

/// Paths to keep and to leave out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterPath {
    includes: Vec<Path>,
    excludes: Vec<Path>,
}

impl FilterPath {
    /// Reads `hits.hits._id,-took,**.foo,items.*.error`. A dot inside a name is written `\.`.
    pub fn parse(text: &str) -> FilterPath {
        let mut filter = FilterPath::default();
        for path in text.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            match path.strip_prefix('-') {
                Some(path) => filter.excludes.push(segments(path)),
                None => filter.includes.push(segments(path)),
            }
        }
        filter
    }

    /// Nothing is filtered.
    pub fn is_empty(&self) -> bool {
        self.includes.is_empty() && self.excludes.is_empty()
    }

    /// The parts of an answer that are kept: those that a path leads to, whole, then without those that an excluding path leads to.
    /// Arrays are not named in a path: it goes on in each of their elements. Objects and arrays that a path empties go too.
    pub fn apply(&self, answer: Value) -> Value {
        let mut answer = Some(answer);
        if !self.includes.is_empty() {
            let paths: Vec<&[Segment]> = self.includes.iter().map(Vec::as_slice).collect();
            answer = answer.and_then(|value| include(value, &paths));
        }
        if !self.excludes.is_empty() {
            let paths: Vec<&[Segment]> = self.excludes.iter().map(Vec::as_slice).collect();
            answer = answer.and_then(|value| exclude(value, &paths));
        }
        answer.unwrap_or_else(|| Value::Object(serde_json::Map::new()))
    }
}

fn segments(path: &str) -> Path {
    let mut names = vec![String::new()];
    let mut escaped = false;
    for c in path.chars() {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '.' if !escaped => names.push(String::new()),
            _ => {
                if let Some(name) = names.last_mut() {
                    name.push(c);
                }
            }
        }
        escaped = false;
    }
    names.into_iter().map(|name| if name == "**" { Segment::AnyDepth } else { Segment::Name(name) }).collect()
}

fn step<'a>(paths: &[&'a [Segment]], key: &str) -> Step<'a> {
    let mut below = Vec::new();
    let mut open: Vec<&[Segment]> = paths.to_vec();
    while let Some(path) = open.pop() {
        match path {
            [Segment::AnyDepth] => return Step::Whole,
            [Segment::AnyDepth, rest @ ..] => {
                below.push(path);
                open.push(rest);
            }
            [Segment::Name(name), rest @ ..] if matches(name, key) => match rest {
                [] => return Step::Whole,
                _ => below.push(rest),
            },
            _ => {}
        }
    }
    Step::Below(below)
}

fn include(value: Value, paths: &[&[Segment]]) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let kept: serde_json::Map<String, Value> = object
                .into_iter()
                .filter_map(|(key, value)| match step(paths, &key) {
                    Step::Whole => Some((key, value)),
                    Step::Below(paths) if paths.is_empty() => None,
                    Step::Below(paths) => Some((key, include(value, &paths)?)),
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let kept: Vec<Value> = items.into_iter().filter_map(|item| include(item, paths)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => None,
    }
}

fn exclude(value: Value, paths: &[&[Segment]]) -> Option<Value> {
    match value {
        Value::Object(object) if !object.is_empty() => {
            let kept: serde_json::Map<String, Value> = object
                .into_iter()
                .filter_map(|(key, value)| match step(paths, &key) {
                    Step::Whole => None,
                    Step::Below(paths) if paths.is_empty() => Some((key, value)),
                    Step::Below(paths) => Some((key, exclude(value, &paths)?)),
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) if !items.is_empty() => {
            let kept: Vec<Value> = items.into_iter().filter_map(|item| exclude(item, paths)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        other => Some(other),
    }
}
