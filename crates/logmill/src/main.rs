//! `logmill`: the command line.
//!
//! `up` builds the function binaries that the template names and runs the stack in the emulator; `check` reads rule files,
//! agent configurations and templates and says what is wrong with them and where; `sql run` runs an SQL application over files; `status`
//! tells what waits at each stage, `replay` puts things through again.

mod build;
mod check;
mod demo;
mod excerpt;
mod print;
mod replay;
mod sql;
mod stack;
mod status;
mod up;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "logmill", version, about = "The log and operations stack of an AWS account, on your laptop")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build and run the stack of template.yaml in the emulator
    Up(up::Arguments),
    /// Check rule files, agent configurations and templates
    Check(check::Arguments),
    /// Try an SQL application out on files
    Sql(sql::Arguments),
    /// Show what waits at each stage, what is indexed, and what failed
    Status(status::Arguments),
    /// Put objects, failed lines, failed records or dead letters through again
    Replay(replay::Arguments),
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        Command::Up(arguments) => up::run(arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Sql(arguments) => sql::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
    }
}
