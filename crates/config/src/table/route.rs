//! Routes and rules, static and virtual.

use super::{Addresses, Args, Keyword, Value, any_base, int, kw};

#[rustfmt::skip]
pub(super) static ROUTE: &[Keyword] = &[
    kw("DEST", Args::Grammar("[to] [TYPE] IP/LEN|default|any|all|default6"), "required", "Where the route leads: a prefix or default, with a type of route before it."),
    kw("to", Args::Grammar("[TYPE] DEST"), "", "May stand before the destination and means nothing.").stops(),
    kw("inet", Args::Flag, "from addresses", "Says that the route is IPv4; the next word is skipped, so it comes last."),
    kw("inet6", Args::Flag, "from addresses", "Says that the route is IPv6; the next word is skipped, so it comes last."),
    kw("src", Args::One(Value::Address(Addresses::Any)), "", "The source address that packets by this route prefer.").stops(),
    kw("as", Args::Grammar("[to] IP"), "", "A word of `ip route` for MPLS; it is refused."),
    kw("via", Args::Grammar("[inet|inet6] IP"), "", "The address of the gateway.").stops(),
    kw("gw", Args::One(Value::Address(Addresses::Any)), "", "Deprecated spelling of `via`.").deprecated("via").stops(),
    kw("from", Args::Grammar("IP6/LEN|default"), "", "The sources the route is for (IPv6).").stops(),
    kw("tos", Args::Grammar("INT(0..255)|NAME"), "0", "The type of service the route is for.").stops(),
    kw("dsfield", Args::Grammar("INT(0..255)|NAME"), "0", "Other word for `tos`.").same_as("tos").stops(),
    kw("table", Args::Grammar("INT|NAME"), "main", "The routing table, by number or name.").stops(),
    kw("protocol", Args::Grammar("INT(0..255)|NAME"), "keepalived (18)", "Who the route says it was made by; only with `no_track`.").stops(),
    kw("scope", Args::Grammar("INT(0..255)|NAME"), "global", "How far away the destination is: a number or a name such as link.").stops(),
    kw("metric", Args::One(int(0, 4294967295)), "0", "Which of several routes wins: the lowest.").stops(),
    kw("priority", Args::One(int(0, 4294967295)), "0", "Other word for `metric`.").same_as("metric").stops(),
    kw("preference", Args::One(int(0, 4294967295)), "0", "Other word for `metric`.").same_as("metric").stops(),
    kw("dev", Args::One(Value::Interface), "instance interface or none", "The interface by which packets leave.").stops(),
    kw("oif", Args::One(Value::Interface), "", "Other word for `dev`.").same_as("dev").stops(),
    kw("onlink", Args::Flag, "off", "Takes the gateway for a neighbour although no prefix says so.").alone(),
    kw("encap", Args::Grammar("ip|ip6|mpls|ila OPTIONS"), "", "Wraps packets into a tunnel: ip, ip6, mpls or ila, with words of their own.").needs(),
    kw("expires", Args::One(int(0, 4294967295)), "never", "Seconds after which the kernel removes the route (IPv6).").stops(),
    kw("mtu", Args::Grammar("[lock] INT(0..4294967295)"), "kernel", "The largest packet in bytes; lock switches path MTU discovery off.").stops(),
    kw("advmss", Args::Grammar("[lock] INT(0..4294967295)"), "kernel", "The largest TCP segment to announce, in bytes.").stops(),
    kw("reordering", Args::Grammar("[lock] INT(0..4294967295)"), "kernel", "How far TCP segments may overtake each other before one counts as lost.").stops(),
    kw("cwnd", Args::Grammar("[lock] INT(0..4294967295)"), "kernel", "The limit of TCP's congestion window, in segments.").stops(),
    kw("ssthresh", Args::Grammar("[lock] INT(0..4294967295)"), "kernel", "The congestion window at which TCP ends slow start, in segments.").stops(),
    kw("hoplimit", Args::One(int(0, 255)), "kernel", "The hop limit of packets.").stops(),
    kw("rtt", Args::Grammar("[lock] NUM[ms|s|sec|secs], 200 ms..120 s"), "kernel", "TCP's first estimate of the round-trip time.").stops(),
    kw("rttvar", Args::Grammar("[lock] NUM[ms|s|sec|secs], 200 ms..120 s"), "kernel", "TCP's first estimate of how much the round-trip time varies.").stops(),
    kw("rto_min", Args::Grammar("[lock] NUM[ms|s|sec|secs], 200 ms..120 s"), "kernel", "The least time after which TCP sends again.").stops(),
    kw("window", Args::One(int(0, 4294967295)), "kernel", "The largest window TCP offers, in bytes.").stops(),
    kw("realms", Args::Grammar("[REALM/]REALM, each 0..255 or name"), "", "The realms that packets by this route are counted in (IPv4).").stops(),
    kw("initcwnd", Args::One(int(0, 4294967295)), "kernel", "TCP's first congestion window, in segments.").stops(),
    kw("initrwnd", Args::One(int(0, 4294967295)), "kernel", "The first window TCP offers, in segments.").stops(),
    kw("features", Args::One(Value::Word(&["ecn"])), "", "Switches of the route: ecn for explicit congestion notification.").stops(),
    kw("quickack", Args::One(int(0, 1)), "kernel", "Makes TCP acknowledge at once (1) or not (0).").stops(),
    kw("congctl", Args::Grammar("[lock] NAME"), "kernel", "The algorithm TCP controls congestion with.").stops(),
    kw("pref", Args::Grammar("low|medium|high|INT(0..255)"), "medium", "How much this router is preferred to others (IPv6).").stops(),
    kw("ttl-propagate", Args::One(Value::Word(&["enabled", "disabled"])), "kernel", "Carries the TTL into and out of MPLS labels or not.").stops(),
    kw("fastopen_no_cookie", Args::One(int(0, 1)), "kernel", "Allows TCP fast open without cookies (1) or not (0).").stops(),
    kw("add", Args::Flag, "prepend", "Fails when there is an equal route already.").alone(),
    kw("prepend", Args::Flag, "default", "Puts the route before equal ones.").alone(),
    kw("append", Args::Flag, "prepend", "Puts the route behind equal ones.").alone(),
    kw("or", Args::One(Value::Address(Addresses::Any)), "", "Deprecated; write both gateways as `nexthop`.").deprecated("nexthop").stops(),
    kw("nexthop", Args::Grammar("(via [inet|inet6] IP | dev IFNAME | weight INT | onlink | encap ... | realms ...)..."), "", "One of several ways, at the end of the line and as often as needed."),
    kw("no_track", Args::Flag, "tracked", "Lets others remove the route: nothing reacts, and nothing puts it back.").alone(),
    kw("vrf", Args::One(Value::Interface), "", "Puts the route into the table of this VRF."),
];

#[rustfmt::skip]
pub(super) static ROUTE_STATIC: &[Keyword] = &[
    kw("track_group", Args::One(Value::Name(u16::MAX)), "", "The instances of this group give up being master when the route is lost.").stops(),
];

#[rustfmt::skip]
pub(super) static STATIC_ROUTES_NEXTHOP: &[Keyword] = &[
    kw("via", Args::Grammar("[inet|inet6] IP"), "", "The gateway of this way.").stops(),
    kw("dev", Args::One(Value::Interface), "", "The interface of this way.").stops(),
    kw("weight", Args::One(int(1, 256)), "1", "How big a share of the traffic this way gets, beside the others.").stops(),
    kw("onlink", Args::Flag, "off", "Takes the gateway of this way for a neighbour although no prefix says so.").alone(),
    kw("encap", Args::Grammar("see encap contexts"), "", "Wraps packets of this way into a tunnel, as `encap` of a route does.").needs(),
    kw("realms", Args::Grammar("[REALM/]REALM"), "", "The realms that packets of this way are counted in (IPv4).").stops(),
    kw("as", Args::Grammar("[to] IP"), "", "A word of `ip route` for MPLS; it is refused."),
];

#[rustfmt::skip]
pub(super) static STATIC_ROUTES_ENCAP_IP: &[Keyword] = &[
    kw("id", Args::One(int(0, u64::MAX)), "", "The key of the tunnel; this or dst is needed.").needs(),
    kw("dst", Args::One(Value::Address(Addresses::V4)), "", "The far end of the tunnel; this or id is needed.").needs(),
    kw("src", Args::One(Value::Address(Addresses::V4)), "", "The near end of the tunnel.").stops(),
    kw("tos", Args::Grammar("INT(0..255)|NAME"), "", "The type of service of the outer header.").stops(),
    kw("ttl", Args::One(int(0, 255)), "", "The TTL of the outer header.").needs(),
    kw("flags", Args::One(int(0, 65535)), "", "The flags of the tunnel, as the kernel numbers them.").needs(),
];

#[rustfmt::skip]
pub(super) static STATIC_ROUTES_ENCAP_IP6: &[Keyword] = &[
    kw("id", Args::One(int(0, u64::MAX)), "", "The key of the tunnel; this or dst is needed.").needs(),
    kw("dst", Args::One(Value::Address(Addresses::V6)), "", "The far end of the tunnel; this or id is needed.").needs(),
    kw("src", Args::One(Value::Address(Addresses::V6)), "", "The near end of the tunnel.").stops(),
    kw("tc", Args::Grammar("INT(0..255)|NAME"), "", "The traffic class of the outer header.").needs(),
    kw("hoplimit", Args::One(int(0, 255)), "", "The hop limit of the outer header.").stops(),
    kw("flags", Args::One(int(0, 65535)), "", "The flags of the tunnel, as the kernel numbers them.").needs(),
];

#[rustfmt::skip]
pub(super) static STATIC_ROUTES_ENCAP_MPLS: &[Keyword] = &[
    kw("LABELS", Args::Grammar("LABEL[/LABEL] (0..1048575, at most 2)"), "required", "One or two MPLS labels, the outer one first."),
];

#[rustfmt::skip]
pub(super) static STATIC_ROUTES_ENCAP_ILA: &[Keyword] = &[
    kw("LOCATOR", Args::Grammar("XXXX:XXXX:XXXX:XXXX (hex)"), "required", "The locator that ILA puts into the upper half of the address."),
];

#[rustfmt::skip]
pub(super) static RULE: &[Keyword] = &[
    kw("inet", Args::Flag, "from addresses", "Says that the rule is IPv4; the next word is skipped, so it comes last."),
    kw("inet6", Args::Flag, "from addresses", "Says that the rule is IPv6; the next word is skipped, so it comes last."),
    kw("from", Args::Grammar("IP/LEN|default|any|all"), "any", "Where packets must come from.").stops(),
    kw("to", Args::Grammar("IP/LEN|default|any|all"), "any", "Where packets must go to.").stops(),
    kw("table", Args::Grammar("INT(1..)|NAME"), "", "The routing table for these packets, by number or name.").stops(),
    kw("lookup", Args::Grammar("INT(1..)|NAME"), "", "Other word for `table`.").same_as("table").stops(),
    kw("not", Args::Flag, "off", "Turns the conditions round: the rule is for all other packets."),
    kw("preference", Args::One(any_base(0, 4294967295)), "next free, reported", "When the rule has its turn: the lowest number first.").stops(),
    kw("order", Args::One(any_base(0, 4294967295)), "", "Other word for `preference`.").same_as("preference").stops(),
    kw("priority", Args::One(any_base(0, 4294967295)), "", "Other word for `preference`.").same_as("preference").stops(),
    kw("tos", Args::Grammar("INT(0..255)|NAME"), "0", "The type of service packets must have.").stops(),
    kw("dsfield", Args::Grammar("INT(0..255)|NAME"), "0", "Other word for `tos`.").same_as("tos").stops(),
    kw("fwmark", Args::Grammar("INT[/MASK] (any base)"), "", "The firewall mark packets must have, and which of its bits count.").stops(),
    kw("realms", Args::Grammar("[REALM/]REALM"), "", "The realms that packets by this rule are counted in (IPv4).").stops(),
    kw("suppress_prefixlength", Args::One(int(0, 2147483647)), "", "Ignores what the table says when its prefix is this long or shorter.").stops(),
    kw("sup_pl", Args::One(int(0, 2147483647)), "", "Short for `suppress_prefixlength`.").same_as("suppress_prefixlength").stops(),
    kw("suppress_ifgroup", Args::Grammar("INT|NAME"), "", "Ignores what the table says when it leads to an interface of this group.").stops(),
    kw("sup_group", Args::Grammar("INT|NAME"), "", "Short for `suppress_ifgroup`.").same_as("suppress_ifgroup").stops(),
    kw("dev", Args::One(Value::Interface), "", "The interface by which packets must have come in.").stops(),
    kw("iif", Args::One(Value::Interface), "", "Other word for `dev`.").same_as("dev").stops(),
    kw("oif", Args::One(Value::Interface), "", "The interface to which the sending socket must be bound.").stops(),
    kw("tunnel-id", Args::One(int(0, u64::MAX)), "", "The tunnel key packets must have come with.").stops(),
    kw("uidrange", Args::Grammar("INT-INT"), "", "The users whose packets the rule is for, as a range.").stops(),
    kw("l3mdev", Args::Flag, "off", "Uses the table of the VRF packets belong to; instead of `table`.").alone(),
    kw("protocol", Args::One(int(0, 255)), "keepalived (18)", "Who the rule says it was made by; only with `no_track`.").stops(),
    kw("ipproto", Args::Grammar("INT|NAME"), "", "The protocol packets must have.").stops(),
    kw("sport", Args::Grammar("INT-INT"), "", "The source ports packets must have; a range, also for one port.").stops(),
    kw("dport", Args::Grammar("INT-INT"), "", "The destination ports packets must have; a range, also for one port.").stops(),
    kw("no_track", Args::Flag, "tracked", "Lets others remove the rule: nothing reacts, and nothing puts it back.").alone(),
    kw("type", Args::Grammar("blackhole|unreachable|prohibit|goto INT|nop"), "", "May stand before what the rule does and means nothing.").stops(),
    kw("goto", Args::Grammar("INT(0..4294967295), above own priority"), "", "Goes on with the rule of this preference, further down.").stops(),
    kw("nop", Args::Flag, "", "Does nothing: the next rule has its turn.").alone(),
    kw("blackhole", Args::Flag, "", "Drops packets without a word.").alone(),
    kw("unreachable", Args::Flag, "", "Refuses packets: the destination cannot be reached.").alone(),
    kw("prohibit", Args::Flag, "", "Refuses packets: the administrator does not allow it.").alone(),
];

#[rustfmt::skip]
pub(super) static RULE_STATIC: &[Keyword] = &[
    kw("track_group", Args::One(Value::Name(u16::MAX)), "", "The instances of this group give up being master when the rule is lost.").stops(),
];
