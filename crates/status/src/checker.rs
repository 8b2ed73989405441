//! `keepalived_check.data`: the sections of the checker process, line by line as tools grep for
//! them. The global section is rendered by the daemon. Words follow keepalived 2.4.

use core::fmt;
use core::time::Duration;

use crate::checker_view::{
    CheckView, CheckerView, CommandView, ConnectionView, FileView, GroupTargetView, GroupView,
    HttpView, MethodView, RealServerView, RegexView, RhythmView, ServiceName, ServiceView,
    SorryView, SslView, TimingView, UrlView,
};
use crate::data::Lines;

/// Renders every section.
#[must_use]
pub fn render(view: &CheckerView) -> String {
    let mut out = Lines::default();
    out.line(0, format_args!("------< SSL definitions >------"));
    ssl(&mut out, &view.ssl);
    out.line(0, format_args!("------< LVS Topology >------"));
    let [major, minor, patch] = view.lvs_version;
    out.line(
        1,
        format_args!("System is compiled with LVS v{major}.{minor}.{patch}"),
    );
    if !view.groups.is_empty() {
        out.line(1, format_args!("------< Virtual server group >------"));
        for one in &view.groups {
            group(&mut out, one);
        }
    }
    for one in &view.services {
        out.line(1, format_args!("------< Virtual server >------"));
        service(&mut out, one);
    }
    if !view.checks.is_empty() {
        out.line(0, format_args!("------< Health checkers >------"));
        for one in &view.checks {
            check(&mut out, one);
        }
    }
    if !view.files.is_empty() {
        out.line(0, format_args!("------< Checker track files >------"));
        for one in &view.files {
            file(&mut out, one);
        }
    }
    if !view.sessions.is_empty() {
        out.line(0, format_args!("------< Checker track BFDs >------"));
        for one in &view.sessions {
            out.line(1, format_args!("Checker Track BFD = {}", one.name));
            out.line(3, format_args!("Tracking RS :"));
            for real_server in &one.followers {
                out.line(3, format_args!("{real_server}"));
            }
        }
    }
    out.0
}

fn file(out: &mut Lines, file: &FileView) {
    out.line(1, format_args!("Track file = {}", file.name));
    out.field("File", &file.path);
    out.field("Status", file.value);
    out.field("Weight", factor(file.weight));
    out.line(3, format_args!("Tracking instances :"));
    for (virtual_server, real_server, weight) in &file.followers {
        out.item(format_args!(
            "{virtual_server} -> {real_server}, weight {}",
            factor(*weight)
        ));
    }
}

/// `5`, `5 reverse`
fn factor((weight, reverse): (i32, bool)) -> String {
    let reverse = if reverse { " reverse" } else { "" };
    format!("{weight}{reverse}")
}

const fn on(on: bool) -> &'static str {
    if on { "ON" } else { "OFF" }
}

const fn enabled(on: bool) -> &'static str {
    if on { "enabled" } else { "disabled" }
}

const fn yes(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

const fn set(on: bool) -> &'static str {
    if on { "set" } else { "unset" }
}

/// `2.500000`
fn seconds(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}

fn micros(time: Duration) -> String {
    format!("{} us", time.as_micros())
}

fn ssl(out: &mut Lines, ssl: &SslView) {
    let given = [
        ("Password", ssl.password.then_some("********")),
        ("CA-file", ssl.ca.as_deref()),
        ("Certificate file", ssl.certificate.as_deref()),
        ("Key file", ssl.key.as_deref()),
    ];
    if given.iter().all(|(_, value)| value.is_none()) {
        out.line(1, format_args!("Using autogen SSL context"));
    }
    for (name, value) in given {
        if let Some(value) = value {
            out.line(1, format_args!("{name} : {value}"));
        }
    }
}

fn group(out: &mut Lines, group: &GroupView) {
    let has = |wanted: fn(GroupTargetView) -> bool| group.entries.iter().any(|e| wanted(e.target));
    let v4 = has(|t| matches!(t, GroupTargetView::Addresses(first, ..) if first.is_ipv4()));
    let v6 = has(|t| matches!(t, GroupTargetView::Addresses(first, ..) if first.is_ipv6()));
    out.line(
        1,
        format_args!(
            "Virtual Server Group = {}, IPv4 = {}, IPv6 = {}",
            group.name,
            yes(v4),
            yes(v6)
        ),
    );
    if let Some([tcp, udp, sctp]) = group.marks {
        out.line(2, format_args!("Fwmark TCP: {tcp} UDP: {udp} SCTP: {sctp}"));
    }
    for entry in &group.entries {
        let [a, b, c] = entry.alive;
        match entry.target {
            GroupTargetView::Addresses(first, last, port) => {
                if first == last {
                    out.line(3, format_args!("VIP = {first}, VPORT = {port}"));
                } else {
                    out.line(
                        3,
                        format_args!("VIP Range = {first}-{last}, VPORT = {port}"),
                    );
                }
                out.line(5, format_args!("Alive: {a} tcp, {b} udp, {c} sctp"));
            }
            GroupTargetView::Mark(mark, v6) => {
                let v6 = if v6 { " IPv6" } else { "" };
                out.line(3, format_args!("FWMARK = {mark}{v6}"));
                out.line(5, format_args!("Alive: {a} IPv4, {b} IPv6"));
            }
        }
    }
}

fn service(out: &mut Lines, s: &ServiceView) {
    match &s.name {
        ServiceName::Address(at) => out.line(
            1,
            format_args!("VS VIP = {}, VPORT = {}", at.ip(), at.port()),
        ),
        ServiceName::Mark(mark) => out.line(1, format_args!("VS FWMARK = {mark}")),
        ServiceName::Group(name, index) => {
            out.line(1, format_args!("VS GROUP = [{name}]:{index}"));
        }
    }
    option(out, "VirtualHost", s.virtualhost.as_ref());
    option(
        out,
        "SNMP name",
        s.snmp_name.as_ref().map(|n| format!("'{n}'")),
    );
    out.field("Address family", if s.ipv6 { "inet6" } else { "inet" });
    out.field("connection timeout", seconds(s.timing.connect_timeout));
    out.field("delay_loop", seconds(s.timing.delay_loop));
    balancing(out, s);
    out.line(3, format_args!("alpha is {}", on(s.alpha)));
    out.line(3, format_args!("omega is {}", on(s.omega)));
    retries(out, &s.timing);
    out.line(3, format_args!("Inhibit on failure is {}", on(s.inhibit)));
    let (quorum, hysteresis) = s.quorum;
    out.line(
        3,
        format_args!("quorum = {quorum}, hysteresis = {hysteresis}"),
    );
    script(out, "Quorum up", s.quorum_up_script.as_ref());
    script(out, "Quorum down", s.quorum_down_script.as_ref());
    if s.ha_suspend {
        out.line(3, format_args!("Using HA suspend"));
    }
    out.field("Using smtp notification", yes(s.smtp_alert));
    out.field("default forwarding method", &s.forwarding);
    if let Some(one) = &s.sorry {
        sorry(out, one);
    }
    out.field("VS alive", u8::from(s.placed));
    out.field("quorum_state_up", u8::from(s.quorum_up));
    for one in &s.real_servers {
        out.line(3, format_args!("------< Real server >------"));
        real_server(out, one);
    }
}

fn balancing(out: &mut Lines, s: &ServiceView) {
    out.field("lvs_sched", s.scheduler);
    out.field("Hashed", enabled(s.hashed));
    for (name, on) in &s.flags {
        out.field(name, enabled(*on));
    }
    let idle = if s.one_packet && s.protocol != "UDP" {
        " (inactive due to not UDP)"
    } else {
        ""
    };
    out.field(
        "One packet scheduling",
        format_args!("{}{idle}", enabled(s.one_packet)),
    );
    option(out, "persistence timeout", s.persistence);
    option(out, "persistence granularity", s.granularity.as_ref());
    option(out, "persistence engine", s.engine.as_ref());
    out.field("protocol", s.protocol);
}

fn retries(out: &mut Lines, timing: &TimingView) {
    option(out, "Retry count", timing.retry);
    option(out, "Retry delay", timing.retry_delay.map(seconds));
    option(out, "Warmup", timing.warmup.map(seconds));
}

fn sorry(out: &mut Lines, sorry: &SorryView) {
    let duplicate = if sorry.duplicate {
        " (duplicates rs)"
    } else {
        ""
    };
    out.field(&format!("sorry server{duplicate}"), &sorry.name);
    out.item(format_args!("forwarding method = {}", sorry.forwarding));
    out.item(format_args!("Inhibit on failure is {}", on(sorry.inhibit)));
    out.item(format_args!("set = {}", u8::from(sorry.placed)));
    out.item(format_args!("alive = {}", u8::from(sorry.serves)));
}

fn real_server(out: &mut Lines, r: &RealServerView) {
    let (configured, effective) = r.weight;
    out.line(
        3,
        format_args!(
            "RIP = {}, RPORT = {}, WEIGHT = {} EFF WEIGHT = {effective}",
            r.addr,
            r.port,
            effective.max(0)
        ),
    );
    out.field("forwarding method", &r.forwarding);
    out.line(3, format_args!("Alpha is {}", on(r.alpha)));
    out.field("connection timeout", seconds(r.timing.connect_timeout));
    let (low, high) = r.thresholds;
    out.field("connection limit range", format_args!("{low} -> {high}"));
    out.field("Delay loop", seconds(r.timing.delay_loop));
    retries(out, &r.timing);
    out.line(3, format_args!("Inhibit on failure is {}", on(r.inhibit)));
    if let Some(host) = &r.virtualhost {
        out.line(4, format_args!("VirtualHost = '{host}'"));
    }
    script(out, "RS up", r.up_script.as_ref());
    script(out, "RS down", r.down_script.as_ref());
    option(out, "SNMP name", r.snmp_name.as_ref());
    out.field("Using smtp notification", yes(r.smtp_alert));
    out.field("initial weight", configured);
    out.field("effective weight", effective);
    out.field("alive", u8::from(r.alive));
    out.field("num failed checkers", r.failed);
    out.field("RS set", u8::from(r.placed));
    if !r.files.is_empty() {
        out.line(3, format_args!("Tracked Files"));
        for (name, weight) in &r.files {
            out.item(format_args!("{name}, weight {}", factor(*weight)));
        }
    }
    if !r.sessions.is_empty() {
        out.line(3, format_args!("Tracked BFDs"));
        for name in &r.sessions {
            out.item(name);
        }
    }
}

fn option(out: &mut Lines, name: &str, value: Option<impl fmt::Display>) {
    if let Some(value) = value {
        out.field(name, value);
    }
}

fn script(out: &mut Lines, title: &str, command: Option<&CommandView>) {
    if let Some(CommandView {
        command,
        owner: (uid, gid),
    }) = command
    {
        out.field(
            &format!("{title} notify script"),
            format_args!("{command}, uid:gid {uid}:{gid}"),
        );
    }
}

fn check(out: &mut Lines, c: &CheckView) {
    out.line(1, format_args!("{} -> {}", c.virtual_server, c.real_server));
    out.field("Enabled", yes(c.enabled));
    out.field("Up", yes(c.up));
    out.field("Has run", yes(c.has_run));
    out.field("Current weight", c.weight);
    if let Some(rhythm) = &c.rhythm {
        out.field("Alpha", yes(c.alpha));
        timing(out, rhythm);
    }
    out.field("Log all failures", yes(c.log_all_failures));
    if let Some(one) = &c.connection {
        connection(out, one);
    }
    method(out, c);
}

fn timing(out: &mut Lines, r: &RhythmView) {
    out.field("Delay loop", micros(r.delay_loop));
    out.field("Warmup", micros(r.warmup));
    out.field("Retries", r.retries);
    if r.retries > 0 {
        out.field("Delay before retry", micros(r.retry_delay));
        out.field("Retries iterations", r.failed);
    }
    out.field("Default delay before retry", micros(r.default_retry_delay));
}

fn connection(out: &mut Lines, c: &ConnectionView) {
    out.line(3, format_args!("Connection"));
    let (ip, port) = (c.target.ip(), c.target.port());
    out.item(format_args!("Dest = [{ip}]:{port}"));
    if let Some((address, port)) = c.bind {
        match address {
            Some(address) => out.item(format_args!("Bind to = [{address}]:{port}")),
            None => out.item(format_args!("Bind to = []:{port}")),
        }
    }
    if let Some(interface) = &c.interface {
        out.item(format_args!("Bind i/f = {interface}"));
    }
    if c.mark != 0 {
        out.item(format_args!("Mark = {}", c.mark));
    }
    out.item(format_args!("Timeout = {}", seconds(c.timeout)));
}

fn method(out: &mut Lines, c: &CheckView) {
    const METHOD: &str = "Keepalive method";
    match &c.method {
        MethodView::Tcp => out.field(METHOD, "TCP_CHECK"),
        MethodView::Ping => out.field(METHOD, "PING_CHECK"),
        MethodView::Udp {
            payload,
            reply,
            masked,
        } => {
            out.field(METHOD, "UDP_CHECK");
            match payload {
                0 => out.field("Payload specified", "no"),
                _ => out.field("Payload len", payload),
            }
            out.field("Require reply", yes(reply.is_some()));
            if let Some((least, most, known)) = reply {
                out.item(format_args!("Min reply length = {least}"));
                out.item(format_args!("Max reply length = {most}"));
                out.item(format_args!("Reply data len = {known}"));
                if *masked {
                    out.item("Reply data mask = yes");
                }
            }
        }
        MethodView::Http(it) => http(out, it),
        MethodView::Smtp(helo) => {
            out.field(METHOD, "SMTP_CHECK");
            out.field("helo", helo);
        }
        MethodView::Dns(record, name) => {
            out.field(METHOD, "DNS_CHECK");
            out.field("Type", record);
            out.field("Name", name);
        }
        MethodView::Misc {
            command,
            timeout,
            dynamic,
            last,
        } => {
            out.field(METHOD, "MISC_CHECK");
            out.field("script", &command.command);
            out.field("timeout", timeout.as_secs());
            out.field("dynamic", if *dynamic { "YES" } else { "NO" });
            let (uid, gid) = command.owner;
            out.field("uid:gid", format_args!("{uid}:{gid}"));
            let (began, text) = (seconds(last.began), &last.text);
            out.field("Last ran", format_args!("{began} ({text})"));
            out.field("Last status", last.status);
        }
        MethodView::Bfd(session) => {
            out.field(METHOD, "BFD_CHECK");
            out.field("Name", session);
            out.line(3, format_args!("Alpha is {}", on(c.alpha)));
        }
        MethodView::File(file) => {
            out.field(METHOD, "FILE_CHECK");
            out.item(format_args!("Tracked file = {file}"));
        }
    }
}

fn http(out: &mut Lines, it: &HttpView) {
    let name = if it.tls { "SSL_GET" } else { "HTTP_GET" };
    out.line(
        3,
        format_args!("Keepalive method = {name}, http protocol {}", it.version),
    );
    option(out, "Virtualhost", it.virtualhost.as_ref());
    out.line(3, format_args!("Enable SNI {}", set(it.sni)));
    out.line(3, format_args!("Fast recovery {}", set(it.fast_recovery)));
    for one in &it.urls {
        url(out, one);
    }
    option(out, "Failed URL", it.failed.as_ref());
}

fn url(out: &mut Lines, url: &UrlView) {
    out.field("Checked url", &url.path);
    if let Some(digest) = url.digest {
        let digits: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
        out.item(format_args!("digest = {digits}"));
    }
    out.item(format_args!("tls_compliant {}", set(url.tls_compliant)));
    if !url.status.is_empty() {
        out.item("HTTP Status Code(s)");
        for (first, last) in &url.status {
            if first == last {
                out.line(7, format_args!("{first}"));
            } else {
                out.line(7, format_args!("{first}-{last}"));
            }
        }
    }
    if let Some(host) = &url.virtualhost {
        out.item(format_args!("Virtual host = {host}"));
    }
    if let Some(one) = &url.regex {
        regex(out, one);
    }
}

fn regex(out: &mut Lines, regex: &RegexView) {
    out.item(format_args!("Regex = \"{}\"", regex.pattern));
    if regex.no_match {
        out.item("Regex no match");
    }
    match (regex.min_offset, regex.max_offset) {
        (0, None) => {}
        (least, None) => out.item(format_args!("Regex min offset = {least}")),
        (least, Some(most)) => out.item(format_args!(
            "Regex min offset = {least}, max_offset = {most}"
        )),
    }
    if !regex.options.is_empty() {
        out.item(format_args!("Regex options: {}", regex.options.join(" ")));
    }
    if let Some((start, most)) = regex.stack {
        out.item(format_args!("Regex stack start {start}, max {most}"));
    }
}
