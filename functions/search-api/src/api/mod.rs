//! The API, a file for each of its families.
//!
//! A family's file has the table of its routes at its head; a new family is a file here and a line in [`FAMILIES`].

mod bulk;
mod cat;
mod cluster;
mod count;
mod document;
mod index_settings;
mod indices;
mod mapping;
mod mget;
mod msearch;
mod refresh;
mod root;
mod scroll;
mod search;
mod stored;
mod update;
mod written;

use crate::router::Route;

/// All routes.
pub(crate) const FAMILIES: &[&[Route]] = &[
    root::ROUTES,
    bulk::ROUTES,
    document::ROUTES,
    update::ROUTES,
    mget::ROUTES,
    search::ROUTES,
    scroll::ROUTES,
    msearch::ROUTES,
    count::ROUTES,
    indices::ROUTES,
    mapping::ROUTES,
    index_settings::ROUTES,
    refresh::ROUTES,
    cat::ROUTES,
    cluster::ROUTES,
    stored::POLICIES,
    stored::TEMPLATES,
    stored::INDEX_TEMPLATES,
    stored::COMPONENTS,
    stored::PIPELINES,
    stored::DATA_STREAMS,
];
