//! What the checker process tells when it is asked: its dump, filled from the core and the
//! configuration.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use rk_base::Family;
use rk_checker::state::{self, Director, Health, VirtualName, VirtualView};
use rk_config::model;
use rk_status::checker;
use rk_status::checker_view::{
    CheckView, CheckerView, CommandView, ConnectionView, FileView, GroupEntryView, GroupTargetView,
    GroupView, HttpView, LastRunView, MethodView, RealServerView, RegexView, RhythmView,
    ServiceName, ServiceView, SessionView, SorryView, SslView, TimingView, UrlView,
};
use tracing::info;

use super::World;
use super::attempts::{Attempts, LastRun};
use super::translate::{self, family};
use crate::dump::{self, Dump};
use crate::{names, sys};

/// The version of IPVS whose messages we know.
const LVS_VERSION: [u8; 3] = [1, 2, 1];
/// keepalived's default of `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// keepalived's default of `delay_loop`.
const DELAY_LOOP: Duration = Duration::from_secs(60);

impl World {
    /// Writes `keepalived_check.data`.
    pub(super) fn dump(&self) {
        let pid = std::process::id();
        info!("Printing checker data for process({pid}) on signal");
        let names = names::names(&self.options, &self.config);
        let path = dump::path(Dump::CheckerData, &self.config, &names);
        dump::write_logged(&path, &self.text());
    }

    /// `-d`: the whole configuration goes to the log, line by line.
    pub(super) fn log_configuration(&self) {
        for line in self.text().lines() {
            info!("{line}");
        }
    }

    fn text(&self) -> String {
        let head = dump::global::render(&self.config, dump::global::Reader::Checker);
        head + &checker::render(&self.view())
    }
}

impl World {
    /// The state of everything, as plain values.
    fn view(&self) -> CheckerView {
        let mut view = view(&self.config, &self.director, &self.attempts);
        let groups = self.config.virtual_server_groups.iter();
        for (group, view) in groups.zip(&mut view.groups) {
            let marks = self.numbers.of_group(&group.name);
            if marks.iter().any(Option::is_some) {
                view.marks = Some(marks.map(|mark| mark.map_or(0, NonZeroU32::get)));
            }
        }
        view
    }
}

fn view(config: &model::Config, director: &Director, attempts: &Attempts) -> CheckerView {
    let mut by_name: HashMap<VirtualName, &model::VirtualServer> = HashMap::new();
    for v in &config.virtual_servers {
        by_name.entry(translate::name(&v.service)).or_insert(v);
    }
    let mut services = Vec::new();
    let mut checks = Vec::new();
    for looked in director.virtual_servers() {
        if let Some(v) = by_name.get(&looked.settings().name) {
            let mut found = Found {
                director,
                attempts,
                checks: &mut checks,
            };
            services.push(service(v, looked, &mut found));
        }
    }
    // keepalived has them behind all others.
    checks.sort_by_key(|check| matches!(check.method, MethodView::File(_)));
    let groups = config.virtual_server_groups.iter();
    CheckerView {
        ssl: config.ssl.as_deref().map(ssl).unwrap_or_default(),
        lvs_version: LVS_VERSION,
        groups: groups.map(|g| group(g, director)).collect(),
        services,
        files: files(config, director),
        sessions: sessions(config, director),
        checks,
    }
}

/// What is looked at on the way through the virtual servers, and the checks found there.
struct Found<'a> {
    director: &'a Director,
    attempts: &'a Attempts,
    checks: &'a mut Vec<CheckView>,
}

/// Every check in the order of the configuration: of which virtual and which real server.
fn followers<'a>(
    config: &'a model::Config,
    director: &'a Director,
) -> impl Iterator<Item = (String, String, &'a model::Check)> {
    let looked: HashMap<VirtualName, VirtualView<'_>> = director
        .virtual_servers()
        .map(|looked| (looked.settings().name.clone(), looked))
        .collect();
    config.virtual_servers.iter().flat_map(move |v| {
        let name = translate::name(&v.service);
        let protocol = looked
            .get(&name)
            .and_then(|looked| looked.settings().protocol);
        v.real_servers.iter().flat_map(move |r| {
            let real = state::Endpoint {
                addr: r.addr,
                port: r.port,
                protocol,
            };
            let (name, real) = (name.to_string(), real.to_string());
            let checks = r.checkers.iter();
            checks.map(move |c| (name.clone(), real.clone(), &c.check))
        })
    })
}

/// The files that checks follow.
fn files(config: &model::Config, director: &Director) -> Vec<FileView> {
    let view = |file: &model::TrackFile| {
        let followers: Vec<_> = followers(config, director)
            .filter_map(|(virtual_server, real_server, check)| match check {
                model::Check::File {
                    track_file,
                    weight,
                    reverse,
                    ..
                } if **track_file == *file.name => {
                    Some((virtual_server, real_server, (*weight, *reverse)))
                }
                _ => None,
            })
            .collect();
        (!followers.is_empty()).then(|| FileView {
            name: file.name.clone(),
            path: file.file.clone(),
            value: director.file_number(&file.name).unwrap_or(0),
            weight: (file.weight, file.reverse),
            followers,
        })
    };
    config.track_files.iter().filter_map(view).collect()
}

/// The BFD sessions that checks follow, in the order in which they are first named.
fn sessions(config: &model::Config, director: &Director) -> Vec<SessionView> {
    let mut all: Vec<SessionView> = Vec::new();
    for (_, real_server, check) in followers(config, director) {
        let model::Check::Bfd { name } = check else {
            continue;
        };
        if let Some(known) = all.iter_mut().find(|one| *one.name == **name) {
            known.followers.push(real_server);
        } else {
            all.push(SessionView {
                name: name.to_string(),
                followers: vec![real_server],
            });
        }
    }
    all
}

/// `Sat Nov 21 10:48:01 2026.752026`
fn last_run(last: LastRun) -> LastRunView {
    let seconds = i64::try_from(last.began.as_secs()).unwrap_or(0);
    let text = sys::local_time(seconds, c"%a %b %e %H:%M:%S %Y");
    LastRunView {
        began: last.began,
        text: format!("{text}.{:06}", last.began.subsec_micros()),
        status: last.status,
    }
}

fn ssl(ssl: &model::Ssl) -> SslView {
    SslView {
        password: ssl.password.is_some(),
        ca: ssl.ca.clone(),
        certificate: ssl.certificate.clone(),
        key: ssl.key.clone(),
    }
}

fn group(group: &model::VirtualServerGroup, director: &Director) -> GroupView {
    let entries = group.entries.iter().map(|entry| {
        let count = |key| {
            director
                .desired_service(key)
                .map_or(0, |s| s.destinations.len())
        };
        let protocols = state::Protocol::ALL;
        let addresses = |first: IpAddr, last: IpAddr, port| GroupEntryView {
            target: GroupTargetView::Addresses(first, last, port),
            alive: protocols.map(|protocol| {
                count(state::ServiceKey::Address {
                    addr: first,
                    port,
                    protocol,
                })
            }),
        };
        match entry.target {
            model::GroupTarget::V4 { first, last, port } => {
                addresses(first.into(), last.into(), port)
            }
            model::GroupTarget::V6 { first, last, port } => {
                addresses(first.into(), last.into(), port)
            }
            model::GroupTarget::Fwmark { mark, family } => {
                let of = |family| count(state::ServiceKey::Mark { mark, family });
                GroupEntryView {
                    target: GroupTargetView::Mark(mark, family == Some(Family::V6)),
                    alive: [of(Family::V4), of(Family::V6), 0],
                }
            }
        }
    });
    GroupView {
        name: group.name.to_string(),
        marks: None,
        entries: entries.collect(),
    }
}

fn service(
    v: &model::VirtualServer,
    looked: VirtualView<'_>,
    found: &mut Found<'_>,
) -> ServiceView {
    let entry = looked.settings().entries.first().copied();
    let timing = TimingView {
        connect_timeout: v.timing.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
        delay_loop: v.timing.delay_loop.unwrap_or(DELAY_LOOP),
        retry: v.timing.retry,
        retry_delay: v.timing.delay_before_retry,
        warmup: v.timing.warmup,
    };
    let granularity = v.persistence.and_then(|p| p.granularity);
    let protocol = looked.settings().protocol;
    ServiceView {
        name: match &v.service {
            model::Service::Address { addr, port, .. } => {
                ServiceName::Address(SocketAddr::new(*addr, *port))
            }
            model::Service::Fwmark { mark, .. } => ServiceName::Mark(*mark),
            model::Service::Group { name, index, .. } => {
                ServiceName::Group(name.to_string(), *index)
            }
        },
        virtualhost: v.virtualhost.as_deref().map(str::to_owned),
        snmp_name: v.snmp_name.as_deref().map(str::to_owned),
        ipv6: entry.is_some_and(|entry| family(entry) == Family::V6),
        timing,
        scheduler: v.scheduler.name(),
        hashed: v.flags.hashed,
        flags: match v.scheduler {
            model::Scheduler::Sh => {
                vec![("sh-port", v.flags.sched2), ("sh-fallback", v.flags.sched1)]
            }
            model::Scheduler::Mh => {
                vec![("mh-port", v.flags.sched2), ("mh-fallback", v.flags.sched1)]
            }
            _ => vec![
                ("flag-1", v.flags.sched1),
                ("flag-2", v.flags.sched2),
                ("flag-3", v.flags.sched3),
            ],
        },
        one_packet: v.ops,
        persistence: v.persistence.map(|p| p.timeout.as_secs()),
        granularity: granularity.map(|granularity| match granularity {
            model::Granularity::Mask(mask) => mask.to_string(),
            model::Granularity::Length(length) => length.to_string(),
        }),
        engine: v.persistence_engine.as_deref().map(str::to_owned),
        protocol: match v.service.protocol() {
            Some(model::Protocol::Tcp) => "TCP",
            Some(model::Protocol::Udp) => "UDP",
            Some(model::Protocol::Sctp) => "SCTP",
            None => "none",
        },
        alpha: v.alpha,
        omega: v.omega,
        inhibit: v.inhibit_on_failure,
        quorum: (v.quorum, v.hysteresis),
        quorum_up_script: command(v.quorum_up.as_deref()),
        quorum_down_script: command(v.quorum_down.as_deref()),
        ha_suspend: v.ha_suspend,
        smtp_alert: v.smtp_alert,
        forwarding: forwarding(v.forwarding),
        sorry: v.sorry_server.as_deref().map(|sorry| {
            let there = looked.settings().sorry_server.as_ref();
            SorryView {
                name: there.map_or_else(String::new, |s| s.endpoint(protocol).to_string()),
                forwarding: forwarding(sorry.forwarding),
                inhibit: sorry.inhibit,
                duplicate: there.is_some_and(|s| {
                    let mut all = v.real_servers.iter();
                    all.any(|r| (r.addr, r.port) == (s.addr, s.port))
                }),
                placed: looked.sorry_placed().is_some(),
                serves: looked.sorry(),
            }
        }),
        placed: entry.is_some_and(|entry| found.director.desired_service(entry).is_some()),
        quorum_up: looked.quorum() == Health::Up,
        real_servers: looked
            .real_servers()
            .enumerate()
            .filter_map(|(place, looked_real)| {
                let set = looked_real.settings;
                let same = |r: &&model::RealServer| (r.addr, r.port) == (set.addr, set.port);
                // The same place, unless one before it was there twice.
                let there = v.real_servers.get(place).filter(same);
                let r = there.or_else(|| v.real_servers.iter().find(same))?;
                for check in &looked_real.checks {
                    let made = |c: &&model::Checker| {
                        translate::key(&c.check, looked_real.endpoint) == check.settings.probe
                    };
                    if let Some(c) = r.checkers.iter().find(made) {
                        let names = [
                            looked.settings().name.to_string(),
                            looked_real.endpoint.to_string(),
                        ];
                        let mut view = self::check(c, r, check, names, looked.active());
                        if let MethodView::Misc { last, .. } = &mut view.method {
                            *last = last_run(found.attempts.last_run(check.id));
                        }
                        found.checks.push(view);
                    }
                }
                Some(real_server(r, &looked_real, v, &timing))
            })
            .collect(),
    }
}

fn real_server(
    r: &model::RealServer,
    looked: &state::RealView<'_>,
    v: &model::VirtualServer,
    of_service: &TimingView,
) -> RealServerView {
    let own = r.timing.as_deref().cloned().unwrap_or_default();
    let mut files = Vec::new();
    let mut sessions = Vec::new();
    for checker in &r.checkers {
        match &checker.check {
            model::Check::File {
                track_file,
                weight,
                reverse,
                ..
            } => files.push((track_file.to_string(), (*weight, *reverse))),
            model::Check::Bfd { name } => sessions.push(name.to_string()),
            _ => {}
        }
    }
    let failed = looked.checks.iter().filter(|c| c.health == Health::Down);
    let added: i64 = looked.checks.iter().map(|c| c.weight).sum();
    let effective = match looked.weight {
        0 => (i64::from(r.weight) + added).min(0),
        weight => i64::from(weight),
    };
    RealServerView {
        addr: r.addr,
        port: r.port,
        weight: (r.weight, effective),
        forwarding: forwarding(r.forwarding),
        alpha: r.alpha,
        timing: TimingView {
            connect_timeout: own.connect_timeout.unwrap_or(of_service.connect_timeout),
            delay_loop: own.delay_loop.unwrap_or(of_service.delay_loop),
            retry: own.retry.or(of_service.retry),
            retry_delay: own.delay_before_retry.or(of_service.retry_delay),
            warmup: own.warmup.or(of_service.warmup),
        },
        thresholds: (r.lthreshold, r.uthreshold),
        inhibit: r.inhibit_on_failure,
        virtualhost: differing(r.virtualhost.as_deref(), v.virtualhost.as_deref()),
        up_script: command(r.notify_up.as_deref()),
        down_script: command(r.notify_down.as_deref()),
        snmp_name: r.snmp_name.as_deref().map(str::to_owned),
        smtp_alert: r.smtp_alert,
        alive: looked.health == Health::Up,
        failed: failed.count(),
        placed: looked.placed.is_some(),
        files,
        sessions,
    }
}

/// What somebody says, unless it is what they have from above.
fn differing(own: Option<&str>, above: Option<&str>) -> Option<String> {
    own.filter(|_| own != above).map(str::to_owned)
}

fn check(
    c: &model::Checker,
    r: &model::RealServer,
    looked: &state::CheckView<'_>,
    [virtual_server, real_server]: [String; 2],
    active: bool,
) -> CheckView {
    let told = matches!(
        c.check,
        model::Check::Bfd { .. } | model::Check::File { .. }
    );
    CheckView {
        virtual_server,
        real_server,
        enabled: told || active,
        up: looked.health == Health::Up,
        has_run: looked.has_run,
        weight: looked.weight,
        alpha: c.alpha,
        rhythm: (!told).then(|| RhythmView {
            delay_loop: c.delay_loop,
            warmup: c.warmup,
            retries: c.retry,
            retry_delay: c.delay_before_retry,
            failed: looked.retries,
            default_retry_delay: match &c.check {
                model::Check::Http(..) => Duration::from_secs(3),
                model::Check::Dns(..) => Duration::ZERO,
                _ => Duration::from_secs(1),
            },
        }),
        log_all_failures: c.log_all_failures,
        connection: c.connection().map(connection),
        method: method(&c.check, looked.failed_url, r.virtualhost.as_deref()),
    }
}

fn connection(c: &model::Connection) -> ConnectionView {
    let bind = c.bind.as_deref().cloned().unwrap_or_default();
    let from = (bind.address, bind.port);
    ConnectionView {
        target: c.target,
        bind: (from != (None, 0)).then_some(from),
        interface: bind.interface.as_deref().map(str::to_owned),
        mark: bind.fwmark,
        timeout: c.timeout,
    }
}

fn method(check: &model::Check, failed: Option<usize>, host: Option<&str>) -> MethodView {
    match check {
        model::Check::Tcp(_) => MethodView::Tcp,
        model::Check::Ping(_) => MethodView::Ping,
        model::Check::Udp(_, udp) => MethodView::Udp {
            payload: udp.payload.len(),
            reply: udp.require_reply.then_some((
                udp.min_reply_length,
                udp.max_reply_length,
                udp.reply.len(),
            )),
            masked: udp.reply.iter().any(|(_, mask)| *mask != u8::MAX),
        },
        model::Check::Http(_, http) => MethodView::Http(HttpView {
            tls: http.tls.is_some(),
            version: match http.version {
                model::HttpVersion::V1_0 => "1.0",
                model::HttpVersion::V1_0Close => "1.0C",
                model::HttpVersion::V1_1 => "1.1",
            },
            virtualhost: differing(http.virtualhost.as_deref(), host),
            sni: http
                .tls
                .as_ref()
                .is_some_and(|tls| tls.sni != model::Sni::Off),
            fast_recovery: http.fast_recovery,
            urls: http.urls.iter().map(|url| page(url, http)).collect(),
            failed: failed
                .and_then(|place| http.urls.get(place))
                .map(|url| url.path.to_string()),
        }),
        model::Check::Smtp(_, smtp) => MethodView::Smtp(smtp.helo_name.to_string()),
        model::Check::Dns(_, dns) => {
            let record = format!("{:?}", dns.record).to_ascii_uppercase();
            MethodView::Dns(record, dns.name.to_string())
        }
        model::Check::Misc(misc) => MethodView::Misc {
            command: CommandView {
                command: dump::quoted(&misc.command),
                owner: (misc.command.run_as.uid, misc.command.run_as.gid),
            },
            // None of its own shows as 0.
            timeout: if misc.own_timeout {
                misc.timeout
            } else {
                Duration::ZERO
            },
            dynamic: misc.dynamic,
            last: last_run(LastRun::default()),
        },
        model::Check::Bfd { name } => MethodView::Bfd(name.to_string()),
        model::Check::File { track_file, .. } => MethodView::File(track_file.to_string()),
    }
}

fn page(url: &model::Url, http: &model::HttpCheck) -> UrlView {
    UrlView {
        path: url.path.to_string(),
        digest: url.digest,
        tls_compliant: url.tls_compliant,
        status: url.status.clone(),
        virtualhost: differing(url.virtualhost.as_deref(), http.virtualhost.as_deref()),
        regex: url.regex.as_deref().map(|regex| RegexView {
            pattern: String::from_utf8_lossy(&regex.pattern).into_owned(),
            no_match: regex.no_match,
            min_offset: regex.min_offset,
            max_offset: regex.max_offset,
            options: model::RegexOption::ALL
                .into_iter()
                .filter(|(_, option)| regex.options.contains(option))
                .map(|(word, _)| word)
                .collect(),
            stack: regex.stack,
        }),
    }
}

fn command(command: Option<&model::Command>) -> Option<CommandView> {
    command.map(|command| CommandView {
        command: dump::quoted(command),
        owner: (command.run_as.uid, command.run_as.gid),
    })
}

/// `NAT`, `TUN, type = GUE, port = 7777, checksum`.
fn forwarding(forwarding: model::Forwarding) -> String {
    let model::Forwarding::Tun(tunnel) = forwarding else {
        return forwarding.to_string();
    };
    let kind = match tunnel.kind {
        model::TunnelKind::Ipip => return "TUN, type = IPIP".to_owned(),
        model::TunnelKind::Gue => format!("GUE, port = {}", tunnel.port),
        model::TunnelKind::Gre => "GRE".to_owned(),
    };
    let checksum = match tunnel.checksum {
        model::TunnelChecksum::None => "no checksum",
        model::TunnelChecksum::Checksum => "checksum",
        model::TunnelChecksum::Remote => "remote checksum",
    };
    format!("TUN, type = {kind}, {checksum}")
}
