//! Checkers of real servers.

use super::context::Context;
use super::{Addresses, Args, Body, CHECKER, Heading, Keyword, Value, int, kw, secs};

#[rustfmt::skip]
pub(super) static CONNECTION_CORE: &[Keyword] = &[
    kw("connect_ip", Args::One(Value::Address(Addresses::Any)), "real server address", "Whom to ask.").of(CHECKER).stops(),
    kw("connect_port", Args::One(int(1, 65535)), "real server port", "At which port.").of(CHECKER).stops(),
    kw("bindto", Args::One(Value::Address(Addresses::Any)), "", "From which address.").of(CHECKER).stops(),
    kw("bind_port", Args::One(int(1, 65535)), "any", "From which port.").of(CHECKER).stops(),
    kw("bind_if", Args::One(Value::Interface), "", "From which interface.").of(CHECKER).stops(),
    kw("connect_timeout", Args::One(secs(1, 4294967295)), "real server value", "How long connecting may take.").of(CHECKER).stops(),
    kw("fwmark", Args::One(int(0, 4294967295)), "0", "The mark of its packets.").of(CHECKER).stops(),
    kw("warmup", Args::One(secs(0, u64::MAX)), "real server value, else delay_loop", "Spreads the first checks over this time.").of(CHECKER).stops(),
    kw("delay_loop", Args::One(secs(1, u64::MAX)), "real server value", "Time between two checks.").of(CHECKER).stops(),
    kw("alpha", Args::Maybe(Value::Bool), "real server value", "Down until a check succeeds.").of(CHECKER),
    kw("log_all_failures", Args::Maybe(Value::Bool), "false", "Logs each failed try.").of(CHECKER),
];

#[rustfmt::skip]
pub(super) static CONNECTION_RETRY: &[Keyword] = &[
    kw("retry", Args::One(int(0, 4294967295)), "real server value, else 1", "How often a checker tries again.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "real server value, else 1", "How long it waits before that.").of(CHECKER).stops(),
];

#[rustfmt::skip]
pub(super) static MISC_CHECK: &[Keyword] = &[
    kw("retry", Args::One(int(0, 4294967295)), "real server value, else 0", "How often a checker tries again.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "real server value, else 1", "How long it waits before that.").of(CHECKER).stops(),
    kw("warmup", Args::One(secs(0, u64::MAX)), "real server value, else delay_loop", "Spreads the first checks over this time.").of(CHECKER).stops(),
    kw("delay_loop", Args::One(secs(1, u64::MAX)), "real server value", "Time between two checks.").of(CHECKER).stops(),
    kw("alpha", Args::Maybe(Value::Bool), "real server value", "Down until a check succeeds.").of(CHECKER),
    kw("log_all_failures", Args::Maybe(Value::Bool), "false", "Logs each failed try.").of(CHECKER),
    kw("misc_path", Args::One(Value::Command), "required", "The command; quote it if it has arguments.").of(CHECKER).needs(),
    kw("misc_timeout", Args::One(int(0, 4294)), "delay_loop of the service", "When it is killed and counts as failed.").of(CHECKER).stops(),
    kw("misc_dynamic", Args::Flag, "off", "Its exit code sets the weight.").of(CHECKER),
    kw("user", Args::One(Value::User), "script_user", "Who runs it.").of(CHECKER).needs(),
];

#[rustfmt::skip]
pub(super) static SMTP_CHECK: &[Keyword] = &[
    kw("helo_name", Args::One(Value::Text(u16::MAX)), "smtpchecker.keepalived.org", "How it introduces itself.").of(CHECKER).needs().last_wins(),
    kw("host", Args::Block(Heading::None, Body::Statements(Context::SmtpCheckHost)), "", "Another target, in an old form.").of(CHECKER).old(""),
];

#[rustfmt::skip]
pub(super) static UDP_CHECK: &[Keyword] = &[
    kw("payload", Args::Grammar("HEX (spaces allowed)"), "", "What is sent.").of(CHECKER).needs(),
    kw("require_reply", Args::Grammar("[HEX with x wildcards]"), "off", "There must be an answer, and it must look like this.").of(CHECKER),
    kw("min_reply_length", Args::One(int(0, 65535)), "0", "How short the answer may be.").of(CHECKER).stops(),
    kw("max_reply_length", Args::One(int(0, 65535)), "255", "How long the answer may be.").of(CHECKER).stops(),
];

#[rustfmt::skip]
pub(super) static DNS_CHECK: &[Keyword] = &[
    kw("retry", Args::One(int(0, 4294967295)), "real server value, else 3", "How often a checker tries again.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "real server value, else delay_loop", "How long it waits before that.").of(CHECKER).stops(),
    kw("type", Args::One(Value::WordAnyCase(&["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"])), "SOA", "Which record is asked for.").of(CHECKER).stops(),
    kw("name", Args::One(Value::Text(u16::MAX)), "root", "Which name is asked for.").of(CHECKER).stops(),
];

#[rustfmt::skip]
pub(super) static HTTP_GET: &[Keyword] = &[
    kw("retry", Args::One(int(0, 4294967295)), "real server value, else 1", "How often a checker tries again.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "real server value, else 3", "How long it waits before that.").of(CHECKER).stops(),
    kw("nb_get_retry", Args::One(int(0, 4294967295)), "", "What retry was called before.").of(CHECKER).deprecated("retry").stops(),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "real server, then service", "The host that HTTP checks ask for.").of(CHECKER).needs().last_wins(),
    kw("http_protocol", Args::One(Value::Word(&["1.0", "1.1", "1.0C", "1.0c"])), "1.0", "Which version the request has.").of(CHECKER).needs(),
    kw("enable_sni", Args::Maybe(Value::Bool), "false", "Says in TLS which host is meant.").of(CHECKER),
    kw("sni_name", Args::Maybe(Value::Text(u16::MAX)), "virtualhost in use", "The host to say.").of(CHECKER).since_2_3().last_wins(),
    kw("fast_recovery", Args::Maybe(Value::Bool), "false", "Asks again at once after a failure.").of(CHECKER),
    kw("url", Args::Block(Heading::None, Body::Statements(Context::HttpGetUrl)), "required", "A page that must be right.").of(CHECKER),
];

#[rustfmt::skip]
pub(super) static HTTP_GET_URL: &[Keyword] = &[
    kw("path", Args::One(Value::Text(u16::MAX)), "required", "Which page.").of(CHECKER).stops().last_wins(),
    kw("digest", Args::One(Value::Hex(32)), "", "The MD5 of its text.").of(CHECKER).stops(),
    kw("status_code", Args::Grammar("INT(100..599)[-INT] ..."), "200-299", "Which answers are good.").of(CHECKER),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "checker value", "The host that HTTP checks ask for.").of(CHECKER).needs().last_wins(),
    kw("regex", Args::One(Value::Text(u16::MAX)), "", "What its text must contain.").of(CHECKER).needs(),
    kw("regex_no_match", Args::Flag, "off", "What its text must not contain.").of(CHECKER),
    kw("regex_options", Args::Grammar("NAME...: allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames extended firstline match_unset_backref multiline never_ucp never_utf no_auto_capture no_auto_possess no_dotstar_anchor no_start_optimize ucp ungreedy utf never_backslash_c alt_circumflex alt_verbnames use_offset_limit"), "", "How the pattern is read.").of(CHECKER),
    kw("regex_min_offset", Args::One(int(i64::MIN, i64::MAX as u64)), "0", "Where a match may begin at the earliest.").of(CHECKER),
    kw("regex_max_offset", Args::One(int(i64::MIN, i64::MAX as u64)), "", "Where a match may begin at the latest.").of(CHECKER),
    kw("regex_stack", Args::Grammar("INT INT"), "PCRE2 default", "How much stack the pattern may use.").of(CHECKER),
];

#[rustfmt::skip]
pub(super) static SSL_GET: &[Keyword] = &[
    kw("retry", Args::One(int(0, 4294967295)), "real server value, else 1", "How often a checker tries again.").of(CHECKER).stops(),
    kw("delay_before_retry", Args::One(secs(0, u64::MAX)), "real server value, else 3", "How long it waits before that.").of(CHECKER).stops(),
    kw("nb_get_retry", Args::One(int(0, 4294967295)), "", "What retry was called before.").of(CHECKER).deprecated("retry").stops(),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "real server, then service", "The host that HTTP checks ask for.").of(CHECKER).needs().last_wins(),
    kw("http_protocol", Args::One(Value::Word(&["1.0", "1.1", "1.0C", "1.0c"])), "1.0", "Which version the request has.").of(CHECKER).needs(),
    kw("enable_sni", Args::Maybe(Value::Bool), "false", "Says in TLS which host is meant.").of(CHECKER),
    kw("sni_name", Args::Maybe(Value::Text(u16::MAX)), "virtualhost in use", "The host to say.").of(CHECKER).since_2_3().last_wins(),
    kw("fast_recovery", Args::Maybe(Value::Bool), "false", "Asks again at once after a failure.").of(CHECKER),
    kw("tls_compliant", Args::Maybe(Value::Bool), "false", "The connection must be closed properly.").of(CHECKER).since_2_3(),
    kw("url", Args::Block(Heading::None, Body::Statements(Context::SslGetUrl)), "required", "A page that must be right.").of(CHECKER),
];

#[rustfmt::skip]
pub(super) static SSL_GET_URL: &[Keyword] = &[
    kw("path", Args::One(Value::Text(u16::MAX)), "required", "Which page.").of(CHECKER).stops().last_wins(),
    kw("digest", Args::One(Value::Hex(32)), "", "The MD5 of its text.").of(CHECKER).stops(),
    kw("status_code", Args::Grammar("INT(100..599)[-INT] ..."), "200-299", "Which answers are good.").of(CHECKER),
    kw("virtualhost", Args::One(Value::Text(u16::MAX)), "checker value", "The host that HTTP checks ask for.").of(CHECKER).needs().last_wins(),
    kw("regex", Args::One(Value::Text(u16::MAX)), "", "What its text must contain.").of(CHECKER).needs(),
    kw("regex_no_match", Args::Flag, "off", "What its text must not contain.").of(CHECKER),
    kw("regex_options", Args::Grammar("NAME...: allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames extended firstline match_unset_backref multiline never_ucp never_utf no_auto_capture no_auto_possess no_dotstar_anchor no_start_optimize ucp ungreedy utf never_backslash_c alt_circumflex alt_verbnames use_offset_limit"), "", "How the pattern is read.").of(CHECKER),
    kw("regex_min_offset", Args::One(int(i64::MIN, i64::MAX as u64)), "0", "Where a match may begin at the earliest.").of(CHECKER),
    kw("regex_max_offset", Args::One(int(i64::MIN, i64::MAX as u64)), "", "Where a match may begin at the latest.").of(CHECKER),
    kw("regex_stack", Args::Grammar("INT INT"), "PCRE2 default", "How much stack the pattern may use.").of(CHECKER),
    kw("tls_compliant", Args::Maybe(Value::Bool), "false", "The connection must be closed properly.").of(CHECKER).since_2_3(),
];

#[rustfmt::skip]
pub(super) static FILE_CHECK: &[Keyword] = &[
    kw("track_file", Args::One(Value::Name(u16::MAX)), "required", "Which one.").of(CHECKER).stops(),
    kw("weight", Args::Grammar("INT(-2147483647..2147483647) [reverse|noreverse]"), "weight of the file", "What the number is multiplied by; 0 makes any number down.").of(CHECKER).needs(),
];

#[rustfmt::skip]
pub(super) static BFD_CHECK: &[Keyword] = &[
    kw("name", Args::One(Value::Name(u16::MAX)), "required", "Which one.").of(CHECKER).needs(),
    kw("alpha", Args::Maybe(Value::Bool), "real server value", "Down until a check succeeds.").of(CHECKER),
];
