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
    /// Several statements add up; what was said first holds.
    pub(super) fn use_vmac(
        &mut self,
        statement: &Statement,
        raw: &mut RawInstance,
    ) -> Result<(), Stop> {
        let (mut vmac, at) = raw
            .use_vmac
            .take()
            .unwrap_or_else(|| (Vmac::default(), At::of(statement, 0)));
        let mut n = 1;
        while let Some(word) = statement.word(n) {
            let mut name = None;
            let at = n;
            if self.device_word(word, statement, &mut n, &mut name, &mut vmac.group)? {
                if let Some(name) = name {
                    self.vmac_name(name, statement, at + 1, &raw.name, &mut vmac);
                }
                continue;
            }
            if word == "netlink_notify_msg" {
                vmac.netlink_notify_msg = true;
            } else if word.contains(':') {
                if vmac.mac.is_some() {
                    let text = "VMAC interface address already specified";
                    self.report_at(code::REPEATED, Class::General, text, statement, n);
                } else {
                    vmac.mac = mac(word, raw.vrid.map_or(0, Vrid::get));
                    if vmac.mac.is_none() {
                        let text =
                            format!("({}) invalid MAC address '{word}' - ignoring", raw.name);
                        self.report_at(code::VMAC, Class::General, text, statement, n);
                    }
                }
            } else if is_interface_name(word) {
                self.vmac_name(word.to_owned(), statement, n, &raw.name, &mut vmac);
            } else {
                let text = format!("({}) '{word}' is no VMAC name - ignoring", raw.name);
                self.report_at(code::VMAC, Class::General, text, statement, n);
            }
            n += 1;
        }
        raw.use_vmac = Some((vmac, at));
        Ok(())
    }

    /// The name of a VMAC, unless there is one already, or an interface of another kind has it.
    fn vmac_name(
        &mut self,
        name: String,
        statement: &Statement,
        n: usize,
        instance: &str,
        vmac: &mut Vmac,
    ) {
        if vmac.name.is_some() {
            let text = "VMAC interface name already specified";
            self.report_at(code::REPEATED, Class::General, text, statement, n);
        } else if self.is_taken(&name, "macvlan") {
            let text = format!(
                "({instance}) interface {name} already exists and is not a private macvlan; \
                 ignoring vmac if_name"
            );
            self.report_at(code::VMAC, Class::General, text, statement, n);
        } else {
            vmac.name = Some(name);
        }
    }

    /// Whether an interface has this name and is not one that could be ours.
    fn is_taken(&self, name: &str, kind: &str) -> bool {
        let host = self.host;
        let names = self
            .names
            .get_or_init(|| host.interface_names().into_iter().collect());
        let found = |kind: &str| host.interface_kind(name).is_some_and(|found| found != kind);
        names.contains(name) && found(kind)
    }

    pub(super) fn use_ipvlan(
        &mut self,
        statement: &Statement,
        raw: &mut RawInstance,
    ) -> Result<(), Stop> {
        let instance = raw.name.clone();
        if raw.use_ipvlan.is_some() {
            let text = format!("({instance}) use_ipvlan already specified");
            self.report_at(code::REPEATED, Class::General, text, statement, 0);
            return Ok(());
        }
        let mut ipvlan = Ipvlan::default();
        let mut moded = false;
        let mut n = 1;
        while let Some(word) = statement.word(n) {
            let mut name = None;
            let at = n;
            if self.device_word(word, statement, &mut n, &mut name, &mut ipvlan.group)? {
                if let Some(name) = name {
                    self.ipvlan_name(name, statement, at + 1, &instance, &mut ipvlan);
                }
                continue;
            }
            let mode = match word {
                "bridge" => Some(IpvlanMode::Bridge),
                "private" => Some(IpvlanMode::Private),
                "vepa" => Some(IpvlanMode::Vepa),
                _ => None,
            };
            let problem = if let Some(mode) = mode {
                if !moded {
                    ipvlan.mode = mode;
                }
                let again = std::mem::replace(&mut moded, true);
                again.then(|| format!("({instance}) ipvlan type already specified - ignoring"))
            } else if let Ok(prefix) = word.parse::<Prefix>() {
                if ipvlan.address.is_some() {
                    let text = "ipvlan address already specified - ignoring";
                    Some(format!("({instance}) {text} '{word}'"))
                } else if raw.takes(prefix.family()) {
                    ipvlan.address = Some(prefix);
                    None
                } else {
                    Some(format!(
                        "({instance}) ipvlan address[{word}] MUST match vrrp instance family !!! \
                         Skipping..."
                    ))
                }
            } else if is_interface_name(word) {
                self.ipvlan_name(word.to_owned(), statement, n, &instance, &mut ipvlan);
                None
            } else {
                Some(format!(
                    "({instance}) use_ipvlan '{word}' cannot be used - ignoring"
                ))
            };
            if let Some(text) = problem {
                self.report_at(code::VMAC, Class::General, text, statement, n);
            }
            n += 1;
        }
        raw.use_ipvlan = Some((ipvlan, At::of(statement, 0)));
        Ok(())
    }

    /// The same for the name of an ipvlan.
    fn ipvlan_name(
        &mut self,
        name: String,
        statement: &Statement,
        n: usize,
        instance: &str,
        ipvlan: &mut Ipvlan,
    ) {
        if ipvlan.name.is_some() {
            let text =
                format!("({instance}) IPVLAN interface already specified - ignoring '{name}'");
            self.report_at(code::REPEATED, Class::General, text, statement, n);
        } else if self.is_taken(&name, "ipvlan") {
            let text = format!(
                "({instance}) interface {name} already exists and is not an l2 ipvlan; ignoring \
                 ipvlan if_name"
            );
            self.report_at(code::VMAC, Class::General, text, statement, n);
        } else {
            ipvlan.name = Some(name);
        }
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
