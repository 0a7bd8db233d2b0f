//! Runs case files against the engines: `vectors KIND PATH… [--emit] [--pending FILE]`.
//!
//! Prints each failing case with what was expected and got, and ends with `N passed, N failed`; with `--emit` it prints what
//! the engine gave instead, one JSON line a case, without looking at the expectation.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use logmill_tests::vectors::{self, Kind, Verdict};

#[derive(Parser)]
#[command(
    about = "Run case files against the engines",
    after_help = "Example:\n  vectors converter cases/converter.json"
)]
struct Arguments {
    /// What the cases are about
    kind: String,
    /// Case files, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print what the engine gave, one JSON line a case
    #[arg(long)]
    emit: bool,
    /// Lines `KIND NAME` of the cases not yet due: one that passes is as wrong as one that is not listed and fails
    #[arg(long, value_name = "FILE")]
    pending: Option<PathBuf>,
}

/// The kind is not built yet, or the call is wrong.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("vectors: {message}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let kind = Kind::parse(&arguments.kind)?;
    let cases = vectors::read_cases(&arguments.paths)?;
    if arguments.emit {
        for case in &cases {
            println!("{}", kind.emit(case)?);
        }
        return Ok(true);
    }
    let pending = match &arguments.pending {
        Some(file) => read_pending(file, &arguments.kind)?,
        None => BTreeSet::new(),
    };
    let (mut passed, mut failed) = (0, 0);
    for case in &cases {
        let name = vectors::name(case)?;
        match (kind.judge(case)?, pending.contains(name)) {
            (Verdict::Pass, false) => passed += 1,
            (Verdict::Fail { .. }, true) => {}
            (Verdict::Pass, true) => {
                failed += 1;
                println!("{name}: passes, but is listed as pending: take it off the list");
            }
            (Verdict::Fail { expected, got }, false) => {
                failed += 1;
                println!("{name}\n  expected {expected}\n  got      {got}");
            }
            (Verdict::NotBinding { differs }, _) => {
                if let Some(got) = differs {
                    println!("{name}: not binding, differs: {got}");
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}

fn read_pending(file: &PathBuf, kind: &str) -> Result<BTreeSet<String>, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines
        .filter_map(|line| line.split_once(' '))
        .filter(|(k, _)| *k == kind)
        .map(|(_, name)| name.to_owned())
        .collect())
}
