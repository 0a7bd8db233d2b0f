//! `logmill check FILE…`: what is wrong with a file, and where.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emulator::{Config, template};

const EXAMPLES: &str = "Examples:
  logmill check infra/rules/*.json infra/rules/analytics/*
  logmill check /etc/aws-kinesis/agent.json template.yaml

A file's kind follows from its name: firehose-transform.json is a rule file, analytics/NAME.json and NAME.sql are an SQL
application (checked together, whichever is named), *.yaml is a template, any other *.json with \"flows\" an agent configuration. Errors are printed as FILE:LINE:COLUMN: MESSAGE; the exit code is 1 if there was one.";

/// Options of `check`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The files
    #[arg(required_unless_present = "schema")]
    files: Vec<PathBuf>,
    /// Print the JSON Schema of a kind of rule file instead
    #[arg(long, value_name = "KIND", exclusive = true, value_parser = ["analytics", "firehose-transform"])]
    schema: Option<String>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    if let Some(kind) = &arguments.schema {
        let schema = match kind.as_str() {
            "analytics" => schemars::schema_for!(stream_analytics::rule::Rule),
            _ => schemars::schema_for!(firehose_transform::rules::Rules),
        };
        println!("{:#}", schema.as_value());
        return ExitCode::SUCCESS;
    }
    let width = arguments.files.iter().map(|file| file.display().to_string().len()).max().unwrap_or_default();
    let mut failed = false;
    for file in &arguments.files {
        match check(file) {
            Ok(Checked { kind, warnings }) => {
                println!("{:width$}  ok  {kind}", file.display().to_string());
                warnings.iter().for_each(|warning| println!("{warning}"));
            }
            Err(error) => {
                failed = true;
                println!("{error}");
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

struct Checked {
    kind: &'static str,
    warnings: Vec<String>,
}

/// Messages begin with the file, and with line and column where they are known.
fn check(file: &Path) -> Result<Checked, String> {
    let shown = file.display();
    let extension = file.extension().unwrap_or_default();
    if extension == "yaml" || extension == "yml" {
        template::load(file, &BTreeMap::new(), &Config::new(".")).map_err(|e| e.to_string())?;
        return Ok(Checked { kind: "template", warnings: Vec::new() });
    }
    let in_analytics = file.parent().and_then(Path::file_name).is_some_and(|folder| folder == "analytics");
    if extension == "sql" || extension == "json" && in_analytics {
        return application(file);
    }
    let text = std::fs::read_to_string(file).map_err(|e| format!("{shown}: {e}"))?;
    if file.file_name().is_some_and(|name| name == "firehose-transform.json") {
        let rules = firehose_transform::rules::parse(&text);
        rules.map_err(|e| format!("{shown}:{}:{}: {}", e.line, e.column, e.message))?;
        return Ok(Checked { kind: "firehose-transform rules", warnings: Vec::new() });
    }
    if text.contains("\"flows\"") {
        let loaded = agent::config::load(file).map_err(|e| e.to_string())?;
        return Ok(Checked { kind: "agent configuration", warnings: loaded.warnings });
    }
    Err(format!(
        "{shown}: unknown kind of file: expected firehose-transform.json, analytics/*.json, *.sql, an agent configuration \
         (\"flows\"), or a template (*.yaml)"
    ))
}

/// An SQL application: the rule and the statements beside it.
fn application(file: &Path) -> Result<Checked, String> {
    let (json, sql) = (file.with_extension("json"), file.with_extension("sql"));
    let text = std::fs::read_to_string(&json).map_err(|e| format!("{}: {e}", json.display()))?;
    let statements = match std::fs::read_to_string(&sql) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(format!("{}: {e}", sql.display())),
        read => read.ok(),
    };
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let parsed = stream_analytics::application::parse(&name, &text, statements.as_deref());
    parsed.map_err(|e| format!("{}:{}:{}: {}", file.with_file_name(&e.file).display(), e.line, e.column, e.message))?;
    Ok(Checked { kind: "SQL application", warnings: Vec::new() })
}
