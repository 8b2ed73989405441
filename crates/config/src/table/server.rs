//! `virtual_server` and `real_server`.

use super::context::Context;
use super::{Args, Body, CHECKER, Heading, Keyword, Value, int, kw, secs};

#[rustfmt::skip]
pub(super) static VIRTUAL_SERVER_GROUP: &[Keyword] = &[
    kw("IP", Args::Grammar("IP [PORT(0..65535)]"), "port 0", "One address, with or without port.").of(CHECKER),
    kw("IP-RANGE", Args::Grammar("IP-N (last octet or last 16 bits) | IP-IP [PORT]"), "", "Several addresses in a row.").of(CHECKER),
    kw("IP/LEN", Args::Grammar("IP/LEN [PORT]"), "", "All addresses of a network.").of(CHECKER),
    kw("fwmark", Args::Grammar("INT(0..4294967295) [inet|inet6]"), "family from real servers", "Packets with this mark.").of(CHECKER).stops(),
];

#[rustfmt::skip]
pub(super) static VIRTUAL_SERVER: &[Keyword] = &[
    kw("ip_family", Args::One(Value::Word(&["inet", "inet6"])), "from addresses", "The family of a service that only has a mark.").of(CHECKER).stops(),
    kw("retry", Args::One(int(1, 4294967295)), "per checker (1; DNS 3; MISC 0)", "How often a checker tries again.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "per checker (1; HTTP/SSL 3; DNS delay_loop)", "How long it waits before that.").of(CHECKER).stops(),
    kw("warmup", Args::One(secs(0, u64::MAX)), "delay_loop", "Spreads the first checks over this time.").of(CHECKER).stops(),
    kw("connect_timeout", Args::One(secs(1, 4294967295)), "5", "How long connecting may take.").of(CHECKER).stops(),
    kw("delay_loop", Args::One(secs(1, u64::MAX)), "60", "Time between two checks.").of(CHECKER).stops(),
    kw("inhibit_on_failure", Args::Flag, "off", "A failed server keeps its place with weight 0.").of(CHECKER),
    kw("lb_algo", Args::One(Value::Word(&["rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos"])), "wlc (its absence is reported)", "How connections are spread.").of(CHECKER).stops(),
    kw("lvs_sched", Args::One(Value::Word(&["rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos"])), "wlc", "Another word for lb_algo.").of(CHECKER).same_as("lb_algo").stops(),
    kw("hashed", Args::Flag, "off", "Known, but without effect.").of(CHECKER),
    kw("ops", Args::Flag, "off", "Every packet is scheduled anew.").of(CHECKER),
    kw("flag-1", Args::Flag, "off", "First flag of the scheduler.").of(CHECKER),
    kw("flag-2", Args::Flag, "off", "Second flag of the scheduler.").of(CHECKER),
    kw("flag-3", Args::Flag, "off", "Third flag of the scheduler.").of(CHECKER),
    kw("sh-port", Args::Flag, "off", "The sh scheduler looks at the port too.").of(CHECKER),
    kw("sh-fallback", Args::Flag, "off", "The sh scheduler may choose another server.").of(CHECKER),
    kw("mh-port", Args::Flag, "off", "The mh scheduler looks at the port too.").of(CHECKER),
    kw("mh-fallback", Args::Flag, "off", "The mh scheduler may choose another server.").of(CHECKER),
    kw("lb_kind", Args::Inline("NAT|DR|TUN [type ipip|gue|gre] [port INT] [nocsum|csum|remcsum]", Context::LbKind), "NAT (its absence is reported)", "How packets get to the servers.").of(CHECKER).stops(),
    kw("lvs_method", Args::Inline("as lb_kind", Context::LbKind), "NAT", "How packets get to the server.").of(CHECKER).same_as("lb_kind").stops(),
    kw("persistence_engine", Args::One(Value::Name(15)), "", "What recognises a client.").of(CHECKER).stops(),
    kw("persistence_timeout", Args::Maybe(int(1, 2678400)), "off; bare = 360", "How long a client stays with its server.").of(CHECKER),
    kw("persistence_granularity", Args::Grammar("IP4 mask | INT(1..128) for IPv6"), "host", "Which clients count as one.").of(CHECKER).stops(),
    kw("protocol", Args::One(Value::WordAnyCase(&["TCP", "UDP", "SCTP"])), "UDP (its absence is reported)", "TCP, UDP or SCTP.").of(CHECKER).stops(),
    kw("ha_suspend", Args::Flag, "off", "Checks only while this machine has the address.").of(CHECKER),
    kw("smtp_alert", Args::Maybe(Value::Bool), "globals, else false", "Whether gained and lost quorums are mailed.").of(CHECKER),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "", "The host that HTTP checks ask for.").of(CHECKER).needs().last_wins(),
    kw("snmp_name", Args::One(Value::Text(u16::MAX)), "", "Its name in SNMP.").of(CHECKER).needs(),
    kw("alpha", Args::Flag, "off", "Down until a check succeeds.").of(CHECKER),
    kw("omega", Args::Flag, "off", "The end of the daemon runs the scripts of failure.").of(CHECKER),
    kw("quorum_up", Args::One(Value::CommandAs), "", "A command for when enough servers are there.").of(CHECKER).stops().first_wins(),
    kw("quorum_down", Args::One(Value::CommandAs), "", "A command for when there are too few.").of(CHECKER).stops().first_wins(),
    kw("quorum", Args::One(int(1, 4294967295)), "1", "How much weight must be alive.").of(CHECKER).stops(),
    kw("hysteresis", Args::One(int(0, 4294967295)), "0", "How far around the quorum nothing changes.").of(CHECKER).stops(),
    kw("weight", Args::One(int(1, 2147483647)), "1", "Weight of servers that give none.").of(CHECKER).stops(),
    kw("sorry_server", Args::Grammar("IP [PORT]"), "", "Who answers when all others are gone.").of(CHECKER).stops(),
    kw("sorry_server_inhibit", Args::Flag, "off", "Meanwhile the others keep their place with weight 0.").of(CHECKER),
    kw("sorry_server_lvs_method", Args::Inline("as lb_kind", Context::LbKind), "lb_kind", "How packets get there.").of(CHECKER).stops(),
    kw("real_server", Args::Block(Heading::Server, Body::Statements(Context::RealServer)), "at least one required", "One of the machines behind the service.").of(CHECKER).stops(),
];

#[rustfmt::skip]
pub(super) static LB_KIND: &[Keyword] = &[
    kw("type", Args::One(Value::Word(&["ipip", "gue", "gre"])), "ipip", "Which tunnel.").of(CHECKER).needs(),
    kw("port", Args::One(int(1, 65535)), "", "The port of a GUE tunnel.").of(CHECKER).needs(),
    kw("nocsum", Args::Flag, "nocsum", "The tunnel has no checksum.").of(CHECKER).alone(),
    kw("csum", Args::Flag, "nocsum", "The tunnel has a checksum.").of(CHECKER).alone(),
    kw("remcsum", Args::Flag, "nocsum", "The tunnel's checksum is left to the far end.").of(CHECKER).alone(),
];

#[rustfmt::skip]
pub(super) static REAL_SERVER: &[Keyword] = &[
    kw("weight", Args::One(int(0, 2147483647)), "weight of the service", "Its share.").of(CHECKER).stops(),
    kw("lvs_method", Args::Inline("as lb_kind", Context::LbKind), "lb_kind", "How packets get to the server.").of(CHECKER).stops(),
    kw("uthreshold", Args::One(int(0, 4294967295)), "0 (off)", "With so many connections it gets no new ones.").of(CHECKER).stops(),
    kw("lthreshold", Args::One(int(0, 4294967295)), "0 (off)", "With so few it gets new ones again.").of(CHECKER).stops(),
    kw("inhibit_on_failure", Args::Maybe(Value::Bool), "service value", "A failed server keeps its place with weight 0.").of(CHECKER),
    kw("notify_up", Args::One(Value::CommandAs), "", "A command for when it comes up.").of(CHECKER).stops().first_wins(),
    kw("notify_down", Args::One(Value::CommandAs), "", "A command for when it goes down.").of(CHECKER).stops().first_wins(),
    kw("alpha", Args::Maybe(Value::Bool), "service value", "Down until a check succeeds.").of(CHECKER),
    kw("retry", Args::One(int(1, 4294967295)), "service value", "How often a checker tries again.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "service value", "How long it waits before that.").of(CHECKER).stops(),
    kw("warmup", Args::One(secs(0, u64::MAX)), "service value", "Spreads the first checks over this time.").of(CHECKER).stops(),
    kw("connect_timeout", Args::One(secs(1, 4294967295)), "service value", "How long connecting may take.").of(CHECKER).stops(),
    kw("delay_loop", Args::One(secs(1, u64::MAX)), "service value", "Time between two checks.").of(CHECKER).stops(),
    kw("smtp_alert", Args::Maybe(Value::Bool), "globals, else true", "Whether its changes are mailed.").of(CHECKER),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "service value", "The host that HTTP checks ask for.").of(CHECKER).needs().last_wins(),
    kw("snmp_name", Args::One(Value::Text(u16::MAX)), "", "Its name in SNMP.").of(CHECKER).needs(),
    kw("MISC_CHECK", Args::Block(Heading::None, Body::Statements(Context::MiscCheck)), "", "Asks a command.").of(CHECKER),
    kw("SMTP_CHECK", Args::Block(Heading::None, Body::Statements(Context::SmtpCheck)), "", "Talks to a mail server.").of(CHECKER),
    kw("TCP_CHECK", Args::Block(Heading::None, Body::Statements(Context::TcpCheck)), "", "Connects.").of(CHECKER),
    kw("PING_CHECK", Args::Block(Heading::None, Body::Statements(Context::PingCheck)), "", "Sends an echo request.").of(CHECKER),
    kw("UDP_CHECK", Args::Block(Heading::None, Body::Statements(Context::UdpCheck)), "", "Sends a datagram.").of(CHECKER),
    kw("HTTP_GET", Args::Block(Heading::None, Body::Statements(Context::HttpGet)), "", "Reads pages.").of(CHECKER),
    kw("SSL_GET", Args::Block(Heading::None, Body::Statements(Context::SslGet)), "", "Reads pages over TLS.").of(CHECKER),
    kw("DNS_CHECK", Args::Block(Heading::None, Body::Statements(Context::DnsCheck)), "", "Asks a name server.").of(CHECKER),
    kw("FILE_CHECK", Args::Block(Heading::None, Body::Statements(Context::FileCheck)), "", "Looks at a track_file.").of(CHECKER),
    kw("BFD_CHECK", Args::Block(Heading::None, Body::Statements(Context::BfdCheck)), "", "Looks at a BFD session.").of(CHECKER),
];
