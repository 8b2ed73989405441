//! Checkers of real servers.

use super::context::Context;
use super::{Addresses, Args, Body, CHECKER, Heading, Keyword, Value, int, kw, secs};

#[rustfmt::skip]
pub(super) static CONNECTION_CORE: &[Keyword] = &[
    kw("connect_ip", Args::One(Value::Address(Addresses::Any)), "real server address", "The address to check, if it is not that of the real server.").of(CHECKER).stops(),
    kw("connect_port", Args::One(int(1, 65535)), "real server port", "The port to check, if it is not that of the real server.").of(CHECKER).stops(),
    kw("bindto", Args::One(Value::Address(Addresses::Any)), "", "The source address of the check, of the same family.").of(CHECKER).stops(),
    kw("bind_port", Args::One(int(1, 65535)), "any", "The source port of the check.").of(CHECKER).stops(),
    kw("bind_if", Args::One(Value::Interface), "", "The interface of the check; link-local addresses need one.").of(CHECKER).stops(),
    kw("connect_timeout", Args::One(secs(1, 4294967295)), "real server value", "Seconds a checker may take to connect.").of(CHECKER).stops(),
    kw("fwmark", Args::One(int(0, 4294967295)), "0", "The firewall mark of the checker's packets.").of(CHECKER).stops(),
    kw("warmup", Args::One(secs(0, u64::MAX)), "real server value, else delay_loop", "Seconds over which first checks are spread at random.").of(CHECKER).stops(),
    kw("delay_loop", Args::One(secs(1, u64::MAX)), "real server value", "Seconds from one check to the next.").of(CHECKER).stops(),
    kw("alpha", Args::Maybe(Value::Bool), "real server value", "Takes the server for down until this check has succeeded.").of(CHECKER),
    kw("log_all_failures", Args::Maybe(Value::Bool), "false", "Logs every failed try, not just the one that takes the server down.").of(CHECKER),
];

#[rustfmt::skip]
pub(super) static CONNECTION_RETRY: &[Keyword] = &[
    kw("retry", Args::One(int(0, 4294967295)), "real server value, else 1", "How often the checker tries again before it gives the server up.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "real server value, else 1", "Seconds the checker waits before it tries again.").of(CHECKER).stops(),
];

#[rustfmt::skip]
pub(super) static MISC_CHECK: &[Keyword] = &[
    kw("retry", Args::One(int(0, 4294967295)), "real server value, else 0", "How often the checker tries again before it gives the server up.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "real server value, else 1", "Seconds the checker waits before it tries again.").of(CHECKER).stops(),
    kw("warmup", Args::One(secs(0, u64::MAX)), "real server value, else delay_loop", "Seconds over which first checks are spread at random.").of(CHECKER).stops(),
    kw("delay_loop", Args::One(secs(1, u64::MAX)), "real server value", "Seconds from one check to the next.").of(CHECKER).stops(),
    kw("alpha", Args::Maybe(Value::Bool), "real server value", "Takes the server for down until this check has succeeded.").of(CHECKER),
    kw("log_all_failures", Args::Maybe(Value::Bool), "false", "Logs every failed try, not just the one that takes the server down.").of(CHECKER),
    kw("misc_path", Args::One(Value::Command), "required", "The command; quotes go around it when it has arguments.").of(CHECKER).needs(),
    kw("misc_timeout", Args::One(int(0, 4294)), "delay_loop of the service", "Seconds after which a run is killed and counts as failed.").of(CHECKER).stops(),
    kw("misc_dynamic", Args::Flag, "off", "Takes exit codes from 2 on for the weight of the server, plus 2.").of(CHECKER),
    kw("user", Args::One(Value::User), "script_user", "Who runs the command.").of(CHECKER).needs(),
];

#[rustfmt::skip]
pub(super) static SMTP_CHECK: &[Keyword] = &[
    kw("helo_name", Args::One(Value::Text(u16::MAX)), "smtpchecker.keepalived.org", "How the checker introduces itself in HELO.").of(CHECKER).needs().last_wins(),
    kw("host", Args::Block(Heading::None, Body::Statements(Context::SmtpCheckHost)), "", "Old form of a further target; write another SMTP_CHECK.").of(CHECKER).old(""),
];

#[rustfmt::skip]
pub(super) static UDP_CHECK: &[Keyword] = &[
    kw("payload", Args::Grammar("HEX (spaces allowed)"), "", "The bytes to send, in hexadecimal.").of(CHECKER).needs(),
    kw("require_reply", Args::Grammar("[HEX with x wildcards]"), "off", "Requires a reply, and one of this form if given; x stands for any digit.").of(CHECKER),
    kw("min_reply_length", Args::One(int(0, 65535)), "0", "The least length of a good reply in bytes.").of(CHECKER).stops(),
    kw("max_reply_length", Args::One(int(0, 65535)), "255", "The greatest length of a good reply in bytes.").of(CHECKER).stops(),
];

#[rustfmt::skip]
pub(super) static DNS_CHECK: &[Keyword] = &[
    kw("retry", Args::One(int(0, 4294967295)), "real server value, else 3", "How often the checker tries again before it gives the server up.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "real server value, else delay_loop", "Seconds the checker waits before it tries again.").of(CHECKER).stops(),
    kw("type", Args::One(Value::WordAnyCase(&["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"])), "SOA", "The type of the record to ask for.").of(CHECKER).stops(),
    kw("name", Args::One(Value::Text(u16::MAX)), "root", "The domain name to ask for; the root if none is given.").of(CHECKER).stops(),
];

#[rustfmt::skip]
pub(super) static HTTP_GET: &[Keyword] = &[
    kw("retry", Args::One(int(0, 4294967295)), "real server value, else 1", "How often the checker tries again before it gives the server up.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "real server value, else 3", "Seconds the checker waits before it tries again.").of(CHECKER).stops(),
    kw("nb_get_retry", Args::One(int(0, 4294967295)), "", "Deprecated spelling of `retry`.").of(CHECKER).deprecated("retry").stops(),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "real server, then service", "The host name to ask for.").of(CHECKER).needs().last_wins(),
    kw("http_protocol", Args::One(Value::Word(&["1.0", "1.1", "1.0C", "1.0c"])), "1.0", "The version of HTTP in requests; with C, keeping the connection is offered too.").of(CHECKER).needs(),
    kw("enable_sni", Args::Maybe(Value::Bool), "false", "Names the host in the TLS handshake.").of(CHECKER),
    kw("sni_name", Args::Maybe(Value::Text(u16::MAX)), "virtualhost in use", "The host to name in the TLS handshake; switches that on.").of(CHECKER).since_2_3().last_wins(),
    kw("fast_recovery", Args::Maybe(Value::Bool), "false", "Checks again at once after a failure instead of waiting for the next round.").of(CHECKER),
    kw("url", Args::Block(Heading::None, Body::Statements(Context::HttpGetUrl)), "required", "A page that must be right; with several, one is read after the other.").of(CHECKER),
];

#[rustfmt::skip]
pub(super) static HTTP_GET_URL: &[Keyword] = &[
    kw("path", Args::One(Value::Text(u16::MAX)), "required", "The path of the page, with what follows it.").of(CHECKER).stops().last_wins(),
    kw("digest", Args::One(Value::Hex(32)), "", "The MD5 sum that the content of the page must have.").of(CHECKER).stops(),
    kw("status_code", Args::Grammar("INT(100..599)[-INT] ..."), "200-299", "The status codes that are good, single ones and ranges.").of(CHECKER),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "checker value", "The host name to ask for.").of(CHECKER).needs().last_wins(),
    kw("regex", Args::One(Value::Text(u16::MAX)), "", "A Perl-compatible pattern that the content of the page must match.").of(CHECKER).needs(),
    kw("regex_no_match", Args::Flag, "off", "Turns it round: the pattern must not match.").of(CHECKER),
    kw("regex_options", Args::Grammar("NAME...: allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames extended firstline match_unset_backref multiline never_ucp never_utf no_auto_capture no_auto_possess no_dotstar_anchor no_start_optimize ucp ungreedy utf never_backslash_c alt_circumflex alt_verbnames use_offset_limit"), "", "Options of the pattern, by their names in PCRE2.").of(CHECKER),
    kw("regex_min_offset", Args::One(int(i64::MIN, i64::MAX as u64)), "0", "The first byte of the page where a match may begin.").of(CHECKER),
    kw("regex_max_offset", Args::One(int(i64::MIN, i64::MAX as u64)), "", "The last byte of the page where a match may begin.").of(CHECKER),
    kw("regex_stack", Args::Grammar("INT INT"), "PCRE2 default", "How much stack the pattern has at first, and how much it may use.").of(CHECKER),
];

#[rustfmt::skip]
pub(super) static SSL_GET: &[Keyword] = &[
    kw("retry", Args::One(int(0, 4294967295)), "real server value, else 1", "How often the checker tries again before it gives the server up.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "real server value, else 3", "Seconds the checker waits before it tries again.").of(CHECKER).stops(),
    kw("nb_get_retry", Args::One(int(0, 4294967295)), "", "Deprecated spelling of `retry`.").of(CHECKER).deprecated("retry").stops(),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "real server, then service", "The host name to ask for.").of(CHECKER).needs().last_wins(),
    kw("http_protocol", Args::One(Value::Word(&["1.0", "1.1", "1.0C", "1.0c"])), "1.0", "The version of HTTP in requests; with C, keeping the connection is offered too.").of(CHECKER).needs(),
    kw("enable_sni", Args::Maybe(Value::Bool), "false", "Names the host in the TLS handshake.").of(CHECKER),
    kw("sni_name", Args::Maybe(Value::Text(u16::MAX)), "virtualhost in use", "The host to name in the TLS handshake; switches that on.").of(CHECKER).since_2_3().last_wins(),
    kw("fast_recovery", Args::Maybe(Value::Bool), "false", "Checks again at once after a failure instead of waiting for the next round.").of(CHECKER),
    kw("tls_compliant", Args::Maybe(Value::Bool), "false", "Insists on an orderly end of the TLS connection.").of(CHECKER).since_2_3(),
    kw("ssl_verify", Args::Maybe(Value::Bool), "false", "The certificate must be trusted and made for the host, or the check fails.").of(CHECKER).extension(),
    kw("url", Args::Block(Heading::None, Body::Statements(Context::SslGetUrl)), "required", "A page that must be right; with several, one is read after the other.").of(CHECKER),
];

#[rustfmt::skip]
pub(super) static SSL_GET_URL: &[Keyword] = &[
    kw("path", Args::One(Value::Text(u16::MAX)), "required", "The path of the page, with what follows it.").of(CHECKER).stops().last_wins(),
    kw("digest", Args::One(Value::Hex(32)), "", "The MD5 sum that the content of the page must have.").of(CHECKER).stops(),
    kw("status_code", Args::Grammar("INT(100..599)[-INT] ..."), "200-299", "The status codes that are good, single ones and ranges.").of(CHECKER),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "checker value", "The host name to ask for.").of(CHECKER).needs().last_wins(),
    kw("regex", Args::One(Value::Text(u16::MAX)), "", "A Perl-compatible pattern that the content of the page must match.").of(CHECKER).needs(),
    kw("regex_no_match", Args::Flag, "off", "Turns it round: the pattern must not match.").of(CHECKER),
    kw("regex_options", Args::Grammar("NAME...: allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames extended firstline match_unset_backref multiline never_ucp never_utf no_auto_capture no_auto_possess no_dotstar_anchor no_start_optimize ucp ungreedy utf never_backslash_c alt_circumflex alt_verbnames use_offset_limit"), "", "Options of the pattern, by their names in PCRE2.").of(CHECKER),
    kw("regex_min_offset", Args::One(int(i64::MIN, i64::MAX as u64)), "0", "The first byte of the page where a match may begin.").of(CHECKER),
    kw("regex_max_offset", Args::One(int(i64::MIN, i64::MAX as u64)), "", "The last byte of the page where a match may begin.").of(CHECKER),
    kw("regex_stack", Args::Grammar("INT INT"), "PCRE2 default", "How much stack the pattern has at first, and how much it may use.").of(CHECKER),
    kw("tls_compliant", Args::Maybe(Value::Bool), "false", "Insists on an orderly end of the TLS connection.").of(CHECKER).since_2_3(),
];

#[rustfmt::skip]
pub(super) static FILE_CHECK: &[Keyword] = &[
    kw("track_file", Args::One(Value::Name(u16::MAX)), "required", "The name of the `track_file`, which must stand further up.").of(CHECKER).stops(),
    kw("weight", Args::Grammar("INT(-2147483647..2147483647) [reverse|noreverse]"), "weight of the file", "What the number is multiplied by; 0 makes every number but 0 down.").of(CHECKER).needs(),
];

#[rustfmt::skip]
pub(super) static BFD_CHECK: &[Keyword] = &[
    kw("name", Args::One(Value::Name(u16::MAX)), "required", "The name of the `bfd_instance`, which must stand further up.").of(CHECKER).needs(),
    kw("alpha", Args::Maybe(Value::Bool), "real server value", "Takes the server for down until this check has succeeded.").of(CHECKER),
];
