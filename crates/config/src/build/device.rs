//! `use_vmac` and `use_ipvlan`.

use rk_base::{Prefix, Vrid};

use super::instance::RawInstance;
use super::{At, Build, Stop, check};
use crate::code;
use crate::diagnostic::Class;
use crate::model::{Ipvlan, IpvlanMode, Vmac};
use crate::source::NameTable;
use crate::tree::Statement;

impl Build<'_> {
    pub(super) fn use_vmac(
        &mut self,
        statement: &Statement,
        raw: &mut RawInstance,
    ) -> Result<(), Stop> {
        let mut vmac = Vmac::default();
        let mut n = 1;
        while let Some(word) = statement.word(n) {
            if self.device_word(word, statement, &mut n, &mut vmac.name, &mut vmac.group)? {
                continue;
            }
            if word == "netlink_notify_msg" {
                vmac.netlink_notify_msg = true;
            } else if word.contains(':') {
                vmac.mac = mac(word, raw.vrid.map_or(0, Vrid::get));
                if vmac.mac.is_none() {
                    let text = format!("({}) invalid MAC address '{word}' - ignoring", raw.name);
                    self.report_at(code::VMAC, Class::General, text, statement, n);
                }
            } else if is_interface_name(word) {
                vmac.name = Some(word.to_owned());
            } else {
                let text = format!("({}) '{word}' is no VMAC name - ignoring", raw.name);
                self.report_at(code::VMAC, Class::General, text, statement, n);
            }
            n += 1;
        }
        raw.use_vmac = Some((vmac, At::of(statement, 0)));
        Ok(())
    }

    pub(super) fn use_ipvlan(
        &mut self,
        statement: &Statement,
        raw: &mut RawInstance,
    ) -> Result<(), Stop> {
        let mut ipvlan = Ipvlan::default();
        let mut moded = false;
        let mut n = 1;
        while let Some(word) = statement.word(n) {
            if self.device_word(word, statement, &mut n, &mut ipvlan.name, &mut ipvlan.group)? {
                continue;
            }
            let mode = match word {
                "bridge" => Some(IpvlanMode::Bridge),
                "private" => Some(IpvlanMode::Private),
                "vepa" => Some(IpvlanMode::Vepa),
                _ => None,
            };
            let again = if let Some(mode) = mode {
                if !moded {
                    ipvlan.mode = mode;
                }
                std::mem::replace(&mut moded, true)
            } else if let Ok(prefix) = word.parse::<Prefix>() {
                let again = ipvlan.address.is_some();
                ipvlan.address = ipvlan.address.or(Some(prefix));
                again
            } else if is_interface_name(word) {
                ipvlan.name = Some(word.to_owned());
                false
            } else {
                true
            };
            if again {
                let text = format!(
                    "({}) use_ipvlan '{word}' cannot be used - ignoring",
                    raw.name
                );
                self.report_at(code::VMAC, Class::General, text, statement, n);
            }
            n += 1;
        }
        raw.use_ipvlan = Some((ipvlan, At::of(statement, 0)));
        Ok(())
    }

    /// `name NAME` and `group GROUP` of a VMAC or ipvlan.
    fn device_word(
        &mut self,
        word: &str,
        statement: &Statement,
        n: &mut usize,
        name: &mut Option<String>,
        group: &mut Option<u32>,
    ) -> Result<bool, Stop> {
        if !matches!(word, "name" | "group") {
            return Ok(false);
        }
        let Some(value) = statement.word(*n + 1) else {
            return Err(check::stop(statement, *n + 1, None, self.report()));
        };
        if word == "name" {
            if is_interface_name(value) {
                *name = Some(value.to_owned());
            } else {
                let text = format!("'{value}' is no interface name - ignoring");
                self.report_at(code::VMAC, Class::General, text, statement, *n + 1);
            }
        } else {
            *group = self.named_number(NameTable::Group, value, u64::from(u32::MAX));
            if group.is_none() {
                let text = format!("interface group '{value}' is not known - ignoring");
                self.report_at(code::VMAC, Class::General, text, statement, *n + 1);
            }
        }
        *n += 2;
        Ok(true)
    }
}

pub(super) fn is_interface_name(text: &str) -> bool {
    (1..=15).contains(&text.len()) && !text.contains(['/', ' ', ':'])
}

/// Five or six octets; the VRID is the sixth. Neither a group address nor one of VRRP's own.
fn mac(text: &str, vrid: u8) -> Option<[u8; 6]> {
    let mut octets = [0, 0, 0, 0, 0, vrid];
    let mut count = 0;
    for part in text.split(':') {
        if part.is_empty() || part.len() > 2 {
            return None;
        }
        *octets.get_mut(count)? = u8::from_str_radix(part, 16).ok()?;
        count += 1;
    }
    let own = octets[..4] == [0, 0, 0x5e, 0] && matches!(octets[4], 1 | 2);
    (count >= 5 && octets[0] & 1 == 0 && !own).then_some(octets)
}
