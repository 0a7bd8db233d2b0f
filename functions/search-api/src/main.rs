//! `search-api`: see the library.

fn main() {}
