//! Words, as Elasticsearch's `standard` analyser finds them.

use tantivy::tokenizer::{SimpleTokenizer, TextAnalyzer, TokenizerManager};

/// The name of the analyser of text fields.
pub const STANDARD: &str = "standard";
/// The name of the one that leaves a value whole.
pub const KEYWORD: &str = "raw";

/// The analyser of text fields.
pub fn analyzer() -> TextAnalyzer {
    TextAnalyzer::from(SimpleTokenizer::default())
}

/// All analysers that the schema names.
pub fn analyzers() -> TokenizerManager {
    let analyzers = TokenizerManager::default();
    analyzers.register(STANDARD, analyzer());
    analyzers
}
