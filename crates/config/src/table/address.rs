//! Addresses: `static_ipaddress`, `virtual_ipaddress`, `virtual_ipaddress_excluded`.

use super::{Addresses, Args, Keyword, Value, kw};

#[rustfmt::skip]
pub(super) static ADDRESS: &[Keyword] = &[
    kw("IP", Args::Grammar("IP4|IP6[/LEN]"), "/32 or /128", "The address, first on the line, and the length of its prefix."),
    kw("dev", Args::One(Value::Interface), "interface of the instance, else default_interface", "The interface that gets the address.").needs(),
    kw("scope", Args::Grammar("INT(0..255)|NAME"), "global", "How far the address is valid: a number or a name such as link (IPv4).").needs(),
    kw("broadcast", Args::Grammar("IP4|+|-"), "", "The broadcast address; + sets all bits behind the prefix, - clears them.").needs(),
    kw("brd", Args::Grammar("IP4|+|-"), "", "Short for `broadcast`.").same_as("broadcast").needs(),
    kw("label", Args::One(Value::Text(15)), "", "The label that old tools show as an interface (IPv4).").needs(),
    kw("peer", Args::One(Value::Address(Addresses::Any)), "", "The address of the other end of a point-to-point link.").needs(),
    kw("home", Args::Flag, "off", "Marks a home address of Mobile IPv6.").alone(),
    kw("-nodad", Args::Flag, "off", "Leaves duplicate address detection on, which is off otherwise (IPv6).").alone(),
    kw("mngtmpaddr", Args::Flag, "off", "Lets the kernel derive temporary addresses from this one (IPv6).").alone(),
    kw("noprefixroute", Args::Flag, "off", "Makes no route for the prefix of the address.").alone(),
    kw("autojoin", Args::Flag, "off", "Joins this multicast group on the wire, also for switches.").alone(),
    kw("no_track", Args::Flag, "tracked", "Lets others remove the address: nothing reacts, and nothing puts it back.").alone(),
    kw("preferred_lft", Args::Grammar("INT(0..4294967295) seconds|forever"), "IPv6 /128: 0, else forever", "Seconds for which new connections may use the address as their source.").needs(),
];

#[rustfmt::skip]
pub(super) static ADDRESS_STATIC: &[Keyword] = &[
    kw("track_group", Args::One(Value::Name(u16::MAX)), "", "The instances of this group give up being master when the address is lost.").needs(),
];

#[rustfmt::skip]
pub(super) static ADDRESS_VIRTUAL: &[Keyword] = &[
    kw("use_vmac", Args::Flag, "off", "Puts the address onto a VMAC of its interface.").alone(),
];
