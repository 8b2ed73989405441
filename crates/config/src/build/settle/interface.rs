//! The interface of an instance, and the device that stands for its virtual MAC address.

use rk_base::Family;

use crate::build::instance::RawInstance;
use crate::build::{At, Build};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::InterfaceAddress;

impl Build<'_> {
    /// The interface must be there, or be allowed to come later.
    pub(super) fn settle_interface(&mut self, raw: &RawInstance) {
        let name = &raw.name;
        if let Some((vrf, at)) = &raw.vrf
            && !self.may_exist(vrf)
        {
            let text = format!("({name}) WARNING - VRF interface {vrf} doesn't exist");
            self.no_interface(Class::Warning, text, at);
        }
        for (interface, at) in &raw.earlier_interfaces {
            if !self.may_exist(interface) {
                let text = format!(
                    "WARNING - interface {interface} for vrrp_instance {name} doesn't exist"
                );
                self.no_interface(Class::Warning, text, at);
            }
        }
        let mut there = false;
        if let Some((interface, at)) = &raw.interface {
            there = self.may_exist(interface);
            if !there {
                let text = format!(
                    "WARNING - interface {interface} for vrrp_instance {name} doesn't exist"
                );
                let d = Diagnostic::error(code::NO_INTERFACE, Class::Warning, text);
                self.session.report.push(at.put(d));
            }
        }
        if raw.is_cut_off {
            return;
        }
        let vmac = raw.use_vmac.as_ref().map(|(_, at)| at);
        let vmac = vmac.or(raw.use_ipvlan.as_ref().map(|(_, at)| at));
        if raw.has_unicast_ttl && raw.peers.is_empty() {
            let text =
                format!("({name}): Cannot use unicast_ttl without unicast peers - resetting");
            self.report_later(code::UNICAST, Class::General, text, &raw.end);
        }
        if there
            && raw.is_unicast
            && raw.vmac_xmit_base.is_none()
            && let Some(at) = vmac
        {
            let text = format!("({name}) unicast with use_vmac requires vmac_xmit_base - setting");
            let d = Diagnostic::error(code::VMAC, Class::General, text);
            self.session
                .report
                .push(at.also(raw.end.put(d), "asked for here"));
        }
        if let Some(at) = vmac
            && raw.is_unicast
            && !there
        {
            let text = format!(
                "({name}): Cannot use VMAC/ipvlan with unicast and no interface - clearing \
                 use_vmac"
            );
            let d = Diagnostic::error(code::VMAC, Class::General, text);
            self.session
                .report
                .push(at.also(raw.end.put(d), "asked for here"));
        }
    }

    /// Only unicast with a source address can do without an interface.
    pub(super) fn needs_interface(&mut self, raw: &RawInstance, unicast: bool) -> Option<()> {
        let name = &raw.name;
        match &raw.interface {
            Some(_) => Some(()),
            None if unicast && raw.source.is_some() => Some(()),
            None => {
                let text = format!("({name}) Unknown interface!");
                let d = Diagnostic::error(code::INTERFACE_MISSING, Class::General, text)
                    .help("write interface NAME; only unicast with unicast_src_ip needs none");
                self.session.report.push(raw.at.put(d));
                None
            }
        }
    }

    pub(super) fn settle_vmac(
        &mut self,
        raw: &mut RawInstance,
        addresses: &[&InterfaceAddress],
        strict: bool,
    ) {
        let name = raw.name.clone();
        let vmac = raw.use_vmac.is_some() || raw.use_ipvlan.is_some();
        if raw.interface.is_none() {
            raw.use_vmac = None;
            raw.use_ipvlan = None;
        }
        let mut problems: Vec<(String, At)> = Vec::new();
        if let Some(at) = raw.vmac_xmit_base.take() {
            if !vmac {
                let text = format!("({name}) vmac_xmit_base is only valid with a VMAC - clearing");
                problems.push((text, at));
            } else if strict {
                let text =
                    format!("({name}) xmit_base is incompatible with strict mode - resetting");
                problems.push((text, at));
            } else {
                raw.vmac_xmit_base = Some(at);
            }
        }
        if let Some(at) = raw.promote_secondaries.as_ref().filter(|_| vmac) {
            let text =
                format!("({name}) promote_secondaries is automatically set for vmacs - ignoring");
            problems.push((text, at.clone()));
            raw.promote_secondaries = None;
        }
        if let Some((ipvlan, at)) = &raw.use_ipvlan
            && ipvlan.address.is_none()
            && raw.family != Some(Family::V6)
        {
            let text = format!("({name}) use_ipvlan with IPv4 needs an address");
            problems.push((text, at.clone()));
        }
        if let Some((_, at)) = &raw.use_vmac {
            for address in addresses.iter().filter(|address| address.use_vmac) {
                let text = format!(
                    "({name}) use_vmac specified for VIP/eVIP {} and vrrp instance",
                    address.prefix
                );
                problems.push((text, at.clone()));
            }
        }
        if strict
            && let Some((vmac, at)) = &mut raw.use_vmac
            && vmac.mac.take().is_some()
        {
            let text =
                format!("({name}) a MAC address is incompatible with strict mode - ignoring");
            problems.push((text, at.clone()));
        }
        for (text, at) in problems {
            self.report_later(code::VMAC, Class::General, text, &at);
        }
    }
}
