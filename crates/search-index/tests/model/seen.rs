//! What a reader sees of a commit.

use std::collections::BTreeMap;

use search_index::search::{count, search};
use search_index::{Error, Reader};
use search_query::SearchRequest;
use search_query::query::Query;
use serde_json::{Value, json};

use super::history::{Document, Documents, auto};

/// Values of the field `color`.
pub const COLORS: [&str; 3] = ["red", "green", "blue"];

/// Answers of all kinds.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// `match_all`, sorted by `_seq_no`.
    all: Vec<(String, Document)>,
    /// The number of documents, by `_count`.
    count: u64,
    /// Names of those of each color, sorted by `_seq_no`.
    colored: Vec<Vec<String>>,
    /// Those of some ids.
    got: Vec<Option<(String, Document)>>,
}

/// Names of all ids that clients give.
pub fn ids() -> Vec<String> {
    let of_sources = (0..super::actors::SOURCES).flat_map(|source| (0..2).map(move |at| format!("s{source}-{at}")));
    (0..super::actors::IDS).map(|id| format!("d{id}")).chain(of_sources).collect()
}

impl Seen {
    /// Is it the same? If not, where it first differs is told.
    pub fn check(&self, expected: &Seen, context: &str) {
        let first = |a: &[_], b: &[_]| (0..a.len().max(b.len())).find(|at| a.get(*at) != b.get(*at));
        if let Some(at) = first(&self.all, &expected.all) {
            panic!("{context}: hit {at}: {:?}, expected {:?}", self.all.get(at), expected.all.get(at));
        }
        assert_eq!((self.count, &self.colored), (expected.count, &expected.colored), "{context}");
        for (id, (got, expected)) in ids().iter().zip(self.got.iter().zip(&expected.got)) {
            assert_eq!(got, expected, "{context}: get {id}");
        }
    }

    /// Reads it all.
    pub async fn of(reader: &Reader, now: i64) -> Result<Seen, Error> {
        let readers = std::slice::from_ref(reader);
        let find = async |query: Value| {
            let body = json!({"query": query, "sort": ["_seq_no"], "size": 5000}).to_string();
            let answer = search(readers, &SearchRequest::parse(body.as_bytes(), &[]).unwrap(), now).await?;
            assert_eq!(answer.failures, []);
            Ok::<_, Error>(answer.hits)
        };
        let hits = find(json!({"match_all": {}})).await?;
        let all = hits.into_iter().map(|hit| document(&hit.id, &hit.source, hit.seq_no, hit.version)).collect();
        let mut colored = Vec::new();
        for color in COLORS {
            let hits = find(json!({"term": {"color.keyword": color}})).await?;
            colored.push(hits.iter().map(|hit| document(&hit.id, &hit.source, 0, 0).0).collect());
        }
        let count = count(readers, &Query::MatchAll, now).await?.total.unwrap().value;
        let ids = ids();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let got = reader.get(&ids).await?.into_iter();
        let got = got.map(|found| {
            found.map(|found| document(&found.stored.id, &found.stored.source, found.seq_no, found.version))
        });
        Ok(Seen { all, count, colored, got: got.collect() })
    }

    /// What must be seen of these documents.
    pub fn expected(documents: &Documents) -> Seen {
        let by_seq: BTreeMap<u64, _> = documents.iter().map(|pair| (pair.1.seq_no, pair)).collect();
        assert_eq!(by_seq.len(), documents.len(), "each has a _seq_no of its own");
        let colored = |color: &str| {
            let colored = by_seq.values().filter(|(_, document)| document.source["color"] == color);
            colored.map(|(name, _)| (*name).clone()).collect()
        };
        Seen {
            all: by_seq.values().map(|(name, document)| ((*name).clone(), (*document).clone())).collect(),
            count: documents.len() as u64,
            colored: COLORS.iter().map(|color| colored(color)).collect(),
            got: ids().into_iter().map(|id| documents.get(&id).cloned().map(|document| (id, document))).collect(),
        }
    }
}

fn document(id: &str, source: &[u8], seq_no: u64, version: u64) -> (String, Document) {
    let source: serde_json::Map<String, Value> = serde_json::from_slice(source).unwrap();
    // Made by the index: 32 digits.
    let name = if id.len() == 32 { auto(&source) } else { id.to_owned() };
    (name, Document { seq_no, version, source })
}
