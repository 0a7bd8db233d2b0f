//! What is wrong with a script, and where.

/// What is wrong with a script, and where: printed as Calcite does (`From line 1, column 15 to line 1, column 51: …`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// Line of the first token, from 1, in the whole script.
    pub line: u32,
    /// Column of the first token, from 1.
    pub column: u32,
    /// Where the last token ends, if known.
    pub to: Option<(u32, u32)>,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl std::fmt::Display for SqlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.to {
            Some((line, column)) => {
                write!(
                    f,
                    "From line {}, column {} to line {line}, column {column}: {}",
                    self.line, self.column, self.message
                )
            }
            None => write!(f, "At line {}, column {}: {}", self.line, self.column, self.message),
        }
    }
}

impl std::error::Error for SqlError {}
