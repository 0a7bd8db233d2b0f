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
    #[error("cannot listen on {address}: {source} (is another emulator running? --port takes another one)")]
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
