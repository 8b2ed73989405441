//! The blocks and lines that have keywords of their own.

use super::{Keyword, address, checker, global, instance, route, server, top, track};

/// A place where keywords stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// `top`
    Top,
    /// `global_defs`
    GlobalDefs,
    /// `global_defs.lvs_timeouts`
    LvsTimeouts,
    /// `global_defs.lvs_sync_daemon`
    LvsSyncDaemon,
    /// `track_group`
    TrackGroup,
    /// `vrrp_sync_group`
    VrrpSyncGroup,
    /// `garp_group`
    GarpGroup,
    /// `linkbeat_interfaces`
    LinkbeatInterfaces,
    /// `interface_up_down_delays`
    InterfaceUpDownDelays,
    /// `vrrp_instance`
    VrrpInstance,
    /// `vrrp_instance.use_vmac`
    UseVmac,
    /// `vrrp_instance.use_ipvlan`
    UseIpvlan,
    /// `vrrp_instance.unicast_peer`
    UnicastPeer,
    /// `vrrp_instance.track_interface`
    InstanceTrackInterface,
    /// `vrrp_instance.track_script`
    InstanceTrackScript,
    /// `vrrp_instance.track_file`
    InstanceTrackFile,
    /// `vrrp_instance.track_process`
    InstanceTrackProcess,
    /// `vrrp_instance.track_bfd`
    InstanceTrackBfd,
    /// `vrrp_instance.authentication`
    Authentication,
    /// `vrrp_instance.auth_hmac`
    AuthHmac,
    /// `vrrp_script`
    VrrpScript,
    /// `vrrp_track_process`
    VrrpTrackProcess,
    /// `track_file`
    TrackFile,
    /// `vrrp_track_file`
    VrrpTrackFile,
    /// `bfd_instance`
    BfdInstance,
    /// `static_ipaddress`
    StaticIpaddress,
    /// `vrrp_instance.virtual_ipaddress`
    VirtualIpaddress,
    /// `vrrp_instance.virtual_ipaddress_excluded`
    VirtualIpaddressExcluded,
    /// `static_routes`
    StaticRoutes,
    /// `static_routes.nexthop`
    StaticRoutesNexthop,
    /// `static_routes.encap_ip`
    StaticRoutesEncapIp,
    /// `static_routes.encap_ip6`
    StaticRoutesEncapIp6,
    /// `static_routes.encap_mpls`
    StaticRoutesEncapMpls,
    /// `static_routes.encap_ila`
    StaticRoutesEncapIla,
    /// `vrrp_instance.virtual_routes`
    VirtualRoutes,
    /// `vrrp_instance.virtual_routes.nexthop`
    VirtualRoutesNexthop,
    /// `vrrp_instance.virtual_routes.encap_ip`
    VirtualRoutesEncapIp,
    /// `vrrp_instance.virtual_routes.encap_ip6`
    VirtualRoutesEncapIp6,
    /// `vrrp_instance.virtual_routes.encap_mpls`
    VirtualRoutesEncapMpls,
    /// `vrrp_instance.virtual_routes.encap_ila`
    VirtualRoutesEncapIla,
    /// `static_rules`
    StaticRules,
    /// `vrrp_instance.virtual_rules`
    VirtualRules,
    /// `SSL`
    Ssl,
    /// `virtual_server_group`
    VirtualServerGroup,
    /// `virtual_server`
    VirtualServer,
    /// `virtual_server.lb_kind`
    LbKind,
    /// `virtual_server.real_server`
    RealServer,
    /// `virtual_server.real_server.MISC_CHECK`
    MiscCheck,
    /// `virtual_server.real_server.SMTP_CHECK`
    SmtpCheck,
    /// `virtual_server.real_server.SMTP_CHECK.host`
    SmtpCheckHost,
    /// `virtual_server.real_server.TCP_CHECK`
    TcpCheck,
    /// `virtual_server.real_server.PING_CHECK`
    PingCheck,
    /// `virtual_server.real_server.UDP_CHECK`
    UdpCheck,
    /// `virtual_server.real_server.DNS_CHECK`
    DnsCheck,
    /// `virtual_server.real_server.HTTP_GET`
    HttpGet,
    /// `virtual_server.real_server.HTTP_GET.url`
    HttpGetUrl,
    /// `virtual_server.real_server.SSL_GET`
    SslGet,
    /// `virtual_server.real_server.SSL_GET.url`
    SslGetUrl,
    /// `virtual_server.real_server.FILE_CHECK`
    FileCheck,
    /// `virtual_server.real_server.BFD_CHECK`
    BfdCheck,
}

impl Context {
    /// Every context.
    pub const ALL: &'static [Self] = &[
        Self::Top,
        Self::GlobalDefs,
        Self::LvsTimeouts,
        Self::LvsSyncDaemon,
        Self::TrackGroup,
        Self::VrrpSyncGroup,
        Self::GarpGroup,
        Self::LinkbeatInterfaces,
        Self::InterfaceUpDownDelays,
        Self::VrrpInstance,
        Self::UseVmac,
        Self::UseIpvlan,
        Self::UnicastPeer,
        Self::InstanceTrackInterface,
        Self::InstanceTrackScript,
        Self::InstanceTrackFile,
        Self::InstanceTrackProcess,
        Self::InstanceTrackBfd,
        Self::Authentication,
        Self::AuthHmac,
        Self::VrrpScript,
        Self::VrrpTrackProcess,
        Self::TrackFile,
        Self::VrrpTrackFile,
        Self::BfdInstance,
        Self::StaticIpaddress,
        Self::VirtualIpaddress,
        Self::VirtualIpaddressExcluded,
        Self::StaticRoutes,
        Self::StaticRoutesNexthop,
        Self::StaticRoutesEncapIp,
        Self::StaticRoutesEncapIp6,
        Self::StaticRoutesEncapMpls,
        Self::StaticRoutesEncapIla,
        Self::VirtualRoutes,
        Self::VirtualRoutesNexthop,
        Self::VirtualRoutesEncapIp,
        Self::VirtualRoutesEncapIp6,
        Self::VirtualRoutesEncapMpls,
        Self::VirtualRoutesEncapIla,
        Self::StaticRules,
        Self::VirtualRules,
        Self::Ssl,
        Self::VirtualServerGroup,
        Self::VirtualServer,
        Self::LbKind,
        Self::RealServer,
        Self::MiscCheck,
        Self::SmtpCheck,
        Self::SmtpCheckHost,
        Self::TcpCheck,
        Self::PingCheck,
        Self::UdpCheck,
        Self::DnsCheck,
        Self::HttpGet,
        Self::HttpGetUrl,
        Self::SslGet,
        Self::SslGetUrl,
        Self::FileCheck,
        Self::BfdCheck,
    ];

    /// The name of the context: the blocks around it with dots between them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::GlobalDefs => "global_defs",
            Self::LvsTimeouts => "global_defs.lvs_timeouts",
            Self::LvsSyncDaemon => "global_defs.lvs_sync_daemon",
            Self::TrackGroup => "track_group",
            Self::VrrpSyncGroup => "vrrp_sync_group",
            Self::GarpGroup => "garp_group",
            Self::LinkbeatInterfaces => "linkbeat_interfaces",
            Self::InterfaceUpDownDelays => "interface_up_down_delays",
            Self::VrrpInstance => "vrrp_instance",
            Self::UseVmac => "vrrp_instance.use_vmac",
            Self::UseIpvlan => "vrrp_instance.use_ipvlan",
            Self::UnicastPeer => "vrrp_instance.unicast_peer",
            Self::InstanceTrackInterface => "vrrp_instance.track_interface",
            Self::InstanceTrackScript => "vrrp_instance.track_script",
            Self::InstanceTrackFile => "vrrp_instance.track_file",
            Self::InstanceTrackProcess => "vrrp_instance.track_process",
            Self::InstanceTrackBfd => "vrrp_instance.track_bfd",
            Self::Authentication => "vrrp_instance.authentication",
            Self::AuthHmac => "vrrp_instance.auth_hmac",
            Self::VrrpScript => "vrrp_script",
            Self::VrrpTrackProcess => "vrrp_track_process",
            Self::TrackFile => "track_file",
            Self::VrrpTrackFile => "vrrp_track_file",
            Self::BfdInstance => "bfd_instance",
            Self::StaticIpaddress => "static_ipaddress",
            Self::VirtualIpaddress => "vrrp_instance.virtual_ipaddress",
            Self::VirtualIpaddressExcluded => "vrrp_instance.virtual_ipaddress_excluded",
            Self::StaticRoutes => "static_routes",
            Self::StaticRoutesNexthop => "static_routes.nexthop",
            Self::StaticRoutesEncapIp => "static_routes.encap_ip",
            Self::StaticRoutesEncapIp6 => "static_routes.encap_ip6",
            Self::StaticRoutesEncapMpls => "static_routes.encap_mpls",
            Self::StaticRoutesEncapIla => "static_routes.encap_ila",
            Self::VirtualRoutes => "vrrp_instance.virtual_routes",
            Self::VirtualRoutesNexthop => "vrrp_instance.virtual_routes.nexthop",
            Self::VirtualRoutesEncapIp => "vrrp_instance.virtual_routes.encap_ip",
            Self::VirtualRoutesEncapIp6 => "vrrp_instance.virtual_routes.encap_ip6",
            Self::VirtualRoutesEncapMpls => "vrrp_instance.virtual_routes.encap_mpls",
            Self::VirtualRoutesEncapIla => "vrrp_instance.virtual_routes.encap_ila",
            Self::StaticRules => "static_rules",
            Self::VirtualRules => "vrrp_instance.virtual_rules",
            Self::Ssl => "SSL",
            Self::VirtualServerGroup => "virtual_server_group",
            Self::VirtualServer => "virtual_server",
            Self::LbKind => "virtual_server.lb_kind",
            Self::RealServer => "virtual_server.real_server",
            Self::MiscCheck => "virtual_server.real_server.MISC_CHECK",
            Self::SmtpCheck => "virtual_server.real_server.SMTP_CHECK",
            Self::SmtpCheckHost => "virtual_server.real_server.SMTP_CHECK.host",
            Self::TcpCheck => "virtual_server.real_server.TCP_CHECK",
            Self::PingCheck => "virtual_server.real_server.PING_CHECK",
            Self::UdpCheck => "virtual_server.real_server.UDP_CHECK",
            Self::DnsCheck => "virtual_server.real_server.DNS_CHECK",
            Self::HttpGet => "virtual_server.real_server.HTTP_GET",
            Self::HttpGetUrl => "virtual_server.real_server.HTTP_GET.url",
            Self::SslGet => "virtual_server.real_server.SSL_GET",
            Self::SslGetUrl => "virtual_server.real_server.SSL_GET.url",
            Self::FileCheck => "virtual_server.real_server.FILE_CHECK",
            Self::BfdCheck => "virtual_server.real_server.BFD_CHECK",
        }
    }

    /// The rows of the table that belong here.
    pub(super) fn parts(self) -> Vec<&'static [Keyword]> {
        match self {
            Self::Top => vec![top::TOP],
            Self::GlobalDefs => vec![global::GLOBAL_DEFS],
            Self::LvsTimeouts => vec![global::LVS_TIMEOUTS],
            Self::LvsSyncDaemon => vec![global::LVS_SYNC_DAEMON],
            Self::TrackGroup => vec![top::TRACK_GROUP],
            Self::VrrpSyncGroup => vec![instance::VRRP_SYNC_GROUP],
            Self::GarpGroup => vec![top::GARP_GROUP],
            Self::LinkbeatInterfaces => vec![top::LINKBEAT_INTERFACES],
            Self::InterfaceUpDownDelays => vec![top::INTERFACE_UP_DOWN_DELAYS],
            Self::VrrpInstance => vec![instance::VRRP_INSTANCE],
            Self::UseVmac => vec![instance::USE_VMAC],
            Self::UseIpvlan => vec![instance::USE_IPVLAN],
            Self::UnicastPeer => vec![instance::UNICAST_PEER],
            Self::InstanceTrackInterface => vec![track::INSTANCE_TRACK_INTERFACE],
            Self::InstanceTrackScript => vec![track::INSTANCE_TRACK_SCRIPT],
            Self::InstanceTrackFile => vec![track::INSTANCE_TRACK_FILE],
            Self::InstanceTrackProcess => vec![track::INSTANCE_TRACK_PROCESS],
            Self::InstanceTrackBfd => vec![track::INSTANCE_TRACK_BFD],
            Self::Authentication => vec![instance::AUTHENTICATION],
            Self::AuthHmac => vec![instance::AUTH_HMAC],
            Self::VrrpScript => vec![track::VRRP_SCRIPT],
            Self::VrrpTrackProcess => vec![track::VRRP_TRACK_PROCESS],
            Self::TrackFile | Self::VrrpTrackFile => vec![track::TRACK_FILE],
            Self::BfdInstance => vec![track::BFD_INSTANCE],
            Self::StaticIpaddress => vec![address::ADDRESS, address::ADDRESS_STATIC],
            Self::VirtualIpaddress | Self::VirtualIpaddressExcluded => {
                vec![address::ADDRESS, address::ADDRESS_VIRTUAL]
            }
            Self::StaticRoutes => vec![route::ROUTE, route::ROUTE_STATIC],
            Self::StaticRoutesNexthop | Self::VirtualRoutesNexthop => {
                vec![route::STATIC_ROUTES_NEXTHOP]
            }
            Self::StaticRoutesEncapIp | Self::VirtualRoutesEncapIp => {
                vec![route::STATIC_ROUTES_ENCAP_IP]
            }
            Self::StaticRoutesEncapIp6 | Self::VirtualRoutesEncapIp6 => {
                vec![route::STATIC_ROUTES_ENCAP_IP6]
            }
            Self::StaticRoutesEncapMpls | Self::VirtualRoutesEncapMpls => {
                vec![route::STATIC_ROUTES_ENCAP_MPLS]
            }
            Self::StaticRoutesEncapIla | Self::VirtualRoutesEncapIla => {
                vec![route::STATIC_ROUTES_ENCAP_ILA]
            }
            Self::VirtualRoutes => vec![route::ROUTE],
            Self::StaticRules => vec![route::RULE, route::RULE_STATIC],
            Self::VirtualRules => vec![route::RULE],
            Self::Ssl => vec![top::SSL],
            Self::VirtualServerGroup => vec![server::VIRTUAL_SERVER_GROUP],
            Self::VirtualServer => vec![server::VIRTUAL_SERVER],
            Self::LbKind => vec![server::LB_KIND],
            Self::RealServer => vec![server::REAL_SERVER],
            Self::MiscCheck => vec![checker::MISC_CHECK],
            Self::SmtpCheck => vec![
                checker::CONNECTION_CORE,
                checker::CONNECTION_RETRY,
                checker::SMTP_CHECK,
            ],
            Self::SmtpCheckHost | Self::TcpCheck | Self::PingCheck => {
                vec![checker::CONNECTION_CORE, checker::CONNECTION_RETRY]
            }
            Self::UdpCheck => vec![
                checker::CONNECTION_CORE,
                checker::CONNECTION_RETRY,
                checker::UDP_CHECK,
            ],
            Self::DnsCheck => vec![checker::CONNECTION_CORE, checker::DNS_CHECK],
            Self::HttpGet => vec![checker::CONNECTION_CORE, checker::HTTP_GET],
            Self::HttpGetUrl => vec![checker::HTTP_GET_URL],
            Self::SslGet => vec![checker::CONNECTION_CORE, checker::SSL_GET],
            Self::SslGetUrl => vec![checker::SSL_GET_URL],
            Self::FileCheck => vec![checker::FILE_CHECK],
            Self::BfdCheck => vec![checker::BFD_CHECK],
        }
    }
}
