//! "did you mean": the names closest to one that does not exist.

/// ` did you mean [a]?` or ` did you mean any of [a, b]?`, or nothing if no name is close: more than half of the letters agree
/// (Elasticsearch's `SuggestingErrorOnUnknown`).
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut close: Vec<(usize, usize, &str)> = known
        .map(|candidate| (distance(name, candidate), name.chars().count().max(candidate.chars().count()), candidate))
        .filter(|(edits, length, _)| edits * 2 < *length)
        .collect();
    close.sort_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)).then(a.2.cmp(b.2)));
    let names: Vec<&str> = close.iter().map(|(_, _, name)| *name).collect();
    match names.as_slice() {
        [] => String::new(),
        [name] => format!(" did you mean [{name}]?"),
        names => format!(" did you mean any of [{}]?", names.join(", ")),
    }
}

/// Levenshtein's distance. Names are short; a long one is cut.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 64;
    let b: Vec<char> = b.chars().take(LONGEST).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(LONGEST).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
