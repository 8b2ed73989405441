//! Lines of `virtual_rules` and `static_rules`.

use rk_base::{Family, Prefix};
use serde::{Deserialize, Serialize};

use super::Origin;
use super::number::{
    DsField, InterfaceGroup, IpProtocol, Realms, RouteProtocol, RouteTable, RulePriority,
};

/// One line of `virtual_rules` or `static_rules`. `Display` writes it as `ip rule` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Whose packets it is about: IPv4 when nothing says otherwise.
    pub family: Family,
    /// When it has its turn; the next free one when the line says nothing.
    pub priority: RulePriority,
    /// What packets must be like.
    pub when: Selector,
    /// `not`: the rule is for all packets that are not like that.
    pub not: bool,
    /// What becomes of them.
    pub action: RuleAction,
    /// `realms` (IPv4 with a table only).
    pub realms: Option<Realms>,
    /// `suppress_prefixlength`: what the table says does not count when its prefix is this long
    /// or shorter.
    pub suppress_prefixlength: Option<u32>,
    /// `suppress_ifgroup`: what the table says does not count when it leads to such an interface.
    pub suppress_ifgroup: Option<InterfaceGroup>,
    /// `protocol`. A rule that is tracked is [`RouteProtocol::KEEPALIVED`].
    pub protocol: RouteProtocol,
    /// `no_track`: nobody minds when someone else removes it.
    pub no_track: bool,
    /// `track_group` (static only).
    pub track_group: Option<String>,
    /// The line.
    pub origin: Origin,
}

/// What packets must be like for a rule; `None` is anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// `from`.
    pub from: Option<Prefix>,
    /// `to`.
    pub to: Option<Prefix>,
    /// `iif`.
    pub iif: Option<String>,
    /// `oif`.
    pub oif: Option<String>,
    /// `tos`.
    pub tos: Option<DsField>,
    /// `fwmark`.
    pub fwmark: Option<FwMark>,
    /// `tunnel-id`.
    pub tunnel_id: Option<u64>,
    /// `uidrange`.
    pub uidrange: Option<Span<u32>>,
    /// `ipproto`.
    pub ipproto: Option<IpProtocol>,
    /// `sport`.
    pub sport: Option<Span<u16>>,
    /// `dport`.
    pub dport: Option<Span<u16>>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuleAction {
    /// `table`: asks it for the way.
    Table(RouteTable),
    /// `l3mdev`: asks the table of the VRF that the packet belongs to.
    L3mdev,
    /// `goto`: goes on at this priority.
    Goto(RulePriority),
    /// `nop`: the next rule has its turn.
    Nop,
    /// `blackhole`: drops the packet.
    Blackhole,
    /// `unreachable`: answers that the destination cannot be reached.
    Unreachable,
    /// `prohibit`: answers that the administrator does not allow it.
    Prohibit,
}

/// A firewall mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FwMark {
    /// The mark.
    pub mark: u32,
    /// Which of its bits count; all if there is no mask.
    pub mask: Option<u32>,
}

/// The numbers from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span<T> {
    /// The first.
    pub first: T,
    /// The last.
    pub last: T,
}
