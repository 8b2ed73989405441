//! What can go wrong with the firewall, named for what the operator can do about it.

use std::fmt;
use std::io;

use crate::netlink::in_brackets;

/// The address family of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `ip`
    Ipv4,
    /// `ip6`
    Ipv6,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "ip",
            Self::Ipv6 => "ip6",
        })
    }
}

/// Why the firewall is not as it was asked to be. It is then as it was before.
#[derive(Debug, thiserror::Error)]
pub enum FirewallError {
    /// The kernel has no nftables.
    #[error(
        "this kernel has no nf_tables (load the modules nf_tables and nft_chain_filter, or build \
         them in), so packets can be neither dropped nor marked{}",
        in_brackets(said)
    )]
    Unsupported {
        /// The kernel's words.
        said: Option<String>,
    },
    /// `CAP_NET_ADMIN` is missing.
    #[error("not permitted to change nftables (CAP_NET_ADMIN is needed)")]
    NotPermitted,
    /// A table of our name holds what neither we nor keepalived would put there.
    #[error(
        "nftables table `{family} {table}` exists and is somebody else's: configure another name \
         with `{keyword} NAME`, or remove it with `nft delete table {family} {table}`"
    )]
    Taken {
        /// The family of the table.
        family: Family,
        /// Its name.
        table: String,
        /// The keyword that names it.
        keyword: &'static str,
    },
    /// The kernel is short of memory for a moment, or others change nftables all the time.
    #[error("nftables is busy: others change it all the time, or memory is short")]
    Busy,
    /// Anything else the kernel refused.
    #[error("nftables table `{table}`: {}{}", io::Error::from_raw_os_error(*errno), in_brackets(said))]
    Kernel {
        /// The name of our tables.
        table: String,
        /// Its error number.
        errno: i32,
        /// Its words.
        said: Option<String>,
    },
    /// The netlink socket failed as a whole.
    #[error("the netlink socket to nftables failed: {0}")]
    Socket(#[from] io::Error),
}

impl FirewallError {
    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::Busy)
    }
}
