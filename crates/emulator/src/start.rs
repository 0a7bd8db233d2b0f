//! Starting and stopping the whole.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::runtime::{self, Pool};
use crate::services;
use crate::store::{OpenError, Store};
use crate::template;
use crate::wire;
use crate::{Ctx, Shared};

/// Why the emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be had.
    #[error("cannot listen on {address}: {source}{}", listen_hint(source))]
    Listen {
        /// Address and port.
        address: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The data directory cannot be used.
    #[error(transparent)]
    State(#[from] OpenError),
    /// The template cannot be read or applied.
    #[error("{0}")]
    Template(String),
    /// A resource could not be made.
    #[error(transparent)]
    Resource(#[from] ApiError),
}

fn listen_hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => " (is another emulator running? --port takes another one)",
        _ => "",
    }
}

/// A running emulator. Dropping it stops everything, the function processes included.
pub struct Emulator {
    ctx: Ctx,
    stack: Option<template::Stack>,
    tasks: JoinSet<()>,
}

impl Emulator {
    /// Opens the state, makes the template's resources, then listens.
    pub async fn start(mut config: Config) -> Result<Emulator, StartError> {
        let address = format!("{}:{}", config.host, config.port);
        let listen = |source| StartError::Listen { address: address.clone(), source };
        let listener = TcpListener::bind((config.host, config.port)).await.map_err(listen)?;
        config.port = listener.local_addr().map_err(listen)?.port();

        let config = Arc::new(config);
        let store = Store::open(&config, services::SCHEMAS)?;
        let faults = Faults::new(config.inject);
        let pool = Pool::new(&config);
        let ctx = Arc::new(Shared { config, store, faults, pool });
        services::s3::remove_orphans(&ctx).await?;

        let stack = match ctx.config.template.clone() {
            Some(path) => Some(template::deploy(&ctx, &path).await?),
            None => None,
        };
        let mut tasks = JoinSet::new();
        runtime::start(&ctx, &mut tasks).await?;
        services::start(&ctx, &mut tasks);
        tasks.spawn(wire::serve(listener, ctx.clone()));
        Ok(Emulator { ctx, stack, tasks })
    }

    /// Where AWS clients connect to: `http://127.0.0.1:4566`.
    pub fn endpoint(&self) -> String {
        self.ctx.config.endpoint()
    }

    /// The parts, for tests that make resources without a template.
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    /// What the template made, when there is one.
    pub fn stack(&self) -> Option<&template::Stack> {
        self.stack.as_ref()
    }

    /// Waits until a part of the emulator has ended by itself, which none does unless it panics. What it did is not done any
    /// more then: stop, and start again, which loses nothing.
    pub async fn failed(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Err(panicked)) => panicked.to_string(),
            Some(Ok(())) | None => "it returned".to_owned(),
        }
    }

    /// Stops listening, ends connections and function processes and closes the state: then the data directory is free.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.ctx.pool.stop().await;
        self.ctx.store.close().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn after_a_stop_amid_requests_the_next_start_has_port_and_directory_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path());
        config.port = 0;
        for _ in 0..3 {
            let emulator = Emulator::start(config.clone()).await.unwrap();
            config.port = emulator.ctx().config.port;
            let connect = || TcpStream::connect(("127.0.0.1", config.port));
            // Kept alive after an answer; waiting for its answer; in the middle of its body.
            let mut idle = connect().await.unwrap();
            idle.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
            let sqs = |operation: &str, length: usize, body: &str| {
                format!(
                    "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AmazonSQS.{operation}\r\ncontent-type: \
                     application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{body}"
                )
            };
            let create = r#"{"QueueName":"q"}"#;
            idle.write_all(sqs("CreateQueue", create.len(), create).as_bytes()).await.unwrap();
            let mut answers = String::new();
            while !answers.contains("/000000000000/q") {
                answers.push(idle.read_u8().await.unwrap().into());
            }
            let receive = r#"{"QueueUrl":"http://localhost/000000000000/q","WaitTimeSeconds":20}"#;
            let mut waiting = connect().await.unwrap();
            waiting.write_all(sqs("ReceiveMessage", receive.len(), receive).as_bytes()).await.unwrap();
            let mut sending = connect().await.unwrap();
            sending.write_all(sqs("SendMessage", 100, "{").as_bytes()).await.unwrap();
            emulator.stop().await;
        }
    }

    #[tokio::test]
    async fn a_part_that_panics_is_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path());
        config.port = 0;
        let mut emulator = Emulator::start(config).await.unwrap();
        let soon = std::time::Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, emulator.failed()).await.is_err(), "nothing has ended yet");
        emulator.tasks.spawn(async { panic!("the part's own words") });
        let failure = emulator.failed().await;
        assert!(failure.contains("the part's own words"), "{failure}");
        emulator.stop().await;
    }
}
