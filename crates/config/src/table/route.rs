//! Routes and rules, static and virtual.

use super::{Addresses, Args, Keyword, Value, any_base, int, kw};

#[rustfmt::skip]
pub(super) static ROUTE: &[Keyword] = &[
    kw("DEST", Args::Grammar("[to] [TYPE] IP/LEN|default|any|all|default6"), "required", "Where the route leads."),
    kw("to", Args::Grammar("[TYPE] DEST"), "", "May stand before the destination.").stops(),
    kw("inet", Args::Flag, "from addresses", "It is IPv4; the word behind it is lost."),
    kw("inet6", Args::Flag, "from addresses", "It is IPv6; the word behind it is lost."),
    kw("src", Args::One(Value::Address(Addresses::Any)), "", "The source address to prefer.").stops(),
    kw("as", Args::Grammar("[to] IP"), "", "Known, but never accepted."),
    kw("via", Args::Grammar("[inet|inet6] IP"), "", "The gateway.").stops(),
    kw("gw", Args::One(Value::Address(Addresses::Any)), "", "What via was called before.").deprecated("via").stops(),
    kw("from", Args::Grammar("IP6/LEN|default"), "", "Only for packets from this prefix (IPv6).").stops(),
    kw("tos", Args::Grammar("INT(0..255)|NAME"), "0", "Type of service.").stops(),
    kw("dsfield", Args::Grammar("INT(0..255)|NAME"), "0", "Another word for tos.").same_as("tos").stops(),
    kw("table", Args::Grammar("INT|NAME"), "main", "The routing table.").stops(),
    kw("protocol", Args::Grammar("INT(0..255)|NAME"), "keepalived (18)", "Who made it.").stops(),
    kw("scope", Args::Grammar("INT(0..255)|NAME"), "global", "How far the destination is.").stops(),
    kw("metric", Args::One(int(0, 4294967295)), "0", "Which route wins; smaller is better.").stops(),
    kw("priority", Args::One(int(0, 4294967295)), "0", "Another word for metric.").same_as("metric").stops(),
    kw("preference", Args::One(int(0, 4294967295)), "0", "Another word for metric.").stops(),
    kw("dev", Args::One(Value::Interface), "instance interface or none", "The interface it leaves by.").stops(),
    kw("oif", Args::One(Value::Interface), "", "Another word for dev.").same_as("dev").stops(),
    kw("onlink", Args::Flag, "off", "The gateway can be reached although no prefix says so.").alone(),
    kw("encap", Args::Grammar("ip|ip6|mpls|ila OPTIONS"), "", "Wraps packets into a tunnel.").needs(),
    kw("expires", Args::One(int(0, 4294967295)), "never", "How long it lives (IPv6).").stops(),
    kw("mtu", Args::Grammar("[lock] INT(0..4294967295)"), "kernel", "Largest packet.").stops(),
    kw("advmss", Args::Grammar("[lock] INT(0..4294967295)"), "kernel", "Largest TCP segment that is announced.").stops(),
    kw("reordering", Args::Grammar("[lock] INT(0..4294967295)"), "kernel", "How much reordering TCP takes for normal.").stops(),
    kw("cwnd", Args::Grammar("[lock] INT(0..4294967295)"), "kernel", "Limit of the congestion window.").stops(),
    kw("ssthresh", Args::Grammar("[lock] INT(0..4294967295)"), "kernel", "Where slow start ends.").stops(),
    kw("hoplimit", Args::One(int(0, 255)), "kernel", "Hop limit of packets.").stops(),
    kw("rtt", Args::Grammar("[lock] NUM[ms|s|sec|secs], 200 ms..120 s"), "kernel", "First guess of the round-trip time.").stops(),
    kw("rttvar", Args::Grammar("[lock] NUM[ms|s|sec|secs], 200 ms..120 s"), "kernel", "First guess of its variance.").stops(),
    kw("rto_min", Args::Grammar("[lock] NUM[ms|s|sec|secs], 200 ms..120 s"), "kernel", "Least time before TCP sends again.").stops(),
    kw("window", Args::One(int(0, 4294967295)), "kernel", "Largest window.").stops(),
    kw("realms", Args::Grammar("[REALM/]REALM, each 0..255 or name"), "", "Realms for accounting (IPv4).").stops(),
    kw("initcwnd", Args::One(int(0, 4294967295)), "kernel", "First congestion window.").stops(),
    kw("initrwnd", Args::One(int(0, 4294967295)), "kernel", "First receive window.").stops(),
    kw("features", Args::One(Value::Word(&["ecn"])), "", "Switches such as ecn.").stops(),
    kw("quickack", Args::One(int(0, 1)), "kernel", "Acknowledges at once.").stops(),
    kw("congctl", Args::Grammar("[lock] NAME"), "kernel", "Congestion control algorithm.").stops(),
    kw("pref", Args::Grammar("low|medium|high|INT(0..255)"), "medium", "Preference among routers (IPv6).").stops(),
    kw("ttl-propagate", Args::One(Value::Word(&["enabled", "disabled"])), "kernel", "Carries the TTL over MPLS.").stops(),
    kw("fastopen_no_cookie", Args::One(int(0, 1)), "kernel", "TCP fast open without cookies.").stops(),
    kw("add", Args::Flag, "prepend", "An equal route already there is an error.").alone(),
    kw("prepend", Args::Flag, "default", "Stands before equal routes.").alone(),
    kw("append", Args::Flag, "prepend", "Stands after equal routes.").alone(),
    kw("or", Args::One(Value::Address(Addresses::Any)), "", "A second gateway, in the oldest form.").deprecated("nexthop").stops(),
    kw("nexthop", Args::Grammar("(via [inet|inet6] IP | dev IFNAME | weight INT | onlink | encap ... | realms ...)..."), "", "One of several ways, at the end of the line."),
    kw("no_track", Args::Flag, "tracked", "It is nobody's business if others remove it.").alone(),
    kw("vrf", Args::One(Value::Interface), "", "The table of this VRF."),
];

#[rustfmt::skip]
pub(super) static ROUTE_STATIC: &[Keyword] = &[
    kw("track_group", Args::One(Value::Name(u16::MAX)), "", "Depends on these instances.").stops(),
];

#[rustfmt::skip]
pub(super) static STATIC_ROUTES_NEXTHOP: &[Keyword] = &[
    kw("via", Args::Grammar("[inet|inet6] IP"), "", "The gateway of this way.").stops(),
    kw("dev", Args::One(Value::Interface), "", "The interface of this way.").stops(),
    kw("weight", Args::One(int(1, 256)), "1", "The share of this way.").stops(),
    kw("onlink", Args::Flag, "off", "Its gateway can be reached although no prefix says so.").alone(),
    kw("encap", Args::Grammar("see encap contexts"), "", "Wraps packets of this way.").needs(),
    kw("realms", Args::Grammar("[REALM/]REALM"), "", "Realms of this way (IPv4).").stops(),
    kw("as", Args::Grammar("[to] IP"), "", "Known, but never accepted."),
];

#[rustfmt::skip]
pub(super) static STATIC_ROUTES_ENCAP_IP: &[Keyword] = &[
    kw("id", Args::One(int(0, u64::MAX)), "", "Tunnel key.").needs(),
    kw("dst", Args::One(Value::Address(Addresses::V4)), "", "Far end of the tunnel.").needs(),
    kw("src", Args::One(Value::Address(Addresses::V4)), "", "Near end of the tunnel.").stops(),
    kw("tos", Args::Grammar("INT(0..255)|NAME"), "", "Type of service outside.").stops(),
    kw("ttl", Args::One(int(0, 255)), "", "TTL outside.").needs(),
    kw("flags", Args::One(int(0, 65535)), "", "Flags of the tunnel.").needs(),
];

#[rustfmt::skip]
pub(super) static STATIC_ROUTES_ENCAP_IP6: &[Keyword] = &[
    kw("id", Args::One(int(0, u64::MAX)), "", "Tunnel key.").needs(),
    kw("dst", Args::One(Value::Address(Addresses::V6)), "", "Far end of the tunnel.").needs(),
    kw("src", Args::One(Value::Address(Addresses::V6)), "", "Near end of the tunnel.").stops(),
    kw("tc", Args::Grammar("INT(0..255)|NAME"), "", "Traffic class outside.").needs(),
    kw("hoplimit", Args::One(int(0, 255)), "", "Hop limit outside.").stops(),
    kw("flags", Args::One(int(0, 65535)), "", "Flags of the tunnel.").needs(),
];

#[rustfmt::skip]
pub(super) static STATIC_ROUTES_ENCAP_MPLS: &[Keyword] = &[
    kw("LABELS", Args::Grammar("LABEL[/LABEL] (0..1048575, at most 2)"), "required", "One or two MPLS labels."),
];

#[rustfmt::skip]
pub(super) static STATIC_ROUTES_ENCAP_ILA: &[Keyword] = &[
    kw("LOCATOR", Args::Grammar("XXXX:XXXX:XXXX:XXXX (hex)"), "required", "Where ILA finds the host."),
];

#[rustfmt::skip]
pub(super) static RULE: &[Keyword] = &[
    kw("inet", Args::Flag, "from addresses", "It is IPv4; the word behind it is lost."),
    kw("inet6", Args::Flag, "from addresses", "It is IPv6; the word behind it is lost."),
    kw("from", Args::Grammar("IP/LEN|default|any|all"), "any", "Packets from here.").stops(),
    kw("to", Args::Grammar("IP/LEN|default|any|all"), "any", "Packets to there.").stops(),
    kw("table", Args::Grammar("INT(1..)|NAME"), "", "Are routed by this table.").stops(),
    kw("lookup", Args::Grammar("INT(1..)|NAME"), "", "Another word for table.").same_as("table").stops(),
    kw("not", Args::Flag, "off", "All packets but those."),
    kw("preference", Args::One(any_base(0, 4294967295)), "next free, reported", "When the rule's turn comes.").stops(),
    kw("order", Args::One(any_base(0, 4294967295)), "", "Another word for preference.").same_as("preference").stops(),
    kw("priority", Args::One(any_base(0, 4294967295)), "", "Another word for preference.").same_as("preference").stops(),
    kw("tos", Args::Grammar("INT(0..255)|NAME"), "0", "Packets with this type of service.").stops(),
    kw("dsfield", Args::Grammar("INT(0..255)|NAME"), "0", "Another word for tos.").same_as("tos").stops(),
    kw("fwmark", Args::Grammar("INT[/MASK] (any base)"), "", "Packets with this mark.").stops(),
    kw("realms", Args::Grammar("[REALM/]REALM"), "", "Realms for accounting (IPv4).").stops(),
    kw("suppress_prefixlength", Args::One(int(0, 2147483647)), "", "Ignores routes that are this general.").stops(),
    kw("sup_pl", Args::One(int(0, 2147483647)), "", "Short for suppress_prefixlength.").same_as("suppress_prefixlength").stops(),
    kw("suppress_ifgroup", Args::Grammar("INT|NAME"), "", "Ignores routes over interfaces of this group.").stops(),
    kw("sup_group", Args::Grammar("INT|NAME"), "", "Short for suppress_ifgroup.").same_as("suppress_ifgroup").stops(),
    kw("dev", Args::One(Value::Interface), "", "Packets that came in here.").stops(),
    kw("iif", Args::One(Value::Interface), "", "Another word for dev.").same_as("dev").stops(),
    kw("oif", Args::One(Value::Interface), "", "Packets of sockets bound here.").stops(),
    kw("tunnel-id", Args::One(int(0, u64::MAX)), "", "Packets out of this tunnel.").stops(),
    kw("uidrange", Args::Grammar("INT-INT"), "", "Packets of these users.").stops(),
    kw("l3mdev", Args::Flag, "off", "By the table of the VRF they belong to.").alone(),
    kw("protocol", Args::One(int(0, 255)), "keepalived (18)", "Who made the rule.").stops(),
    kw("ipproto", Args::Grammar("INT|NAME"), "", "Packets of this protocol.").stops(),
    kw("sport", Args::Grammar("INT-INT"), "", "Packets from these ports; always a range.").stops(),
    kw("dport", Args::Grammar("INT-INT"), "", "Packets to these ports; always a range.").stops(),
    kw("no_track", Args::Flag, "tracked", "It is nobody's business if others remove it.").alone(),
    kw("type", Args::Grammar("blackhole|unreachable|prohibit|goto INT|nop"), "", "May stand before what is done.").stops(),
    kw("goto", Args::Grammar("INT(0..4294967295), above own priority"), "", "Goes on with a later rule.").stops(),
    kw("nop", Args::Flag, "", "Does nothing.").alone(),
    kw("blackhole", Args::Flag, "", "Drops them.").alone(),
    kw("unreachable", Args::Flag, "", "Refuses them as unreachable.").alone(),
    kw("prohibit", Args::Flag, "", "Refuses them as prohibited.").alone(),
];

#[rustfmt::skip]
pub(super) static RULE_STATIC: &[Keyword] = &[
    kw("track_group", Args::One(Value::Name(u16::MAX)), "", "Depends on these instances.").stops(),
];
