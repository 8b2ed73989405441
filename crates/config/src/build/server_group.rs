//! `virtual_server_group`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rk_base::{Family, Prefix};

use super::{Build, Stop, check};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{GroupEntry, GroupTarget, VirtualServerGroup};
use crate::table::Value;
use crate::tree::Statement;

impl Build<'_> {
    pub(super) fn virtual_server_group(
        &mut self,
        heading: &Statement,
        lines: &[Statement],
    ) -> Result<(), Stop> {
        let name = heading.word(1).unwrap_or("").to_owned();
        let mut entries = Vec::new();
        for line in lines {
            let target = if line.keyword() == "fwmark" {
                self.group_mark(line, &name)?
            } else {
                self.group_addresses(line)
            };
            entries.extend(target.map(|target| GroupEntry {
                target,
                origin: self.origin(line),
            }));
        }
        if entries.is_empty() {
            let text = format!("virtual server group {name} has no entries - removing");
            self.report_at_end(code::SERVER_GROUP, Class::General, text, heading, 1);
            return Ok(());
        }
        let has = |family| {
            let of = |t: GroupTarget| t.port().is_some() && t.family() == Some(family);
            entries.iter().any(|e| of(e.target))
        };
        let vague = entries.iter().any(|e| e.target.family().is_none());
        if vague && has(Family::V4) && has(Family::V6) {
            let text = format!(
                "virtual server group {name} cannot have IPv4, IPv6 and fwmark without family - \
                 removing"
            );
            let d = Diagnostic::error(code::SERVER_GROUP, Class::General, text)
                .help("write fwmark N inet, or fwmark N inet6");
            self.session.report.push(heading.point_at_end_of(d, 1));
            return Ok(());
        }
        if self.lvs.groups.contains_key(&name) {
            let text = format!("virtual server group {name} already defined");
            let d = Diagnostic::warning(code::DUPLICATE, Class::Ok, text)
                .help("the first one holds; nothing uses this one");
            self.session.report.push(heading.point(d, 1));
            return Ok(());
        }
        let group = VirtualServerGroup {
            name: name.as_str().into(),
            entries,
            origin: self.origin(heading),
        };
        let place = self.config.virtual_server_groups.len();
        self.lvs.groups.insert(name, place);
        self.config.virtual_server_groups.push(group);
        Ok(())
    }

    fn group_mark(&mut self, line: &Statement, name: &str) -> Result<Option<GroupTarget>, Stop> {
        if line.word(1).is_none() {
            let usage = Some("INT [inet|inet6]");
            return Err(check::stop(line, 1, usage, self.report()));
        }
        let marks = Value::Int {
            min: 0,
            max: u64::from(u32::MAX),
            any_base: false,
        };
        let mark = check::word(marks, line, 1, self.lenient, &mut self.session.report);
        let family = match line.word(2) {
            None => None,
            Some("inet") => Some(Family::V4),
            Some("inet6") => Some(Family::V6),
            Some(other) => {
                let shown = line.word(1).unwrap_or("");
                let text = format!("({name}): fwmark '{shown}' family {other} unknown - ignoring");
                self.report_at(code::UNKNOWN_WORD, Class::General, text, line, 2);
                return Ok(None);
            }
        };
        let mark = mark.and_then(|m| m.int());
        Ok(mark.map(|mark| GroupTarget::Fwmark { mark, family }))
    }

    fn group_addresses(&mut self, line: &Statement) -> Option<GroupTarget> {
        let target = group_entry(line.keyword(), line.word(1));
        if target.is_none() {
            let port = line
                .word(1)
                .map(|p| format!("/port/{p}"))
                .unwrap_or_default();
            let text = format!(
                "Invalid virtual server group IP address {} {port} - skipping",
                line.keyword()
            );
            let d = Diagnostic::error(code::SERVER_GROUP, Class::General, text);
            let joined = line.keyword().rsplit_once(':').filter(|(ip, port)| {
                ip.parse::<std::net::Ipv4Addr>().is_ok() && port.parse::<u16>().is_ok()
            });
            let d = match joined {
                Some((ip, port)) => d.help(format!("the port stands apart: write {ip} {port}")),
                None => {
                    d.help("write IP PORT, IP-N PORT, IP-IP PORT, NETWORK/LEN PORT or fwmark N")
                }
            };
            self.session.report.push(line.point(d, 0));
        }
        target
    }
}

/// The addresses of `IP`, `IP-N`, `IP-IP` or `IP/LEN`, with a port that is one.
fn group_entry(text: &str, port: Option<&str>) -> Option<GroupTarget> {
    let port = match port {
        Some(port) => port.parse::<u16>().ok()?,
        None => 0,
    };
    let (first, last) = if let Ok(ip) = text.parse::<IpAddr>() {
        (ip, ip)
    } else if text.contains('/') {
        network(text.parse().ok()?)?
    } else {
        let (from, to) = text.split_once('-')?;
        let from: IpAddr = from.parse().ok()?;
        (from, range_end(from, to)?)
    };
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
            Some(GroupTarget::V4 { first, last, port })
        }
        (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
            Some(GroupTarget::V6 { first, last, port })
        }
        _ => None,
    }
}

/// The first and the last address of a network, whose address must have no host bits.
fn network(prefix: Prefix) -> Option<(IpAddr, IpAddr)> {
    match prefix.addr() {
        IpAddr::V4(ip) => {
            let host = u32::MAX.checked_shr(u32::from(prefix.len())).unwrap_or(0);
            let bits = u32::from(ip);
            (bits & host == 0).then(|| (ip.into(), Ipv4Addr::from(bits | host).into()))
        }
        IpAddr::V6(ip) => {
            let host = u128::MAX.checked_shr(u32::from(prefix.len())).unwrap_or(0);
            let bits = u128::from(ip);
            (bits & host == 0).then(|| (ip.into(), Ipv6Addr::from(bits | host).into()))
        }
    }
}

/// What stands behind the dash: an address, the last octet, or the last 16 bits.
fn range_end(from: IpAddr, to: &str) -> Option<IpAddr> {
    if let Ok(ip) = to.parse() {
        return Some(ip);
    }
    match from {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            Some(Ipv4Addr::new(a, b, c, to.parse().ok()?).into())
        }
        IpAddr::V6(ip) => {
            let mut segments = ip.segments();
            segments[7] = u16::from_str_radix(to, 16).ok()?;
            Some(Ipv6Addr::from(segments).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, port: Option<&str>) -> Option<String> {
        group_entry(text, port).map(|target| match target {
            GroupTarget::V4 { first, last, port } => format!("{first} {last} {port}"),
            GroupTarget::V6 { first, last, port } => format!("{first} {last} {port}"),
            GroupTarget::Fwmark { mark, .. } => format!("{mark}"),
        })
    }

    #[test]
    fn group_entries() {
        for (text, port, want) in [
            ("192.0.2.1", Some("80"), Some("192.0.2.1 192.0.2.1 80")),
            ("192.0.2.1", None, Some("192.0.2.1 192.0.2.1 0")),
            ("192.0.2.1", Some("x"), None),
            ("300.1.1.1", Some("80"), None),
            (
                "192.0.2.10-20",
                Some("80"),
                Some("192.0.2.10 192.0.2.20 80"),
            ),
            ("192.0.2.20-10", Some("80"), None),
            ("192.0.2.20-256", Some("80"), None),
            (
                "192.0.2.10-192.0.3.20",
                None,
                Some("192.0.2.10 192.0.3.20 0"),
            ),
            ("192.0.2.10-2001:db8::1", None, None),
            ("2001:db8::1-f", None, Some("2001:db8::1 2001:db8::f 0")),
            (
                "192.0.2.64/28",
                Some("80"),
                Some("192.0.2.64 192.0.2.79 80"),
            ),
            (
                "192.0.2.64/32",
                Some("80"),
                Some("192.0.2.64 192.0.2.64 80"),
            ),
            ("192.0.2.65/28", Some("80"), None),
            (
                "2001:db8::/112",
                Some("80"),
                Some("2001:db8:: 2001:db8::ffff 80"),
            ),
            ("protocol", Some("TCP"), None),
        ] {
            assert_eq!(shown(text, port).as_deref(), want, "{text}");
        }
    }
}
