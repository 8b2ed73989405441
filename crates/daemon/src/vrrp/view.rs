//! What the VRRP process tells when it is asked: the dump files, filled from the cores.

use std::time::Duration;

use rk_base::{Family, Instant};
use rk_config::model;
use rk_net::{Link, Peers};
use rk_status::{
    AddressView, Authentication, Counters, InstanceView, InterfaceView, NotifyView, Role,
    ScriptProgress, ScriptView, SocketView, TrackedView, UnicastView, VrrpView, WallTime, data,
    json, stats,
};
use rk_vrrp::tracking::ScriptStatus;
use rk_vrrp::{Instance, Preempt, State, Stats, Transport};
use tracing::{error, info};

use super::router::{Held, Router};
use super::translate::VirtualAddress;
use super::world::{World, wall_micros};
use crate::dump::{self, Dump};
use crate::ipc::Command;
use crate::{names, sys};

impl World {
    /// Writes the dump that the parent asks for.
    pub(super) fn answer(&mut self, command: &Command) {
        let pid = std::process::id();
        match command {
            Command::Reload(_) => {}
            Command::DumpData => {
                info!("Printing VRRP data for process({pid}) on signal");
                let head = dump::global::render(&self.config, dump::global::Reader::Vrrp);
                self.write(Dump::VrrpData, &(head + &data::render(&self.view())));
            }
            Command::DumpStats => {
                info!("Printing VRRP stats for process({pid}) on signal");
                self.write(Dump::VrrpStats, &stats::render(&self.view()));
            }
            Command::DumpStatsAndClear => {
                info!("Printing and clearing VRRP stats for process({pid}) on signal");
                self.write(Dump::VrrpStats, &stats::render(&self.view()));
                for id in self.routers.ids() {
                    if let Some(core) = self.routers.core_mut(id) {
                        core.clear_stats();
                    }
                }
            }
            Command::DumpJson => {
                // keepalived: without an instance nothing is written.
                if self.routers.iter().next().is_none() {
                    return;
                }
                match json::render(&self.view()) {
                    Ok(text) => self.write(Dump::VrrpJson, &text),
                    Err(e) => error!("the JSON dump cannot be made: {e}"),
                }
            }
        }
    }

    /// `-d`: the whole configuration goes to the log, line by line.
    pub(super) fn log_configuration(&self) {
        let head = dump::global::render(&self.config, dump::global::Reader::Vrrp);
        for line in head.lines().chain(data::render(&self.view()).lines()) {
            info!("{line}");
        }
    }

    fn write(&self, which: Dump, text: &str) {
        let names = names::names(&self.options, &self.config);
        dump::write_logged(&dump::path(which, &self.config, &names), text);
    }

    /// The state of everything, as plain values.
    fn view(&self) -> VrrpView {
        let now = self.clock.now();
        VrrpView {
            instances: self
                .routers
                .iter()
                .map(|(_, r, core)| self.instance(r, core, now))
                .collect(),
            sockets: self.sockets(),
            scripts: self
                .scripts
                .iter()
                .map(|(s, state)| self.script(s, state))
                .collect(),
            interfaces: self
                .reflector
                .table()
                .links()
                .map(|l| self.interface(l))
                .collect(),
        }
    }

    fn instance(&self, r: &Router, core: &Instance, now: Instant) -> InstanceView {
        let s = &r.plan.settings;
        let c = &r.plan.config;
        let (ordinary, excluded): (Vec<_>, Vec<_>) = r
            .plan
            .addresses
            .iter()
            .zip(&r.held)
            .partition(|(a, _)| !a.excluded);
        let index = self
            .reflector
            .table()
            .by_name(&s.interface)
            .map(|l| l.index.get());
        InstanceView {
            name: s.name.to_string(),
            version: s.version.number(),
            group: s.sync_group.as_deref().map(Into::into),
            ipv6: s.family == Family::V6,
            state: role(core.state()),
            wantstate: role(core.wantstate()),
            cause: r.cause.clone(),
            master: core
                .master_router()
                .zip(core.master_priority().map(rk_base::Priority::get)),
            master_adver_int: core.master_adver_interval(),
            faults: core.faults().iter().map(ToString::to_string).collect(),
            scripts_init: core.scripts_init(),
            last_transition: wall_time(r.last_transition),
            read_timeout: core.read_timeout().map(|at| wall_time(wall_of(at, now))),
            master_down: core.master_down_interval(),
            interface: s.interface.to_string(),
            dont_track_primary: c.dont_track_primary,
            skip_check_adv_addr: c.skip_check_adv_addr,
            strict: c.strict,
            source: r.source.map(|a| (a, r.plan.source.is_some())),
            multicast: match s.transport {
                Transport::Multicast { group } => Some((group, index.filter(|_| group.is_ipv6()))),
                Transport::Unicast { .. } => None,
            },
            unicast: unicast(r, core),
            garp_delay: c.garp.master_delay,
            garp_repeat: c.garp.master_repeat,
            garp_refresh: c.garp.master_refresh,
            garp_refresh_repeat: c.garp.master_refresh_repeat,
            garp_lower_prio_delay: c.garp.lower_prio_delay,
            garp_lower_prio_repeat: c.garp.lower_prio_repeat,
            down_timer_adverts: s.down_timer_adverts,
            lower_prio_advert: !s.lower_prio_no_advert,
            higher_prio_advert: s.higher_prio_send_advert,
            vrid: s.vrid.get(),
            base_priority: s.priority.get(),
            effective_priority: core.effective_priority().get(),
            total_priority: core.total_priority(),
            adver_int: s.adver_interval,
            last_advert_sent: wall_time(r.last_advert_sent),
            accept: c.accept,
            preempt: s.preempt != Preempt::No,
            preempt_delay: match s.preempt {
                Preempt::Delay(d) => d,
                Preempt::Yes | Preempt::No => Duration::ZERO,
            },
            promote_secondaries: c.promote_secondaries,
            authentication: match c.authentication {
                model::Authentication::None => Authentication::None,
                model::Authentication::Pass(_) => Authentication::Pass,
                model::Authentication::Ah(_) => Authentication::Ah,
            },
            checksum_as_v2: c.v3_checksum_as_v2,
            addresses: ordinary.into_iter().map(|(a, h)| address(a, *h)).collect(),
            excluded: excluded.into_iter().map(|(a, h)| address(a, *h)).collect(),
            vipset: r.held.iter().any(|h| h.set),
            interfaces: tracked(&c.track.interfaces),
            scripts: tracked(&c.track.scripts),
            script_commands: self.script_commands(c),
            files: Vec::new(),
            smtp_alert: c.notify.smtp_alert,
            notify_deleted: c.notify.deleted,
            notify: notify_scripts(&c.notify),
            notify_priority_changes: c.notify.priority_changes,
            sockets: r
                .socket
                .and_then(|s| self.pool.socket(s))
                .map(|i| (i.rx, i.tx)),
            counters: counters(core.stats()),
        }
    }

    fn script_commands(&self, c: &model::Instance) -> Vec<String> {
        let command = |name: &str| {
            let script = self.config.scripts.iter().find(|s| s.name == name)?;
            Some(dump::quoted(&script.command))
        };
        c.track
            .scripts
            .iter()
            .filter_map(|t| command(&t.name))
            .collect()
    }

    fn script(&self, s: &model::Script, state: &rk_vrrp::tracking::ScriptState) -> ScriptView {
        let status = state.status();
        ScriptView {
            name: s.name.clone(),
            command: dump::quoted(&s.command),
            interval: s.interval,
            timeout: if s.timeout == s.interval {
                Duration::ZERO
            } else {
                s.timeout
            },
            weight: s.weight,
            reverse: s.reverse,
            rise: s.rise,
            fall: s.fall,
            result: state.result(),
            insecure: matches!(s.command.verdict, model::Verdict::InsecureButRuns { .. }),
            init_fail: Some(s.init_fail),
            good: match status {
                ScriptStatus::Unknown => None,
                ScriptStatus::Good => Some(true),
                ScriptStatus::Bad | ScriptStatus::InitFail => Some(false),
            },
            owner: (s.command.run_as.uid, s.command.run_as.gid),
            progress: ScriptProgress::Idle,
            instances: self
                .config
                .instances
                .iter()
                .flat_map(|i| i.track.scripts.iter().map(move |t| (i, t)))
                .filter(|(_, t)| t.name == s.name)
                .map(|(i, t)| (i.name.clone(), t.weight, t.reverse))
                .collect(),
        }
    }

    fn sockets(&self) -> Vec<SocketView> {
        let users = |id| {
            self.routers
                .iter()
                .filter(|(_, r, _)| r.socket == Some(id))
                .map(|(_, r, _)| (r.name().to_owned(), r.plan.settings.vrid.get()))
                .collect()
        };
        self.pool
            .sockets()
            .into_iter()
            .map(|info| SocketView {
                fd_in: info.rx,
                fd_out: info.tx,
                interface: info
                    .key
                    .ifindex
                    .and_then(|i| self.reflector.table().by_index(i))
                    .map_or_else(String::new, |l| l.name.clone()),
                ipv6: info.key.family() == Family::V6,
                unicast: match info.key.peers {
                    Peers::Unicast(a) => Some(a),
                    Peers::Multicast(_) => None,
                },
                rx_buf: 0,
                instances: users(info.id),
            })
            .collect()
    }

    fn interface(&self, link: &Link) -> InterfaceView {
        let table = self.reflector.table();
        let virtual_address = |a| self.virtual_addresses.contains(&a);
        let mut state = String::from(if link.is_up() { "UP" } else { "DOWN" });
        for (on, word) in [
            (link.is_running(), "RUNNING"),
            (link.is_loopback(), "loopback"),
            (!link.is_multicast(), "no multicast"),
        ] {
            if on {
                state.push_str(", ");
                state.push_str(word);
            }
        }
        InterfaceView {
            name: link.name.clone(),
            index: link.index.get(),
            ipv4: table
                .primary_ipv4(link.index, virtual_address)
                .map(Into::into),
            ipv6: table
                .link_local(link.index, virtual_address)
                .map(Into::into),
            mac: link.mac.filter(|_| !link.is_loopback()),
            state,
            mtu: link.mtu,
            loopback: link.is_loopback(),
            tracking: self
                .routers
                .iter()
                .flat_map(|(_, r, _)| r.plan.settings.trackers.iter().map(move |t| (r, t)))
                .filter(|(_, t)| t.kind == rk_vrrp::TrackerKind::Interface && *t.name == *link.name)
                .map(|(r, t)| (r.name().to_owned(), t.weight, t.reverse))
                .collect(),
        }
    }
}

fn role(state: State) -> Role {
    match state {
        State::Init => Role::Init,
        State::Backup => Role::Backup,
        State::Master => Role::Master,
        State::Fault => Role::Fault,
    }
}

/// The wall clock at `at`, as things stand now.
fn wall_of(at: Instant, now: Instant) -> u64 {
    let ahead = u64::try_from(at.since(now).as_micros()).unwrap_or(0);
    let behind = u64::try_from(now.since(at).as_micros()).unwrap_or(0);
    (wall_micros() + ahead).saturating_sub(behind)
}

fn wall_time(micros: u64) -> WallTime {
    let seconds = i64::try_from(micros / 1_000_000).unwrap_or(0);
    let head = sys::local_time(seconds, c"%a %b %e %H:%M:%S");
    let year = sys::local_time(seconds, c"%Y");
    WallTime {
        micros,
        text: format!("{head}.{:06} {year}", micros % 1_000_000),
    }
}

fn counters(s: &Stats) -> Counters {
    Counters {
        advert_rcvd: s.advert_rcvd,
        advert_sent: s.advert_sent,
        become_master: s.become_master,
        release_master: s.release_master,
        packet_len_err: s.packet_len_err,
        ip_ttl_err: s.ip_ttl_err,
        invalid_type_rcvd: s.invalid_type_rcvd,
        advert_interval_err: s.advert_interval_err,
        addr_list_err: s.addr_list_err,
        invalid_authtype: s.invalid_authtype,
        authtype_mismatch: s.authtype_mismatch,
        auth_failure: s.auth_failure,
        pri_zero_rcvd: s.pri_zero_rcvd,
        pri_zero_sent: s.pri_zero_sent,
    }
}

fn unicast(r: &Router, core: &Instance) -> Option<UnicastView> {
    let Transport::Unicast {
        peers,
        ttl,
        check_source,
    } = &r.plan.settings.transport
    else {
        return None;
    };
    let bounds = |p: &rk_vrrp::Peer| (p.address, p.min_ttl.unwrap_or(0), p.max_ttl.unwrap_or(255));
    Some(UnicastView {
        ttl: *ttl,
        check_source: *check_source,
        peers: peers.iter().map(bounds).collect(),
        checksum_compatibility: match r.plan.config.old_unicast_checksum {
            model::OldUnicastChecksum::Never => "never",
            model::OldUnicastChecksum::Always => "config",
            model::OldUnicastChecksum::Auto if core.uses_old_unicast_checksum() => "auto",
            model::OldUnicastChecksum::Auto => "no",
        },
    })
}

fn address(a: &VirtualAddress, held: Held) -> AddressView {
    let v6 = a.prefix.addr().is_ipv6();
    let flags = [
        (a.flags.home, "home"),
        (v6 && a.flags.dad, "-nodad"),
        (a.flags.mngtmpaddr, "mngtmpaddr"),
        (a.flags.noprefixroute, "noprefixroute"),
        (a.flags.autojoin, "autojoin"),
        (!a.tracked, "no_track"),
    ];
    AddressView {
        prefix: a.prefix,
        broadcast: a.broadcast.map(Into::into),
        dev: a.interface.to_string(),
        scope: match a.scope {
            0 => "global".into(),
            200 => "site".into(),
            253 => "link".into(),
            254 => "host".into(),
            255 => "nowhere".into(),
            n => n.to_string(),
        },
        label: a.label.clone(),
        peer: a.peer.map(rk_base::Prefix::host),
        options: flags
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, word)| word)
            .collect(),
        lifetime: v6.then(|| match a.preferred_lft {
            Some(model::Lifetime::Forever) => "preferred_lft forever".to_owned(),
            Some(model::Lifetime::Seconds(0)) => "deprecated".to_owned(),
            Some(model::Lifetime::Seconds(n)) => format!("preferred_lft {n}"),
            None if a.prefix.is_host() => "deprecated".to_owned(),
            None => "preferred_lft forever".to_owned(),
        }),
        set: held.set,
    }
}

fn tracked(all: &[model::Tracked]) -> Vec<TrackedView> {
    let view = |t: &model::Tracked| TrackedView {
        name: t.name.clone(),
        weight: t.weight,
        reverse: t.reverse,
    };
    all.iter().map(view).collect()
}

fn notify_scripts(n: &model::Notify) -> Vec<NotifyView> {
    let all = [
        ("Backup", "script_backup", &n.backup),
        ("Master", "script_master", &n.master),
        ("Fault", "script_fault", &n.fault),
        ("Stop", "script_stop", &n.stop),
        ("Deleted", "script_deleted", &n.deleted_script),
        ("Generic", "script", &n.generic),
        (
            "Master rx lower pri",
            "script_master_rx_lower_pri",
            &n.master_rx_lower_pri,
        ),
    ];
    all.into_iter()
        .filter_map(|(title, key, command)| {
            let command = command.as_ref()?;
            let owner = (command.run_as.uid, command.run_as.gid);
            Some(NotifyView {
                title,
                key,
                command: dump::quoted(command),
                owner,
            })
        })
        .collect()
}
