//! `vrrp_instance`, its blocks, and `vrrp_sync_group`.

use super::context::Context;
use super::{Addresses, Args, Body, Heading, Keyword, Value, int, kw, secs};

#[rustfmt::skip]
pub(super) static VRRP_INSTANCE: &[Keyword] = &[
    kw("use_vmac", Args::Inline("[[name] IFNAME] [MAC(5 or 6 octets)] [group GROUP] [netlink_notify_msg]", Context::UseVmac), "off", "Sends from an interface with the virtual router's own MAC address."),
    kw("use_vmac_addr", Args::Flag, "off", "Puts addresses of other interfaces on VMACs there."),
    kw("vmac_xmit_base", Args::Flag, "off", "Sends adverts from the real interface all the same."),
    kw("use_ipvlan", Args::Inline("[[name] IFNAME] [IP[/LEN]] [bridge|private|vepa] [group GROUP]", Context::UseIpvlan), "off", "Sends from an ipvlan interface with an address of its own.").needs(),
    kw("unicast_peer", Args::Block(Heading::None, Body::Lines(Context::UnicastPeer)), "", "Sends adverts to these machines one by one."),
    kw("unicast_fault_no_peer", Args::Flag, "off", "Goes to fault when no peer is left, instead of falling back to multicast."),
    kw("check_unicast_src", Args::Flag, "off", "Only listed peers may send adverts."),
    kw("old_unicast_checksum", Args::Maybe(Value::Word(&["never"])), "auto", "Which of two unicast checksums VRRPv3 over IPv4 carries."),
    kw("native_ipv6", Args::Flag, "off", "Speaks VRRP over IPv6 even without an IPv6 address."),
    kw("state", Args::One(Value::Word(&["MASTER", "BACKUP"])), "from priority", "What the instance would like to be at first; the election decides.").stops(),
    kw("interface", Args::One(Value::Interface), "required", "Where adverts are sent and heard.").stops(),
    kw("vrf", Args::One(Value::Interface), "", "The VRF of a unicast instance that names no interface.").stops(),
    kw("dont_track_primary", Args::Flag, "off", "The state of its own interface does not matter."),
    kw("track_interface", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackInterface)), "", "Other interfaces whose state matters."),
    kw("track_script", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackScript)), "", "Scripts whose result matters."),
    kw("track_file", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackFile)), "", "Files whose number matters.").stops(),
    kw("track_process", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackProcess)), "", "Processes that must be running."),
    kw("track_bfd", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackBfd)), "", "BFD sessions that must be up."),
    kw("mcast_src_ip", Args::One(Value::Address(Addresses::Any)), "primary address", "The source address of its multicast adverts.").stops(),
    kw("unicast_src_ip", Args::One(Value::Address(Addresses::Any)), "primary address", "The source address of its unicast adverts.").stops(),
    kw("mcast_dst_ip", Args::One(Value::Address(Addresses::Multicast)), "global group", "A multicast group of its own.").stops(),
    kw("track_src_ip", Args::Flag, "off", "Goes to fault while its source address is not there."),
    kw("virtual_router_id", Args::One(int(1, 255)), "required", "The number that all routers of this virtual router share.").stops(),
    kw("unicast_ttl", Args::One(int(0, 255)), "255 (IPv4), kernel (IPv6)", "The TTL of its unicast adverts.").stops(),
    kw("version", Args::One(int(2, 3)), "global vrrp_version; IPv6 uses 3", "Which version of the protocol it speaks.").stops(),
    kw("priority", Args::One(int(1, 255)), "100, or 255 for state MASTER", "Who wins the election; 255 owns the addresses.").stops(),
    kw("advert_int", Args::One(secs(10000, 255000000)), "1", "Time between two adverts.").stops(),
    kw("virtual_ipaddress", Args::Block(Heading::None, Body::Lines(Context::VirtualIpaddress)), "required (warn in v2, refuse in v3)", "The addresses of the virtual router."),
    kw("virtual_ipaddress_excluded", Args::Block(Heading::None, Body::Lines(Context::VirtualIpaddressExcluded)), "", "Further addresses that adverts do not list."),
    kw("no_virtual_ipaddress", Args::Flag, "off", "Having no address is intended.").since_2_3(),
    kw("promote_secondaries", Args::Flag, "off", "Has the kernel keep secondary addresses when the primary goes."),
    kw("linkbeat_use_polling", Args::Flag, "off", "Polls the link of its interface; use linkbeat_interfaces instead.").deprecated("linkbeat_interfaces"),
    kw("v3_checksum_as_v2", Args::Maybe(Value::Bool), "global", "Computes the VRRPv3 checksum over IPv4 without the pseudo header.").since_2_3(),
    kw("virtual_routes", Args::Block(Heading::None, Body::Lines(Context::VirtualRoutes)), "", "Routes that are there while it is master."),
    kw("virtual_rules", Args::Block(Heading::None, Body::Lines(Context::VirtualRules)), "", "Policy rules that are there while it is master."),
    kw("accept", Args::Flag, "on unless strict and not owner", "A master answers on addresses it does not own."),
    kw("no_accept", Args::Flag, "see accept", "A master does not answer on addresses it does not own."),
    kw("skip_check_adv_addr", Args::Maybe(Value::Bool), "global", "Compares the addresses of an advert only when the sender changes."),
    kw("strict_mode", Args::Maybe(Value::Bool), "global", "Holds this instance to the letter of the RFC."),
    kw("preempt", Args::Flag, "on", "Takes over from a master of lower priority."),
    kw("nopreempt", Args::Flag, "off", "Leaves a master of lower priority alone."),
    kw("preempt_delay", Args::One(secs(0, 1000000000)), "0", "How long it hears a weaker master before it takes over.").stops(),
    kw("debug", Args::One(int(0, 4)), "0", "Kept, but nothing reads it.").stops(),
    kw("notify_backup", Args::One(Value::CommandAs), "", "A command for when it turns backup.").stops().first_wins(),
    kw("notify_master", Args::One(Value::CommandAs), "", "A command for when it turns master.").stops().first_wins(),
    kw("notify_fault", Args::One(Value::CommandAs), "", "A command for when it goes to fault.").stops().first_wins(),
    kw("notify_stop", Args::One(Value::CommandAs), "", "A command for when the daemon ends.").stops().first_wins(),
    kw("notify", Args::One(Value::CommandAs), "", "A command for every change, told which one.").stops().first_wins(),
    kw("notify_master_rx_lower_pri", Args::One(Value::CommandAs), "", "A command for when a master hears a weaker one.").stops().first_wins(),
    kw("notify_deleted", Args::Maybe(Value::CommandAs), "off", "A removed instance reports DELETED, with a command of its own if wanted.").first_wins(),
    kw("smtp_alert", Args::Maybe(Value::Bool), "from globals, else off", "Whether its state changes are mailed."),
    kw("notify_priority_changes", Args::Maybe(Value::Bool), "sync group, then global", "Writes changes of priority into the pipes."),
    kw("lvs_sync_daemon_interface", Args::One(Value::Interface), "", "Ties the IPVS sync daemon to this instance; use the global lvs_sync_daemon.").deprecated("the global lvs_sync_daemon").stops(),
    kw("garp_master_delay", Args::One(int(0, 4294)), "global", "When its addresses are announced a second time.").stops(),
    kw("garp_master_refresh", Args::One(int(0, 4294967295)), "global", "How often it announces its addresses again as master.").stops(),
    kw("garp_master_repeat", Args::One(int(1, 4294967295)), "global", "How often each address is announced when it becomes master.").stops(),
    kw("garp_master_refresh_repeat", Args::One(int(1, 4294967295)), "global", "How many messages each refresh has.").stops(),
    kw("garp_lower_prio_delay", Args::One(int(0, 4294)), "global", "When the second announcement follows after a weaker master was heard.").stops(),
    kw("garp_lower_prio_repeat", Args::One(int(0, 2147483647)), "global", "How often each address is announced after a weaker master was heard.").stops(),
    kw("down_timer_adverts", Args::One(int(1, 100)), "global", "How many adverts may be missed before it takes over.").stops(),
    kw("timer_expired_backup", Args::Maybe(int(1, 254)), "off; bare = 254", "After a late timer, waits as though a router of this priority were taking over.").since_2_3(),
    kw("thread_timer_expired", Args::Maybe(int(1, 254)), "off", "A wrong name of timer_expired_backup.").since_2_3().deprecated("timer_expired_backup").needs(),
    kw("garp_extra_if", Args::Grammar("[all] INT(0..86400) seconds"), "global", "Keeps announcing addresses on other interfaces.").needs(),
    kw("vmac_garp_intvl", Args::Grammar("[all] INT(0..86400) seconds"), "global", "What garp_extra_if was called before.").deprecated("garp_extra_if").needs(),
    kw("lower_prio_no_advert", Args::Maybe(Value::Bool), "global", "Does not answer adverts of lower priority."),
    kw("higher_prio_send_advert", Args::Maybe(Value::Bool), "global", "Sends one more advert before giving way."),
    kw("owner_ignore_adverts", Args::Maybe(Value::Bool), "global", "As owner of the addresses, does not listen to others.").since_2_3(),
    kw("kernel_rx_buf_size", Args::One(int(0, 4294967295)), "policy", "Receive buffer of its socket.").needs(),
    kw("authentication", Args::Block(Heading::None, Body::Statements(Context::Authentication)), "", "A shared password for VRRPv2."),
    kw("auth_hmac", Args::Block(Heading::None, Body::Statements(Context::AuthHmac)), "", "A signature behind each advert (an extension).").since_2_3(),
];

#[rustfmt::skip]
pub(super) static USE_VMAC: &[Keyword] = &[
    kw("name", Args::One(Value::Interface), "PREFIX.VRID", "The name of that interface.").since_2_3().stops(),
    kw("MAC", Args::Grammar("XX:XX:XX:XX:XX[:XX]"), "protocol MAC", "Another MAC address; with five octets the VRID is the sixth."),
    kw("group", Args::Grammar("INT|NAME"), "0", "The group of that interface.").since_2_3().stops(),
    kw("netlink_notify_msg", Args::Flag, "off", "Has the kernel tell others about addresses on that interface.").since_2_3(),
];

#[rustfmt::skip]
pub(super) static USE_IPVLAN: &[Keyword] = &[
    kw("bridge", Args::Flag, "bridge", "Ipvlans of one parent talk to each other directly."),
    kw("private", Args::Flag, "bridge", "Ipvlans of one parent do not talk to each other."),
    kw("vepa", Args::Flag, "bridge", "Ipvlans of one parent talk through the switch."),
    kw("name", Args::One(Value::Interface), "PREFIX.VRID", "The name of that interface.").since_2_3().stops(),
    kw("IP", Args::Grammar("IP[/LEN]"), "", "Its address, which is also the source of adverts."),
    kw("group", Args::Grammar("INT|NAME"), "0", "The group of that interface.").since_2_3().stops(),
];

#[rustfmt::skip]
pub(super) static UNICAST_PEER: &[Keyword] = &[
    kw("min_ttl", Args::One(int(0, 255)), "0", "The least TTL that adverts of this peer may have.").needs(),
    kw("max_ttl", Args::One(int(0, 255)), "255", "The greatest TTL that adverts of this peer may have.").needs(),
];

#[rustfmt::skip]
pub(super) static AUTHENTICATION: &[Keyword] = &[
    kw("auth_type", Args::One(Value::Word(&["PASS", "AH"])), "", "How adverts prove where they come from.").stops(),
    kw("auth_pass", Args::One(Value::Text(8)), "", "The secret; eight bytes count.").stops(),
];

#[rustfmt::skip]
pub(super) static AUTH_HMAC: &[Keyword] = &[
    kw("key", Args::Grammar("INT(1..255) STR|hex:HEX|file:PATH (32..64 bytes)"), "required", "A numbered key, written out, in hex or in a file.").since_2_3().needs(),
    kw("active_key", Args::One(int(1, 255)), "required", "The key that signs what is sent.").since_2_3().stops(),
    kw("time_window", Args::One(int(1, 300)), "3 x advert_int, 5..300", "How far clocks may differ.").since_2_3().stops(),
    kw("anti_replay", Args::One(Value::Word(&["time", "monotonic"])), "time", "What makes every signature new.").since_2_3().stops(),
    kw("mode", Args::One(Value::Word(&["enforce", "permissive", "receive-only"])), "enforce", "What becomes of adverts without a good signature.").since_2_3().stops(),
];

#[rustfmt::skip]
pub(super) static VRRP_SYNC_GROUP: &[Keyword] = &[
    kw("group", Args::Block(Heading::None, Body::Names), "required", "The instances of the group; fewer than two make no sense."),
    kw("track_interface", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackInterface)), "", "Interfaces that matter to all members."),
    kw("track_script", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackScript)), "", "Scripts that matter to all members."),
    kw("track_file", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackFile)), "", "Files that matter to all members.").stops(),
    kw("track_process", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackProcess)), "", "Processes that matter to all members."),
    kw("track_bfd", Args::Block(Heading::None, Body::Lines(Context::InstanceTrackBfd)), "", "BFD sessions that matter to all members."),
    kw("notify_backup", Args::One(Value::CommandAs), "", "A command for when the group turns backup.").stops().first_wins(),
    kw("notify_master", Args::One(Value::CommandAs), "", "A command for when the group turns master.").stops().first_wins(),
    kw("notify_fault", Args::One(Value::CommandAs), "", "A command for when the group goes to fault.").stops().first_wins(),
    kw("notify_stop", Args::One(Value::CommandAs), "", "A command for when the daemon ends.").stops().first_wins(),
    kw("notify", Args::One(Value::CommandAs), "", "A command for every change of the group, told which one.").stops().first_wins(),
    kw("smtp_alert", Args::Maybe(Value::Bool), "from globals, else off", "Whether state changes of the group are mailed."),
    kw("global_tracking", Args::Flag, "off", "What sync_group_tracking_weight was called before.").deprecated("sync_group_tracking_weight"),
    kw("sync_group_tracking_weight", Args::Flag, "off", "Members keep trackers that move their priority."),
    kw("notify_priority_changes", Args::Maybe(Value::Bool), "from globals", "Writes changes of priority into the pipes."),
];
