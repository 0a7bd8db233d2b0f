//! How an invocation ended, and what its caller is told.

use std::process::ExitStatus;

use bytes::Bytes;
use serde_json::json;

use super::MAX_RESPONSE;
use super::pool::Invocation;

/// How an invocation, or the start of a process, ended.
pub enum End {
    /// The function answered.
    Answer(Bytes),
    /// It answered with an error object.
    Error(Bytes),
    /// Its answer was larger than one may be.
    TooLarge,
    /// Its folder holds so many bytes.
    TmpFull(u64),
    /// The process ended; whether it had taken the event before.
    Exit { status: Option<ExitStatus>, taken: bool },
    /// It took longer than it may.
    TimedOut,
    /// The emulator stops.
    Stopping,
}

impl End {
    /// Whether the process can take the next invocation.
    pub fn leaves_alive(&self) -> bool {
        matches!(self, End::Answer(_) | End::Error(_) | End::TooLarge)
    }

    /// What the caller is told; nothing when the emulator is stopping.
    pub fn invocation(self, request_id: &str, limit_seconds: u32, tail: String) -> Option<Invocation> {
        let of = |kind: &str, message: &str| Some(failure(request_id, kind, message, tail.clone()));
        let id = request_id;
        match self {
            End::Answer(payload) => {
                Some(Invocation { payload, function_error: None, log_tail: tail, request_id: id.to_owned() })
            }
            End::Error(payload) => Some(Invocation {
                payload,
                function_error: Some("Unhandled".into()),
                log_tail: tail,
                request_id: id.to_owned(),
            }),
            End::TooLarge => of(
                "Function.ResponseSizeTooLarge",
                &format!("Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."),
            ),
            End::TmpFull(bytes) => of(
                "Runtime.ExitError",
                &format!(
                    "RequestId: {id} Error: no space left: TMPDIR holds {bytes} bytes, more than EphemeralStorage"
                ),
            ),
            End::Exit { status, .. } => {
                of("Runtime.ExitError", &format!("RequestId: {id} Error: Runtime exited {}", describe(status)))
            }
            End::TimedOut => of(
                "Sandbox.Timedout",
                &format!("RequestId: {id} Error: Task timed out after {limit_seconds}.00 seconds"),
            ),
            End::Stopping => None,
        }
    }
}

/// An error of the platform, as the function's own.
pub fn failure(request_id: &str, kind: &str, message: &str, log_tail: String) -> Invocation {
    let payload = json!({ "errorType": kind, "errorMessage": message }).to_string();
    Invocation {
        payload: payload.into(),
        function_error: Some("Unhandled".into()),
        log_tail,
        request_id: request_id.to_owned(),
    }
}

/// In Lambda's words.
pub fn describe(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.map(|status| (status.code(), status.signal())) {
        Some((Some(0), _)) => "without providing a reason".into(),
        Some((Some(code), _)) => format!("with error: exit status {code}"),
        Some((None, Some(libc::SIGKILL))) => "with error: signal: killed".into(),
        Some((None, Some(libc::SIGABRT))) => "with error: signal: aborted".into(),
        Some((None, Some(signal))) => format!("with error: signal {signal}"),
        _ => "without providing a reason".into(),
    }
}
