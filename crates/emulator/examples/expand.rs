//! Prints what the emulator makes of a template, as JSON: `expand TEMPLATE [NAME=VALUE …]`.
//!
//! The template may be plain CloudFormation, in YAML or JSON: `tests/python/oracle_sam.py` gives it SAM's own expansion and compares.

use std::collections::BTreeMap;
use std::path::Path;

use emulator::{Config, template};
use serde_json::json;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| fail("usage: expand TEMPLATE [NAME=VALUE …]"));
    let parameters: BTreeMap<String, String> = arguments
        .map(|argument| match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => fail(&format!("{argument}: expected NAME=VALUE")),
        })
        .collect();
    match template::load(Path::new(&path), &parameters, &Config::new("")) {
        Ok(template) => println!("{}", render(&template)),
        Err(error) => fail(&error.to_string()),
    }
}

fn render(template: &template::Template) -> serde_json::Value {
    let resources: serde_json::Map<String, serde_json::Value> = template
        .resources
        .iter()
        .map(|resource| {
            let rendered = json!({
                "Type": resource.kind,
                "Properties": resource.properties,
                "PhysicalId": resource.physical_id,
                "Needs": resource.needs,
                "Binary": resource.binary,
            });
            (resource.id.clone(), rendered)
        })
        .collect();
    json!({"Parameters": template.parameters, "Resources": resources, "Outputs": template.outputs})
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(1)
}
