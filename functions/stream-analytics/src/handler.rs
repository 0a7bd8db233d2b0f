//! Event in, reply out.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use lambda::rules::RuleListing;
use lambda::{BatchReply, Error};
use serde::Serialize;

use crate::application::Application;
use crate::catalog::Applications;
use crate::chain::{Arrived, Chain};
use crate::event::{Event, KinesisRecord, Message};
use crate::failed::{self, Report};
use crate::folding::{Call, Folder};
use crate::outside::Outside;
use crate::rule::SourceStream;
use crate::segment::{Origin, Record};
use crate::{garbage, metric, places};

/// What the function has while its process lives.
pub struct Context<O, S> {
    /// Everything that folding needs.
    pub folder: Folder<O, S>,
    /// This function's name: of its metric.
    pub function: String,
}

/// The answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// To a batch: what failed.
    Batch(BatchReply),
    /// To a tick: applications that were looked after.
    Tick {
        /// How many.
        applications: usize,
    },
}

/// Handles an event. An error fails the invocation, and it comes again.
pub async fn handle<O: Outside, S: RuleListing>(event: &str, context: &Context<O, S>) -> Result<Reply, Error> {
    match Event::parse(event)? {
        Event::Messages(messages) => context.messages(&messages).await.map(Reply::Batch),
        Event::Records(records) => context.records(&records).await.map(Reply::Batch),
        Event::Tick(now) => context.tick(now).await,
    }
}

impl<O: Outside, S: RuleListing> Context<O, S> {
    /// Objects of the lake: each is written down under its identity for each application that reads its stream; then it is done,
    /// and folding is whoever's.
    async fn messages(&self, messages: &[Message<'_>]) -> Result<BatchReply, Error> {
        let applications = self.folder.catalog.current().await?;
        let (mut failed, mut touched, mut now) = (Vec::new(), BTreeSet::new(), 0);
        for message in messages {
            match self.announce(message, &applications, &mut touched).await {
                Ok(at) => now = now.max(at),
                Err(error) => {
                    tracing::error!(message = &*message.message_id, %error, "objects not taken");
                    failed.push(message.message_id.to_string());
                }
            }
        }
        self.fold_all(touched, Call { now, tick: false }).await;
        Ok(BatchReply::sqs(failed))
    }

    /// Gives the latest time of the message's objects.
    async fn announce(
        &self,
        message: &Message<'_>,
        applications: &Applications,
        touched: &mut BTreeSet<String>,
    ) -> Result<i64, Error> {
        let mut latest = 0;
        for mut object in message.objects()? {
            // The event's own time is another one when it is sent again (`logmill replay`).
            if let Some(modified) = self.folder.outside.modified(&object.key).await? {
                object.at = modified;
            }
            latest = latest.max(object.at);
            let reads = |source: &SourceStream| matches!(source, SourceStream::Firehose(name) if Some(name.as_str()) == object.stream());
            for application in of_source(applications, reads) {
                let segments = places::lake(&self.folder.index, application.name());
                segments.append(&object.position(), &serde_json::to_vec(&object)?).await?;
                touched.insert(application.name().to_owned());
            }
        }
        Ok(latest)
    }

    /// Records of a shard: a segment of its chain for each application that reads the stream. Of a batch that fails in the middle,
    /// what comes before is committed.
    async fn records(&self, records: &[KinesisRecord<'_>]) -> Result<BatchReply, Error> {
        let applications = self.folder.catalog.current().await?;
        let (mut failed, mut touched) = (Vec::new(), BTreeSet::new());
        let now = records.iter().map(KinesisRecord::arrival).max().unwrap_or_default();
        for batch in records.chunk_by(|a, b| a.stream() == b.stream() && a.shard() == b.shard()) {
            let (stream, shard) = (batch[0].stream(), batch[0].shard());
            let reads = |source: &SourceStream| matches!(source, SourceStream::Kinesis(name) if name == stream);
            let readers: Vec<_> = of_source(&applications, reads).collect();
            if readers.is_empty() {
                continue;
            }
            let (arrived, error) = self.decode(batch).await;
            if let Some(error) = error {
                tracing::error!(stream, shard, %error, "records not taken");
                failed.push(batch[arrived.len()].number().to_owned());
            }
            for application in readers {
                let name = application.name();
                let chain = Chain::new(&self.folder.index, name, stream, shard, application.reads_origin());
                touched.insert(application.name().to_owned());
                if let Err(error) = chain.append(&arrived).await {
                    tracing::error!(application = application.name(), stream, shard, %error, "records not taken");
                    failed.push(batch[0].number().to_owned());
                }
            }
        }
        self.fold_all(touched, Call { now, tick: false }).await;
        Ok(BatchReply::kinesis(failed))
    }

    /// The records before the first that can neither be read nor be reported, and what was wrong with that one.
    async fn decode(&self, batch: &[KinesisRecord<'_>]) -> (Vec<Arrived>, Option<Error>) {
        let mut arrived = Vec::with_capacity(batch.len());
        for record in batch {
            match self.decode_one(record).await {
                Ok(one) => arrived.push(one),
                Err(error) => return (arrived, Some(error)),
            }
        }
        (arrived, None)
    }

    async fn decode_one(&self, record: &KinesisRecord<'_>) -> Result<Arrived, Error> {
        let (sequence, arrival) = (record.sequence()?, record.arrival());
        let origin = Origin { sequence: record.number().to_owned(), partition_key: record.partition_key().to_owned() };
        let record = match record.data() {
            Ok(data) => Some(Record { arrival, data: Bytes::from(data), origin: Some(origin) }),
            Err((data, reason)) => {
                let position = format!("{}:{}", record.shard(), record.number());
                let source = record.stream();
                let raw_data = failed::raw(&data);
                let report = Report { source, position: &position, arrival, reason: &reason, raw_data };
                let name = format!("{source}-{}-{}", record.shard(), record.number());
                failed::store(&*self.folder.lake, &name, &report).await?;
                None
            }
        };
        Ok(Arrived { sequence, record })
    }

    /// What is committed is done; that folding fails is the next one's business.
    async fn fold_all(&self, names: BTreeSet<String>, call: Call) {
        for name in names {
            if let Err(error) = self.folder.fold(&name, call).await {
                tracing::warn!(application = name, %error, "not folded, the next call tries again");
            }
        }
    }

    async fn tick(&self, now: i64) -> Result<Reply, Error> {
        let mut names: BTreeSet<String> = self.folder.catalog.current().await?.keys().cloned().collect();
        if garbage::is_due(now) {
            names.extend(garbage::applications(&*self.folder.index).await?);
            for name in &names {
                garbage::collect(&self.folder.index, name).await?;
            }
        }
        let mut errors = Vec::new();
        for name in &names {
            let stalled = match self.folder.fold(name, Call { now, tick: true }).await {
                Ok(stalled) => stalled,
                Err(error) => {
                    tracing::error!(application = name, %error, "not folded");
                    errors.push(format!("{name}: {error}"));
                    Some(error.to_string())
                }
            };
            if let Some(reason) = stalled {
                tracing::warn!(application = name, reason, "the watermark waits");
                metric::stalled(&self.function, name, now);
            }
        }
        match errors.is_empty() {
            true => Ok(Reply::Tick { applications: names.len() }),
            false => Err(errors.join("; ").into()),
        }
    }
}

fn of_source<'a>(
    applications: &'a Applications,
    reads: impl Fn(&SourceStream) -> bool + 'a,
) -> impl Iterator<Item = &'a Arc<Application>> {
    applications.values().filter_map(|entry| entry.application()).filter(move |application| reads(application.source()))
}
