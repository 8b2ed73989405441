//! Addresses: `static_ipaddress`, `virtual_ipaddress`, `virtual_ipaddress_excluded`.

use super::{Addresses, Args, Keyword, Value, kw};

#[rustfmt::skip]
pub(super) static ADDRESS: &[Keyword] = &[
    kw("IP", Args::Grammar("IP4|IP6[/LEN]"), "/32 or /128", "The address and its prefix length."),
    kw("dev", Args::One(Value::Interface), "interface of the instance, else default_interface", "The interface.").needs(),
    kw("scope", Args::Grammar("INT(0..255)|NAME"), "global", "How far the address is valid (IPv4).").needs(),
    kw("broadcast", Args::Grammar("IP4|+|-"), "", "The broadcast address; + and - compute it.").needs(),
    kw("brd", Args::Grammar("IP4|+|-"), "", "Short for broadcast.").same_as("broadcast").needs(),
    kw("label", Args::One(Value::Text(15)), "", "A label for the address (IPv4).").needs(),
    kw("peer", Args::One(Value::Address(Addresses::Any)), "", "The other end of a point-to-point link.").needs(),
    kw("home", Args::Flag, "off", "Marks a home address of Mobile IPv6.").alone(),
    kw("-nodad", Args::Flag, "off", "Leaves duplicate address detection on.").alone(),
    kw("mngtmpaddr", Args::Flag, "off", "Lets the kernel make temporary addresses from it.").alone(),
    kw("noprefixroute", Args::Flag, "off", "Adds no route for the prefix.").alone(),
    kw("autojoin", Args::Flag, "off", "Joins the multicast group on the wire.").alone(),
    kw("no_track", Args::Flag, "tracked", "It is nobody's business if others remove it.").alone(),
    kw("preferred_lft", Args::Grammar("INT(0..4294967295) seconds|forever"), "IPv6 /128: 0, else forever", "How long new connections prefer the address.").needs(),
];

#[rustfmt::skip]
pub(super) static ADDRESS_STATIC: &[Keyword] = &[
    kw("track_group", Args::One(Value::Name(u16::MAX)), "", "Depends on these instances.").needs(),
];

#[rustfmt::skip]
pub(super) static ADDRESS_VIRTUAL: &[Keyword] = &[
    kw("use_vmac", Args::Flag, "off", "Lives on a VMAC of its interface.").alone(),
];
