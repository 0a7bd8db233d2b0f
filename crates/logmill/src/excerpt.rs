//! Messages about a place in a file, with its line and a caret under the place.

use std::path::Path;

/// Characters of a line that are shown at most; more would wrap, and the caret stand anywhere.
const WIDTH: usize = 120;

/// `FILE:LINE:COLUMN: MESSAGE`, the line, and the caret. A line of 0 is no place: the message is about the whole file.
pub fn message(file: &Path, text: &str, line: usize, column: usize, message: &str) -> String {
    let file = file.display();
    if line == 0 {
        return format!("{file}: {message}");
    }
    format!("{file}:{line}:{column}: {message}{}", excerpt(text, line, column).unwrap_or_default())
}

/// The line and the caret, each behind a newline; a long line is cut on both sides of the place.
fn excerpt(text: &str, line: usize, column: usize) -> Option<String> {
    let shown: Vec<char> = text.lines().nth(line.checked_sub(1)?)?.chars().collect();
    // One behind the last: what is missing is missing at the end.
    let place = column.checked_sub(1)?.min(shown.len());
    let from = if shown.len() <= WIDTH { 0 } else { place.saturating_sub(WIDTH / 2).min(shown.len() - WIDTH) };
    let to = shown.len().min(from + WIDTH);
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < shown.len() { "…" } else { "" });
    // A tab under a tab is as wide.
    let under: String = shown[from..place].iter().map(|c| if *c == '\t' { '\t' } else { ' ' }).collect();
    let line: String = shown[from..to].iter().collect();
    let blank = if from > 0 { " " } else { "" };
    Some(format!("\n  {before}{line}{after}\n  {blank}{under}^"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_is_under_the_place() {
        let check = |text: &str, line, column, expected: &str| {
            let found = message(Path::new("f"), text, line, column, "m");
            assert_eq!(found, format!("f:{line}:{column}: m{expected}"), "{text:?}");
        };
        check("a\nb cd\n", 2, 3, "\n  b cd\n    ^");
        check("\tä b", 1, 4, "\n  \tä b\n  \t  ^");
        check("ab", 1, 3, "\n  ab\n    ^");
        check("ab", 1, 9, "\n  ab\n    ^");
        check("ab", 2, 1, "");
        check("ab", 1, 0, "");
        assert_eq!(message(Path::new("f"), "ab", 0, 0, "m"), "f: m");
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let found = message(Path::new("f"), &text, 1, 501, "m");
        let lines: Vec<&str> = found.lines().collect();
        assert!(lines[1].starts_with("  …a") && lines[1].ends_with("b…") && lines[1].chars().count() == WIDTH + 4);
        assert_eq!(lines[2].chars().position(|c| c == '^'), lines[1].chars().position(|c| c == '!'));
        let end = message(Path::new("f"), &"a".repeat(200), 1, 201, "m");
        assert_eq!(end.lines().nth(2).unwrap().chars().count(), WIDTH + 4);
    }
}
