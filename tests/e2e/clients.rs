//! The clients that people have, against the search API: `tests/python/search_clients.py` runs each of them.

use std::process::Command;

use logmill_tests::stack::{Options, Stack, python, repository};

#[test]
fn elasticsearch_opensearch_and_elasticdump_write_and_read_back() {
    let python = python();
    let stack = Stack::start(Options::default());
    let script = repository().join("tests/python/search_clients.py");
    let elasticdump = repository().join("tests/node/node_modules/.bin/elasticdump");
    assert!(elasticdump.exists(), "{} is not there: run scripts/node-tools", elasticdump.display());
    let run = Command::new(&python).arg(&script).arg(&stack.outputs["SearchUrl"]).arg(&elasticdump).output();
    let run = run.unwrap_or_else(|e| panic!("{} was not started: {e}", python.display()));
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    println!("{out}{err}");
    assert_eq!(run.status.code(), Some(0), "{} found a client that does not work", script.display());
}
