//! An example for a keyword, made of its row: the blocks around it, and a value it takes.

use rk_config::table::{Addresses, Args, Body, Context, Heading, Keyword, Value};

/// A statement with the keyword inside the blocks it belongs to; `None` for the one keyword that
/// is never accepted. Other statements of those blocks
/// are left out, so the example shows a place and a form, not a whole configuration.
#[must_use]
pub fn example(context: Context, keyword: &Keyword) -> Option<String> {
    if keyword.name == "as" {
        return None;
    }
    let mut line = format!(
        "{}{}{}",
        before(context, keyword),
        own(keyword)?,
        behind(context, keyword)
    );
    let mut inside = context;
    let mut body = Vec::new();
    while let Some((outer, how)) = home(inside) {
        match how {
            Home::Block(row) => {
                body.push(line);
                let body_lines = std::mem::take(&mut body);
                let lines = body_lines.iter().flat_map(|text| text.lines());
                let moved: Vec<String> = lines.map(|l| format!("    {l}")).collect();
                line = format!("{} {{\n{}\n}}", opening(row), moved.join("\n"));
            }
            Home::Line(prefix) => line = format!("{prefix}{line}"),
        }
        inside = outer;
    }
    Some(line)
}

/// What an entry needs before its option.
fn before(context: Context, keyword: &Keyword) -> String {
    use Context as C;
    let itself = matches!(keyword.args, Args::Grammar(_)) && stands_for_itself(keyword.name);
    if itself || keyword.name == "to" {
        return String::new();
    }
    match context {
        C::InstanceTrackInterface if keyword.name == "reverse" => "eth1 weight -20 ".to_owned(),
        C::StaticIpaddress
        | C::VirtualIpaddress
        | C::VirtualIpaddressExcluded
        | C::UnicastPeer
        | C::InstanceTrackInterface
        | C::InstanceTrackScript
        | C::InstanceTrackFile
        | C::InstanceTrackProcess
        | C::InstanceTrackBfd => format!("{} ", first_entry(context, keyword.name)),
        C::StaticRoutes | C::VirtualRoutes => match keyword.name {
            "from" | "expires" | "pref" => "2001:db8:1::/48 ".to_owned(),
            _ => "198.51.100.0/24 ".to_owned(),
        },
        C::StaticRoutesEncapIp | C::VirtualRoutesEncapIp if keyword.name != "dst" => {
            "dst 192.0.2.2 ".to_owned()
        }
        C::StaticRoutesEncapIp6 | C::VirtualRoutesEncapIp6 if keyword.name != "dst" => {
            "dst 2001:db8::2 ".to_owned()
        }
        C::StaticRules | C::VirtualRules if keyword.name != "from" => {
            "from 192.0.2.0/24 ".to_owned()
        }
        _ => String::new(),
    }
}

/// What an entry needs behind its option: a rule says what is done, and when, and what has a
/// protocol of its own is not tracked.
fn behind(context: Context, keyword: &Keyword) -> &'static str {
    match context {
        Context::StaticRoutes | Context::VirtualRoutes if keyword.name == "protocol" => {
            return " no_track";
        }
        Context::StaticRules | Context::VirtualRules => {}
        _ => return "",
    }
    match keyword.canonical() {
        "protocol" => " table 100 preference 1000 no_track",
        "track_group" => " iif eth0 table 100 preference 1000",
        "table" | "type" | "goto" | "nop" | "blackhole" | "unreachable" | "prohibit" => {
            " preference 1000"
        }
        "l3mdev" => " preference 1000",
        "preference" => " table 100",
        // What stands behind these is lost.
        "inet" | "inet6" => " - table 100 preference 1000",
        _ => " table 100 preference 1000",
    }
}

/// How a context is part of another one.
enum Home {
    /// As the block of a keyword; what stands in it begins a line.
    Block(&'static Keyword),
    /// As words behind others on one line.
    Line(String),
}

/// The context around `context`, and how it is part of that.
fn home(context: Context) -> Option<(Context, Home)> {
    use Context as C;
    // The options of a way and of a tunnel are told apart by a word of the line.
    let line = |text: &str| Home::Line(text.to_owned());
    let route = "198.51.100.0/24 ";
    match context {
        C::Top => return None,
        C::StaticRoutesNexthop => {
            return Some((C::StaticRoutes, line("198.51.100.0/24 nexthop ")));
        }
        C::VirtualRoutesNexthop => {
            return Some((C::VirtualRoutes, line("198.51.100.0/24 nexthop ")));
        }
        C::StaticRoutesEncapIp => return Some((C::StaticRoutes, encap(route, "ip"))),
        C::StaticRoutesEncapIp6 => return Some((C::StaticRoutes, encap(route, "ip6"))),
        C::StaticRoutesEncapMpls => return Some((C::StaticRoutes, encap(route, "mpls"))),
        C::StaticRoutesEncapIla => return Some((C::StaticRoutes, encap(route, "ila"))),
        C::VirtualRoutesEncapIp => return Some((C::VirtualRoutes, encap(route, "ip"))),
        C::VirtualRoutesEncapIp6 => return Some((C::VirtualRoutes, encap(route, "ip6"))),
        C::VirtualRoutesEncapMpls => return Some((C::VirtualRoutes, encap(route, "mpls"))),
        C::VirtualRoutesEncapIla => return Some((C::VirtualRoutes, encap(route, "ila"))),
        _ => {}
    }
    // Trackers stand in groups as well; the name tells which home comes first.
    let (near, far): (Vec<C>, Vec<C>) = C::ALL
        .iter()
        .partition(|outer| context.name().starts_with(outer.name()));
    for outer in near.iter().chain(&far) {
        for row in outer.keywords() {
            match row.args {
                Args::Block(_, Body::Statements(inner)) if inner == context => {
                    return Some((*outer, Home::Block(row)));
                }
                Args::Block(_, Body::Lines(inner)) if inner == context => {
                    return Some((*outer, Home::Block(row)));
                }
                Args::Inline(_, inner) if inner == context => {
                    let prefix = format!("{} {}", row.name, ahead(context));
                    return Some((*outer, Home::Line(prefix)));
                }
                _ => {}
            }
        }
    }
    None
}

fn encap(route: &str, kind: &str) -> Home {
    Home::Line(format!("{route}encap {kind} "))
}

/// What stands between the keyword of a line and its options.
fn ahead(context: Context) -> &'static str {
    match context {
        Context::LvsSyncDaemon => "eth0 ",
        Context::LbKind => "TUN ",
        _ => "",
    }
}

/// The words of the keyword itself, with what must stand before them on the line.
fn own(keyword: &Keyword) -> Option<String> {
    let name = keyword.name;
    Some(match keyword.args {
        Args::Flag => name.to_owned(),
        Args::One(value) | Args::Maybe(value) => {
            let value = sample(name, value, keyword.default);
            format!("{name} {value}")
        }
        Args::Grammar(usage) | Args::Inline(usage, _) => {
            // One row lists words, too many to stand in the table of grammars.
            if let Some(first) = usage.strip_prefix("NAME...: ") {
                let first = first.split(' ').next().unwrap_or_default();
                return Some(format!("{name} {first}"));
            }
            let (_, words) = GRAMMARS.iter().find(|(u, _)| *u == usage)?;
            if stands_for_itself(name) {
                (*words).to_owned()
            } else {
                format!("{name} {words}").trim_end().to_owned()
            }
        }
        Args::Block(_, body) => {
            let inner = match body {
                Body::Statements(_) => match name {
                    "vrrp_track_process" => "process haproxy",
                    "track_file" | "vrrp_track_file" => "file /run/keepalived/load",
                    "bfd_instance" => "neighbor_ip 192.0.2.2",
                    "vrrp_script" => "script \"/usr/local/bin/check\"",
                    _ => "...",
                },
                Body::Lines(inner) => first_entry(inner, ""),
                Body::Names => match name {
                    "notification_email" => "admin@example.org",
                    "interfaces" => "eth0 eth1",
                    _ => "web_1 web_2",
                },
            };
            format!("{} {{\n    {inner}\n}}", opening(keyword))
        }
    })
}

/// Whether the name of a row stands for words of people's own.
fn stands_for_itself(name: &str) -> bool {
    name.bytes().any(|b| b.is_ascii_uppercase()) && !name.contains('_')
}

/// The first line of a block, without its brace.
fn opening(row: &Keyword) -> String {
    let Args::Block(heading, _) = row.args else {
        return row.name.to_owned();
    };
    let name = row.name;
    match heading {
        Heading::None => name.to_owned(),
        Heading::Name(_) => format!("{name} web"),
        Heading::Service => format!("{name} 192.0.2.10 80"),
        Heading::Server => format!("{name} 198.51.100.1 80"),
    }
}

/// An entry of a block of lines, without options but for `option`.
fn first_entry(context: Context, option: &str) -> &'static str {
    use Context as C;
    match context {
        // keepalived takes no length beside a peer.
        C::StaticIpaddress | C::VirtualIpaddress | C::VirtualIpaddressExcluded
            if option == "peer" =>
        {
            "192.0.2.10"
        }
        C::StaticIpaddress | C::VirtualIpaddress | C::VirtualIpaddressExcluded => "192.0.2.10/24",
        C::StaticRoutes | C::VirtualRoutes => "198.51.100.0/24 via 192.0.2.1",
        C::StaticRules | C::VirtualRules => "from 192.0.2.0/24 table 100 preference 1000",
        C::UnicastPeer => "192.0.2.3",
        C::InstanceTrackInterface => "eth1",
        C::LinkbeatInterfaces => "eth0",
        C::InterfaceUpDownDelays => "eth0 2 5",
        C::VirtualServerGroup => "192.0.2.10 80",
        _ => "web",
    }
}

/// A value of this kind: the default if that is one.
fn sample(name: &str, value: Value, default: &str) -> String {
    let default = default.split([' ', ',', ';']).next().unwrap_or_default();
    match value {
        Value::Int { min, max, .. } => match default.parse::<i128>() {
            Ok(n) if n >= i128::from(min) && n <= i128::from(max) => n.to_string(),
            _ => between(i128::from(min), 10, i128::from(max)).to_string(),
        },
        Value::Seconds { min, max } => time(default, min, max, 1_000_000),
        Value::Millis { min, max } => time(default, min, max, 1_000),
        Value::Bool => "yes".to_owned(),
        Value::Address(which) => match which {
            Addresses::Any | Addresses::V4 => "192.0.2.1",
            Addresses::V6 => "2001:db8::1",
            Addresses::Multicast | Addresses::Multicast4 => "224.0.0.18",
            Addresses::Multicast6 => "ff02::12",
        }
        .to_owned(),
        Value::Interface => "eth0".to_owned(),
        Value::Name(_) => "web".to_owned(),
        Value::Text(_) => text(name).to_owned(),
        Value::Hex(digits) => {
            "0123456789abcdef".repeat(4)[..usize::from(digits).min(64)].to_owned()
        }
        Value::Path => match name {
            n if n.starts_with("include") => "/etc/keepalived/conf.d/*.conf".to_owned(),
            n if n.ends_with("dir") || n.ends_with("directory") => "/etc/keepalived".to_owned(),
            _ => format!("/etc/keepalived/{name}"),
        },
        Value::Command => "\"/usr/local/bin/check --quick\"".to_owned(),
        Value::CommandAs => format!("\"/usr/local/bin/{name}\" root"),
        Value::User => "nobody nogroup".to_owned(),
        Value::Word(words) | Value::WordAnyCase(words) => match words {
            [first, ..] => (*first).to_owned(),
            [] => String::new(),
        },
    }
}

fn between<T: Ord>(min: T, wanted: T, max: T) -> T {
    wanted.max(min).min(max)
}

/// A time in units of so many microseconds.
fn time(default: &str, min: u64, max: u64, unit: u64) -> String {
    let micros = match default.parse::<u64>() {
        Ok(n) if n > 0 => n.saturating_mul(unit),
        _ => unit.saturating_mul(5),
    };
    let micros = between(min, micros, max);
    format!("{}", micros as f64 / unit as f64)
}

/// A text that fits the keyword.
fn text(name: &str) -> &'static str {
    match name {
        "auth_pass" => "s3cret",
        "label" => "eth0:1",
        "path" => "/health",
        "regex" => "\"^OK\"",
        "dbus_service_name" => "org.example.Vrrp1",
        n if n.contains("process_name") => "ka-process",
        n if n.contains("host") || n.contains("helo") || n.contains("sni") || n == "name" => {
            "www.example.org"
        }
        n if n.contains("prefix") => "ha",
        _ => "web",
    }
}

/// Words for each grammar of its own.
#[rustfmt::skip]
const GRAMMARS: &[(&str, &str)] = &[
    ("(via [inet|inet6] IP | dev IFNAME | weight INT | onlink | encap ... | realms ...)...", "via 192.0.2.1 dev eth0 weight 1 nexthop via 192.0.2.2 dev eth1 weight 1"),
    ("CPU...", "0 1"),
    ("HEX (spaces allowed)", "0A 0B 0C"),
    ("IFNAME SECS(0..255) [SECS(0..255)]", "eth0 2 5"),
    ("IFNAME [MII|ETHTOOL|IOCTL]", "eth0 ETHTOOL"),
    ("IFNAME(<=15) [[inst] VRRP_NAME] [id INT] [maxlen INT] [port INT] [ttl INT] [group IP]", "eth0 inst web id 10"),
    ("INT INT", "32768 524288"),
    ("INT(-2147483647..2147483647) [reverse|noreverse]", "10"),
    ("INT(-253..253) (+/-254 reported and reduced)", "-20"),
    ("INT(-253..253) [reverse]", "-20"),
    ("INT(-254..254) [reverse]", "-20"),
    ("INT(0..255)|NAME", "0"),
    ("INT(0..4294967295) [inet|inet6]", "10"),
    ("INT(0..4294967295) seconds|forever", "forever"),
    ("INT(0..4294967295), above own priority", "40000"),
    ("INT(1..)|NAME", "100"),
    ("INT(1..255) STR|hex:HEX|file:PATH (32..64 bytes)", "1 file:/etc/keepalived/hmac.key"),
    ("INT(100..599)[-INT] ...", "200-299 404"),
    ("INT-INT", "1000-1999"),
    ("INT[/MASK] (any base)", "0x10/0xff"),
    ("INT|NAME", "100"),
    ("IP [PORT(0..65535)]", "192.0.2.10 80"),
    ("IP [PORT]", "192.0.2.9 80"),
    ("IP-N (last octet or last 16 bits) | IP-IP [PORT]", "192.0.2.10-20 80"),
    ("IP/LEN [PORT]", "192.0.2.0/28 80"),
    ("IP/LEN|default|any|all", "192.0.2.0/24"),
    ("IP4 mask | INT(1..128) for IPv6", "255.255.255.0"),
    ("IP4|+|-", "+"),
    ("IP4|IP6[/LEN]", "192.0.2.10/24"),
    ("IP6/LEN|default", "2001:db8::/32"),
    ("IP[/LEN]", "192.0.2.20/24"),
    ("IP|HOST [PORT(1..65535)]", "192.0.2.25 25"),
    ("LABEL[/LABEL] (0..1048575, at most 2)", "100/200"),
    ("MTU | ADVERT | INT(0..4294967295) (words case-insensitive)", "MTU"),
    ("NAME|PATH [ARG...]", "haproxy"),
    ("NAT|DR|TUN [type ipip|gue|gre] [port INT] [nocsum|csum|remcsum]", "DR"),
    ("OCTAL/INT | BIT[|BIT...] (I[RWX]USR, IRWXU, ...GRP, IRWXG, ...OTH, IRWXO)", "022"),
    ("PATH [USER [GROUP]]", "/run/keepalived.fifo root"),
    ("STR or \"Display <addr>\"", "\"Router 1 <router1@example.org>\""),
    ("XX:XX:XX:XX:XX[:XX]", "02:00:5e:00:01:0a"),
    ("XXXX:XXXX:XXXX:XXXX (hex)", "2001:db8:0:1"),
    ("[HEX with x wildcards]", "0A xx"),
    ("[INT(sensible -254..254)] [overwrite]", "0 overwrite"),
    ("[IN_CHAIN [OUT_CHAIN]]", "INPUT OUTPUT"),
    ("[REALM/]REALM", "10/20"),
    ("[REALM/]REALM, each 0..255 or name", "10/20"),
    ("[SET [SET6 [SET_IF6 [SET_IGMP [SET_MLD [SET_ND]]]]]]", "keepalived"),
    ("[TYPE] DEST", "198.51.100.0/24"),
    ("[[+|-]read|match|wildcard_match|brace_match]...", "+read +match"),
    ("[[name] IFNAME] [IP[/LEN]] [bridge|private|vepa] [group GROUP]", "192.0.2.20/24 bridge"),
    ("[[name] IFNAME] [MAC(5 or 6 octets)] [group GROUP] [netlink_notify_msg]", "vrrp.10"),
    ("[all] INT(0..86400) seconds", "all 60"),
    ("[all] INT(1..86400) seconds", "all 60"),
    ("[inet|inet6] IP", "192.0.2.1"),
    ("[initial|partial]", "initial"),
    ("[lock] INT(0..4294967295)", "1400"),
    ("[lock] NAME", "cubic"),
    ("[lock] NUM[ms|s|sec|secs], 200 ms..120 s", "300ms"),
    ("[tcp INT] [tcpfin INT] [udp INT], each 0..2678400 s", "tcp 900 tcpfin 120 udp 300"),
    ("[to] IP", "192.0.2.1"),
    ("[to] [TYPE] IP/LEN|default|any|all|default6", "198.51.100.0/24"),
    ("as lb_kind", "DR"),
    ("blackhole|unreachable|prohibit|goto INT|nop", "blackhole"),
    ("ip|ip6|mpls|ila OPTIONS", "mpls 100"),
    ("low|medium|high|INT(0..255)", "high"),
    ("see encap contexts", "mpls 100"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_has_an_example() {
        let mut missing = Vec::new();
        for context in Context::ALL {
            for keyword in context.keywords() {
                if keyword.name != "as" && example(*context, keyword).is_none() {
                    let row = format!(
                        "    ({:?}, \"\"), // {} {}",
                        keyword.usage(),
                        context.name(),
                        keyword.name
                    );
                    missing.push(row);
                }
            }
        }
        missing.sort();
        missing.dedup_by(|a, b| a.split("//").next() == b.split("//").next());
        assert!(missing.is_empty(), "{}", missing.join("\n"));
    }
}
