//! From the configuration to the settings of the core, and to the probes behind its checks.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use rk_base::Family;
use rk_checker::probe::{
    Bind, Client, Digest, DnsProbe, Endpoint as Target, ExitStatus, Farewell, HttpProbe,
    HttpVersion, Identity, MiscProbe, Password, Probe, Regex, RegexCheck, RegexError, Reply, Sense,
    SmtpProbe, StatusCodes, Tls, TlsError, Trust, UdpProbe, Verify,
};
use rk_checker::state::{
    Check, Encapsulation, Endpoint, Forward, Http, Kind, Persistence, ProbeKey, Proof, Protocol,
    RealServer, Service, ServiceKey, Settings, SorryServer, Timing, Tunnel, TunnelChecksum, Url,
    VirtualName, VirtualServer,
};
use rk_config::model;
use rk_script::Umask;
use tracing::error;

use super::marks::Numbers;
use crate::outlets;

/// How one check is made.
#[derive(Debug)]
pub(super) struct Work {
    /// Of whom something is asked.
    pub(super) target: Target,
    /// What: one for each URL, else one.
    pub(super) probes: Vec<Probe>,
}

/// The load balancing part of a configuration, ready to run.
pub(super) struct Plan {
    /// For the core.
    pub(super) settings: Settings,
    /// For its probes.
    pub(super) works: HashMap<ProbeKey, Arc<Work>>,
    /// Where each service of the kernel's table stands in the configuration.
    pub(super) origins: HashMap<ServiceKey, model::Origin>,
}

/// Translates `config`. What cannot be used is logged, with its place in the configuration; a
/// check that cannot be made counts as one that never fails. `marks` has settled on `config`.
pub(super) fn plan(config: &model::Config, marks: &Numbers) -> Plan {
    let lvs = &config.global.lvs;
    let mut planner = Planner {
        config,
        marks,
        umask: config.global.umask.map_or_else(Umask::default, Umask),
        client: None,
        works: HashMap::new(),
        // Groups have more.
        origins: HashMap::with_capacity(config.virtual_servers.len()),
    };
    let virtual_servers = config
        .virtual_servers
        .iter()
        .map(|v| planner.virtual_server(v))
        .collect();
    Plan {
        settings: Settings {
            virtual_servers,
            rs_init_notifies: lvs.rs_init_notifies,
            no_checker_emails: lvs.no_checker_emails,
            share_probes: lvs.checker_share_probes,
        },
        works: planner.works,
        origins: planner.origins,
    }
}

struct Planner<'a> {
    config: &'a model::Config,
    marks: &'a Numbers,
    umask: Umask,
    /// What `SSL` says, read once; `None` before it is needed.
    client: Option<Option<Client>>,
    works: HashMap<ProbeKey, Arc<Work>>,
    origins: HashMap<ServiceKey, model::Origin>,
}

impl Planner<'_> {
    fn virtual_server(&mut self, v: &model::VirtualServer) -> VirtualServer {
        let protocol = v.service.protocol();
        let entries = self.entries(&v.service, protocol);
        for entry in &entries {
            self.origins
                .entry(*entry)
                .or_insert_with(|| v.origin.clone());
        }
        VirtualServer {
            name: name(&v.service),
            protocol,
            entries: entries.into(),
            service: Service {
                scheduler: v.scheduler.name().into(),
                one_packet: v.ops,
                hashed: v.flags.hashed,
                flags: [v.flags.sched1, v.flags.sched2, v.flags.sched3],
                persistence: v.persistence.as_ref().map(|p| persistence(p, v)),
            },
            quorum: v.quorum.max(1),
            hysteresis: v.hysteresis,
            alpha: v.alpha,
            omega: v.omega,
            ha_suspend: v.ha_suspend,
            sorry_server: v.sorry_server.as_ref().map(|s| SorryServer {
                addr: s.addr,
                port: s.port,
                forward: forward(s.forwarding),
                inhibit: s.inhibit,
            }),
            smtp_alert: v.smtp_alert,
            real_servers: v
                .real_servers
                .iter()
                .map(|r| self.real_server(r, protocol))
                .collect(),
        }
    }

    /// The services of the table: addresses first, then marks, as keepalived adds them.
    fn entries(&self, service: &model::Service, protocol: Option<Protocol>) -> Vec<ServiceKey> {
        match service {
            model::Service::Address { addr, port, .. } => vec![ServiceKey::Address {
                addr: *addr,
                port: *port,
                protocol: protocol.unwrap_or(Protocol::Udp),
            }],
            model::Service::Fwmark { mark, family } => vec![ServiceKey::Mark {
                mark: *mark,
                family: *family,
            }],
            model::Service::Group { name, family, .. } => {
                let groups = &self.config.virtual_server_groups;
                let Some(group) = groups.iter().find(|g| g.name == *name) else {
                    return Vec::new();
                };
                if let Some((mark, families)) = self.marks.of(service, group) {
                    let mark = mark.get();
                    return families
                        .map(|family| ServiceKey::Mark { mark, family })
                        .collect();
                }
                let (mut addresses, mut marks) = (Vec::new(), Vec::new());
                for entry in &group.entries {
                    if let model::GroupTarget::Fwmark { mark, family: own } = entry.target {
                        let family = own.unwrap_or(*family);
                        marks.push(ServiceKey::Mark { mark, family });
                    }
                    let port = entry.target.port().unwrap_or(0);
                    let protocol = protocol.unwrap_or(Protocol::Udp);
                    addresses.extend(entry.target.addresses().map(|addr| ServiceKey::Address {
                        addr,
                        port,
                        protocol,
                    }));
                }
                addresses.append(&mut marks);
                addresses
            }
        }
    }

    fn real_server(&mut self, r: &model::RealServer, protocol: Option<Protocol>) -> RealServer {
        let endpoint = Endpoint {
            addr: r.addr,
            port: r.port,
            protocol,
        };
        RealServer {
            addr: r.addr,
            port: r.port,
            weight: r.weight,
            forward: forward(r.forwarding),
            uthreshold: r.uthreshold,
            lthreshold: r.lthreshold,
            inhibit_on_failure: r.inhibit_on_failure,
            alpha: r.alpha,
            smtp_alert: r.smtp_alert,
            checks: r
                .checkers
                .iter()
                .filter_map(|c| self.check(c, endpoint))
                .collect(),
        }
    }

    fn check(&mut self, c: &model::Checker, real: Endpoint) -> Option<Check> {
        let probe = key(&c.check, real);
        let kind = kind(&c.check);
        if kind.probes() && !self.works.contains_key(&probe) {
            let target = target(c.connection(), real);
            match self.probes(&c.check) {
                Ok(probes) => {
                    let work = Arc::new(Work { target, probes });
                    self.works.insert(probe.clone(), work);
                }
                Err(problem) => {
                    error!("{}: {}: {problem}; the check is left out", c.origin, kind);
                    return None;
                }
            }
        }
        Some(Check {
            probe,
            kind,
            timing: Timing {
                delay_loop: c.delay_loop,
                warmup: c.warmup,
                retry: c.retry,
                delay_before_retry: c.delay_before_retry,
            },
            alpha: c.alpha,
            log_all_failures: c.log_all_failures,
        })
    }

    fn probes(&mut self, check: &model::Check) -> Result<Vec<Probe>, String> {
        Ok(vec![match check {
            model::Check::Tcp(_) => Probe::Tcp,
            model::Check::Ping(_) => Probe::Ping,
            model::Check::Udp(_, udp) => Probe::Udp(UdpProbe {
                payload: udp.payload.clone(),
                reply: udp.require_reply.then(|| Reply {
                    pattern: udp.reply.clone(),
                    min_length: udp.min_reply_length,
                    max_length: udp.max_reply_length,
                }),
            }),
            model::Check::Http(_, http) => {
                let client = match &http.tls {
                    Some(_) => Some(self.client()?),
                    None => None,
                };
                return http
                    .urls
                    .iter()
                    .map(|url| page(http, url, client.as_ref()))
                    .collect();
            }
            model::Check::Smtp(_, smtp) => Probe::Smtp(SmtpProbe {
                helo_name: smtp.helo_name.to_string(),
            }),
            model::Check::Dns(_, dns) => {
                let record = format!("{:?}", dns.record);
                Probe::Dns(DnsProbe::new(&dns.name, &record).map_err(|e| e.to_string())?)
            }
            model::Check::Misc(misc) => {
                let command = outlets::command(&misc.command, self.umask);
                Probe::Misc(MiscProbe {
                    command: command.ok_or("the command may not run")?,
                    timeout: misc.timeout,
                    exit_status: if misc.dynamic {
                        ExitStatus::Dynamic
                    } else {
                        ExitStatus::Plain
                    },
                })
            }
            model::Check::Bfd { .. } | model::Check::File { .. } => return Ok(Vec::new()),
        }])
    }

    /// The client's side of TLS, read once for all checks.
    fn client(&mut self) -> Result<Client, String> {
        let ssl = self.config.ssl.as_deref();
        let client = self.client.get_or_insert_with(|| {
            tls_client(ssl)
                .inspect_err(|e| {
                    let origin = ssl.map(|s| format!("{}: ", s.origin)).unwrap_or_default();
                    error!("{origin}SSL: {e}");
                })
                .ok()
        });
        client
            .clone()
            .ok_or_else(|| "TLS cannot be set up".to_owned())
    }
}

/// Reads the files of the `SSL` block.
///
/// # Errors
/// [`TlsError`] names the file.
pub(crate) fn tls_client(ssl: Option<&model::Ssl>) -> Result<Client, TlsError> {
    let Some(ssl) = ssl else {
        return Client::new(&Identity::default(), &Trust::System);
    };
    let password = ssl
        .password
        .as_ref()
        .map(|p| Password::new(String::from_utf8_lossy(p.expose())));
    let identity = Identity {
        certificate: ssl.certificate.as_ref().map(PathBuf::from),
        key: ssl.key.as_ref().map(PathBuf::from),
        password,
    };
    let trust = match &ssl.ca {
        Some(file) => Trust::File(file.into()),
        None => Trust::System,
    };
    Client::new(&identity, &trust)
}

/// One URL of an HTTP check.
fn page(
    http: &model::HttpCheck,
    url: &model::Url,
    client: Option<&Client>,
) -> Result<Probe, String> {
    let virtualhost = url.virtualhost.as_deref().map(str::to_owned);
    let regex = match &url.regex {
        Some(regex) => Some(pattern(regex)?),
        None => None,
    };
    let tls = http.tls.as_ref().zip(client).map(|(tls, client)| {
        let name = match &tls.sni {
            model::Sni::Off => None,
            model::Sni::VirtualHost => virtualhost.clone(),
            model::Sni::Name(name) => Some(name.to_string()),
        };
        Tls {
            client: client.clone(),
            verify: if tls.verify {
                Verify::Name(name.clone().or_else(|| virtualhost.clone()))
            } else {
                Verify::Off
            },
            server_name: name,
            farewell: if url.tls_compliant {
                Farewell::CloseNotify
            } else {
                Farewell::Quiet
            },
        }
    });
    Ok(Probe::Http(Box::new(HttpProbe {
        path: url.path.to_string(),
        version: match http.version {
            model::HttpVersion::V1_0 => HttpVersion::V1_0,
            model::HttpVersion::V1_0Close => HttpVersion::V1_0Close,
            model::HttpVersion::V1_1 => HttpVersion::V1_1,
        },
        virtualhost,
        status: StatusCodes(url.status.iter().map(|(from, to)| *from..=*to).collect()),
        digest: url.digest.map(Digest),
        regex,
        tls,
    })))
}

/// Compiles the pattern of a page.
///
/// # Errors
/// What PCRE2 says about it.
pub(crate) fn compile(regex: &model::Regex) -> Result<Regex, RegexError> {
    let text = String::from_utf8_lossy(&regex.pattern);
    let words = model::RegexOption::ALL
        .iter()
        .filter(|(_, option)| regex.options.contains(option))
        .map(|(word, _)| *word);
    Regex::new(&text, words)
}

fn pattern(regex: &model::Regex) -> Result<RegexCheck, String> {
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    Ok(RegexCheck {
        regex: compile(regex).map_err(|e| e.to_string())?,
        sense: if regex.no_match {
            Sense::NoMatch
        } else {
            Sense::Match
        },
        min_offset: regex.min_offset,
        max_offset: regex.max_offset,
        stack: regex.stack.map(|(first, most)| (size(first), size(most))),
    })
}

fn target(connection: Option<&model::Connection>, real: Endpoint) -> Target {
    let addr = std::net::SocketAddr::new(real.addr, real.port);
    let mut target = Target::new(real.to_string(), connection.map_or(addr, |c| c.target));
    if let Some(connection) = connection {
        target.connect_timeout = connection.timeout;
        if let Some(bind) = &connection.bind {
            target.fwmark = bind.fwmark;
            target.bind = Bind {
                addr: bind.address,
                port: bind.port,
                interface: bind.interface.as_deref().map(str::to_owned),
            };
        }
    }
    target
}

/// All that a check is about, without where it stands in the configuration.
pub(super) fn key(check: &model::Check, real: Endpoint) -> ProbeKey {
    let mut owned;
    let mut check = check;
    if let model::Check::Http(..) | model::Check::Misc(_) = check {
        owned = check.clone();
        match &mut owned {
            model::Check::Http(_, http) => {
                for url in &mut http.urls {
                    url.origin = model::Origin::default();
                }
            }
            model::Check::Misc(misc) => misc.command.origin = model::Origin::default(),
            _ => {}
        }
        check = &owned;
    }
    let protocol = real.protocol.map(|protocol| protocol as u8);
    let bytes = postcard::to_stdvec(&(real.addr, real.port, protocol, check))
        .expect("whatever comes from the parent in this form can be written in it");
    ProbeKey(bytes.into())
}

fn kind(check: &model::Check) -> Kind {
    match check {
        model::Check::Tcp(_) => Kind::Tcp,
        model::Check::Ping(_) => Kind::Ping,
        model::Check::Udp(..) => Kind::Udp,
        model::Check::Http(_, http) => {
            let course = Http {
                urls: http.urls.iter().map(url).collect(),
                fast_recovery: http.fast_recovery,
            };
            if http.tls.is_some() {
                Kind::Ssl(course)
            } else {
                Kind::Http(course)
            }
        }
        model::Check::Smtp(..) => Kind::Smtp,
        model::Check::Dns(..) => Kind::Dns,
        model::Check::Misc(misc) => Kind::Misc {
            // Without its arguments, as keepalived names it.
            script: misc.command.argv.first().map_or("", String::as_str).into(),
        },
        model::Check::Bfd { name } => Kind::Bfd {
            session: name.clone(),
        },
        model::Check::File {
            track_file,
            weight,
            reverse,
        } => Kind::File {
            file: track_file.clone(),
            weight: *weight,
            reverse: *reverse,
        },
    }
}

fn url(url: &model::Url) -> Url {
    Url {
        path: url.path.clone(),
        proofs: [
            Some(Proof::Status),
            url.digest.map(|_| Proof::Digest),
            url.regex.as_ref().map(|_| Proof::Regex),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// What a virtual server is called.
pub(super) fn name(service: &model::Service) -> VirtualName {
    match service {
        model::Service::Address {
            addr,
            port,
            protocol: p,
        } => VirtualName::Address(Endpoint {
            addr: *addr,
            port: *port,
            protocol: Some(*p),
        }),
        model::Service::Fwmark { mark, family } => VirtualName::Mark {
            mark: *mark,
            family: *family,
        },
        model::Service::Group { name, index, .. } => VirtualName::Group {
            name: name.clone(),
            index: *index,
        },
    }
}

fn persistence(p: &model::Persistence, v: &model::VirtualServer) -> Persistence {
    let granularity = p.granularity.as_ref().map(|g| match *g {
        model::Granularity::Mask(mask) => u32::from(mask),
        model::Granularity::Length(bits) => u32::from(bits),
    });
    Persistence {
        timeout: u32::try_from(p.timeout.as_secs()).unwrap_or(u32::MAX),
        granularity,
        engine: v.persistence_engine.clone(),
    }
}

fn forward(forwarding: model::Forwarding) -> Forward {
    match forwarding {
        model::Forwarding::Nat => Forward::Nat,
        model::Forwarding::Dr => Forward::DirectRoute,
        model::Forwarding::Tun(tunnel) => Forward::Tunnel(Tunnel {
            encapsulation: match tunnel.kind {
                model::TunnelKind::Ipip => Encapsulation::Ipip,
                model::TunnelKind::Gue => Encapsulation::Gue { port: tunnel.port },
                model::TunnelKind::Gre => Encapsulation::Gre,
            },
            checksum: match tunnel.checksum {
                model::TunnelChecksum::None => TunnelChecksum::No,
                model::TunnelChecksum::Checksum => TunnelChecksum::Yes,
                model::TunnelChecksum::Remote => TunnelChecksum::Remote,
            },
        }),
    }
}

/// The family of a service.
pub(super) fn family(key: ServiceKey) -> Family {
    match key {
        ServiceKey::Address { addr, .. } => Family::of(addr),
        ServiceKey::Mark { family, .. } => family,
    }
}
