//! What to write instead of a word that cannot be used, where it can be told from the word.

use std::collections::HashMap;
use std::net::IpAddr;

use super::check;
use crate::diagnostic::Diagnostic;
use crate::table::{Addresses, Context, nearest};
use crate::tree::Statement;

/// `text` is none of `words`: tells which one is meant, or all of them.
pub(crate) fn one_of(text: &str, words: &[&str], d: Diagnostic) -> Diagnostic {
    if let Some(meant) = synonym(text).filter(|meant| words.contains(meant)) {
        return d
            .help(format!("`{meant}` is what does that here"))
            .instead(meant);
    }
    match nearest(text, words.iter().copied()) {
        Some(hint) => d.instead(hint),
        None => d.help(format!("write {}", listed(words))),
    }
}

/// The word for what other load balancers, and ipvsadm, call otherwise.
pub(crate) fn synonym(text: &str) -> Option<&'static str> {
    const SYNONYMS: &[(&str, &str)] = &[
        ("roundrobin", "rr"),
        ("round_robin", "rr"),
        ("static_rr", "rr"),
        ("random", "rr"),
        ("weighted", "wrr"),
        ("weighted_round_robin", "wrr"),
        ("leastconn", "lc"),
        ("least_conn", "lc"),
        ("least_connection", "lc"),
        ("least_connections", "lc"),
        ("weighted_least_conn", "wlc"),
        ("source", "sh"),
        ("ip_hash", "sh"),
        ("iphash", "sh"),
        ("hash", "sh"),
        ("maglev", "mh"),
        ("masq", "NAT"),
        ("masquerade", "NAT"),
        ("masquerading", "NAT"),
        ("nat", "NAT"),
        ("snat", "NAT"),
        ("dnat", "NAT"),
        ("dr", "DR"),
        ("dsr", "DR"),
        ("gate", "DR"),
        ("gatewaying", "DR"),
        ("direct", "DR"),
        ("direct_routing", "DR"),
        ("route", "DR"),
        ("tun", "TUN"),
        ("tunnel", "TUN"),
        ("ipip", "TUN"),
        ("http", "TCP"),
        ("https", "TCP"),
        ("tcp4", "TCP"),
        ("tcp6", "TCP"),
    ];
    let plain = text.to_ascii_lowercase().replace('-', "_");
    let found = SYNONYMS.iter().find(|(word, _)| *word == plain);
    found.map(|(_, meant)| *meant)
}

/// The name that `name` may be meant for. Tens of thousands of generated ones are not searched:
/// every name that is wrong would be compared with each.
pub(crate) fn nearest_name<'a, K: AsRef<str>, V, S>(
    name: &str,
    names: &'a HashMap<K, V, S>,
) -> Option<&'a str> {
    const SEARCHED: usize = 1_000;
    let names = (names.len() <= SEARCHED).then(|| names.keys().map(AsRef::as_ref));
    nearest(name, names.into_iter().flatten())
}

/// `a, b or c`.
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// What to do about a word at the beginning of an entry that should be an address `such_as` this
/// one, and is none.
pub(crate) fn entry(text: &str, such_as: &str, d: Diagnostic) -> Diagnostic {
    let octets: Vec<&str> = text.split('/').next().unwrap_or("").split('.').collect();
    let numbers = octets.iter().all(|o| o.bytes().all(|b| b.is_ascii_digit()));
    if text.starts_with('$') {
        return d.help(format!("no definition {text} was read before this line"));
    }
    if text == "-" || text == "*" {
        return d.help(format!(
            "lists have no dashes here: the line begins with {such_as}"
        ));
    }
    if text.contains([',', ';']) {
        return d.help("put each entry on a line of its own, without commas");
    }
    let bare = text.trim_matches([
        '[', ']', '(', ')', '\'', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}',
    ]);
    let bare = bare.replace("]/", "/");
    if bare != text && bare.parse::<rk_base::Prefix>().is_ok() {
        return d
            .help(format!("nothing stands around an address: write {bare}"))
            .instead(&bare);
    }
    if let Some((ip, port)) = text.rsplit_once(':')
        && ip.parse::<std::net::Ipv4Addr>().is_ok()
        && port.parse::<u16>().is_ok()
    {
        let help = format!(
            "an address here has no port: write {ip}; ports are those of virtual_server and \
             real_server"
        );
        return d.help(help).instead(ip);
    }
    if let Some((ip, len)) = text.split_once(['\\', '|', ':'])
        && ip.parse::<std::net::Ipv4Addr>().is_ok()
        && len.parse::<u8>().is_ok_and(|len| len <= 32)
    {
        return d
            .help(format!(
                "the length of the prefix stands behind a slash: {ip}/{len}"
            ))
            .instead(&format!("{ip}/{len}"));
    }
    if let Some((first, last)) = text.split_once('-')
        && first.parse::<IpAddr>().is_ok()
        && last.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    {
        return d
            .help("ranges are for virtual_server_group: write each address on a line of its own");
    }
    if text.contains(['<', '>', '{', '%']) || octets.len() == 4 && !numbers {
        return d.help("this looks like a placeholder of a template: put the address there");
    }
    if numbers && octets.len() > 1 {
        return d.help("an IPv4 address has four numbers from 0 to 255, as in 192.0.2.10");
    }
    if Context::VirtualIpaddress.find(text).is_some() {
        return d.help("the address comes first, then its options: 192.0.2.10/24 dev eth0");
    }
    d.help(format!(
        "write an address such as {such_as}; names are not looked up"
    ))
}

/// What to do about word `n` of a line, which is no option of `context`.
pub(crate) fn option(line: &Statement, n: usize, context: Context, d: Diagnostic) -> Diagnostic {
    let odd = |word: &str| {
        let value =
            word.parse::<rk_base::Prefix>().is_ok() || matches!(word, "default" | "any" | "all");
        context.find(word).is_none() && !value
    };
    match context.nearest(line.word(n).unwrap_or("")) {
        Some(hint) => d.instead(hint),
        // The value of an option that is misspelt.
        None if n > 0 && line.word(n - 1).is_some_and(odd) => {
            d.help("mend the word ahead of this one first: this may be its value")
        }
        None => d,
    }
}

/// The length of a prefix that is written as a netmask.
pub(crate) fn netmask_len(text: &str) -> Option<u32> {
    let mask: std::net::Ipv4Addr = text.parse().ok()?;
    let bits = u32::from(mask);
    (bits.leading_ones() + bits.trailing_zeros() == 32).then(|| bits.leading_ones())
}

/// The boolean that another word for one stands for.
pub(crate) fn boolean_meant(text: &str) -> Option<&'static str> {
    const MEANT: &[(&str, &str)] = &[
        ("true", "true"),
        ("false", "false"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("1", "yes"),
        ("0", "no"),
        ("y", "yes"),
        ("n", "no"),
        ("enable", "on"),
        ("enabled", "on"),
        ("disable", "off"),
        ("disabled", "off"),
    ];
    let found = MEANT
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, meant)| *meant)
}

/// What to do about a word that is no address.
pub(crate) fn address(text: &str, which: Addresses, d: Diagnostic) -> Diagnostic {
    if d.help.is_some() {
        return d;
    }
    if let Some((ip, _)) = text.split_once('/')
        && check::address(ip, which).is_ok()
    {
        let help = format!("no prefix length belongs here: write {ip}");
        return d.help(help).instead(ip);
    }
    d.help(match which {
        Addresses::Any => {
            "write an address such as 192.0.2.1 or 2001:db8::1; names are not looked up"
        }
        Addresses::V4 => "write an IPv4 address such as 192.0.2.1",
        Addresses::V6 => "write an IPv6 address such as 2001:db8::1",
        Addresses::Multicast => "write a multicast group such as 224.0.0.18 or ff02::12",
        Addresses::Multicast4 => "write an IPv4 multicast group such as 224.0.0.18",
        Addresses::Multicast6 => "write an IPv6 multicast group such as ff02::12",
    })
}

/// What a time with a unit is in seconds, or in milliseconds if those are what counts: `5m` is
/// `300`.
fn time(amount: &str, unit: &str, millis: bool) -> Option<String> {
    let micros: u64 = match unit.to_ascii_lowercase().as_str() {
        "us" => 1,
        "ms" | "msec" | "msecs" | "milliseconds" => 1_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000,
        "h" | "hour" | "hours" => 3_600_000_000,
        "d" | "day" | "days" => 86_400_000_000,
        _ => return None,
    };
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    if part.len() > 6 {
        return None;
    }
    let scaled: u64 = format!("{whole}{part:0<6}").parse().ok()?;
    let micros = scaled.checked_mul(micros)? / 1_000_000;
    let counted = if millis { 1_000 } else { 1_000_000 };
    let digits = if millis { 3 } else { 6 };
    let text = format!("{}.{:0digits$}", micros / counted, micros % counted);
    Some(without_zeros(&text).to_owned())
}

/// What to do about a word that is no number; `unit` is what the numbers here count, if that is
/// known.
pub(crate) fn invalid(text: &str, unit_here: &str, d: Diagnostic) -> Diagnostic {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let number = |t: &str| digits(&t.replacen('.', "", 1));
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
        && let Ok(n) = u64::from_str_radix(hex, 16)
    {
        return d.help(format!("numbers are decimal here: write {n}"));
    }
    let looks: String = text
        .chars()
        .map(|c| match c {
            'O' | 'o' => '0',
            'l' | 'I' => '1',
            c => c,
        })
        .collect();
    if digits(&looks) && text.bytes().any(|b| b.is_ascii_digit()) {
        let help = format!("there is a letter in `{text}` that looks like a digit: write {looks}");
        return d.help(help).instead(&looks);
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let amount = &text[..text.len() - unit.len()];
    if number(amount)
        && unit.chars().all(|c| c.is_ascii_alphabetic() || c == '%')
        && !unit.is_empty()
    {
        let millis = unit_here.contains("milli");
        let Some(meant) = time(amount, unit, millis) else {
            return d
                .help(format!(
                    "numbers have no unit: write {amount}, if that is what {text} means here"
                ))
                .instead(amount);
        };
        let counted = if millis { "milliseconds" } else { "seconds" };
        let d = d.help(format!(
            "a time is a number of {counted}, without a unit: {text} is {meant}"
        ));
        let fits = !meant.contains('.') || !unit_here.is_empty();
        return if fits { d.instead(&meant) } else { d };
    }
    if number(amount) && matches!(unit, ";" | "," | ":") {
        return d
            .help(format!("nothing ends a line but its end: write {amount}"))
            .instead(amount);
    }
    if text.starts_with('$') {
        return d.help(format!("no definition {text} was read before this line"));
    }
    if let Some(rest) = text.strip_prefix(['\u{2013}', '\u{2014}', '\u{2212}'])
        && number(rest)
    {
        return d
            .help(format!("this is a dash, not a minus sign: write -{rest}"))
            .instead(&format!("-{rest}"));
    }
    if text.starts_with('<') || text.contains("--") || text.starts_with('{') {
        return d.help("this looks like a placeholder of a template: put the number there");
    }
    let behind = text.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '=');
    if number(behind) && behind != text {
        return d.help(format!("write {behind}")).instead(behind);
    }
    if text == "=" {
        return d.help("keyword and value stand apart, without the `=`");
    }
    d.help(if number(text) {
        "write a whole number"
    } else {
        "write a number"
    })
}

/// `0.010000` as `0.01`.
pub(crate) fn without_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}
