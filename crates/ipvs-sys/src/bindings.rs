// Generated from <linux/ip_vs.h>. `BLESS=1 cargo test -p rk-ipvs-sys` writes it anew.
pub const IP_VS_VERSION_CODE: u32 = 66049;
pub const IP_VS_SVC_F_PERSISTENT: u32 = 1;
pub const IP_VS_SVC_F_HASHED: u32 = 2;
pub const IP_VS_SVC_F_ONEPACKET: u32 = 4;
pub const IP_VS_SVC_F_SCHED1: u32 = 8;
pub const IP_VS_SVC_F_SCHED2: u32 = 16;
pub const IP_VS_SVC_F_SCHED3: u32 = 32;
pub const IP_VS_SVC_F_SCHED_SH_FALLBACK: u32 = 8;
pub const IP_VS_SVC_F_SCHED_SH_PORT: u32 = 16;
pub const IP_VS_STATE_NONE: u32 = 0;
pub const IP_VS_STATE_MASTER: u32 = 1;
pub const IP_VS_STATE_BACKUP: u32 = 2;
pub const IP_VS_BASE_CTL: u32 = 1152;
pub const IP_VS_SO_SET_NONE: u32 = 1152;
pub const IP_VS_SO_SET_INSERT: u32 = 1153;
pub const IP_VS_SO_SET_ADD: u32 = 1154;
pub const IP_VS_SO_SET_EDIT: u32 = 1155;
pub const IP_VS_SO_SET_DEL: u32 = 1156;
pub const IP_VS_SO_SET_FLUSH: u32 = 1157;
pub const IP_VS_SO_SET_LIST: u32 = 1158;
pub const IP_VS_SO_SET_ADDDEST: u32 = 1159;
pub const IP_VS_SO_SET_DELDEST: u32 = 1160;
pub const IP_VS_SO_SET_EDITDEST: u32 = 1161;
pub const IP_VS_SO_SET_TIMEOUT: u32 = 1162;
pub const IP_VS_SO_SET_STARTDAEMON: u32 = 1163;
pub const IP_VS_SO_SET_STOPDAEMON: u32 = 1164;
pub const IP_VS_SO_SET_RESTORE: u32 = 1165;
pub const IP_VS_SO_SET_SAVE: u32 = 1166;
pub const IP_VS_SO_SET_ZERO: u32 = 1167;
pub const IP_VS_SO_SET_MAX: u32 = 1167;
pub const IP_VS_SO_GET_VERSION: u32 = 1152;
pub const IP_VS_SO_GET_INFO: u32 = 1153;
pub const IP_VS_SO_GET_SERVICES: u32 = 1154;
pub const IP_VS_SO_GET_SERVICE: u32 = 1155;
pub const IP_VS_SO_GET_DESTS: u32 = 1156;
pub const IP_VS_SO_GET_DEST: u32 = 1157;
pub const IP_VS_SO_GET_TIMEOUT: u32 = 1158;
pub const IP_VS_SO_GET_DAEMON: u32 = 1159;
pub const IP_VS_SO_GET_MAX: u32 = 1159;
pub const IP_VS_CONN_F_FWD_MASK: u32 = 7;
pub const IP_VS_CONN_F_MASQ: u32 = 0;
pub const IP_VS_CONN_F_LOCALNODE: u32 = 1;
pub const IP_VS_CONN_F_TUNNEL: u32 = 2;
pub const IP_VS_CONN_F_DROUTE: u32 = 3;
pub const IP_VS_CONN_F_BYPASS: u32 = 4;
pub const IP_VS_CONN_F_SYNC: u32 = 32;
pub const IP_VS_CONN_F_HASHED: u32 = 64;
pub const IP_VS_CONN_F_NOOUTPUT: u32 = 128;
pub const IP_VS_CONN_F_INACTIVE: u32 = 256;
pub const IP_VS_CONN_F_OUT_SEQ: u32 = 512;
pub const IP_VS_CONN_F_IN_SEQ: u32 = 1024;
pub const IP_VS_CONN_F_SEQ_MASK: u32 = 1536;
pub const IP_VS_CONN_F_NO_CPORT: u32 = 2048;
pub const IP_VS_CONN_F_TEMPLATE: u32 = 4096;
pub const IP_VS_CONN_F_ONE_PACKET: u32 = 8192;
pub const IP_VS_CONN_F_BACKUP_MASK: u32 = 8071;
pub const IP_VS_CONN_F_BACKUP_UPD_MASK: u32 = 1792;
pub const IP_VS_CONN_F_NFCT: u32 = 65536;
pub const IP_VS_CONN_F_DEST_MASK: u32 = 73735;
pub const IP_VS_SCHEDNAME_MAXLEN: u32 = 16;
pub const IP_VS_PENAME_MAXLEN: u32 = 16;
pub const IP_VS_IFNAME_MAXLEN: u32 = 16;
pub const IP_VS_PEDATA_MAXLEN: u32 = 255;
pub const IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM: u32 = 0;
pub const IP_VS_TUNNEL_ENCAP_FLAG_CSUM: u32 = 1;
pub const IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM: u32 = 2;
pub const IPVS_GENL_NAME: &[u8; 5] = b"IPVS\0";
pub const IPVS_GENL_VERSION: u32 = 1;
pub type __u16 = ::core::ffi::c_ushort;
pub type __u32 = ::core::ffi::c_uint;
pub type __u64 = ::core::ffi::c_ulonglong;
pub type __be16 = __u16;
pub type __be32 = __u32;
pub const IP_VS_CONN_F_TUNNEL_TYPE_IPIP: _bindgen_ty_1 = 0;
pub const IP_VS_CONN_F_TUNNEL_TYPE_GUE: _bindgen_ty_1 = 1;
pub const IP_VS_CONN_F_TUNNEL_TYPE_GRE: _bindgen_ty_1 = 2;
pub const IP_VS_CONN_F_TUNNEL_TYPE_MAX: _bindgen_ty_1 = 3;
pub type _bindgen_ty_1 = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ip_vs_service_user {
    pub protocol: __u16,
    pub addr: __be32,
    pub port: __be16,
    pub fwmark: __u32,
    pub sched_name: [::core::ffi::c_char; 16usize],
    pub flags: ::core::ffi::c_uint,
    pub timeout: ::core::ffi::c_uint,
    pub netmask: __be32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ip_vs_service_user",
    ][::core::mem::size_of::<ip_vs_service_user>() - 44usize];
    [
        "Alignment of ip_vs_service_user",
    ][::core::mem::align_of::<ip_vs_service_user>() - 4usize];
    [
        "Offset of field: ip_vs_service_user::protocol",
    ][::core::mem::offset_of!(ip_vs_service_user, protocol) - 0usize];
    [
        "Offset of field: ip_vs_service_user::addr",
    ][::core::mem::offset_of!(ip_vs_service_user, addr) - 4usize];
    [
        "Offset of field: ip_vs_service_user::port",
    ][::core::mem::offset_of!(ip_vs_service_user, port) - 8usize];
    [
        "Offset of field: ip_vs_service_user::fwmark",
    ][::core::mem::offset_of!(ip_vs_service_user, fwmark) - 12usize];
    [
        "Offset of field: ip_vs_service_user::sched_name",
    ][::core::mem::offset_of!(ip_vs_service_user, sched_name) - 16usize];
    [
        "Offset of field: ip_vs_service_user::flags",
    ][::core::mem::offset_of!(ip_vs_service_user, flags) - 32usize];
    [
        "Offset of field: ip_vs_service_user::timeout",
    ][::core::mem::offset_of!(ip_vs_service_user, timeout) - 36usize];
    [
        "Offset of field: ip_vs_service_user::netmask",
    ][::core::mem::offset_of!(ip_vs_service_user, netmask) - 40usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ip_vs_dest_user {
    pub addr: __be32,
    pub port: __be16,
    pub conn_flags: ::core::ffi::c_uint,
    pub weight: ::core::ffi::c_int,
    pub u_threshold: __u32,
    pub l_threshold: __u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ip_vs_dest_user"][::core::mem::size_of::<ip_vs_dest_user>() - 24usize];
    [
        "Alignment of ip_vs_dest_user",
    ][::core::mem::align_of::<ip_vs_dest_user>() - 4usize];
    [
        "Offset of field: ip_vs_dest_user::addr",
    ][::core::mem::offset_of!(ip_vs_dest_user, addr) - 0usize];
    [
        "Offset of field: ip_vs_dest_user::port",
    ][::core::mem::offset_of!(ip_vs_dest_user, port) - 4usize];
    [
        "Offset of field: ip_vs_dest_user::conn_flags",
    ][::core::mem::offset_of!(ip_vs_dest_user, conn_flags) - 8usize];
    [
        "Offset of field: ip_vs_dest_user::weight",
    ][::core::mem::offset_of!(ip_vs_dest_user, weight) - 12usize];
    [
        "Offset of field: ip_vs_dest_user::u_threshold",
    ][::core::mem::offset_of!(ip_vs_dest_user, u_threshold) - 16usize];
    [
        "Offset of field: ip_vs_dest_user::l_threshold",
    ][::core::mem::offset_of!(ip_vs_dest_user, l_threshold) - 20usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ip_vs_stats_user {
    pub conns: __u32,
    pub inpkts: __u32,
    pub outpkts: __u32,
    pub inbytes: __u64,
    pub outbytes: __u64,
    pub cps: __u32,
    pub inpps: __u32,
    pub outpps: __u32,
    pub inbps: __u32,
    pub outbps: __u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ip_vs_stats_user"][::core::mem::size_of::<ip_vs_stats_user>() - 56usize];
    [
        "Alignment of ip_vs_stats_user",
    ][::core::mem::align_of::<ip_vs_stats_user>() - 8usize];
    [
        "Offset of field: ip_vs_stats_user::conns",
    ][::core::mem::offset_of!(ip_vs_stats_user, conns) - 0usize];
    [
        "Offset of field: ip_vs_stats_user::inpkts",
    ][::core::mem::offset_of!(ip_vs_stats_user, inpkts) - 4usize];
    [
        "Offset of field: ip_vs_stats_user::outpkts",
    ][::core::mem::offset_of!(ip_vs_stats_user, outpkts) - 8usize];
    [
        "Offset of field: ip_vs_stats_user::inbytes",
    ][::core::mem::offset_of!(ip_vs_stats_user, inbytes) - 16usize];
    [
        "Offset of field: ip_vs_stats_user::outbytes",
    ][::core::mem::offset_of!(ip_vs_stats_user, outbytes) - 24usize];
    [
        "Offset of field: ip_vs_stats_user::cps",
    ][::core::mem::offset_of!(ip_vs_stats_user, cps) - 32usize];
    [
        "Offset of field: ip_vs_stats_user::inpps",
    ][::core::mem::offset_of!(ip_vs_stats_user, inpps) - 36usize];
    [
        "Offset of field: ip_vs_stats_user::outpps",
    ][::core::mem::offset_of!(ip_vs_stats_user, outpps) - 40usize];
    [
        "Offset of field: ip_vs_stats_user::inbps",
    ][::core::mem::offset_of!(ip_vs_stats_user, inbps) - 44usize];
    [
        "Offset of field: ip_vs_stats_user::outbps",
    ][::core::mem::offset_of!(ip_vs_stats_user, outbps) - 48usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ip_vs_getinfo {
    pub version: ::core::ffi::c_uint,
    pub size: ::core::ffi::c_uint,
    pub num_services: ::core::ffi::c_uint,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ip_vs_getinfo"][::core::mem::size_of::<ip_vs_getinfo>() - 12usize];
    ["Alignment of ip_vs_getinfo"][::core::mem::align_of::<ip_vs_getinfo>() - 4usize];
    [
        "Offset of field: ip_vs_getinfo::version",
    ][::core::mem::offset_of!(ip_vs_getinfo, version) - 0usize];
    [
        "Offset of field: ip_vs_getinfo::size",
    ][::core::mem::offset_of!(ip_vs_getinfo, size) - 4usize];
    [
        "Offset of field: ip_vs_getinfo::num_services",
    ][::core::mem::offset_of!(ip_vs_getinfo, num_services) - 8usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ip_vs_service_entry {
    pub protocol: __u16,
    pub addr: __be32,
    pub port: __be16,
    pub fwmark: __u32,
    pub sched_name: [::core::ffi::c_char; 16usize],
    pub flags: ::core::ffi::c_uint,
    pub timeout: ::core::ffi::c_uint,
    pub netmask: __be32,
    pub num_dests: ::core::ffi::c_uint,
    pub stats: ip_vs_stats_user,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ip_vs_service_entry",
    ][::core::mem::size_of::<ip_vs_service_entry>() - 104usize];
    [
        "Alignment of ip_vs_service_entry",
    ][::core::mem::align_of::<ip_vs_service_entry>() - 8usize];
    [
        "Offset of field: ip_vs_service_entry::protocol",
    ][::core::mem::offset_of!(ip_vs_service_entry, protocol) - 0usize];
    [
        "Offset of field: ip_vs_service_entry::addr",
    ][::core::mem::offset_of!(ip_vs_service_entry, addr) - 4usize];
    [
        "Offset of field: ip_vs_service_entry::port",
    ][::core::mem::offset_of!(ip_vs_service_entry, port) - 8usize];
    [
        "Offset of field: ip_vs_service_entry::fwmark",
    ][::core::mem::offset_of!(ip_vs_service_entry, fwmark) - 12usize];
    [
        "Offset of field: ip_vs_service_entry::sched_name",
    ][::core::mem::offset_of!(ip_vs_service_entry, sched_name) - 16usize];
    [
        "Offset of field: ip_vs_service_entry::flags",
    ][::core::mem::offset_of!(ip_vs_service_entry, flags) - 32usize];
    [
        "Offset of field: ip_vs_service_entry::timeout",
    ][::core::mem::offset_of!(ip_vs_service_entry, timeout) - 36usize];
    [
        "Offset of field: ip_vs_service_entry::netmask",
    ][::core::mem::offset_of!(ip_vs_service_entry, netmask) - 40usize];
    [
        "Offset of field: ip_vs_service_entry::num_dests",
    ][::core::mem::offset_of!(ip_vs_service_entry, num_dests) - 44usize];
    [
        "Offset of field: ip_vs_service_entry::stats",
    ][::core::mem::offset_of!(ip_vs_service_entry, stats) - 48usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ip_vs_dest_entry {
    pub addr: __be32,
    pub port: __be16,
    pub conn_flags: ::core::ffi::c_uint,
    pub weight: ::core::ffi::c_int,
    pub u_threshold: __u32,
    pub l_threshold: __u32,
    pub activeconns: __u32,
    pub inactconns: __u32,
    pub persistconns: __u32,
    pub stats: ip_vs_stats_user,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ip_vs_dest_entry"][::core::mem::size_of::<ip_vs_dest_entry>() - 96usize];
    [
        "Alignment of ip_vs_dest_entry",
    ][::core::mem::align_of::<ip_vs_dest_entry>() - 8usize];
    [
        "Offset of field: ip_vs_dest_entry::addr",
    ][::core::mem::offset_of!(ip_vs_dest_entry, addr) - 0usize];
    [
        "Offset of field: ip_vs_dest_entry::port",
    ][::core::mem::offset_of!(ip_vs_dest_entry, port) - 4usize];
    [
        "Offset of field: ip_vs_dest_entry::conn_flags",
    ][::core::mem::offset_of!(ip_vs_dest_entry, conn_flags) - 8usize];
    [
        "Offset of field: ip_vs_dest_entry::weight",
    ][::core::mem::offset_of!(ip_vs_dest_entry, weight) - 12usize];
    [
        "Offset of field: ip_vs_dest_entry::u_threshold",
    ][::core::mem::offset_of!(ip_vs_dest_entry, u_threshold) - 16usize];
    [
        "Offset of field: ip_vs_dest_entry::l_threshold",
    ][::core::mem::offset_of!(ip_vs_dest_entry, l_threshold) - 20usize];
    [
        "Offset of field: ip_vs_dest_entry::activeconns",
    ][::core::mem::offset_of!(ip_vs_dest_entry, activeconns) - 24usize];
    [
        "Offset of field: ip_vs_dest_entry::inactconns",
    ][::core::mem::offset_of!(ip_vs_dest_entry, inactconns) - 28usize];
    [
        "Offset of field: ip_vs_dest_entry::persistconns",
    ][::core::mem::offset_of!(ip_vs_dest_entry, persistconns) - 32usize];
    [
        "Offset of field: ip_vs_dest_entry::stats",
    ][::core::mem::offset_of!(ip_vs_dest_entry, stats) - 40usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ip_vs_timeout_user {
    pub tcp_timeout: ::core::ffi::c_int,
    pub tcp_fin_timeout: ::core::ffi::c_int,
    pub udp_timeout: ::core::ffi::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ip_vs_timeout_user",
    ][::core::mem::size_of::<ip_vs_timeout_user>() - 12usize];
    [
        "Alignment of ip_vs_timeout_user",
    ][::core::mem::align_of::<ip_vs_timeout_user>() - 4usize];
    [
        "Offset of field: ip_vs_timeout_user::tcp_timeout",
    ][::core::mem::offset_of!(ip_vs_timeout_user, tcp_timeout) - 0usize];
    [
        "Offset of field: ip_vs_timeout_user::tcp_fin_timeout",
    ][::core::mem::offset_of!(ip_vs_timeout_user, tcp_fin_timeout) - 4usize];
    [
        "Offset of field: ip_vs_timeout_user::udp_timeout",
    ][::core::mem::offset_of!(ip_vs_timeout_user, udp_timeout) - 8usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ip_vs_daemon_user {
    pub state: ::core::ffi::c_int,
    pub mcast_ifn: [::core::ffi::c_char; 16usize],
    pub syncid: ::core::ffi::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ip_vs_daemon_user"][::core::mem::size_of::<ip_vs_daemon_user>() - 24usize];
    [
        "Alignment of ip_vs_daemon_user",
    ][::core::mem::align_of::<ip_vs_daemon_user>() - 4usize];
    [
        "Offset of field: ip_vs_daemon_user::state",
    ][::core::mem::offset_of!(ip_vs_daemon_user, state) - 0usize];
    [
        "Offset of field: ip_vs_daemon_user::mcast_ifn",
    ][::core::mem::offset_of!(ip_vs_daemon_user, mcast_ifn) - 4usize];
    [
        "Offset of field: ip_vs_daemon_user::syncid",
    ][::core::mem::offset_of!(ip_vs_daemon_user, syncid) - 20usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ip_vs_flags {
    pub flags: __u32,
    pub mask: __u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ip_vs_flags"][::core::mem::size_of::<ip_vs_flags>() - 8usize];
    ["Alignment of ip_vs_flags"][::core::mem::align_of::<ip_vs_flags>() - 4usize];
    [
        "Offset of field: ip_vs_flags::flags",
    ][::core::mem::offset_of!(ip_vs_flags, flags) - 0usize];
    [
        "Offset of field: ip_vs_flags::mask",
    ][::core::mem::offset_of!(ip_vs_flags, mask) - 4usize];
};
pub const IPVS_CMD_UNSPEC: _bindgen_ty_2 = 0;
pub const IPVS_CMD_NEW_SERVICE: _bindgen_ty_2 = 1;
pub const IPVS_CMD_SET_SERVICE: _bindgen_ty_2 = 2;
pub const IPVS_CMD_DEL_SERVICE: _bindgen_ty_2 = 3;
pub const IPVS_CMD_GET_SERVICE: _bindgen_ty_2 = 4;
pub const IPVS_CMD_NEW_DEST: _bindgen_ty_2 = 5;
pub const IPVS_CMD_SET_DEST: _bindgen_ty_2 = 6;
pub const IPVS_CMD_DEL_DEST: _bindgen_ty_2 = 7;
pub const IPVS_CMD_GET_DEST: _bindgen_ty_2 = 8;
pub const IPVS_CMD_NEW_DAEMON: _bindgen_ty_2 = 9;
pub const IPVS_CMD_DEL_DAEMON: _bindgen_ty_2 = 10;
pub const IPVS_CMD_GET_DAEMON: _bindgen_ty_2 = 11;
pub const IPVS_CMD_SET_CONFIG: _bindgen_ty_2 = 12;
pub const IPVS_CMD_GET_CONFIG: _bindgen_ty_2 = 13;
pub const IPVS_CMD_SET_INFO: _bindgen_ty_2 = 14;
pub const IPVS_CMD_GET_INFO: _bindgen_ty_2 = 15;
pub const IPVS_CMD_ZERO: _bindgen_ty_2 = 16;
pub const IPVS_CMD_FLUSH: _bindgen_ty_2 = 17;
pub const __IPVS_CMD_MAX: _bindgen_ty_2 = 18;
pub type _bindgen_ty_2 = ::core::ffi::c_uint;
pub const IPVS_CMD_ATTR_UNSPEC: _bindgen_ty_3 = 0;
pub const IPVS_CMD_ATTR_SERVICE: _bindgen_ty_3 = 1;
pub const IPVS_CMD_ATTR_DEST: _bindgen_ty_3 = 2;
pub const IPVS_CMD_ATTR_DAEMON: _bindgen_ty_3 = 3;
pub const IPVS_CMD_ATTR_TIMEOUT_TCP: _bindgen_ty_3 = 4;
pub const IPVS_CMD_ATTR_TIMEOUT_TCP_FIN: _bindgen_ty_3 = 5;
pub const IPVS_CMD_ATTR_TIMEOUT_UDP: _bindgen_ty_3 = 6;
pub const __IPVS_CMD_ATTR_MAX: _bindgen_ty_3 = 7;
pub type _bindgen_ty_3 = ::core::ffi::c_uint;
pub const IPVS_SVC_ATTR_UNSPEC: _bindgen_ty_4 = 0;
pub const IPVS_SVC_ATTR_AF: _bindgen_ty_4 = 1;
pub const IPVS_SVC_ATTR_PROTOCOL: _bindgen_ty_4 = 2;
pub const IPVS_SVC_ATTR_ADDR: _bindgen_ty_4 = 3;
pub const IPVS_SVC_ATTR_PORT: _bindgen_ty_4 = 4;
pub const IPVS_SVC_ATTR_FWMARK: _bindgen_ty_4 = 5;
pub const IPVS_SVC_ATTR_SCHED_NAME: _bindgen_ty_4 = 6;
pub const IPVS_SVC_ATTR_FLAGS: _bindgen_ty_4 = 7;
pub const IPVS_SVC_ATTR_TIMEOUT: _bindgen_ty_4 = 8;
pub const IPVS_SVC_ATTR_NETMASK: _bindgen_ty_4 = 9;
pub const IPVS_SVC_ATTR_STATS: _bindgen_ty_4 = 10;
pub const IPVS_SVC_ATTR_PE_NAME: _bindgen_ty_4 = 11;
pub const IPVS_SVC_ATTR_STATS64: _bindgen_ty_4 = 12;
pub const __IPVS_SVC_ATTR_MAX: _bindgen_ty_4 = 13;
pub type _bindgen_ty_4 = ::core::ffi::c_uint;
pub const IPVS_DEST_ATTR_UNSPEC: _bindgen_ty_5 = 0;
pub const IPVS_DEST_ATTR_ADDR: _bindgen_ty_5 = 1;
pub const IPVS_DEST_ATTR_PORT: _bindgen_ty_5 = 2;
pub const IPVS_DEST_ATTR_FWD_METHOD: _bindgen_ty_5 = 3;
pub const IPVS_DEST_ATTR_WEIGHT: _bindgen_ty_5 = 4;
pub const IPVS_DEST_ATTR_U_THRESH: _bindgen_ty_5 = 5;
pub const IPVS_DEST_ATTR_L_THRESH: _bindgen_ty_5 = 6;
pub const IPVS_DEST_ATTR_ACTIVE_CONNS: _bindgen_ty_5 = 7;
pub const IPVS_DEST_ATTR_INACT_CONNS: _bindgen_ty_5 = 8;
pub const IPVS_DEST_ATTR_PERSIST_CONNS: _bindgen_ty_5 = 9;
pub const IPVS_DEST_ATTR_STATS: _bindgen_ty_5 = 10;
pub const IPVS_DEST_ATTR_ADDR_FAMILY: _bindgen_ty_5 = 11;
pub const IPVS_DEST_ATTR_STATS64: _bindgen_ty_5 = 12;
pub const IPVS_DEST_ATTR_TUN_TYPE: _bindgen_ty_5 = 13;
pub const IPVS_DEST_ATTR_TUN_PORT: _bindgen_ty_5 = 14;
pub const IPVS_DEST_ATTR_TUN_FLAGS: _bindgen_ty_5 = 15;
pub const __IPVS_DEST_ATTR_MAX: _bindgen_ty_5 = 16;
pub type _bindgen_ty_5 = ::core::ffi::c_uint;
pub const IPVS_DAEMON_ATTR_UNSPEC: _bindgen_ty_6 = 0;
pub const IPVS_DAEMON_ATTR_STATE: _bindgen_ty_6 = 1;
pub const IPVS_DAEMON_ATTR_MCAST_IFN: _bindgen_ty_6 = 2;
pub const IPVS_DAEMON_ATTR_SYNC_ID: _bindgen_ty_6 = 3;
pub const IPVS_DAEMON_ATTR_SYNC_MAXLEN: _bindgen_ty_6 = 4;
pub const IPVS_DAEMON_ATTR_MCAST_GROUP: _bindgen_ty_6 = 5;
pub const IPVS_DAEMON_ATTR_MCAST_GROUP6: _bindgen_ty_6 = 6;
pub const IPVS_DAEMON_ATTR_MCAST_PORT: _bindgen_ty_6 = 7;
pub const IPVS_DAEMON_ATTR_MCAST_TTL: _bindgen_ty_6 = 8;
pub const __IPVS_DAEMON_ATTR_MAX: _bindgen_ty_6 = 9;
pub type _bindgen_ty_6 = ::core::ffi::c_uint;
pub const IPVS_STATS_ATTR_UNSPEC: _bindgen_ty_7 = 0;
pub const IPVS_STATS_ATTR_CONNS: _bindgen_ty_7 = 1;
pub const IPVS_STATS_ATTR_INPKTS: _bindgen_ty_7 = 2;
pub const IPVS_STATS_ATTR_OUTPKTS: _bindgen_ty_7 = 3;
pub const IPVS_STATS_ATTR_INBYTES: _bindgen_ty_7 = 4;
pub const IPVS_STATS_ATTR_OUTBYTES: _bindgen_ty_7 = 5;
pub const IPVS_STATS_ATTR_CPS: _bindgen_ty_7 = 6;
pub const IPVS_STATS_ATTR_INPPS: _bindgen_ty_7 = 7;
pub const IPVS_STATS_ATTR_OUTPPS: _bindgen_ty_7 = 8;
pub const IPVS_STATS_ATTR_INBPS: _bindgen_ty_7 = 9;
pub const IPVS_STATS_ATTR_OUTBPS: _bindgen_ty_7 = 10;
pub const IPVS_STATS_ATTR_PAD: _bindgen_ty_7 = 11;
pub const __IPVS_STATS_ATTR_MAX: _bindgen_ty_7 = 12;
pub type _bindgen_ty_7 = ::core::ffi::c_uint;
pub const IPVS_INFO_ATTR_UNSPEC: _bindgen_ty_8 = 0;
pub const IPVS_INFO_ATTR_VERSION: _bindgen_ty_8 = 1;
pub const IPVS_INFO_ATTR_CONN_TAB_SIZE: _bindgen_ty_8 = 2;
pub const __IPVS_INFO_ATTR_MAX: _bindgen_ty_8 = 3;
pub type _bindgen_ty_8 = ::core::ffi::c_uint;
