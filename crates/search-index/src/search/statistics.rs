//! How rare words are, over all splits that a search reads: so that scores of different splits compare.

use std::collections::HashMap;

use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, Term};
use tantivy::{Searcher, TantivyError};

/// How rare words are.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    documents: u64,
    frequencies: HashMap<Term, u64>,
}

impl Statistics {
    /// What one split has of some terms, which must have been read ahead.
    pub fn of<'a>(searcher: &Searcher, terms: impl Iterator<Item = &'a Term>) -> tantivy::Result<Statistics> {
        let mut frequencies = HashMap::new();
        for term in terms {
            frequencies.insert(term.clone(), searcher.doc_freq(term)?);
        }
        let documents = searcher.segment_readers().iter().map(|segment| u64::from(segment.max_doc())).sum();
        Ok(Statistics { documents, frequencies })
    }

    pub fn add(&mut self, other: Statistics) {
        self.documents += other.documents;
        for (term, frequency) in other.frequencies {
            *self.frequencies.entry(term).or_default() += frequency;
        }
    }
}

impl Bm25StatisticsProvider for Statistics {
    /// Splits keep no lengths of fields: with one token per document all are as long as the average, and words score as in a field of
    /// Elasticsearch with `norms: false`.
    fn total_num_tokens(&self, _field: Field) -> tantivy::Result<u64> {
        Ok(self.documents)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        match self.frequencies.get(term) {
            Some(frequency) => Ok(*frequency),
            None => Err(TantivyError::InternalError(format!("no statistics of {term:?}"))),
        }
    }
}
