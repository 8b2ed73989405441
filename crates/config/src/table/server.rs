//! `virtual_server` and `real_server`.

use super::context::Context;
use super::{Args, Body, CHECKER, Heading, Keyword, Value, int, kw, secs};

#[rustfmt::skip]
pub(super) static VIRTUAL_SERVER_GROUP: &[Keyword] = &[
    kw("IP", Args::Grammar("IP [PORT(0..65535)]"), "port 0", "One address of the service; port 0 or none stands for every port.").of(CHECKER),
    kw("IP-RANGE", Args::Grammar("IP-N (last octet or last 16 bits) | IP-IP [PORT]"), "", "Several addresses in a row: the last is written in full or by its last number.").of(CHECKER),
    kw("IP/LEN", Args::Grammar("IP/LEN [PORT]"), "", "All addresses of a prefix.").of(CHECKER),
    kw("fwmark", Args::Grammar("INT(0..4294967295) [inet|inet6]"), "family from real servers", "Packets that carry this firewall mark.").of(CHECKER).stops(),
];

#[rustfmt::skip]
pub(super) static VIRTUAL_SERVER: &[Keyword] = &[
    kw("ip_family", Args::One(Value::Word(&["inet", "inet6"])), "from addresses", "The address family of a service that is known by a firewall mark.").of(CHECKER).stops(),
    kw("retry", Args::One(int(1, 4294967295)), "per checker (1; DNS 3; MISC 0)", "How often checkers try again before a server is down.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "per checker (1; HTTP/SSL 3; DNS delay_loop)", "Seconds checkers wait before they try again.").of(CHECKER).stops(),
    kw("warmup", Args::One(secs(0, u64::MAX)), "delay_loop", "Seconds over which first checks are spread at random.").of(CHECKER).stops(),
    kw("connect_timeout", Args::One(secs(1, 4294967295)), "5", "Seconds a checker may take to connect.").of(CHECKER).stops(),
    kw("delay_loop", Args::One(secs(1, u64::MAX)), "60", "Seconds from one check to the next.").of(CHECKER).stops(),
    kw("inhibit_on_failure", Args::Flag, "off", "Leaves a failed server in IPVS with weight 0 instead of removing it.").of(CHECKER),
    kw("lb_algo", Args::One(Value::Word(&["rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos"])), "wlc (its absence is reported)", "The scheduler: how IPVS chooses a server for a connection.").of(CHECKER).stops(),
    kw("lvs_sched", Args::One(Value::Word(&["rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos"])), "wlc", "Other word for `lb_algo`.").of(CHECKER).same_as("lb_algo").stops(),
    kw("hashed", Args::Flag, "off", "Kept for old files; it has no effect.").of(CHECKER),
    kw("ops", Args::Flag, "off", "Schedules every packet by itself; only for UDP and firewall marks.").of(CHECKER),
    kw("flag-1", Args::Flag, "off", "Sets the first flag of the scheduler, whatever that means to it.").of(CHECKER),
    kw("flag-2", Args::Flag, "off", "Sets the second flag of the scheduler, whatever that means to it.").of(CHECKER),
    kw("flag-3", Args::Flag, "off", "Sets the third flag of the scheduler, whatever that means to it.").of(CHECKER),
    kw("sh-port", Args::Flag, "off", "Lets the sh scheduler look at the port too; stands after `lb_algo sh`.").of(CHECKER),
    kw("sh-fallback", Args::Flag, "off", "Lets the sh scheduler choose another server when its choice is not available.").of(CHECKER),
    kw("mh-port", Args::Flag, "off", "Lets the mh scheduler look at the port too; stands after `lb_algo mh`.").of(CHECKER),
    kw("mh-fallback", Args::Flag, "off", "Lets the mh scheduler choose another server when its choice is not available.").of(CHECKER),
    kw("lb_kind", Args::Inline("NAT|DR|TUN [type ipip|gue|gre] [port INT] [nocsum|csum|remcsum]", Context::LbKind), "NAT (its absence is reported)", "How packets reach the servers: rewritten (NAT), by MAC address (DR) or in a tunnel (TUN).").of(CHECKER).stops(),
    kw("lvs_method", Args::Inline("as lb_kind", Context::LbKind), "NAT", "Other word for `lb_kind`.").of(CHECKER).same_as("lb_kind").stops(),
    kw("persistence_engine", Args::One(Value::Name(15)), "", "What recognises a client instead of its address, such as sip.").of(CHECKER).stops(),
    kw("persistence_timeout", Args::Maybe(int(1, 2678400)), "off; bare = 360", "Seconds a client keeps its server after its last connection.").of(CHECKER),
    kw("persistence_granularity", Args::Grammar("IP4 mask | INT(1..128) for IPv6"), "host", "Which clients count as one: a netmask, or for IPv6 a prefix length.").of(CHECKER).stops(),
    kw("protocol", Args::One(Value::WordAnyCase(&["TCP", "UDP", "SCTP"])), "UDP (its absence is reported)", "The transport protocol of the service.").of(CHECKER).stops(),
    kw("ha_suspend", Args::Flag, "off", "Checks servers only while this machine has the address of the service.").of(CHECKER),
    kw("smtp_alert", Args::Maybe(Value::Bool), "globals, else false", "Mails the gain and the loss of the quorum.").of(CHECKER),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "", "The host name that HTTP checks ask for.").of(CHECKER).needs().last_wins(),
    kw("snmp_name", Args::One(Value::Text(u16::MAX)), "", "How the service is called in SNMP.").of(CHECKER).needs(),
    kw("alpha", Args::Flag, "off", "Takes servers for down until a check has succeeded.").of(CHECKER),
    kw("omega", Args::Flag, "off", "Runs the commands for going down when the daemon stops.").of(CHECKER),
    kw("quorum_up", Args::One(Value::CommandAs), "", "A command to run when the quorum is gained.").of(CHECKER).stops().first_wins(),
    kw("quorum_down", Args::One(Value::CommandAs), "", "A command to run when the quorum is lost.").of(CHECKER).stops().first_wins(),
    kw("quorum", Args::One(int(1, 4294967295)), "1", "How much weight the servers that are up must have together.").of(CHECKER).stops(),
    kw("hysteresis", Args::One(int(0, 4294967295)), "0", "By how much the weight must pass the quorum, up or down, before it counts.").of(CHECKER).stops(),
    kw("weight", Args::One(int(1, 2147483647)), "1", "The weight of real servers that name none.").of(CHECKER).stops(),
    kw("sorry_server", Args::Grammar("IP [PORT]"), "", "A server that answers while the quorum is lost.").of(CHECKER).stops(),
    kw("sorry_server_inhibit", Args::Flag, "off", "Leaves the other servers in IPVS with weight 0 while the sorry server answers.").of(CHECKER),
    kw("sorry_server_lvs_method", Args::Inline("as lb_kind", Context::LbKind), "lb_kind", "How packets reach the sorry server, instead of `lb_kind`.").of(CHECKER).stops(),
    kw("real_server", Args::Block(Heading::Server, Body::Statements(Context::RealServer)), "at least one required", "One of the machines behind the service, with its checks.").of(CHECKER).stops(),
];

#[rustfmt::skip]
pub(super) static LB_KIND: &[Keyword] = &[
    kw("type", Args::One(Value::Word(&["ipip", "gue", "gre"])), "ipip", "How packets are wrapped on their way to the server.").of(CHECKER).needs(),
    kw("port", Args::One(int(1, 65535)), "", "The UDP port of a GUE tunnel.").of(CHECKER).needs(),
    kw("nocsum", Args::Flag, "nocsum", "Leaves the tunnel without a checksum.").of(CHECKER).alone(),
    kw("csum", Args::Flag, "nocsum", "Gives the tunnel a checksum (gue, gre).").of(CHECKER).alone(),
    kw("remcsum", Args::Flag, "nocsum", "Has the far end of the tunnel compute the checksum (gue).").of(CHECKER).alone(),
];

#[rustfmt::skip]
pub(super) static REAL_SERVER: &[Keyword] = &[
    kw("weight", Args::One(int(0, 2147483647)), "weight of the service", "How many connections the server gets, beside the others; 0 for no new ones.").of(CHECKER).stops(),
    kw("lvs_method", Args::Inline("as lb_kind", Context::LbKind), "lb_kind", "How packets reach this server, instead of `lb_kind` of the service.").of(CHECKER).stops(),
    kw("uthreshold", Args::One(int(0, 4294967295)), "0 (off)", "With more connections than this, the server gets no new ones.").of(CHECKER).stops(),
    kw("lthreshold", Args::One(int(0, 4294967295)), "0 (off)", "With fewer connections than this, the server gets new ones again.").of(CHECKER).stops(),
    kw("inhibit_on_failure", Args::Maybe(Value::Bool), "service value", "Leaves a failed server in IPVS with weight 0 instead of removing it.").of(CHECKER),
    kw("notify_up", Args::One(Value::CommandAs), "", "A command to run when the server comes up.").of(CHECKER).stops().first_wins(),
    kw("notify_down", Args::One(Value::CommandAs), "", "A command to run when the server goes down.").of(CHECKER).stops().first_wins(),
    kw("alpha", Args::Maybe(Value::Bool), "service value", "Takes the server for down until a check has succeeded.").of(CHECKER),
    kw("retry", Args::One(int(1, 4294967295)), "service value", "How often checkers try again before the server is down.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "service value", "Seconds checkers wait before they try again.").of(CHECKER).stops(),
    kw("warmup", Args::One(secs(0, u64::MAX)), "service value", "Seconds over which first checks are spread at random.").of(CHECKER).stops(),
    kw("connect_timeout", Args::One(secs(1, 4294967295)), "service value", "Seconds a checker may take to connect.").of(CHECKER).stops(),
    kw("delay_loop", Args::One(secs(1, u64::MAX)), "service value", "Seconds from one check to the next.").of(CHECKER).stops(),
    kw("smtp_alert", Args::Maybe(Value::Bool), "globals, else true", "Mails the changes of the server.").of(CHECKER),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "service value", "The host name that HTTP checks ask for.").of(CHECKER).needs().last_wins(),
    kw("snmp_name", Args::One(Value::Text(u16::MAX)), "", "How the server is called in SNMP.").of(CHECKER).needs(),
    kw("MISC_CHECK", Args::Block(Heading::None, Body::Statements(Context::MiscCheck)), "", "Runs a command; its exit code decides.").of(CHECKER),
    kw("SMTP_CHECK", Args::Block(Heading::None, Body::Statements(Context::SmtpCheck)), "", "Talks to a mail server until it has accepted HELO.").of(CHECKER),
    kw("TCP_CHECK", Args::Block(Heading::None, Body::Statements(Context::TcpCheck)), "", "Opens a TCP connection and closes it.").of(CHECKER),
    kw("PING_CHECK", Args::Block(Heading::None, Body::Statements(Context::PingCheck)), "", "Sends an ICMP echo request and waits for the reply.").of(CHECKER),
    kw("UDP_CHECK", Args::Block(Heading::None, Body::Statements(Context::UdpCheck)), "", "Sends a datagram; an ICMP error, or a missing reply if one is required, is a failure.").of(CHECKER),
    kw("HTTP_GET", Args::Block(Heading::None, Body::Statements(Context::HttpGet)), "", "Reads pages over HTTP and compares status and content.").of(CHECKER),
    kw("SSL_GET", Args::Block(Heading::None, Body::Statements(Context::SslGet)), "", "Reads pages over HTTPS and compares status and content.").of(CHECKER),
    kw("DNS_CHECK", Args::Block(Heading::None, Body::Statements(Context::DnsCheck)), "", "Asks a name server for a record.").of(CHECKER),
    kw("FILE_CHECK", Args::Block(Heading::None, Body::Statements(Context::FileCheck)), "", "Goes by the number in a `track_file`.").of(CHECKER),
    kw("BFD_CHECK", Args::Block(Heading::None, Body::Statements(Context::BfdCheck)), "", "Goes by the state of a `bfd_instance`.").of(CHECKER),
];
