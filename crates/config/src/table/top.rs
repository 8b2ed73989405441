//! The top level and small blocks.

use super::context::Context;
use super::{ALL, Args, BFD, Body, CHECKER, Heading, Keyword, PARENT, VRRP, Value, int, kw, secs};

#[rustfmt::skip]
pub(super) static TOP: &[Keyword] = &[
    kw("linkbeat_use_polling", Args::Flag, "off", "Polls the link of every interface instead of trusting the kernel's notices."),
    kw("net_namespace", Args::One(Value::Name(u16::MAX)), "", "The network namespace the daemon works in; it also names pid files and log entries.").of(PARENT).needs().first_wins(),
    kw("net_namespace_ipvs", Args::Maybe(Value::Name(u16::MAX)), "same as net_namespace", "The network namespace of the IPVS tables; without a name, the default namespace.").of(PARENT.and(CHECKER)).first_wins(),
    kw("namespace_with_ipsets", Args::Flag, "off", "Allows ipsets in a namespace also on kernels older than 3.13, which mishandle them."),
    kw("use_pid_dir", Args::Flag, "off", "Keeps pid files in a directory of their own below the run directory.").of(PARENT),
    kw("instance", Args::One(Value::Name(u16::MAX)), "", "Tells several daemons on one machine apart: part of pid file names and log entries.").of(PARENT).needs().first_wins(),
    kw("child_wait_time", Args::One(int(0, 4294967295)), "5", "Seconds a stopping daemon waits for its child processes before it kills them.").of(PARENT).stops(),
    kw("global_defs", Args::Block(Heading::None, Body::Statements(Context::GlobalDefs)), "", "Settings of the daemon as a whole; several such blocks add up.").of(ALL),
    kw("track_group", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::TrackGroup)), "", "Instances that give up being master when a static entry with this group is lost.").needs(),
    kw("static_ipaddress", Args::Block(Heading::None, Body::Lines(Context::StaticIpaddress)), "", "Addresses that exist as long as the daemon runs, whatever state VRRP is in."),
    kw("static_routes", Args::Block(Heading::None, Body::Lines(Context::StaticRoutes)), "", "Routes that exist as long as the daemon runs, whatever state VRRP is in."),
    kw("static_rules", Args::Block(Heading::None, Body::Lines(Context::StaticRules)), "", "Policy rules that exist as long as the daemon runs, whatever state VRRP is in."),
    kw("linkbeat_interfaces", Args::Block(Heading::None, Body::Lines(Context::LinkbeatInterfaces)), "", "Interfaces whose link is polled, each with the method to use if wanted."),
    kw("interface_up_down_delays", Args::Block(Heading::None, Body::Lines(Context::InterfaceUpDownDelays)), "", "How long an interface must stay down or up before anything acts upon it."),
    kw("vrrp_sync_group", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::VrrpSyncGroup)), "", "Instances that change state together: all of them master, or none.").needs(),
    kw("garp_group", Args::Block(Heading::None, Body::Statements(Context::GarpGroup)), "", "Interfaces that share one pace for gratuitous ARP and neighbour advertisements."),
    kw("vrrp_instance", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::VrrpInstance)), "", "A virtual router: its number, its interface, its addresses and what it tracks.").needs(),
    kw("vrrp_script", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::VrrpScript)), "", "A command run at intervals; instances that track it go by its exit code.").stops(),
    kw("vrrp_track_process", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::VrrpTrackProcess)), "", "A process to watch; instances that track it go by whether it runs.").stops(),
    kw("track_file", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::TrackFile)), "", "A file to watch; instances and servers that track it go by the number in it.").of(VRRP.and(CHECKER)).stops(),
    kw("vrrp_track_file", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::VrrpTrackFile)), "", "Old spelling of `track_file`.").of(VRRP.and(CHECKER)).old("track_file").stops(),
    kw("bfd_instance", Args::Block(Heading::Name(31), Body::Statements(Context::BfdInstance)), "", "A BFD session with a neighbour that instances and real servers can track.").of(BFD.and(VRRP).and(CHECKER)).needs(),
    kw("SSL", Args::Block(Heading::None, Body::Statements(Context::Ssl)), "", "The certificate and keys that SSL_GET checks present.").of(CHECKER).last_wins(),
    kw("virtual_server_group", Args::Block(Heading::Name(u16::MAX), Body::Lines(Context::VirtualServerGroup)), "", "Addresses, ranges and firewall marks that one virtual_server serves together.").of(CHECKER).stops(),
    kw("virtual_server", Args::Block(Heading::Service, Body::Statements(Context::VirtualServer)), "", "A load-balanced service of IPVS: its address, scheduler and real servers.").of(CHECKER).stops(),
    kw("include", Args::One(Value::Path), "", "Reads the files that match at this place; missing files do not stop the start.").of(ALL).needs(),
    kw("includer", Args::One(Value::Path), "", "Like `include`, but a file that cannot be read stops the start.").of(ALL).needs(),
    kw("includem", Args::One(Value::Path), "", "Like `includer`, and a name without wildcards must exist.").of(ALL).needs(),
    kw("includew", Args::One(Value::Path), "", "Like `includem`, and a name with wildcards must match something.").of(ALL).needs(),
    kw("includeb", Args::One(Value::Path), "", "Like `includer`, and every alternative in braces must exist.").of(ALL).needs(),
    kw("includea", Args::One(Value::Path), "", "Like `include` with every check: `includem`, `includew` and `includeb` together.").of(ALL).needs(),
];

#[rustfmt::skip]
pub(super) static TRACK_GROUP: &[Keyword] = &[
    kw("group", Args::Block(Heading::None, Body::Names), "required", "The instances of the group, by name."),
];

#[rustfmt::skip]
pub(super) static GARP_GROUP: &[Keyword] = &[
    kw("garp_interval", Args::One(secs(0, 4294967295)), "0", "Least time in seconds between two gratuitous ARP messages of this group.").stops(),
    kw("gna_interval", Args::One(secs(0, 4294967295)), "0", "Least time in seconds between two neighbour advertisements of this group.").stops(),
    kw("interface", Args::One(Value::Interface), "", "One interface that has this pace for itself.").stops(),
    kw("interfaces", Args::Block(Heading::None, Body::Names), "", "Interfaces that share this pace: what one sends delays the others."),
];

#[rustfmt::skip]
pub(super) static LINKBEAT_INTERFACES: &[Keyword] = &[
    kw("IFNAME", Args::Grammar("IFNAME [MII|ETHTOOL|IOCTL]"), "auto", "The interface to poll, and how its link is read if not by the best way."),
];

#[rustfmt::skip]
pub(super) static INTERFACE_UP_DOWN_DELAYS: &[Keyword] = &[
    kw("IFNAME", Args::Grammar("IFNAME SECS(0..255) [SECS(0..255)]"), "0 0", "The interface, its down delay and, if it differs, its up delay, in seconds."),
];

#[rustfmt::skip]
pub(super) static SSL: &[Keyword] = &[
    kw("password", Args::One(Value::Text(u16::MAX)), "", "Pass phrase that opens the private key.").of(CHECKER).needs().last_wins(),
    kw("ca", Args::One(Value::Path), "", "File with the certificate authorities to trust.").of(CHECKER).needs().last_wins(),
    kw("certificate", Args::One(Value::Path), "", "File with the certificate to present, and its chain.").of(CHECKER).needs().last_wins(),
    kw("key", Args::One(Value::Path), "", "File with the private key of the certificate.").of(CHECKER).needs().last_wins(),
];
