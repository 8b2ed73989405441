//! What the checker process tells of itself, as plain data.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

/// Everything of the checker process.
#[derive(Clone, Debug, Default)]
pub struct CheckerView {
    /// Block `SSL`, without its password.
    pub ssl: SslView,
    /// The version of IPVS that we speak.
    pub lvs_version: [u8; 3],
    /// The groups.
    pub groups: Vec<GroupView>,
    /// The virtual servers.
    pub services: Vec<ServiceView>,
    /// The files that checks follow.
    pub files: Vec<FileView>,
    /// The BFD sessions that checks follow.
    pub sessions: Vec<SessionView>,
    /// The checks of all of them.
    pub checks: Vec<CheckView>,
}

/// Block `SSL`.
#[derive(Clone, Debug, Default)]
pub struct SslView {
    /// Whether there is a password for the key; never which.
    pub password: bool,
    /// `ca`.
    pub ca: Option<String>,
    /// `certificate`.
    pub certificate: Option<String>,
    /// `key`.
    pub key: Option<String>,
}

/// A `virtual_server_group`.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// Its name.
    pub name: String,
    /// The marks it has for TCP, UDP and SCTP (`nftables_ipvs`), 0 for none; `None` if it has
    /// none at all.
    pub marks: Option<[u32; 3]>,
    /// Its lines.
    pub entries: Vec<GroupEntryView>,
}

/// A file that checks follow.
#[derive(Clone, Debug)]
pub struct FileView {
    /// The name of its `track_file`.
    pub name: String,
    /// Its path.
    pub path: String,
    /// The number in it.
    pub value: i32,
    /// The weight of the `track_file`, and whether it is `reverse`.
    pub weight: (i32, bool),
    /// Who follows it: virtual server, real server, weight and whether that is reversed.
    pub followers: Vec<(String, String, (i32, bool))>,
}

/// A BFD session that checks follow.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// Its name.
    pub name: String,
    /// The real servers that follow it.
    pub followers: Vec<String>,
}

/// The last run of a program.
#[derive(Clone, Debug)]
pub struct LastRunView {
    /// When it began, since 1970.
    pub began: Duration,
    /// The same as `ctime` writes it, in local time.
    pub text: String,
    /// The status it ended with.
    pub status: i32,
}

/// A line of a group.
#[derive(Clone, Debug)]
pub struct GroupEntryView {
    /// What it stands for.
    pub target: GroupTargetView,
    /// How many servers now serve it in the kernel's table: for addresses by TCP, UDP and SCTP,
    /// for a mark by IPv4 and IPv6.
    pub alive: [usize; 3],
}

/// What a line of a group stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupTargetView {
    /// Addresses from the first to the last, and a port.
    Addresses(IpAddr, IpAddr, u16),
    /// A firewall mark, and whether it is said to be IPv6.
    Mark(u32, bool),
}

/// How a virtual server is named.
#[derive(Clone, Debug)]
pub enum ServiceName {
    /// By address and port.
    Address(SocketAddr),
    /// By a firewall mark.
    Mark(u32),
    /// By a group, and which virtual server of that it is.
    Group(String, u32),
}

/// Times of checks as a virtual or real server has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimingView {
    /// `connect_timeout`.
    pub connect_timeout: Duration,
    /// `delay_loop`.
    pub delay_loop: Duration,
    /// `retry`, if given.
    pub retry: Option<u32>,
    /// `delay_before_retry`, if given.
    pub retry_delay: Option<Duration>,
    /// `warmup`, if given.
    pub warmup: Option<Duration>,
}

/// A script with its user.
#[derive(Clone, Debug)]
pub struct CommandView {
    /// The words in quotes.
    pub command: String,
    /// User and group.
    pub owner: (u32, u32),
}

/// A virtual server.
#[derive(Clone, Debug)]
pub struct ServiceView {
    /// Its name.
    pub name: ServiceName,
    /// `virtualhost`.
    pub virtualhost: Option<String>,
    /// `snmp_name`.
    pub snmp_name: Option<String>,
    /// Whether it is IPv6.
    pub ipv6: bool,
    /// Its times.
    pub timing: TimingView,
    /// The scheduler.
    pub scheduler: &'static str,
    /// `hashed`.
    pub hashed: bool,
    /// The scheduler's flags under the names they have for it.
    pub flags: Vec<(&'static str, bool)>,
    /// `ops`.
    pub one_packet: bool,
    /// Persistence in seconds.
    pub persistence: Option<u64>,
    /// Persistence granularity: a mask, or a length.
    pub granularity: Option<String>,
    /// Persistence engine.
    pub engine: Option<String>,
    /// `TCP`, `UDP`, `SCTP` or `none`.
    pub protocol: &'static str,
    /// `alpha`.
    pub alpha: bool,
    /// `omega`.
    pub omega: bool,
    /// `inhibit_on_failure`.
    pub inhibit: bool,
    /// `quorum` and `hysteresis`.
    pub quorum: (u32, u32),
    /// `quorum_up`.
    pub quorum_up_script: Option<CommandView>,
    /// `quorum_down`.
    pub quorum_down_script: Option<CommandView>,
    /// `ha_suspend`.
    pub ha_suspend: bool,
    /// `smtp_alert`.
    pub smtp_alert: bool,
    /// How packets reach its servers: `NAT`, `TUN, type = IPIP`.
    pub forwarding: String,
    /// The sorry server.
    pub sorry: Option<SorryView>,
    /// Whether it should be in the kernel's table.
    pub placed: bool,
    /// Whether the quorum is reached.
    pub quorum_up: bool,
    /// Its real servers.
    pub real_servers: Vec<RealServerView>,
}

/// A sorry server.
#[derive(Clone, Debug)]
pub struct SorryView {
    /// Its name: `[10.9.0.99]:tcp:80`.
    pub name: String,
    /// How packets reach it.
    pub forwarding: String,
    /// `sorry_server_inhibit`.
    pub inhibit: bool,
    /// Whether it is one of the real servers as well.
    pub duplicate: bool,
    /// Whether it should be in the kernel's table.
    pub placed: bool,
    /// Whether it serves.
    pub serves: bool,
}

/// A real server.
#[derive(Clone, Debug)]
pub struct RealServerView {
    /// Where it is.
    pub addr: IpAddr,
    /// Its port.
    pub port: u16,
    /// The configured weight, and what checks make of it; the table has 0 for less than that.
    pub weight: (u32, i64),
    /// How packets reach it.
    pub forwarding: String,
    /// `alpha`.
    pub alpha: bool,
    /// Its times.
    pub timing: TimingView,
    /// `lthreshold` and `uthreshold`.
    pub thresholds: (u32, u32),
    /// `inhibit_on_failure`.
    pub inhibit: bool,
    /// `virtualhost`, where it has one of its own.
    pub virtualhost: Option<String>,
    /// `notify_up`.
    pub up_script: Option<CommandView>,
    /// `notify_down`.
    pub down_script: Option<CommandView>,
    /// `snmp_name`.
    pub snmp_name: Option<String>,
    /// `smtp_alert`.
    pub smtp_alert: bool,
    /// Whether it is alive.
    pub alive: bool,
    /// How many of its checks have failed.
    pub failed: usize,
    /// Whether it should be in the kernel's table.
    pub placed: bool,
    /// The files it follows, with their weights, and whether these are reversed.
    pub files: Vec<(String, (i32, bool))>,
    /// BFD sessions.
    pub sessions: Vec<String>,
}

/// A check.
#[derive(Clone, Debug)]
pub struct CheckView {
    /// The virtual server's name.
    pub virtual_server: String,
    /// The real server's name.
    pub real_server: String,
    /// Whether it runs, rather than being suspended.
    pub enabled: bool,
    /// What it says.
    pub up: bool,
    /// Whether it has run at all.
    pub has_run: bool,
    /// What it adds to the weight.
    pub weight: i64,
    /// `alpha`.
    pub alpha: bool,
    /// When it runs; `None` for one that is told.
    pub rhythm: Option<RhythmView>,
    /// `log_all_failures`.
    pub log_all_failures: bool,
    /// Where it connects to.
    pub connection: Option<ConnectionView>,
    /// What it does.
    pub method: MethodView,
}

/// When a check runs.
#[derive(Clone, Copy, Debug)]
pub struct RhythmView {
    /// `delay_loop`.
    pub delay_loop: Duration,
    /// `warmup`.
    pub warmup: Duration,
    /// `retry`.
    pub retries: u32,
    /// `delay_before_retry`.
    pub retry_delay: Duration,
    /// How many retries have failed since it was well.
    pub failed: u32,
    /// `delay_before_retry` unless given.
    pub default_retry_delay: Duration,
}

/// Where a check connects to.
#[derive(Clone, Debug)]
pub struct ConnectionView {
    /// The far end.
    pub target: SocketAddr,
    /// `bindto` and `bind_port`.
    pub bind: Option<(Option<IpAddr>, u16)>,
    /// `bind_if`.
    pub interface: Option<String>,
    /// `fwmark`; 0 for none.
    pub mark: u32,
    /// `connect_timeout`.
    pub timeout: Duration,
}

/// What a check does.
#[derive(Clone, Debug)]
pub enum MethodView {
    /// `TCP_CHECK`.
    Tcp,
    /// `PING_CHECK`.
    Ping,
    /// `UDP_CHECK`.
    Udp {
        /// Octets it sends.
        payload: usize,
        /// The least and greatest length of the reply it requires, and how much of it is known.
        reply: Option<(u16, u16, usize)>,
        /// Whether some of what is known of it may differ.
        masked: bool,
    },
    /// `HTTP_GET` and `SSL_GET`.
    Http(HttpView),
    /// `SMTP_CHECK` with its `helo_name`.
    Smtp(String),
    /// `DNS_CHECK`: type and name.
    Dns(String, String),
    /// `MISC_CHECK`.
    Misc {
        /// The command.
        command: CommandView,
        /// `misc_timeout`.
        timeout: Duration,
        /// `misc_dynamic`.
        dynamic: bool,
        /// Its last run.
        last: LastRunView,
    },
    /// `BFD_CHECK` with its session.
    Bfd(String),
    /// `FILE_CHECK` with its `track_file`.
    File(String),
}

/// `HTTP_GET` and `SSL_GET`.
#[derive(Clone, Debug)]
pub struct HttpView {
    /// `SSL_GET`.
    pub tls: bool,
    /// `http_protocol`: `1.0`, `1.0C` or `1.1`.
    pub version: &'static str,
    /// `virtualhost`.
    pub virtualhost: Option<String>,
    /// `enable_sni`.
    pub sni: bool,
    /// `fast_recovery`.
    pub fast_recovery: bool,
    /// The pages.
    pub urls: Vec<UrlView>,
    /// The page that failed, while one does.
    pub failed: Option<String>,
}

/// A page.
#[derive(Clone, Debug)]
pub struct UrlView {
    /// Its path.
    pub path: String,
    /// `digest`.
    pub digest: Option<[u8; 16]>,
    /// `tls_compliant`.
    pub tls_compliant: bool,
    /// `status_code`: first and last of each range.
    pub status: Vec<(u16, u16)>,
    /// `virtualhost`, where it has one of its own.
    pub virtualhost: Option<String>,
    /// `regex`.
    pub regex: Option<RegexView>,
}

/// A regular expression.
#[derive(Clone, Debug)]
pub struct RegexView {
    /// The pattern.
    pub pattern: String,
    /// `regex_no_match`.
    pub no_match: bool,
    /// `regex_min_offset`.
    pub min_offset: u64,
    /// `regex_max_offset`.
    pub max_offset: Option<u64>,
    /// `regex_options`.
    pub options: Vec<&'static str>,
    /// `regex_stack`.
    pub stack: Option<(u64, u64)>,
}
