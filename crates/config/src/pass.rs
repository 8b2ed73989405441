//! Which of keepalived's processes reads what.

use crate::table::{Args, Keyword};

/// keepalived reads a configuration once in each of its processes, in this order; when one ends
/// for the lack of a value, those before it have read all of their blocks, also what stands
/// further down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pass {
    Parent,
    Checker,
    Vrrp,
    Bfd,
}

impl Pass {
    /// Whether this process reads a keyword of the top level; it skips the blocks of the others.
    pub(crate) fn reads(self, keyword: &Keyword) -> bool {
        let block = matches!(keyword.args, Args::Block(..));
        match (keyword.name, self) {
            _ if !block => self == Self::Parent,
            ("global_defs", _) => self == Self::Parent,
            ("virtual_server" | "virtual_server_group" | "SSL", _) => self == Self::Checker,
            ("bfd_instance", _) => self != Self::Parent,
            ("track_file" | "vrrp_track_file", _) => matches!(self, Self::Checker | Self::Vrrp),
            _ => self == Self::Vrrp,
        }
    }

    /// Whether several processes read such a block.
    pub(crate) fn is_shared(keyword: &Keyword) -> bool {
        Self::Vrrp.reads(keyword) && Self::Checker.reads(keyword)
    }
}
