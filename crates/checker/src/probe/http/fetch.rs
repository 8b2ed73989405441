//! Asking a web server for something and reading its answer to the end.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::super::Endpoint;
use super::super::socket::{NoConnection, connect_tcp, is_local, text};
use super::super::tls::{Certificate, Farewell, NoTls, Tls, greet};
use super::reply::Reply;

/// How much is read at once; keepalived's number.
const PIECE: usize = 4096;

/// Who looks at what comes.
pub(in super::super) trait Sink {
    /// The whole head, up to and with its empty line.
    fn head(&mut self, head: &[u8]);
    /// A piece of the body, `before` octets after its beginning.
    fn body(&mut self, piece: &[u8], content_length: Option<u64>, before: u64);
}

/// Why there is no answer to judge.
#[derive(Debug)]
pub(in super::super) enum Broken {
    /// A matter of this host.
    Unable(String),
    /// No connection within the time.
    ConnectTimeout,
    /// No way there.
    Unreachable,
    /// No connection.
    Refused,
    /// No TLS.
    Handshake,
    /// The certificate is not what it has to be.
    Certificate(String),
    /// The request did not get through.
    Write,
    /// No answer within the time.
    FirstTimeout,
    /// The answer began and did not end.
    ReadTimeout,
    /// The connection broke.
    Read,
    /// The head has no end.
    Head,
}

impl Broken {
    /// What keepalived's genhash says: the line of the log without the server.
    pub(in super::super) fn words(&self) -> &str {
        match self {
            Self::Unable(because) => because,
            Self::ConnectTimeout => "Timeout connecting",
            Self::Unreachable => "HTTP_CHECK - network unreachable",
            Self::Refused => "Connection failed",
            Self::Handshake => "SSL handshake/communication error connecting to",
            Self::Certificate(_) => "SSL certificate verification failed to",
            Self::Write => "Cannot send request to",
            Self::FirstTimeout => "Timeout WEB read",
            Self::ReadTimeout => "Timeout HTTP read",
            Self::Read => "Read error with",
            Self::Head => "Read, no data received from ",
        }
    }

    /// The line of the log.
    pub(super) fn line(&self, service: &str) -> String {
        let words = self.words();
        match self {
            Self::Certificate(problem) => format!("{words} server {service} ({problem})."),
            _ => format!("{words} server {service}."),
        }
    }
}

/// Sends `request` to `endpoint` and shows `sink` the answer.
///
/// The certificate is there whenever TLS got as far as that.
pub(in super::super) async fn fetch(
    endpoint: &Endpoint,
    request: &str,
    tls: Option<&Tls>,
    sink: &mut (impl Sink + Send),
) -> (Option<Certificate>, Result<Reply, Broken>) {
    let mut certificate = None;
    let mut reply = Reply::default();
    let whole = async {
        let mut stream = connect_tcp(endpoint).await.map_err(|error| match error {
            NoConnection::Unable(because) => Broken::Unable(because),
            NoConnection::Timeout => Broken::ConnectTimeout,
            NoConnection::Unreachable(_) => Broken::Unreachable,
            NoConnection::Failed(_) => Broken::Refused,
        })?;
        let Some(tls) = tls else {
            return exchange(endpoint, request, &mut stream, &mut reply, sink).await;
        };
        let greeted = timeout(endpoint.connect_timeout, greet(tls, endpoint, stream)).await;
        let (seen, stream) = greeted.map_err(|_| Broken::ConnectTimeout)?;
        certificate = seen;
        let mut stream = stream.map_err(|error| match error {
            NoTls::Unable(because) => Broken::Unable(because),
            NoTls::Handshake => Broken::Handshake,
            NoTls::Certificate(problem) => Broken::Certificate(problem),
        })?;
        let result = exchange(endpoint, request, &mut stream, &mut reply, sink).await;
        if tls.farewell == Farewell::CloseNotify {
            // Whether it gets there is the other side's business.
            timeout(endpoint.connect_timeout, stream.shutdown())
                .await
                .ok();
        }
        result
    };
    let result = timeout(endpoint.whole(), whole).await;
    let result = match result {
        Ok(result) => result,
        Err(_) if reply.has_begun() => Err(Broken::ReadTimeout),
        Err(_) => Err(Broken::FirstTimeout),
    };
    let result = match result {
        // All of it is there; that the server does not close, or not nicely, changes nothing.
        Err(Broken::ReadTimeout | Broken::Read) if reply.is_complete() => Ok(reply),
        Err(broken) => Err(broken),
        Ok(()) => Ok(reply),
    };
    (certificate, result)
}

/// Request and answer over a connection of either kind.
async fn exchange(
    endpoint: &Endpoint,
    request: &str,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    reply: &mut Reply,
    sink: &mut impl Sink,
) -> Result<(), Broken> {
    let write = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await
    };
    match timeout(endpoint.connect_timeout, write).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(read_error(&error, Broken::Write)),
        Err(_) => return Err(Broken::FirstTimeout),
    }
    let mut buffer = [0; PIECE];
    loop {
        let length = match timeout(endpoint.connect_timeout, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => return Ok(()),
            Ok(Ok(length)) => length,
            Ok(Err(error)) => return Err(read_error(&error, Broken::Read)),
            Err(_) if reply.has_begun() => return Err(Broken::ReadTimeout),
            Err(_) => return Err(Broken::FirstTimeout),
        };
        let before = reply.received();
        let piece = buffer.get(..length).unwrap_or_default();
        let parts = reply.push(piece).map_err(|_| Broken::Head)?;
        if let Some(head) = &parts.head {
            sink.head(head);
        }
        if !parts.body.is_empty() {
            sink.body(parts.body, reply.content_length(), before);
        }
    }
}

/// Our own shortage of memory is not the server's fault.
fn read_error(error: &io::Error, otherwise: Broken) -> Broken {
    if is_local(error) {
        Broken::Unable(format!("Checker read failed: {}", text(error)))
    } else {
        otherwise
    }
}
