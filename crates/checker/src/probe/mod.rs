//! One attempt against one endpoint, over tokio.
//!
//! [`attempt`] opens what it needs, asks once, judges the answer and closes everything again. It
//! knows nothing of intervals and retries. Dropping its future ends the attempt there and then:
//! sockets close, a script's process group is ended. No attempt leaves a task behind, except the
//! one that sees a script to its end.
//!
//! What a server sends is never kept beyond fixed bounds, however much it sends, and no server can
//! keep an attempt going for ever: see [`Endpoint::connect_timeout`].

pub mod answer;
mod dns;
mod file;
pub mod genhash;
mod http;
mod misc;
mod ping;
mod smtp;
mod socket;
#[allow(
    unsafe_code,
    reason = "what the PCRE2 crate lacks lives here and nowhere else in this crate"
)]
mod sys;
mod tcp;
mod tls;
mod udp;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub use dns::{BadQuestion, DnsProbe};
pub use file::{FileWeight, Sign, file_check};
pub use http::regex::{Regex, RegexCheck, RegexError, Sense};
pub use http::{Digest, HttpProbe, HttpReply, HttpVersion, Mark, ParseDigestError, StatusCodes};
pub use misc::{ExitStatus, MiscProbe};
pub use ping::PingGroupRange;
pub use smtp::SmtpProbe;
pub use tls::{Certificate, Client, Farewell, Identity, Password, Tls, TlsError, Trust, Verify};
pub use udp::{Reply, UdpProbe, hex, hex_pattern};

use crate::{Failure, Outcome};

/// Where an attempt goes, from where, and how long it may take.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// The real server as log lines name it: `[192.0.2.1]:tcp:80`. Nothing else is read from it.
    pub service: String,
    /// Address and port that are asked: those of the real server, or `connect_ip` and
    /// `connect_port`. `PING_CHECK` ignores the port.
    pub addr: SocketAddr,
    /// Where the connection comes from.
    pub bind: Bind,
    /// The mark of all its packets (`SO_MARK`); 0 for none.
    pub fwmark: u32,
    /// How long connecting may take, and after that each wait for more data.
    ///
    /// A whole attempt ends after [`WHOLE`] times this, which is what stops a server that sends
    /// one byte now and then.
    pub connect_timeout: Duration,
}

/// How many times `connect_timeout` a whole attempt may take.
pub const WHOLE: u32 = 12;

/// `bindto`, `bind_port` and `bind_if`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Bind {
    /// The source address.
    pub addr: Option<IpAddr>,
    /// The source port; 0 for any.
    pub port: u16,
    /// The interface.
    pub interface: Option<String>,
}

impl Endpoint {
    /// The endpoint at `addr`, known as `service`, without anything special and with keepalived's
    /// default timeout of 5 s.
    #[must_use]
    pub fn new(service: impl Into<String>, addr: SocketAddr) -> Self {
        Self {
            service: service.into(),
            addr,
            bind: Bind::default(),
            fwmark: 0,
            connect_timeout: Duration::from_secs(5),
        }
    }

    /// How long a whole attempt may take.
    fn whole(&self) -> Duration {
        self.connect_timeout.saturating_mul(WHOLE)
    }

    /// `[192.0.2.1]:80`, as some lines name what was connected to.
    fn target(&self) -> String {
        format!("[{}]:{}", self.addr.ip(), self.addr.port())
    }
}

/// What is asked, and which answer is good: a checker's kind with its own settings.
///
/// `FILE_CHECK` has no probe (see [`file_check`]), and neither has `BFD_CHECK`.
#[derive(Clone, Debug)]
pub enum Probe {
    /// `TCP_CHECK`: can be connected to.
    Tcp,
    /// `UDP_CHECK`: no ICMP error, or a certain reply.
    Udp(UdpProbe),
    /// `PING_CHECK`: answers an ICMP echo request.
    Ping,
    /// `HTTP_GET` and, with [`HttpProbe::tls`], `SSL_GET`: one `url`.
    Http(Box<HttpProbe>),
    /// `SMTP_CHECK`: greets and takes a HELO.
    Smtp(SmtpProbe),
    /// `DNS_CHECK`: answers a query.
    Dns(DnsProbe),
    /// `MISC_CHECK`: a program says so.
    Misc(MiscProbe),
}

/// What an attempt found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// For the state machine.
    pub outcome: Outcome,
    /// Lines to log besides, in order, whatever the outcome.
    pub lines: Vec<String>,
    /// What an HTTP server answered, as far as it did.
    pub http: Option<HttpReply>,
    /// The server's certificate, when TLS got as far as that.
    pub certificate: Option<Certificate>,
    /// Of an answer that is not what it should be: what differs, in words for people.
    pub difference: Option<String>,
    /// With which status a program ended by itself.
    pub exit_status: Option<i32>,
}

impl Report {
    fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            lines: Vec::new(),
            http: None,
            certificate: None,
            difference: None,
            exit_status: None,
        }
    }

    fn success() -> Self {
        Self::new(Outcome::Success)
    }

    fn failure(line: impl Into<String>) -> Self {
        Self::new(Outcome::Failure(Failure(line.into())))
    }

    /// The attempt was not made; `because` is logged before `line`.
    pub fn unable(because: String, line: impl Into<String>) -> Self {
        Self {
            lines: vec![because],
            ..Self::new(Outcome::Unable(line.into()))
        }
    }
}

/// Makes one attempt of `probe` against `endpoint`; `number` counts the attempts of this checker,
/// from 0 (it becomes the sequence number of an echo request).
///
/// Needs a tokio runtime with I/O and time. Never panics, whatever the other side sends.
pub async fn attempt(endpoint: &Endpoint, probe: &Probe, number: u64) -> Report {
    match probe {
        Probe::Tcp => tcp::attempt(endpoint).await,
        Probe::Udp(probe) => udp::attempt(endpoint, probe).await,
        Probe::Ping => ping::attempt(endpoint, number).await,
        Probe::Http(probe) => http::attempt(endpoint, probe).await,
        Probe::Smtp(probe) => smtp::attempt(endpoint, probe).await,
        Probe::Dns(probe) => dns::attempt(endpoint, probe).await,
        Probe::Misc(probe) => misc::attempt(probe).await,
    }
}
