//! Printing.

use std::io::Write;

/// Prints. A reader that has seen enough (`logmill status | head`) stops nothing.
pub fn say(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
