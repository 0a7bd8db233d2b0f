//! The emulator beside moto: the same calls of boto3 and awscli, compared by `tests/python/parity.py`.

use std::process::Command;

use logmill_tests::stack::{Options, Stack, python, repository};

#[test]
fn the_emulator_answers_as_moto_does_but_for_what_is_listed() {
    let python = python();
    let stack = Stack::start(Options { template: "tests/templates/bucket.yaml".into(), ..Options::default() });
    let script = repository().join("tests/python/parity.py");
    let run = Command::new(&python).arg(&script).arg(&stack.endpoint).output();
    let run = run.unwrap_or_else(|e| panic!("{} was not started: {e}", python.display()));
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    println!("{out}{err}");
    assert_eq!(run.status.code(), Some(0), "{} found differences that are not listed", script.display());
}
