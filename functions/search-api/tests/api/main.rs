//! The API over a folder: requests in, answers out.

mod bulk;
mod documents;
mod indices;
mod scroll;
mod search;
mod server;
mod shell;
mod stored;
mod trouble;
