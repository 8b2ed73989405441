//! What an instance becomes once everything is known: the rules between settings.

mod interface;

use std::net::IpAddr;
use std::time::Duration;

use rk_base::{Family, Priority};

use super::Build;
use super::instance::RawInstance;
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{
    Authentication, DynamicInterfaces, Garp, InitialState, Instance, Secret, Version,
};

/// Most addresses an advert can list.
const ADVERT_ADDRESSES_MAX: usize = 255;

impl Build<'_> {
    /// Applies the rules to one instance; `None` if it cannot be used.
    pub(super) fn settle(&mut self, mut raw: RawInstance) -> Option<Instance> {
        let name = raw.name.clone();
        let at = raw.at.clone();
        let interface = raw.interface.as_ref().map(|(name, _)| name.clone());
        // What is said about single lines comes first: it does not need a usable instance.
        self.settle_interface(&raw);
        let mut addresses = self.settle_addresses(std::mem::take(&mut raw.addresses));
        let mut excluded = self.settle_addresses(std::mem::take(&mut raw.excluded));
        let routes = std::mem::take(&mut raw.routes);
        let virtual_routes = self.settle_routes(routes);
        let rules = std::mem::take(&mut raw.rules);
        let virtual_rules = self.settle_rules(rules);
        let tracks = std::mem::take(&mut raw.tracks);
        let track = self.settle_tracks(&name, interface.as_deref(), tracks);
        let notify = self.settle_notify(std::mem::take(&mut raw.notify));
        let Some(vrid) = raw.vrid else {
            let text = format!("({name}) the virtual router id must be set");
            self.report_later(code::VRID_MISSING, Class::General, text, &at);
            return None;
        };
        let unicast = !raw.peers.is_empty();
        self.needs_interface(&raw, unicast)?;
        let family = raw.family.unwrap_or(Family::V4);
        let strict = raw.strict.unwrap_or(self.config.global.vrrp_strict);
        let version = self.settle_version(&raw, family, strict);
        self.settle_unicast(&raw, unicast);

        let priority = raw.priority.unwrap_or(match raw.state {
            Some(InitialState::Master) => 255,
            _ => 100,
        });
        let owner = priority == 255;
        let mut state = raw.state.unwrap_or(if owner {
            InitialState::Master
        } else {
            InitialState::Backup
        });
        if strict && raw.state.is_some() && (state == InitialState::Master) != owner {
            let text = format!("({name}) State MASTER must match being address owner");
            self.report_later(code::STRICT, Class::General, text, &at);
            state = if owner {
                InitialState::Master
            } else {
                InitialState::Backup
            };
        }
        let master = state == InitialState::Master;
        let (nopreempt, preempt_delay) = self.settle_preempt(&raw, strict, master, owner);
        let authentication = self.settle_authentication(&mut raw, version, strict);
        let advert_int = self.settle_interval(&raw, version);
        let accept = self.settle_accept(&raw, version, strict, owner);
        let switches = self.settle_switches(&raw, strict, owner);

        if addresses.is_empty() && !raw.no_virtual_ipaddress {
            let refused = version == Version::V3 || strict;
            let how = if refused { "required" } else { "sensible" };
            let text = format!("({name}) No VIP specified; at least one is {how}");
            let d = Diagnostic::error(code::NO_ADDRESS, Class::General, text)
                .help(
                "write virtual_ipaddress { ADDRESS/LENGTH }, or no_virtual_ipaddress if none is meant",
            );
            self.session.report.push(at.put(d));
            if refused {
                return None;
            }
        }
        if family == Family::V6
            && let Some(first) = addresses.first()
            && let IpAddr::V6(ip) = first.prefix.addr()
            && !ip.is_unicast_link_local()
        {
            let text = format!("({name}) the first IPv6 VIP address must be link local");
            if strict {
                self.report_later(code::STRICT, Class::General, text, &at);
            } else {
                let d = Diagnostic::note(code::FAMILY, text);
                self.session.report.push(at.put(d));
            }
        }
        if addresses.len() > ADVERT_ADDRESSES_MAX {
            let text = format!(
                "({name}) an advert lists {ADVERT_ADDRESSES_MAX} addresses at most; \
                 the others are excluded from it"
            );
            self.report_later(code::SETTING, Class::General, text, &at);
            let rest = addresses.split_off(ADVERT_ADDRESSES_MAX);
            excluded.splice(0..0, rest);
        }
        let all: Vec<_> = addresses.iter().chain(&excluded).collect();
        self.settle_vmac(&mut raw, &all, strict);
        let garp = self.settle_garp(&raw, interface.as_deref(), strict);
        if let Some((_, at)) = &raw.mcast_dst
            && unicast
        {
            let text = format!("({name}) multicast destination specified with unicast - ignoring");
            self.report_later(code::UNICAST, Class::General, text, at);
        }
        let multicast_group = match raw.mcast_dst {
            Some((ip, _)) if !unicast => ip,
            _ => self.multicast_group(family),
        };
        let source_address = match raw.source {
            Some((ip, _)) => Some(ip),
            None => raw
                .use_ipvlan
                .as_ref()
                .and_then(|(i, _)| i.address.map(rk_base::Prefix::addr)),
        };
        Some(Instance {
            interface,
            vrf: raw.vrf.map(|(vrf, _)| vrf),
            virtual_router_id: vrid,
            family,
            version,
            state,
            priority: Priority::new(priority),
            advert_int,
            virtual_ipaddress: addresses,
            virtual_ipaddress_excluded: excluded,
            no_virtual_ipaddress: raw.no_virtual_ipaddress,
            virtual_routes,
            virtual_rules,
            authentication,
            source_address,
            track_src_ip: raw.track_src_ip,
            multicast_group,
            unicast_peers: raw.peers,
            unicast_fault_no_peer: raw.unicast_fault_no_peer,
            unicast_ttl: raw.unicast_ttl,
            check_unicast_src: raw.check_unicast_src || self.globals.check_unicast_src,
            old_unicast_checksum: raw.old_unicast_checksum,
            v3_checksum_as_v2: raw
                .v3_checksum_as_v2
                .unwrap_or(self.globals.v3_checksum_as_v2),
            nopreempt,
            preempt_delay,
            garp,
            lower_prio_no_advert: switches.lower_prio_no_advert,
            higher_prio_send_advert: switches.higher_prio_send_advert,
            owner_ignore_adverts: switches.owner_ignore_adverts,
            strict,
            accept,
            down_timer_adverts: switches.down_timer_adverts,
            timer_expired_backup: raw
                .timer_expired_backup
                .map(|(p, _)| p)
                .filter(|_| nopreempt),
            skip_check_adv_addr: raw
                .skip_check_adv_addr
                .unwrap_or(self.globals.skip_check_adv_addr),
            dont_track_primary: raw.dont_track_primary,
            track,
            use_vmac: raw.use_vmac.map(|(v, _)| v),
            use_vmac_addr: raw.use_vmac_addr,
            vmac_xmit_base: raw.vmac_xmit_base.is_some(),
            use_ipvlan: raw.use_ipvlan.map(|(i, _)| i),
            notify,
            kernel_rx_buf_size: raw.kernel_rx_buf_size,
            promote_secondaries: raw.promote_secondaries.is_some(),
            linkbeat_use_polling: raw.linkbeat_use_polling,
            lvs_sync_daemon_interface: raw.lvs_sync_daemon_interface,
            debug: raw.debug,
            sync_group: None,
            name: name.into(),
            origin: raw.origin,
        })
    }

    fn multicast_group(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.config.global.vrrp_mcast_group4.into(),
            Family::V6 => self.config.global.vrrp_mcast_group6.into(),
        }
    }

    /// What is said about single lines of an instance, whatever becomes of it.
    pub(super) fn settle_lines(&mut self, mut raw: RawInstance) {
        let interface = raw.interface.as_ref().map(|(name, _)| name.clone());
        self.settle_interface(&raw);
        for addresses in [&mut raw.addresses, &mut raw.excluded] {
            let addresses = std::mem::take(addresses);
            self.settle_addresses(addresses);
        }
        let routes = std::mem::take(&mut raw.routes);
        self.settle_routes(routes);
        let rules = std::mem::take(&mut raw.rules);
        self.settle_rules(rules);
        self.settle_tracks(&raw.name, interface.as_deref(), raw.tracks);
    }

    /// Whether an interface is there or may come.
    pub(super) fn may_exist(&mut self, interface: &str) -> bool {
        self.config.global.dynamic_interfaces != DynamicInterfaces::Off
            || self.interface_exists(interface)
    }

    fn settle_version(&mut self, raw: &RawInstance, family: Family, strict: bool) -> Version {
        match (raw.version, family) {
            (Some(Version::V2), Family::V6) if strict => {
                let text = format!("({}) strict mode needs version 3 for IPv6", raw.name);
                self.report_later(code::STRICT, Class::General, text, &raw.at);
                Version::V3
            }
            (Some(version), _) => version,
            (None, Family::V6) => Version::V3,
            (None, Family::V4) => self.config.global.vrrp_version.unwrap_or(Version::V2),
        }
    }

    fn settle_unicast(&mut self, raw: &RawInstance, unicast: bool) {
        if let Some(at) = &raw.unicast_keyword
            && !unicast
            && !raw.unicast_fault_no_peer
        {
            let text = format!(
                "({}) A unicast keyword has been specified without any unicast peers. Defaulting \
                 to multicast. This usage is deprecated - please update your configuration.",
                raw.name
            );
            self.report_later(code::UNICAST, Class::Deprecated, text, at);
        }
    }

    fn settle_preempt(
        &mut self,
        raw: &RawInstance,
        strict: bool,
        master: bool,
        owner: bool,
    ) -> (bool, Duration) {
        let name = &raw.name;
        let mut nopreempt = raw.nopreempt.is_some();
        if let Some(at) = &raw.nopreempt {
            let text = if owner {
                Some(format!(
                    "({name}) nopreempt is incompatible with priority 255. resetting nopreempt"
                ))
            } else if master {
                Some(format!(
                    "({name}) Warning - nopreempt will not work with initial state MASTER - \
                     clearing"
                ))
            } else {
                None
            };
            if let Some(text) = text {
                self.report_later(code::PREEMPT, Class::General, text, at);
                nopreempt = false;
            }
        }
        if let Some((_, at)) = &raw.timer_expired_backup
            && !nopreempt
        {
            let text = format!("({name}) timer_expired_backup needs nopreempt - ignoring");
            self.report_later(code::PREEMPT, Class::General, text, at);
        }
        let mut delay = raw
            .preempt_delay
            .as_ref()
            .map_or(Duration::ZERO, |(d, _)| *d);
        if let Some((_, at)) = raw.preempt_delay.as_ref().filter(|(d, _)| !d.is_zero()) {
            let text = if strict {
                Some(format!(
                    "({name}) preempt_delay is incompatible with strict mode - resetting"
                ))
            } else if nopreempt {
                Some(format!(
                    "({name}) preempt_delay is incompatible with nopreempt mode - resetting"
                ))
            } else if master {
                Some(format!(
                    "({name}) Warning - preempt delay will not work with initial state MASTER - \
                     clearing"
                ))
            } else {
                None
            };
            if let Some(text) = text {
                self.report_later(code::PREEMPT, Class::General, text, at);
                delay = Duration::ZERO;
            }
        }
        (nopreempt, delay)
    }

    fn settle_authentication(
        &mut self,
        raw: &mut RawInstance,
        version: Version,
        strict: bool,
    ) -> Authentication {
        let name = &raw.name;
        let Some(ah) = raw.auth.ah else {
            return Authentication::None;
        };
        let secret: Option<Secret> = raw.auth.secret.take();
        let problem = if version == Version::V3 {
            format!("({name}) VRRP version 3 does not support authentication. Ignoring.")
        } else if strict {
            format!("({name}) Strict mode does not support authentication. Ignoring.")
        } else if raw.auth_hmac {
            format!("({name}) auth_hmac replaces authentication. Ignoring.")
        } else {
            match secret {
                Some(secret) if secret.expose().is_empty() => {
                    format!("({name}) Authentication specified but no password given. Ignoring")
                }
                Some(secret) if ah => return Authentication::Ah(secret),
                Some(secret) => return Authentication::Pass(secret),
                None => {
                    format!("({name}) Authentication specified but no password given. Ignoring")
                }
            }
        };
        self.report_later(
            code::AUTHENTICATION,
            Class::General,
            problem,
            &raw.auth.at.clone(),
        );
        Authentication::None
    }

    fn settle_interval(&mut self, raw: &RawInstance, version: Version) -> Duration {
        let name = &raw.name;
        let Some((interval, at)) = &raw.advert_int else {
            return Duration::from_secs(1);
        };
        let micros = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        let secs = interval.as_secs_f64();
        let (unit, problem) = match version {
            Version::V2 => (
                1_000_000,
                format!(
                    "({name}) VRRPv2 advertisement interval {secs:.6}s must be an integer. rounding"
                ),
            ),
            Version::V3 if micros > 40_950_000 => {
                let text = format!(
                    "({name}) VRRPv3 advertisement interval {secs:.2}s is out of range. Must be \
                     less than 40.96s. Setting to 40.95s"
                );
                self.report_later(code::ADVERT_INTERVAL, Class::General, text, at);
                return Duration::from_millis(40_950);
            }
            Version::V3 => (
                10_000,
                format!(
                    "({name}) VRRPv3 advertisement interval {secs:.6}s must be in units of 10ms - \
                     rounding"
                ),
            ),
        };
        if micros % unit == 0 {
            return *interval;
        }
        self.report_later(code::ADVERT_INTERVAL, Class::General, problem, at);
        Duration::from_micros(((micros + unit / 2) / unit).max(1) * unit)
    }

    fn settle_accept(
        &mut self,
        raw: &RawInstance,
        version: Version,
        strict: bool,
        owner: bool,
    ) -> bool {
        if strict && version == Version::V2 && raw.accept == Some(true) {
            let text = format!(
                "({}) warning - accept mode for VRRP version 2 does not comply with RFC3768 - \
                 resetting",
                raw.name
            );
            self.report_later(code::STRICT, Class::General, text, &raw.at);
            return false;
        }
        raw.accept.unwrap_or(!strict || owner)
    }

    fn settle_switches(&mut self, raw: &RawInstance, strict: bool, owner: bool) -> Switches {
        let name = &raw.name;
        let globals = &self.globals;
        let mut out = Switches {
            lower_prio_no_advert: raw
                .lower_prio_no_advert
                .or(globals.lower_prio_no_advert)
                .unwrap_or(strict),
            higher_prio_send_advert: raw
                .higher_prio_send_advert
                .or(globals.higher_prio_send_advert)
                .unwrap_or(false),
            owner_ignore_adverts: raw
                .owner_ignore_adverts
                .as_ref()
                .map_or(globals.owner_ignore_adverts, |(on, _)| *on)
                && owner,
            down_timer_adverts: raw
                .down_timer_adverts
                .or(globals.down_timer_adverts)
                .unwrap_or(3),
        };
        let mut problems = Vec::new();
        if let Some((true, at)) = &raw.owner_ignore_adverts
            && !owner
        {
            let text = format!("({name}) owner_ignore_adverts needs priority 255 - ignoring");
            problems.push((code::SETTING, text, at.clone()));
        }
        if strict {
            if out.down_timer_adverts != 3 {
                out.down_timer_adverts = 3;
                let text = format!(
                    "({name}) down_timer_adverts is incompatible with strict mode - resetting"
                );
                problems.push((code::STRICT, text, raw.at.clone()));
            }
            if !out.lower_prio_no_advert {
                out.lower_prio_no_advert = true;
                let text =
                    format!("({name}) Strict mode requires no lower priority advert. resetting");
                problems.push((code::STRICT, text, raw.at.clone()));
            }
            if out.higher_prio_send_advert {
                out.higher_prio_send_advert = false;
                let text = format!(
                    "({name}) strict mode requires higher_prio_send_advert to be clear. resetting"
                );
                problems.push((code::STRICT, text, raw.at.clone()));
            }
            out.owner_ignore_adverts |= owner;
        }
        for (code, text, at) in problems {
            self.report_later(code, Class::General, text, &at);
        }
        out
    }

    fn settle_garp(&self, raw: &RawInstance, interface: Option<&str>, strict: bool) -> Garp {
        let (own, global) = (&raw.garp, &self.globals.garp);
        let min = self.globals.min_garp;
        let master_delay = own.master_delay.or(global.master_delay);
        let master_delay = master_delay.unwrap_or(Duration::from_secs(if min { 0 } else { 5 }));
        let master_repeat = own
            .master_repeat
            .or(global.master_repeat)
            .unwrap_or(if min { 1 } else { 5 });
        let lower_prio_delay = if strict {
            Some(Duration::ZERO)
        } else {
            own.lower_prio_delay.or(global.lower_prio_delay)
        };
        let lower_prio_repeat = if strict {
            Some(0)
        } else {
            own.lower_prio_repeat.or(global.lower_prio_repeat)
        };
        let pace = interface.and_then(|i| self.garp_pace.get(i)).copied();
        Garp {
            master_delay,
            master_repeat,
            master_refresh: own
                .master_refresh
                .or(global.master_refresh)
                .unwrap_or_default(),
            master_refresh_repeat: own
                .master_refresh_repeat
                .or(global.master_refresh_repeat)
                .unwrap_or(1),
            lower_prio_delay: lower_prio_delay.unwrap_or(master_delay),
            lower_prio_repeat: lower_prio_repeat.unwrap_or(master_repeat),
            garp_interval: pace.map_or(self.config.global.vrrp_garp_interval, |p| p.0),
            gna_interval: pace.map_or(self.config.global.vrrp_gna_interval, |p| p.1),
            extra_if: own
                .extra_if
                .or(global.extra_if)
                .filter(|e| !e.interval.is_zero()),
        }
    }
}

/// Switches of an instance after strict mode had its say.
struct Switches {
    lower_prio_no_advert: bool,
    higher_prio_send_advert: bool,
    owner_ignore_adverts: bool,
    down_timer_adverts: u8,
}
