//! `POST /runtime/init/error`, which `lambda_runtime` does not send for a failure before its `run`.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How long the Runtime API may take: it is on this machine, and the process is to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reports that the start failed; best effort, the log line has been written already.
pub(crate) async fn report(message: &str) {
    let Ok(endpoint) = std::env::var("AWS_LAMBDA_RUNTIME_API") else { return };
    match tokio::time::timeout(PATIENCE, post(&endpoint, message)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %error, "the init error could not be reported"),
        Err(_) => tracing::warn!("the runtime API did not answer to the init error"),
    }
}

/// `endpoint` is `host:port`, or `http://host:port/prefix` as our emulator hands it to each of its processes.
async fn post(endpoint: &str, message: &str) -> std::io::Result<()> {
    let endpoint = endpoint.strip_prefix("http://").unwrap_or(endpoint).trim_end_matches('/');
    let (host, prefix) = endpoint.split_once('/').map_or((endpoint, String::new()), |(h, p)| (h, format!("/{p}")));
    let body = serde_json::json!({"errorType": "Runtime.InitError", "errorMessage": message}).to_string();
    let request = format!(
        "POST {prefix}/2018-06-01/runtime/init/error HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: Runtime.InitError\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    // The answer says nothing, but to leave before its end would reset the connection.
    stream.read_to_end(&mut Vec::new()).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_report_goes_to_the_runtime_api() {
        for prefix in ["", "/instance-7"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let endpoint = if prefix.is_empty() { address.to_string() } else { format!("http://{address}{prefix}") };
            let server = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let mut read = 0;
                while !String::from_utf8_lossy(&request[..read]).contains("no bucket") {
                    read += stream.read(&mut request[read..]).await.unwrap();
                }
                stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                String::from_utf8_lossy(&request[..read]).into_owned()
            });
            post(&endpoint, "no bucket").await.unwrap();
            let request = server.await.unwrap();
            assert!(
                request.starts_with(&format!("POST {prefix}/2018-06-01/runtime/init/error HTTP/1.1\r\n")),
                "{request}"
            );
            assert!(request.ends_with(r#"{"errorType":"Runtime.InitError","errorMessage":"no bucket"}"#), "{request}");
        }
    }
}
