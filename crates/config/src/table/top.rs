//! The top level and small blocks.

use super::context::Context;
use super::{ALL, Args, BFD, Body, CHECKER, Heading, Keyword, PARENT, VRRP, Value, int, kw, secs};

#[rustfmt::skip]
pub(super) static TOP: &[Keyword] = &[
    kw("linkbeat_use_polling", Args::Flag, "off", "Polls the link of every interface instead of trusting the kernel's notices."),
    kw("net_namespace", Args::One(Value::Name(u16::MAX)), "", "The network namespace in which the daemon works; part of its pid files and log names.").of(PARENT).needs().first_wins(),
    kw("net_namespace_ipvs", Args::Maybe(Value::Name(u16::MAX)), "same as net_namespace", "The namespace whose IPVS tables are used; the default one when no name follows.").of(PARENT.and(CHECKER)).first_wins(),
    kw("namespace_with_ipsets", Args::Flag, "off", "Allows ipsets inside a namespace on kernels that mishandled them (before 3.13)."),
    kw("use_pid_dir", Args::Flag, "off", "Keeps pid files in the daemon's own directory below the run directory.").of(PARENT),
    kw("instance", Args::One(Value::Name(u16::MAX)), "", "Tells several daemons on one machine apart in pid files and logs.").of(PARENT).needs().first_wins(),
    kw("child_wait_time", Args::One(int(0, 4294967295)), "5", "How long a stop waits for the child processes before it kills them.").of(PARENT).stops(),
    kw("global_defs", Args::Block(Heading::None, Body::Statements(Context::GlobalDefs)), "", "Settings of the daemon as a whole; several blocks add up.").of(ALL),
    kw("track_group", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::TrackGroup)), "", "A set of instances whose state static entries can depend on.").needs(),
    kw("static_ipaddress", Args::Block(Heading::None, Body::Lines(Context::StaticIpaddress)), "", "Addresses that are there as long as the daemon runs, whatever VRRP does."),
    kw("static_routes", Args::Block(Heading::None, Body::Lines(Context::StaticRoutes)), "", "Routes that are there as long as the daemon runs."),
    kw("static_rules", Args::Block(Heading::None, Body::Lines(Context::StaticRules)), "", "Policy rules that are there as long as the daemon runs."),
    kw("linkbeat_interfaces", Args::Block(Heading::None, Body::Lines(Context::LinkbeatInterfaces)), "", "Interfaces whose link is polled, each with the method to use."),
    kw("interface_up_down_delays", Args::Block(Heading::None, Body::Lines(Context::InterfaceUpDownDelays)), "", "How long an interface must be down or up before it is believed."),
    kw("vrrp_sync_group", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::VrrpSyncGroup)), "", "Instances that become master or backup together.").needs(),
    kw("garp_group", Args::Block(Heading::None, Body::Statements(Context::GarpGroup)), "", "Interfaces that share one pace for gratuitous ARP and neighbour advertisements."),
    kw("vrrp_instance", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::VrrpInstance)), "", "A virtual router: its identifier, its addresses, its rules.").needs(),
    kw("vrrp_script", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::VrrpScript)), "", "A command that runs again and again; its exit code moves priorities.").stops(),
    kw("vrrp_track_process", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::VrrpTrackProcess)), "", "A process that must (or must not) be running.").stops(),
    kw("track_file", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::TrackFile)), "", "A file with a number that moves priorities or weights.").of(VRRP.and(CHECKER)).stops(),
    kw("vrrp_track_file", Args::Block(Heading::Name(u16::MAX), Body::Statements(Context::VrrpTrackFile)), "", "What track_file was called before.").of(VRRP.and(CHECKER)).old("track_file").stops(),
    kw("bfd_instance", Args::Block(Heading::Name(31), Body::Statements(Context::BfdInstance)), "", "A BFD session with a neighbour.").of(BFD.and(VRRP).and(CHECKER)).needs(),
    kw("SSL", Args::Block(Heading::None, Body::Statements(Context::Ssl)), "", "Certificates that SSL_GET presents.").of(CHECKER).last_wins(),
    kw("virtual_server_group", Args::Block(Heading::Name(u16::MAX), Body::Lines(Context::VirtualServerGroup)), "", "Addresses and marks that one virtual_server serves together.").of(CHECKER).stops(),
    kw("virtual_server", Args::Block(Heading::Service, Body::Statements(Context::VirtualServer)), "", "A load-balanced service.").of(CHECKER).stops(),
    kw("include", Args::One(Value::Path), "", "Reads other files at this point; it matters little if there are none.").of(ALL).needs(),
    kw("includer", Args::One(Value::Path), "", "Reads other files; one that cannot be read stops the start.").of(ALL).needs(),
    kw("includem", Args::One(Value::Path), "", "Reads other files; a name that is not there stops the start.").of(ALL).needs(),
    kw("includew", Args::One(Value::Path), "", "Reads other files; also a pattern without a match stops the start.").of(ALL).needs(),
    kw("includeb", Args::One(Value::Path), "", "Reads other files; every alternative in braces must be there.").of(ALL).needs(),
    kw("includea", Args::One(Value::Path), "", "Reads other files and insists on everything.").of(ALL).needs(),
];

#[rustfmt::skip]
pub(super) static TRACK_GROUP: &[Keyword] = &[
    kw("group", Args::Block(Heading::None, Body::Names), "required", "The instances of the group."),
];

#[rustfmt::skip]
pub(super) static GARP_GROUP: &[Keyword] = &[
    kw("garp_interval", Args::One(secs(0, 4294967295)), "0", "The least time between two ARP messages of this group.").stops(),
    kw("gna_interval", Args::One(secs(0, 4294967295)), "0", "The least time between two neighbour advertisements of this group.").stops(),
    kw("interface", Args::One(Value::Interface), "", "An interface with this pace of its own.").stops(),
    kw("interfaces", Args::Block(Heading::None, Body::Names), "", "Interfaces that share this pace."),
];

#[rustfmt::skip]
pub(super) static LINKBEAT_INTERFACES: &[Keyword] = &[
    kw("IFNAME", Args::Grammar("IFNAME [MII|ETHTOOL|IOCTL]"), "auto", "The interface, and how its link is read."),
];

#[rustfmt::skip]
pub(super) static INTERFACE_UP_DOWN_DELAYS: &[Keyword] = &[
    kw("IFNAME", Args::Grammar("IFNAME SECS(0..255) [SECS(0..255)]"), "0 0", "The interface, its down delay, its up delay."),
];

#[rustfmt::skip]
pub(super) static SSL: &[Keyword] = &[
    kw("password", Args::One(Value::Text(u16::MAX)), "", "What opens the key.").of(CHECKER).needs().last_wins(),
    kw("ca", Args::One(Value::Path), "", "Who is trusted.").of(CHECKER).needs().last_wins(),
    kw("certificate", Args::One(Value::Path), "", "What is shown.").of(CHECKER).needs().last_wins(),
    kw("key", Args::One(Value::Path), "", "The private key.").of(CHECKER).needs().last_wins(),
];
