//! One reload after the other between configurations by chance: behind each the table is that of
//! a keepalived which was started on the new one.
//!
//! A quarter of the servers is down all the while, and no reload brings one of them up, not even
//! for a moment, that the configuration before had as well.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rk_lab::{Daemon, Guest, IpvsTable, Node, Which, pause};

use crate::lvs::each::hosts;
use crate::lvs::failures::{Doors, verdicts};

const PATIENCE: Duration = Duration::from_secs(30);
/// How many servers a service may have.
const SERVERS: u16 = 4;

/// Where a service is, and how its block begins.
const SERVICES: [Place; 7] = [
    Place::new("192.0.2.1 80", "TCP", 80, Some("TCP  C0000201:0050 ")),
    Place::new("192.0.2.2 80", "TCP", 80, Some("TCP  C0000202:0050 ")),
    Place::new("192.0.2.3 53", "UDP", 53, Some("UDP  C0000203:0035 ")),
    Place::new("fwmark 5", "", 80, None),
    Place::new("group G", "TCP", 80, None),
    Place::new("group H", "UDP", 80, None),
    Place::new("2001:db8::1 443", "TCP", 443, None),
];

struct Place {
    heading: &'static str,
    protocol: &'static str,
    port: u16,
    /// How the kernel's own list names it.
    listed: Option<&'static str>,
}

impl Place {
    const fn new(
        heading: &'static str,
        protocol: &'static str,
        port: u16,
        listed: Option<&'static str>,
    ) -> Self {
        Self {
            heading,
            protocol,
            port,
            listed,
        }
    }
}

/// Numbers by chance, the same for the same seed (xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(all.len() as u64)).expect("a small number");
        all[index]
    }
}

/// A configuration by chance.
struct Configuration {
    text: String,
    /// How many checks it has.
    checks: usize,
    /// The servers that are checked: as the kernel lists the service and the server.
    listed: BTreeSet<(String, String)>,
}

/// Whether the check of this server fails, all the while.
fn fails(service: usize, server: u16) -> bool {
    (service * 5 + usize::from(server) * 3).is_multiple_of(4)
}

fn door(service: usize, server: u16) -> u16 {
    u16::try_from(service).expect("a small number") * SERVERS + server
}

fn configuration(chance: &mut Chance) -> Configuration {
    let mut all = Configuration {
        text: String::new(),
        checks: 0,
        listed: BTreeSet::new(),
    };
    for group in ["G", "H"] {
        let number = if group == "G" { 40 } else { 60 };
        let mut entries = format!("192.0.2.{number} 80\n");
        let more = [
            format!("192.0.2.{}-{} 80\n", number + 1, number + 3),
            format!("192.0.2.{} 80\n", number + 5),
            format!("fwmark {number}\n"),
        ];
        for entry in more {
            if chance.percent(50) {
                entries += &entry;
            }
        }
        let _ = write!(all.text, "virtual_server_group {group} {{\n{entries}}}\n");
    }
    let mut any = false;
    for service in 0..SERVICES.len() {
        if chance.percent(75) || (!any && service + 1 == SERVICES.len()) {
            any = true;
            virtual_server(&mut all, chance, service);
        }
    }
    all
}

fn virtual_server(all: &mut Configuration, chance: &mut Chance, service: usize) {
    let place = &SERVICES[service];
    let six = place.heading.contains(':');
    let method = |chance: &mut Chance| {
        chance.one_of(&[
            "NAT",
            "DR",
            "TUN",
            "TUN type gue port 6080",
            "TUN type gre csum",
        ])
    };
    let own = method(chance);
    let mut text = format!("virtual_server {} {{\n", place.heading);
    let scheduler = chance.one_of(&["rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "sed", "nq"]);
    let _ = writeln!(text, "lvs_sched {scheduler}\nlvs_method {own}");
    if !place.protocol.is_empty() {
        let _ = writeln!(text, "protocol {}", place.protocol);
    }
    let mut may = |percent, words: &str| {
        if chance.percent(percent) {
            text += words;
            text.push('\n');
        }
    };
    may(50, if scheduler == "sh" { "sh-port" } else { "" });
    may(50, if scheduler == "mh" { "mh-fallback" } else { "" });
    may(30, if place.protocol == "UDP" { "ops" } else { "" });
    may(20, "inhibit_on_failure");
    may(15, "alpha");
    may(15, "omega");
    may(20, "quorum 2");
    may(15, "quorum 5");
    may(30, "weight 3");
    if chance.percent(30) {
        let _ = writeln!(text, "persistence_timeout {}", 60 + chance.below(3));
        // Of groups keepalived forgets it.
        let plain = !six && !place.heading.starts_with("group");
        if plain && chance.percent(40) {
            text += "persistence_granularity 255.255.255.0\n";
        }
    }
    if chance.percent(50) {
        let address = if six { "2001:db8::99" } else { "10.0.0.99" };
        let _ = writeln!(text, "sorry_server {address} {}", place.port);
        if chance.percent(30) {
            text += "sorry_server_inhibit\n";
        }
    }
    for server in 0..SERVERS {
        // One at least.
        if server != 0 && chance.percent(30) {
            continue;
        }
        let address = if six {
            format!("2001:db8::{}", server + 11)
        } else {
            format!("10.0.0.{}", server + 1)
        };
        // Only with NAT a port of its own is used.
        let nat = own == "NAT";
        let port = if nat && server == 3 { 8080 } else { place.port };
        let _ = writeln!(text, "real_server {address} {port} {{");
        if chance.percent(40) {
            let _ = writeln!(text, "weight {}", chance.below(5));
        }
        if chance.percent(25) {
            let _ = writeln!(text, "uthreshold {}\nlthreshold 2", 10 + chance.below(2));
        }
        if chance.percent(15) {
            text += "inhibit_on_failure\n";
        }
        if port == place.port && chance.percent(15) {
            let _ = writeln!(text, "lvs_method {}", method(chance));
        }
        if fails(service, server) || chance.percent(80) {
            let _ = writeln!(
                text,
                "TCP_CHECK {{
                    connect_ip 127.0.0.1
                    connect_port {}
                    connect_timeout 2
                    retry 0
                    delay_loop 1
                    warmup 0
                }}",
                20_000 + door(service, server)
            );
            all.checks += 1;
            if let Some(listed) = place.listed {
                let destination = format!("0A0000{:02X}:{port:04X}", server + 1);
                all.listed.insert((listed.to_owned(), destination));
            }
        }
        text += "}\n";
    }
    all.text += &text;
    all.text += "}\n";
}

/// The servers that get requests now, as the kernel's own list names services and servers.
fn serving(node: &Node) -> BTreeSet<(String, String)> {
    let file = format!("/proc/{}/net/ip_vs", node.pid());
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut service = "";
    let mut all = BTreeSet::new();
    for line in text.lines() {
        let Some(server) = line.strip_prefix("  -> ") else {
            service = line;
            continue;
        };
        let words: Vec<&str> = server.split_whitespace().collect();
        let place = SERVICES.iter().find_map(|place| {
            let listed = place.listed?;
            service.starts_with(listed).then_some(listed)
        });
        if let (Some(listed), [address, _, weight, ..]) = (place, &words[..])
            && *weight != "0"
        {
            all.insert((listed.to_owned(), (*address).to_owned()));
        }
    }
    all
}

/// What keepalived makes of it, once all checks have said something.
fn cold(node: &Node, one: &Configuration) -> IpvsTable {
    let mut daemon = Daemon::start(node, Which::Keepalived, &one.text);
    let until = Instant::now() + PATIENCE;
    while verdicts(&daemon) < one.checks {
        let log = || format!("{}\n{}", daemon.log(), one.text);
        assert!(Instant::now() < until, "checks without verdict: {}", log());
        pause(Duration::from_millis(20));
    }
    let table = daemon.settled_ipvs();
    daemon.stop();
    table
}

/// So many reloads in the life of one daemon.
fn reload_and_compare(seed: u64, reloads: usize) {
    let lab = crate::bed::lab("torture").expect("a guest can make namespaces");
    let nodes = hosts(&lab, ["one", "two"]);
    let mut doors = [Doors::of(&nodes[0]), Doors::of(&nodes[1])];
    let all = door(SERVICES.len(), 0);
    for doors in &mut doors {
        doors.set(all, |door| {
            !fails(usize::from(door / SERVERS), door % SERVERS)
        });
    }
    let down = |one: &Configuration| -> BTreeSet<(String, String)> {
        let failing = SERVICES.iter().enumerate().flat_map(|(service, place)| {
            let servers = (0..SERVERS).filter(move |server| fails(service, *server));
            servers.map(move |server| (place.listed, format!("0A0000{:02X}", server + 1)))
        });
        let failing: BTreeSet<_> = failing.collect();
        let fails = |(service, server): &&(String, String)| {
            let address = server.split(':').next().unwrap_or_default().to_owned();
            failing.contains(&(Some(service.as_str()), address))
        };
        one.listed.iter().filter(fails).cloned().collect()
    };
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut before = configuration(&mut chance);
    let wanted = cold(&nodes[0], &before);
    let daemon = Daemon::start(&nodes[1], Which::Rkeepalived, &before.text);
    let mut lines = vec![come_to(&daemon, &wanted, None, &before, &before)];
    for _ in 0..reloads {
        let next = configuration(&mut chance);
        let wanted = cold(&nodes[0], &next);
        let (was, is) = (down(&before), down(&next));
        let stay: BTreeSet<_> = was.intersection(&is).cloned().collect();
        daemon.reload(&next.text);
        lines.push(come_to(&daemon, &wanted, Some(&stay), &before, &next));
        before = next;
    }
    eprintln!("seed {seed}: lines {lines:?}");
}

/// Waits until the table is `wanted`; meanwhile none of `stay` serves. How many lines it has.
#[track_caller]
fn come_to(
    daemon: &Daemon<'_>,
    wanted: &IpvsTable,
    stay: Option<&BTreeSet<(String, String)>>,
    before: &Configuration,
    now: &Configuration,
) -> usize {
    let node = daemon.node();
    let until = Instant::now() + PATIENCE;
    let texts = || format!("before:\n{}\nnow:\n{}\n", before.text, now.text);
    let mut looked = Instant::now();
    loop {
        if let Some(stay) = stay {
            let up: Vec<_> = serving(node).intersection(stay).cloned().collect();
            assert!(up.is_empty(), "up by a reload: {up:?}\n{}", texts());
        }
        // Programs take their time: the kernel's list is looked at more often.
        if looked.elapsed() > Duration::from_millis(150) {
            looked = Instant::now();
            let table = node.ipvs();
            if table == *wanted {
                return table.lines().len();
            }
            assert!(
                Instant::now() < until,
                "the table is\n{table}instead of\n{wanted}{}{}",
                texts(),
                daemon.log()
            );
        }
        pause(Duration::from_millis(3));
    }
}

/// `RKEEPALIVED_TEST_TORTURE` is the first seed and how many reloads: `7 100`.
fn chosen() -> (u64, usize) {
    let words = std::env::var("RKEEPALIVED_TEST_TORTURE").unwrap_or_default();
    let mut words = words.split(' ');
    let mut next = || words.next().and_then(|word| word.parse::<u32>().ok());
    let (seed, reloads) = (next(), next());
    (
        seed.unwrap_or(1).into(),
        usize::try_from(reloads.unwrap_or(10)).expect("a number"),
    )
}

#[test]
fn reloads_come_to_what_a_start_does() {
    let deadline = Duration::from_mins(30);
    Guest::new().memory(512).deadline(deadline).run(|| {
        let (seed, reloads) = chosen();
        reload_and_compare(seed, reloads);
    });
}
