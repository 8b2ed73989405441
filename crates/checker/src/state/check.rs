//! What the configuration says about one health check.

use core::fmt;
use std::sync::Arc;

use rk_base::Duration;

/// One health check of a real server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// What is asked of whom. Checks of one real server with equal keys are one check across a
    /// reload, whatever their timing.
    pub probe: ProbeKey,
    /// Which check it is, and what its log lines need.
    pub kind: Kind,
    /// When it runs.
    pub timing: Timing,
    /// `alpha`: down until it succeeds.
    pub alpha: bool,
    /// `log_all_failures`, or the global `checker_log_all_failures`.
    pub log_all_failures: bool,
}

/// The type of a check and all its parameters including the endpoint, written down in any form
/// that is the same for the same parameters. The daemon finds the probe to run by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeKey(pub Arc<[u8]>);

/// When attempts are made. Meant for the checks that probe: [`Kind::Bfd`] and [`Kind::File`] are
/// told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// `delay_loop`: from the end of an attempt to the next (`MISC_CHECK`: from its start).
    pub delay_loop: Duration,
    /// `warmup`: the first attempt is made after 1 s and a random part of this.
    pub warmup: Duration,
    /// `retry`: how many more attempts before a check that was up is down.
    pub retry: u32,
    /// `delay_before_retry`: from the end of a failed attempt to the next.
    pub delay_before_retry: Duration,
}

impl Default for Timing {
    /// keepalived's defaults for most checks.
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            delay_loop: minute,
            warmup: minute,
            retry: 1,
            delay_before_retry: Duration::from_secs(1),
        }
    }
}

/// Which check, with what decides its course and its log lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `TCP_CHECK`.
    Tcp,
    /// `UDP_CHECK`.
    Udp,
    /// `PING_CHECK`.
    Ping,
    /// `HTTP_GET`.
    Http(Http),
    /// `SSL_GET`.
    Ssl(Http),
    /// `SMTP_CHECK`.
    Smtp,
    /// `DNS_CHECK`.
    Dns,
    /// `MISC_CHECK`.
    Misc {
        /// The command, as the log shows it.
        script: Arc<str>,
    },
    /// `BFD_CHECK`.
    Bfd {
        /// The session.
        session: Arc<str>,
    },
    /// `FILE_CHECK`.
    File {
        /// The `track_file`.
        file: Arc<str>,
        /// 0: any value but 0 is a failure. Else value x weight is added to the server's weight.
        weight: i32,
        /// Negates the value.
        reverse: bool,
    },
}

/// The course of an HTTP check: one URL an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Http {
    /// The URLs in order. Without any the server counts as up.
    pub urls: Arc<[Url]>,
    /// `fast_recovery`: no delay between the URLs while the check is not up.
    pub fast_recovery: bool,
}

/// One URL of an HTTP check, as its log lines need it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Url {
    /// The path.
    pub path: Arc<str>,
    /// What must be right about the answer, in the order in which the log tells it. All of it is
    /// when the attempt succeeds.
    pub proofs: Arc<[Proof]>,
}

/// What can be asked of an HTTP answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// The status code.
    Status,
    /// The MD5 digest of the body.
    Digest,
    /// A regular expression.
    Regex,
}

impl Kind {
    /// How many URLs are walked; 1 for checks that know none.
    #[must_use]
    pub fn urls(&self) -> usize {
        self.http().map_or(1, |http| http.urls.len())
    }

    pub(super) const fn http(&self) -> Option<&Http> {
        match self {
            Self::Http(http) | Self::Ssl(http) => Some(http),
            _ => None,
        }
    }

    /// Whether attempts are made at all, rather than waiting to be told.
    #[must_use]
    pub fn probes(&self) -> bool {
        !matches!(self, Self::Bfd { .. } | Self::File { .. }) && self.urls() > 0
    }
}

/// The keyword.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP_CHECK",
            Self::Udp => "UDP_CHECK",
            Self::Ping => "PING_CHECK",
            Self::Http(_) => "HTTP_GET",
            Self::Ssl(_) => "SSL_GET",
            Self::Smtp => "SMTP_CHECK",
            Self::Dns => "DNS_CHECK",
            Self::Misc { .. } => "MISC_CHECK",
            Self::Bfd { .. } => "BFD_CHECK",
            Self::File { .. } => "FILE_CHECK",
        })
    }
}
