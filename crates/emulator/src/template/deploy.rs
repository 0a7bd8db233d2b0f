//! From a loaded template to resources: one transaction, so that a template that cannot be applied changes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::apply;
use super::load::{Resource, Template, load};
use crate::Ctx;
use crate::error::ApiError;
use crate::start::StartError;
use crate::store::{Tx, Wake};

/// What a template made.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// The parameters' values.
    pub parameters: BTreeMap<String, String>,
    /// `Outputs`, resolved.
    pub outputs: BTreeMap<String, String>,
    /// Logical id → (type, physical id).
    pub resources: BTreeMap<String, (String, String)>,
}

/// Reads the template and brings its resources to what it says; what an earlier start made is kept.
pub async fn deploy(ctx: &Ctx, path: &Path) -> Result<Stack, StartError> {
    let template = load(path, &ctx.config.parameters, &ctx.config).map_err(|e| StartError::Template(e.to_string()))?;
    let template = Arc::new(template);
    let applied = template.clone();
    let urls = ctx.store.write(move |tx| apply_all(tx, &applied)).await.map_err(|e| StartError::Template(e.message))?;

    let mut stack = Stack {
        parameters: template.parameters.clone(),
        outputs: template.outputs.clone(),
        resources: template.resources.iter().map(|r| (r.id.clone(), (r.kind.clone(), r.physical_id.clone()))).collect(),
    };
    for value in stack.outputs.values_mut() {
        *value = with_urls(value, &urls);
    }
    Ok(stack)
}

/// Makes the resources in order. Returns the URLs of functions, by what stood for them.
fn apply_all(tx: &Tx<'_>, template: &Template) -> Result<BTreeMap<String, String>, ApiError> {
    let mut urls = BTreeMap::new();
    for resource in &template.resources {
        let resource = with_known_urls(resource, &urls);
        let made = apply::resource(tx, template, &resource).map_err(|error| {
            let path = template.path.display();
            let message = format!("{path}:{}: {} ({}): {error}", resource.line, resource.id, resource.kind);
            ApiError { message, ..error }
        })?;
        urls.extend(resource.url_placeholder(tx.config()).zip(made));
    }
    tx.wake(Wake::Resources);
    Ok(urls)
}

fn with_known_urls(resource: &Resource, urls: &BTreeMap<String, String>) -> Resource {
    let mut resource = resource.clone();
    if !urls.is_empty() {
        replace(&mut resource.properties, urls);
    }
    resource
}

fn replace(value: &mut serde_json::Value, urls: &BTreeMap<String, String>) {
    match value {
        serde_json::Value::String(text) => *text = with_urls(text, urls),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| replace(item, urls)),
        serde_json::Value::Object(entries) => entries.values_mut().for_each(|item| replace(item, urls)),
        _ => {}
    }
}

fn with_urls(text: &str, urls: &BTreeMap<String, String>) -> String {
    urls.iter().fold(text.to_owned(), |text, (placeholder, url)| text.replace(placeholder.as_str(), url))
}
