//! What a stream says of its errors: on the health page, in the emulator's log, and in the log group of its
//! `CloudWatchLoggingOptions`.

use serde_json::json;

use super::answer::Fault;
use super::settings::Settings;
use super::streams::{Stream, arn};
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::services::logs;

/// Records an error of a stream. That it cannot be written somewhere is no error of its own.
pub async fn report(ctx: &Ctx, stream: &Stream, settings: &Settings, destination: &str, fault: &Fault) {
    let text = format!("{}: {}", fault.code, fault.message);
    tracing::warn!(stream = stream.name, destination, "firehose: {text}");
    let id = stream.id;
    let written = ctx.store.write(move |tx| note(tx, id, &text)).await;
    if let Err(e) = written {
        tracing::warn!(stream = stream.name, "firehose: the error was not recorded: {e}");
    }
    let Some((group, log_stream)) = settings.log.clone() else { return };
    let event = json!({
        "deliveryStreamARN": arn(&ctx.config, &stream.name),
        "destination": destination,
        "deliveryStreamVersionId": stream.version,
        "message": fault.message,
        "errorCode": fault.code,
        "processor": settings.transform.as_ref().map(|transform| &transform.arn),
    });
    let at = now_ms();
    let appended = ctx.store.write(move |tx| logs::append(tx, &group, &log_stream, &[(at, event.to_string())])).await;
    if let Err(e) = appended {
        tracing::warn!(stream = stream.name, "firehose: the error was not logged: {e}");
    }
}

fn note(tx: &crate::store::Tx<'_>, stream: i64, text: &str) -> Result<(), ApiError> {
    tx.prepare_cached("UPDATE firehose_streams SET error_at = ?2, error = ?3 WHERE id = ?1")?.execute((
        stream,
        tx.now(),
        text,
    ))?;
    Ok(())
}
