//! `virtual_server_group`.

use std::net::IpAddr;

use rk_base::{Family, Prefix};

use super::lvs::Group;
use super::{Build, Stop, check};
use crate::code;
use crate::diagnostic::Class;
use crate::table::Value;
use crate::tree::Statement;

impl Build<'_> {
    pub(super) fn virtual_server_group(
        &mut self,
        heading: &Statement,
        lines: &[Statement],
    ) -> Result<(), Stop> {
        let name = heading.word(1).unwrap_or("").to_owned();
        let mut group = Group::default();
        let mut entries = 0;
        for line in lines {
            if line.keyword() == "fwmark" {
                let Some(_) = line.word(1) else {
                    return Err(check::stop(
                        line,
                        1,
                        Some("INT [inet|inet6]"),
                        self.report(),
                    ));
                };
                let marks = Value::Int {
                    min: 0,
                    max: u64::from(u32::MAX),
                    any_base: false,
                };
                let mark = check::word(marks, line, 1, self.lenient, &mut self.session.report);
                match line.word(2) {
                    None | Some("inet" | "inet6") if mark.is_some() => {
                        entries += 1;
                        group.marks += 1;
                        group.marks6 += usize::from(line.word(2) == Some("inet6"));
                    }
                    None | Some("inet" | "inet6") => {}
                    Some(other) => {
                        let text = format!("unknown address family {other}");
                        self.report_at(code::UNKNOWN_WORD, Class::General, text, line, 2);
                    }
                }
                continue;
            }
            match group_entry(line.keyword(), line.word(1)) {
                Some(_) => {
                    entries += 1;
                    group.addresses += 1;
                }
                None => {
                    let port = line
                        .word(1)
                        .map(|p| format!("/port/{p}"))
                        .unwrap_or_default();
                    let text = format!(
                        "Invalid virtual server group IP address {} {port} - skipping",
                        line.keyword()
                    );
                    self.report_at(code::SERVER, Class::General, text, line, 0);
                }
            }
        }
        if entries == 0 {
            let text = format!("virtual server group {name} has no entries - removing");
            self.report_at_end(code::SERVER, Class::General, text, heading, 1);
            return Ok(());
        }
        self.lvs.groups.insert(name, group);
        Ok(())
    }
}

/// The family of `IP`, `IP-N`, `IP-IP` or `IP/LEN`, with a port that is one.
fn group_entry(text: &str, port: Option<&str>) -> Option<Family> {
    if let Some(port) = port {
        port.parse::<u16>().ok()?;
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(Family::of(ip));
    }
    if text.contains('/') {
        let prefix: Prefix = text.parse().ok()?;
        let host_bits = match prefix.addr() {
            IpAddr::V4(ip) if prefix.len() < 32 => {
                u128::from(u32::from(ip) & (u32::MAX >> prefix.len()))
            }
            IpAddr::V6(ip) if prefix.len() < 128 => u128::from(ip) & (u128::MAX >> prefix.len()),
            _ => 0,
        };
        return (host_bits == 0).then(|| prefix.family());
    }
    let (from, to) = text.split_once('-')?;
    let from: IpAddr = from.parse().ok()?;
    let above = match (from, to.parse::<IpAddr>()) {
        (from, Ok(to)) => Family::of(from) == Family::of(to) && to >= from,
        (IpAddr::V4(ip), Err(_)) => to.parse::<u8>().is_ok_and(|n| n >= ip.octets()[3]),
        (IpAddr::V6(ip), Err(_)) => {
            u16::from_str_radix(to, 16).is_ok_and(|n| n >= ip.segments()[7])
        }
    };
    above.then(|| Family::of(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_entries() {
        for (text, port, fits) in [
            ("192.0.2.1", Some("80"), true),
            ("192.0.2.1", Some("x"), false),
            ("300.1.1.1", Some("80"), false),
            ("192.0.2.10-20", Some("80"), true),
            ("192.0.2.20-10", Some("80"), false),
            ("192.0.2.10-192.0.2.20", None, true),
            ("2001:db8::1-f", None, true),
            ("192.0.2.64/28", Some("80"), true),
            ("192.0.2.65/28", Some("80"), false),
            ("protocol", Some("TCP"), false),
        ] {
            assert_eq!(group_entry(text, port).is_some(), fits, "{text}");
        }
    }
}
