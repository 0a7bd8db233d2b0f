//! `logmill sql`: SQL applications on this machine, over files.
//!
//! ```text
//! files ─ lines (a thread) ─▶ record ─ rowtime ─▶ stream-sql ─▶ rows ─ printer ─▶ stdout
//!                                                     └ error_stream, summary ─▶ stderr
//! ```

mod lines;
mod printer;
mod record;
mod rowtime;
mod run;
mod table;
#[cfg(test)]
mod tests;
mod time;

use std::process::ExitCode;

/// Options of `sql`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Run an application over files and print its rows
    Run(run::Arguments),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Run(arguments) => run::run(arguments),
    }
}
