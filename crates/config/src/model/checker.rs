//! Checkers of real servers, and the `SSL` block.
//!
//! Times and hosts are resolved: a checker's own setting, else its real server's, else its
//! service's, else the default of its kind.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Command, Origin};

/// Times of checks as a `virtual_server` or `real_server` gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// `delay_loop`.
    pub delay_loop: Option<Duration>,
    /// `warmup`.
    pub warmup: Option<Duration>,
    /// `retry`.
    pub retry: Option<u32>,
    /// `delay_before_retry`.
    pub delay_before_retry: Option<Duration>,
    /// `connect_timeout`.
    pub connect_timeout: Option<Duration>,
}

/// One checker of a real server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checker {
    /// What is done.
    pub check: Check,
    /// `delay_loop`: from the end of a check to the next one; 60 s unless given.
    pub delay_loop: Duration,
    /// `warmup`: the first check comes at a random time up to this; `delay_loop` unless given.
    pub warmup: Duration,
    /// `retry`: failures beyond the first before the server is down; 1, DNS 3, MISC 0 unless
    /// given.
    pub retry: u32,
    /// `delay_before_retry`; 1 s, HTTP and SSL 3 s, DNS `delay_loop` unless given.
    pub delay_before_retry: Duration,
    /// `alpha`: down until a check succeeds.
    pub alpha: bool,
    /// `log_all_failures`, else `checker_log_all_failures`.
    pub log_all_failures: bool,
    /// The block.
    pub origin: Origin,
}

impl Checker {
    /// Where it connects to; commands, files and BFD sessions have no such place.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        match &self.check {
            Check::Tcp(c) | Check::Ping(c) => Some(c),
            Check::Udp(c, _) => Some(c),
            Check::Http(c, _) => Some(c),
            Check::Smtp(c, _) => Some(c),
            Check::Dns(c, _) => Some(c),
            Check::Misc(_) | Check::Bfd { .. } | Check::File { .. } => None,
        }
    }

    /// The keyword of its block.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        match &self.check {
            Check::Tcp(_) => "TCP_CHECK",
            Check::Ping(_) => "PING_CHECK",
            Check::Udp(..) => "UDP_CHECK",
            Check::Http(_, http) if http.tls.is_some() => "SSL_GET",
            Check::Http(..) => "HTTP_GET",
            Check::Smtp(..) => "SMTP_CHECK",
            Check::Dns(..) => "DNS_CHECK",
            Check::Misc(_) => "MISC_CHECK",
            Check::Bfd { .. } => "BFD_CHECK",
            Check::File { .. } => "FILE_CHECK",
        }
    }
}

/// What a checker does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Check {
    /// `TCP_CHECK`: connect.
    Tcp(Connection),
    /// `PING_CHECK`: an ICMP echo; the port is of no use.
    Ping(Connection),
    /// `UDP_CHECK`: send a datagram.
    Udp(Connection, Box<UdpCheck>),
    /// `HTTP_GET` or `SSL_GET`: read pages.
    Http(Connection, Box<HttpCheck>),
    /// `SMTP_CHECK`: talk to a mail server.
    Smtp(Connection, Box<SmtpCheck>),
    /// `DNS_CHECK`: ask a name server.
    Dns(Connection, Box<DnsCheck>),
    /// `MISC_CHECK`: run a command.
    Misc(Box<MiscCheck>),
    /// `BFD_CHECK`: follow a BFD session.
    Bfd {
        /// The [`super::BfdSession`], which exists.
        name: Arc<str>,
    },
    /// `FILE_CHECK`: follow the number in a file.
    File {
        /// The [`super::TrackFile`], which exists.
        track_file: Arc<str>,
        /// What the number is multiplied by, else the weight of the file; 0 makes any other
        /// number than 0 a failure.
        weight: i32,
        /// `reverse`: the product is subtracted.
        reverse: bool,
    },
}

/// Where a check goes and from where.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Connection {
    /// `connect_ip` and `connect_port`, else address and port of the real server.
    pub target: SocketAddr,
    /// `connect_timeout`; 5 s unless given.
    pub timeout: Duration,
    /// From where, if that is given.
    pub bind: Option<Box<Bind>>,
}

/// The near end of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bind {
    /// `bindto`, of the family of the target.
    pub address: Option<IpAddr>,
    /// `bind_port`; 0 means any.
    pub port: u16,
    /// `bind_if`.
    pub interface: Option<Arc<str>>,
    /// `fwmark` of its packets; 0 means none.
    pub fwmark: u32,
}

/// What `UDP_CHECK` sends and waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UdpCheck {
    /// `payload`; an empty datagram if there is none.
    pub payload: Vec<u8>,
    /// `require_reply`: silence is a failure.
    pub require_reply: bool,
    /// What the answer must begin with, byte and mask; bits that are 0 in the mask may differ.
    pub reply: Vec<(u8, u8)>,
    /// `min_reply_length` in bytes; 0 unless given.
    pub min_reply_length: u16,
    /// `max_reply_length` in bytes; 255 unless given.
    pub max_reply_length: u16,
}

/// `HTTP_GET` and `SSL_GET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpCheck {
    /// `SSL_GET`.
    pub tls: Option<TlsCheck>,
    /// `http_protocol`.
    pub version: HttpVersion,
    /// `fast_recovery`: no waiting between pages while it is down.
    pub fast_recovery: bool,
    /// `virtualhost`, else that of the real server, else that of the service.
    pub virtualhost: Option<Arc<str>>,
    /// The pages, in turn; never empty.
    pub urls: Vec<Url>,
}

/// How `SSL_GET` speaks TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsCheck {
    /// `enable_sni` and `sni_name`.
    pub sni: Sni,
    /// `ssl_verify`, an extension: the certificate must be good for the host.
    pub verify: bool,
    /// `tls_compliant` of the checker; every [`Url`] has it applied.
    pub compliant: bool,
}

impl HttpCheck {
    /// An `SSL_GET` or an `HTTP_GET` of which nothing else is said, without pages.
    #[must_use]
    pub fn new(ssl: bool) -> Self {
        Self {
            tls: ssl.then(TlsCheck::default),
            version: HttpVersion::default(),
            fast_recovery: false,
            virtualhost: None,
            urls: Vec::new(),
        }
    }
}

/// Which name the handshake has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sni {
    /// None.
    #[default]
    Off,
    /// The [`Url::virtualhost`], if there is one.
    VirtualHost,
    /// `sni_name`.
    Name(Arc<str>),
}

/// `http_protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HttpVersion {
    /// `1.0`.
    #[default]
    V1_0,
    /// `1.0C` or `1.0c`: HTTP/1.0 with `Connection: close`.
    V1_0Close,
    /// `1.1`, which has `Connection: close` too.
    V1_1,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Url {
    /// `path`, sent as it is.
    pub path: Arc<str>,
    /// `digest`: the MD5 of the body.
    pub digest: Option<[u8; 16]>,
    /// `status_code`: first and last of each range; 200 to 299 unless given.
    pub status: Vec<(u16, u16)>,
    /// `virtualhost`, else [`HttpCheck::virtualhost`].
    pub virtualhost: Option<Arc<str>>,
    /// `regex` and its options.
    pub regex: Option<Box<Regex>>,
    /// `tls_compliant` of the page or of its checker: the connection must be closed properly.
    pub tls_compliant: bool,
    /// The block.
    pub origin: Origin,
}

impl Url {
    /// Whether an answer with this status is good.
    #[must_use]
    pub fn accepts(&self, status: u16) -> bool {
        self.status
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&status))
    }
}

/// What a body must, or must not, contain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regex {
    /// The PCRE2 pattern, its escapes already read once.
    pub pattern: Vec<u8>,
    /// `regex_no_match`: it must not match.
    pub no_match: bool,
    /// `regex_options`: those that are known, in table order.
    pub options: Vec<RegexOption>,
    /// `regex_min_offset`: where a match begins at the earliest, in bytes.
    pub min_offset: u64,
    /// `regex_max_offset`: where a match begins at the latest, in bytes.
    pub max_offset: Option<u64>,
    /// `regex_stack`: first and greatest size of the JIT's stack, in bytes.
    pub stack: Option<(u64, u64)>,
}

/// An option of PCRE2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are those of PCRE2")]
pub enum RegexOption {
    AllowEmptyClass,
    AltBsux,
    AutoCallout,
    Caseless,
    DollarEndonly,
    Dotall,
    Dupnames,
    Extended,
    Firstline,
    MatchUnsetBackref,
    Multiline,
    NeverUcp,
    NeverUtf,
    NoAutoCapture,
    NoAutoPossess,
    NoDotstarAnchor,
    NoStartOptimize,
    Ucp,
    Ungreedy,
    Utf,
    NeverBackslashC,
    AltCircumflex,
    AltVerbnames,
    UseOffsetLimit,
}

impl RegexOption {
    /// Every option with its word in the configuration.
    pub const ALL: [(&'static str, Self); 24] = [
        ("allow_empty_class", Self::AllowEmptyClass),
        ("alt_bsux", Self::AltBsux),
        ("auto_callout", Self::AutoCallout),
        ("caseless", Self::Caseless),
        ("dollar_endonly", Self::DollarEndonly),
        ("dotall", Self::Dotall),
        ("dupnames", Self::Dupnames),
        ("extended", Self::Extended),
        ("firstline", Self::Firstline),
        ("match_unset_backref", Self::MatchUnsetBackref),
        ("multiline", Self::Multiline),
        ("never_ucp", Self::NeverUcp),
        ("never_utf", Self::NeverUtf),
        ("no_auto_capture", Self::NoAutoCapture),
        ("no_auto_possess", Self::NoAutoPossess),
        ("no_dotstar_anchor", Self::NoDotstarAnchor),
        ("no_start_optimize", Self::NoStartOptimize),
        ("ucp", Self::Ucp),
        ("ungreedy", Self::Ungreedy),
        ("utf", Self::Utf),
        ("never_backslash_c", Self::NeverBackslashC),
        ("alt_circumflex", Self::AltCircumflex),
        ("alt_verbnames", Self::AltVerbnames),
        ("use_offset_limit", Self::UseOffsetLimit),
    ];

    /// The option spelt `word`.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(w, _)| *w == word).map(|(_, o)| *o)
    }
}

/// What `SMTP_CHECK` says. A block with `host` blocks in it stands for as many checkers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmtpCheck {
    /// `helo_name`; `smtpchecker.keepalived.org` unless given.
    pub helo_name: Arc<str>,
}

/// What `DNS_CHECK` asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsCheck {
    /// `type`; SOA unless given.
    pub record: DnsRecord,
    /// `name`; empty, which is the root as `.` is, unless given.
    pub name: Arc<str>,
}

/// A DNS record type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are those of the records")]
pub enum DnsRecord {
    A,
    Ns,
    Cname,
    #[default]
    Soa,
    Mx,
    Txt,
    Aaaa,
    Rrsig,
    Dnskey,
}

impl DnsRecord {
    /// Its number on the wire (IANA, DNS parameters).
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ns => 2,
            Self::Cname => 5,
            Self::Soa => 6,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Rrsig => 46,
            Self::Dnskey => 48,
        }
    }

    /// The type spelt `word`, in whatever case.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_str() {
            "A" => Self::A,
            "NS" => Self::Ns,
            "CNAME" => Self::Cname,
            "SOA" => Self::Soa,
            "MX" => Self::Mx,
            "TXT" => Self::Txt,
            "AAAA" => Self::Aaaa,
            "RRSIG" => Self::Rrsig,
            "DNSKEY" => Self::Dnskey,
            _ => return None,
        })
    }
}

/// What `MISC_CHECK` runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MiscCheck {
    /// `misc_path` with its user. One that may not run has no checker.
    pub command: Command,
    /// `misc_timeout`, else `delay_loop` of the service.
    pub timeout: Duration,
    /// Whether there is a `misc_timeout`.
    pub own_timeout: bool,
    /// `misc_dynamic`: exit status 2 to 255 sets the weight to 0 to 253.
    pub dynamic: bool,
}

/// The `SSL` block: the client's side of every `SSL_GET`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ssl {
    /// `password` of the key.
    pub password: Option<super::Secret>,
    /// `ca`: path of the authorities' certificates.
    pub ca: Option<String>,
    /// `certificate`: path of the client's certificate chain.
    pub certificate: Option<String>,
    /// `key`: path of the client's private key.
    pub key: Option<String>,
    /// The block.
    pub origin: Origin,
}
