//! The one schema of all splits, and the terms of its fields.

use std::borrow::Cow;
use std::sync::LazyLock;

use tantivy::DateTime;
use tantivy::columnar::NumericalValue;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, JsonObjectOptions, STORED, Schema, Term, TextFieldIndexing, TextOptions,
};

use super::analyzer::{KEYWORD, STANDARD};

/// `_id`: the whole id, indexed and stored.
pub const ID: Field = Field::from_field_id(0);
/// `_source`: the document's bytes, stored.
pub const SOURCE: Field = Field::from_field_id(1);
/// `text`: words of text fields by path, with frequencies and positions; not fast.
pub const TEXT: Field = Field::from_field_id(2);
/// `doc`: exact values by path, indexed and fast (whole strings also of text fields with a keyword copy).
pub const DOC: Field = Field::from_field_id(3);
/// The name of [`DOC`], with which names of columns begin.
pub const DOC_NAME: &str = "doc";
/// `_field_names`: paths that have a value which is not in [`DOC`].
pub const FIELD_NAMES: Field = Field::from_field_id(4);

/// The longest exact string and the longest id, in bytes: Lucene's `MAX_TERM_LENGTH`, which Elasticsearch refuses to exceed. (The
/// engine's own is twice that, and it cuts what is longer.)
pub const MAX_TERM: usize = 32_766;

static SCHEMA: LazyLock<Schema> = LazyLock::new(build);

/// The schema of every split. Always the same, so that splits can be merged without reading their documents again.
pub fn schema() -> Schema {
    SCHEMA.clone()
}

fn build() -> Schema {
    let exact =
        |option| TextFieldIndexing::default().set_tokenizer(KEYWORD).set_fieldnorms(false).set_index_option(option);
    // The engine keeps no lengths of JSON fields: scores do not go by them.
    let words = TextFieldIndexing::default()
        .set_tokenizer(STANDARD)
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let mut schema = Schema::builder();
    schema.add_text_field(
        "_id",
        TextOptions::default().set_indexing_options(exact(IndexRecordOption::Basic)).set_stored(),
    );
    schema.add_bytes_field("_source", BytesOptions::from(STORED));
    schema.add_json_field("text", JsonObjectOptions::default().set_indexing_options(words).set_expand_dots_enabled());
    schema.add_json_field(
        "doc",
        JsonObjectOptions::default()
            .set_indexing_options(exact(IndexRecordOption::Basic))
            .set_expand_dots_enabled()
            .set_fast(KEYWORD),
    );
    schema.add_text_field("_field_names", TextOptions::default().set_indexing_options(exact(IndexRecordOption::Basic)));
    schema.build()
}

/// The column of a path, as `SegmentReader::fast_fields` names it.
pub fn column(path: &str) -> String {
    format!("{DOC_NAME}.{}", escaped(path))
}

/// The beginning of a path's terms.
fn path_term(field: Field, path: &str) -> Term {
    Term::from_field_json_path(field, &escaped(path), true)
}

/// A path as the engine is asked for it: a backslash takes the meaning from what follows.
fn escaped(path: &str) -> Cow<'_, str> {
    if path.contains('\\') { Cow::Owned(path.replace('\\', "\\\\")) } else { Cow::Borrowed(path) }
}

/// The term of an `_id`.
pub fn id_term(id: &str) -> Term {
    Term::from_field_text(ID, id)
}

/// The term of a path in `_field_names`.
pub fn name_term(path: &str) -> Term {
    Term::from_field_text(FIELD_NAMES, path)
}

/// The term of one word (as the analyser gives it) of a text field.
pub fn word_term(path: &str, word: &str) -> Term {
    let mut term = path_term(TEXT, path);
    term.append_type_and_str(word);
    term
}

/// The term of an exact string.
pub fn string_term(path: &str, value: &str) -> Term {
    let mut term = path_term(DOC, path);
    term.append_type_and_str(value);
    term
}

/// The term of a whole number.
pub fn long_term(path: &str, value: i64) -> Term {
    let mut term = path_term(DOC, path);
    term.append_type_and_fast_value(value);
    term
}

/// The term of a floating number. The engine keeps those that are whole as whole numbers in its dictionary; columns do not.
pub fn double_term(path: &str, value: f64) -> Term {
    let mut term = path_term(DOC, path);
    match NumericalValue::F64(value).normalize() {
        NumericalValue::I64(value) => term.append_type_and_fast_value(value),
        NumericalValue::U64(value) => term.append_type_and_fast_value(value),
        NumericalValue::F64(value) => term.append_type_and_fast_value(value),
    }
    term
}

/// A moment (epoch ms) as the engine keeps it: in 64 bits of nanoseconds, which reach from 1677 to 2262. One beyond is the last one
/// that they reach.
pub fn date(millis: i64) -> DateTime {
    const NANOS: i64 = 1_000_000;
    DateTime::from_timestamp_millis(millis.clamp(i64::MIN / NANOS, i64::MAX / NANOS))
}

/// The term of the second in which a moment (epoch ms) lies: terms of dates are truncated by the engine, columns are not.
pub fn date_term(path: &str, millis: i64) -> Term {
    let mut term = path_term(DOC, path);
    term.append_type_and_fast_value(date(millis).truncate(tantivy::schema::DATE_TIME_PRECISION_INDEXED));
    term
}

/// The term of true or false.
pub fn bool_term(path: &str, value: bool) -> Term {
    let mut term = path_term(DOC, path);
    term.append_type_and_fast_value(value);
    term
}
