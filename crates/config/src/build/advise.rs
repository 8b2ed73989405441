//! What to write instead of a word that cannot be used, where it can be told from the word.

use std::collections::HashMap;
use std::net::IpAddr;

use super::check;
use crate::diagnostic::Diagnostic;
use crate::table::{Addresses, Context, nearest};
use crate::tree::Statement;

/// `text` is none of `words`: tells which one is meant, or all of them.
pub(crate) fn one_of(text: &str, words: &[&str], d: Diagnostic) -> Diagnostic {
    match nearest(text, words.iter().copied()) {
        Some(hint) => d.instead(hint),
        None => d.help(format!("write {}", listed(words))),
    }
}

/// The name that `name` may be meant for. Tens of thousands of generated ones are not searched:
/// every name that is wrong would be compared with each.
pub(crate) fn nearest_name<'a, V, S>(
    name: &str,
    names: &'a HashMap<String, V, S>,
) -> Option<&'a str> {
    const SEARCHED: usize = 1_000;
    let names = (names.len() <= SEARCHED).then(|| names.keys().map(String::as_str));
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
    if text.contains([',', ';']) {
        return d.help("put each entry on a line of its own, without commas");
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

/// What to do about a word that is no number.
pub(crate) fn invalid(text: &str, d: Diagnostic) -> Diagnostic {
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
        return d
            .help(format!(
                "numbers have no unit: write {amount}, if that is what {text} means here"
            ))
            .instead(amount);
    }
    if number(amount) && matches!(unit, ";" | "," | ":") {
        return d
            .help(format!("nothing ends a line but its end: write {amount}"))
            .instead(amount);
    }
    if text.starts_with('$') {
        return d.help(format!("no definition {text} was read before this line"));
    }
    if text.starts_with('<') || text.contains("--") || text.starts_with('{') {
        return d.help("this looks like a placeholder of a template: put the number there");
    }
    let behind = text.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '=');
    if number(behind) {
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
