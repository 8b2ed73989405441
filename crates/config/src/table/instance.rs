//! `vrrp_instance`, its blocks, and `vrrp_sync_group`.

use super::context::Context;
use super::{Addresses, Args, Body, Heading, Keyword, Value, int, kw, secs};

#[rustfmt::skip]
pub(super) static VRRP_INSTANCE: &[Keyword] = &[
    kw("use_vmac", Args::Inline("[[name] IFNAME] [MAC(5 or 6 octets)] [group GROUP] [netlink_notify_msg]", Context::UseVmac), "off", "Sends from an interface of its own that has the virtual router's MAC address."),
    kw("use_vmac_addr", Args::Flag, "off", "Puts addresses on other interfaces onto VMACs of those interfaces."),
    kw("vmac_xmit_base", Args::Flag, "off", "Sends adverts from the real interface although the addresses are on a VMAC."),
    kw("use_ipvlan", Args::Inline("[[name] IFNAME] [IP[/LEN]] [bridge|private|vepa] [group GROUP]", Context::UseIpvlan), "off", "Sends from an ipvlan interface, which shares the MAC of the real one.").alone(),
    kw("unicast_peer", Args::Block(Heading::None, Body::Lines(Context::UnicastPeer)), "", "The other routers, by address: adverts go to each of them instead of the multicast group."),
    kw("unicast_fault_no_peer", Args::Flag, "off", "Goes to fault when no peer is left, instead of falling back to multicast."),
    kw("check_unicast_src", Args::Flag, "off", "Takes unicast adverts from listed peers only."),
    kw("old_unicast_checksum", Args::Maybe(Value::Word(&["never"])), "auto", "Uses the checksum of old versions in VRRPv3 unicast adverts; never: does not even accept it."),
    kw("native_ipv6", Args::Flag, "off", "Speaks VRRP over IPv6, version 3, even without an IPv6 address."),
    kw("state", Args::One(Value::Word(&["MASTER", "BACKUP"])), "from priority", "What the instance wants to be at first; the election decides soon after.").stops(),
    kw("interface", Args::One(Value::Interface), "required", "The interface where adverts are sent and heard.").stops(),
    kw("vrf", Args::One(Value::Interface), "", "The VRF of a unicast instance that names no interface.").stops(),
    kw("dont_track_primary", Args::Flag, "off", "Stays out of fault when its own interface goes down."),
    kw("track_interface", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackInterface)), "", "Interfaces to track: while one is down, the instance is in fault or loses priority."),
    kw("track_script", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackScript)), "", "Scripts to track: while one fails, the instance is in fault or loses priority."),
    kw("track_file", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackFile)), "", "Files to track: the number in one is added to the priority.").stops(),
    kw("track_process", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackProcess)), "", "Processes to track: while one is absent, the instance is in fault or loses priority."),
    kw("track_bfd", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackBfd)), "", "BFD sessions to track: while one is down, the instance is in fault or loses priority."),
    kw("mcast_src_ip", Args::One(Value::Address(Addresses::Any)), "primary address", "The source address of multicast adverts.").stops(),
    kw("unicast_src_ip", Args::One(Value::Address(Addresses::Any)), "primary address", "The source address of unicast adverts.").stops(),
    kw("mcast_dst_ip", Args::One(Value::Address(Addresses::Multicast)), "global group", "The multicast group of this instance alone; all its routers need the same.").stops(),
    kw("track_src_ip", Args::Flag, "off", "Goes to fault while the source address of its adverts is not on the machine."),
    kw("virtual_router_id", Args::One(int(1, 255)), "required", "The number of the virtual router: the same on all its routers, unique on the network.").stops(),
    kw("unicast_ttl", Args::One(int(0, 255)), "255 (IPv4), kernel (IPv6)", "The TTL of unicast adverts.").stops(),
    kw("version", Args::One(int(2, 3)), "global vrrp_version; IPv6 uses 3", "The version of VRRP; all routers of the virtual router need the same.").stops(),
    kw("priority", Args::One(int(1, 255)), "100, or 255 for state MASTER", "Who wins the election: the highest; 255 is for the owner of the addresses.").stops(),
    kw("advert_int", Args::One(secs(10000, 255000000)), "1", "Seconds between adverts; VRRPv2 knows whole seconds only, VRRPv3 hundredths up to 40.95.").stops(),
    kw("virtual_ipaddress", Args::Block(Heading::None, Body::Lines(Context::VirtualIpaddress)), "required (warn in v2, refuse in v3)", "The addresses of the virtual router: the master has them, and adverts list them."),
    kw("virtual_ipaddress_excluded", Args::Block(Heading::None, Body::Lines(Context::VirtualIpaddressExcluded)), "", "More addresses of the master that adverts do not list, also of the other family."),
    kw("no_virtual_ipaddress", Args::Flag, "off", "Says that the instance has no address on purpose.").since_2_3(),
    kw("promote_secondaries", Args::Flag, "off", "Has the kernel keep secondary addresses when the primary one goes."),
    kw("linkbeat_use_polling", Args::Flag, "off", "Deprecated; name the interface in `linkbeat_interfaces`.").deprecated("linkbeat_interfaces"),
    kw("v3_checksum_as_v2", Args::Maybe(Value::Bool), "global", "Leaves the pseudo header out of the VRRPv3 checksum over IPv4.").since_2_3(),
    kw("virtual_routes", Args::Block(Heading::None, Body::Lines(Context::VirtualRoutes)), "", "Routes that exist while the instance is master."),
    kw("virtual_rules", Args::Block(Heading::None, Body::Lines(Context::VirtualRules)), "", "Policy rules that exist while the instance is master."),
    kw("accept", Args::Flag, "on unless strict and not owner", "Takes packets to its addresses as master even without owning them."),
    kw("no_accept", Args::Flag, "see accept", "Drops packets to its addresses as master unless it owns them."),
    kw("skip_check_adv_addr", Args::Maybe(Value::Bool), "global", "Compares the addresses in adverts only when the sender changes."),
    kw("strict_mode", Args::Maybe(Value::Bool), "global", "Holds this instance to the letter of the RFC."),
    kw("preempt", Args::Flag, "on", "Takes over from a master of lower priority, as usual; takes back `nopreempt`."),
    kw("nopreempt", Args::Flag, "off", "Leaves a master of lower priority alone; takes `state BACKUP`."),
    kw("preempt_delay", Args::One(secs(0, 1000000000)), "0", "Seconds a master of lower priority is left alone before this router takes over.").stops(),
    kw("debug", Args::One(int(0, 4)), "0", "Kept for old files; nothing reads it.").stops(),
    kw("notify_backup", Args::One(Value::CommandAs), "", "A command to run when the instance becomes backup.").stops().first_wins(),
    kw("notify_master", Args::One(Value::CommandAs), "", "A command to run when the instance becomes master.").stops().first_wins(),
    kw("notify_fault", Args::One(Value::CommandAs), "", "A command to run when the instance goes to fault.").stops().first_wins(),
    kw("notify_stop", Args::One(Value::CommandAs), "", "A command to run when the daemon stops.").stops().first_wins(),
    kw("notify", Args::One(Value::CommandAs), "", "A command for every change; it is told INSTANCE, the name, the state and the priority.").stops().first_wins(),
    kw("notify_master_rx_lower_pri", Args::One(Value::CommandAs), "", "A command to run when a master hears another one of lower priority.").stops().first_wins(),
    kw("notify_deleted", Args::Maybe(Value::CommandAs), "off", "Reports DELETED instead of FAULT when a reload removes the instance; a command may follow.").first_wins(),
    kw("smtp_alert", Args::Maybe(Value::Bool), "from globals, else off", "Mails the changes of the instance."),
    kw("notify_priority_changes", Args::Maybe(Value::Bool), "sync group, then global", "Writes changes of the priority into the pipes."),
    kw("lvs_sync_daemon_interface", Args::One(Value::Interface), "", "Deprecated; name the instance in `lvs_sync_daemon` of global_defs.").deprecated("the global lvs_sync_daemon").stops(),
    kw("garp_master_delay", Args::One(int(0, 4294)), "global", "Seconds from becoming master to the second announcement of addresses; 0 for none.").stops(),
    kw("garp_master_refresh", Args::One(int(0, 4294967295)), "global", "Seconds between announcements that a master makes all the time.").stops(),
    kw("garp_master_repeat", Args::One(int(1, 4294967295)), "global", "How many messages an announcement after becoming master has for each address.").stops(),
    kw("garp_master_refresh_repeat", Args::One(int(1, 4294967295)), "global", "How many messages such a refreshing announcement has for each address.").stops(),
    kw("garp_lower_prio_delay", Args::One(int(0, 4294)), "global", "Seconds to the second announcement after another master with less priority was heard.").stops(),
    kw("garp_lower_prio_repeat", Args::One(int(0, 2147483647)), "global", "How many messages an announcement then has for each address; 0 for none.").stops(),
    kw("down_timer_adverts", Args::One(int(1, 100)), "global", "After how many missed adverts a backup takes over.").stops(),
    kw("timer_expired_backup", Args::Maybe(int(1, 254)), "off; bare = 254", "After a late timer, first waits as though a router of this priority were taking over.").since_2_3(),
    kw("thread_timer_expired", Args::Maybe(int(1, 254)), "off", "Deprecated: a wrong name of `timer_expired_backup`.").since_2_3().deprecated("timer_expired_backup").needs(),
    kw("garp_extra_if", Args::Grammar("[all] INT(0..86400) seconds"), "global", "Seconds between announcements on interfaces other than the instance's; all: not only VMACs.").needs(),
    kw("vmac_garp_intvl", Args::Grammar("[all] INT(0..86400) seconds"), "global", "Deprecated spelling of `garp_extra_if`.").deprecated("garp_extra_if").needs(),
    kw("lower_prio_no_advert", Args::Maybe(Value::Bool), "global", "Keeps a master from answering adverts of lower priority with one of its own."),
    kw("higher_prio_send_advert", Args::Maybe(Value::Bool), "global", "Has a master send one last advert before it yields to a higher priority."),
    kw("owner_ignore_adverts", Args::Maybe(Value::Bool), "global", "As address owner (priority 255), does not listen to adverts of others.").since_2_3(),
    kw("kernel_rx_buf_size", Args::One(int(0, 4294967295)), "policy", "Receive buffer in bytes of the instance's socket.").needs(),
    kw("authentication", Args::Block(Heading::None, Body::Statements(Context::Authentication)), "", "A shared secret in the adverts of VRRPv2; VRRPv3 has none."),
    kw("auth_hmac", Args::Block(Heading::None, Body::Statements(Context::AuthHmac)), "", "A signature behind each advert, an extension of VRRP; instead of `authentication`.").since_2_3(),
];

#[rustfmt::skip]
pub(super) static USE_VMAC: &[Keyword] = &[
    kw("name", Args::One(Value::Interface), "PREFIX.VRID", "The name of the VMAC interface; the word itself may be left out.").since_2_3().stops(),
    kw("MAC", Args::Grammar("XX:XX:XX:XX:XX[:XX]"), "protocol MAC", "A MAC address of one's own; the VRID is appended to five octets."),
    kw("group", Args::Grammar("INT|NAME"), "0", "The interface group of the VMAC.").since_2_3().stops(),
    kw("netlink_notify_msg", Args::Flag, "off", "Has the kernel announce changes of addresses on the VMAC.").since_2_3(),
];

#[rustfmt::skip]
pub(super) static USE_IPVLAN: &[Keyword] = &[
    kw("bridge", Args::Flag, "bridge", "Ipvlan interfaces of one parent reach each other directly."),
    kw("private", Args::Flag, "bridge", "Ipvlan interfaces of one parent do not reach each other."),
    kw("vepa", Args::Flag, "bridge", "Ipvlan interfaces of one parent reach each other through the switch."),
    kw("name", Args::One(Value::Interface), "PREFIX.VRID", "The name of the ipvlan interface; the word itself may be left out.").since_2_3().stops(),
    kw("IP", Args::Grammar("IP[/LEN]"), "", "The address of the ipvlan interface, which is also the source of adverts."),
    kw("group", Args::Grammar("INT|NAME"), "0", "The interface group of the ipvlan.").since_2_3().stops(),
];

#[rustfmt::skip]
pub(super) static UNICAST_PEER: &[Keyword] = &[
    kw("min_ttl", Args::One(int(0, 255)), "0", "The least TTL that adverts of this peer may arrive with; checks sources too.").needs(),
    kw("max_ttl", Args::One(int(0, 255)), "255", "The greatest TTL that adverts of this peer may arrive with; checks sources too.").needs(),
];

#[rustfmt::skip]
pub(super) static AUTHENTICATION: &[Keyword] = &[
    kw("auth_type", Args::One(Value::Word(&["PASS", "AH"])), "", "How adverts are authenticated: by a plain password (PASS) or by IPsec AH.").stops(),
    kw("auth_pass", Args::One(Value::Text(8)), "", "The secret that all routers share; only its first eight bytes count.").stops(),
];

#[rustfmt::skip]
pub(super) static AUTH_HMAC: &[Keyword] = &[
    kw("key", Args::Grammar("INT(1..255) STR|hex:HEX|file:PATH (32..64 bytes)"), "required", "A key by its number: as text, in hexadecimal or from a file that only root may read.").since_2_3().needs(),
    kw("active_key", Args::One(int(1, 255)), "required", "The number of the key that signs adverts sent.").since_2_3().stops(),
    kw("time_window", Args::One(int(1, 300)), "3 x advert_int, 5..300", "Seconds by which the clocks of the routers may differ.").since_2_3().stops(),
    kw("anti_replay", Args::One(Value::Word(&["time", "monotonic"])), "time", "What tells a new advert from a recorded one: the time of day or a counter.").since_2_3().stops(),
    kw("mode", Args::One(Value::Word(&["enforce", "permissive", "receive-only"])), "enforce", "What happens to adverts without a good signature; receive-only: only checks, never signs.").since_2_3().stops(),
];

#[rustfmt::skip]
pub(super) static VRRP_SYNC_GROUP: &[Keyword] = &[
    kw("group", Args::Block(Heading::None, Body::Names), "required", "The instances of the group, by name; it takes at least two."),
    kw("track_interface", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackInterface)), "", "Interfaces that every member tracks."),
    kw("track_script", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackScript)), "", "Scripts that every member tracks."),
    kw("track_file", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackFile)), "", "Files that every member tracks.").stops(),
    kw("track_process", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackProcess)), "", "Processes that every member tracks."),
    kw("track_bfd", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackBfd)), "", "BFD sessions that every member tracks."),
    kw("notify_backup", Args::One(Value::CommandAs), "", "A command to run when the group becomes backup.").stops().first_wins(),
    kw("notify_master", Args::One(Value::CommandAs), "", "A command to run when the group becomes master.").stops().first_wins(),
    kw("notify_fault", Args::One(Value::CommandAs), "", "A command to run when the group goes to fault.").stops().first_wins(),
    kw("notify_stop", Args::One(Value::CommandAs), "", "A command to run when the daemon stops.").stops().first_wins(),
    kw("notify", Args::One(Value::CommandAs), "", "A command for every change; it is told GROUP, the name, the state and the priority.").stops().first_wins(),
    kw("smtp_alert", Args::Maybe(Value::Bool), "from globals, else off", "Mails the changes of the group."),
    kw("global_tracking", Args::Flag, "off", "Deprecated spelling of `sync_group_tracking_weight`.").deprecated("sync_group_tracking_weight"),
    kw("sync_group_tracking_weight", Args::Flag, "off", "Lets members track with weights, which a sync group otherwise forbids."),
    kw("notify_priority_changes", Args::Maybe(Value::Bool), "from globals", "Writes changes of a member's priority into the pipes."),
];
