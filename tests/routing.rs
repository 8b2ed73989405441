//! Routes and rules mean to us what they mean to keepalived.
//!
//! keepalived puts the lines of a file into the kernel of one node. The other node gets what we
//! read in the same lines, as `ip` takes it. Then both kernels show the same.

use std::collections::BTreeSet;

use std::fs;
use std::net::IpAddr;

use rk_base::Family;
use rk_config::model::{Config, Route, Rule};
use rk_lab::{Daemon, Lab, Node, Which};

use crate::bed::{SOON, lab};
use crate::machine::{Machine, test};
use crate::world::material;

const INTERFACES: &str = "
    for i in 0 1; do
        ip link add eth$i type veth peer name peer$i
        ip link set eth$i up
        ip link set peer$i up
    done
    ip addr add 192.0.2.250/24 dev eth0
    ip addr add 203.0.113.250/24 dev eth1
    ip addr add 2001:db8:ffff::250/64 dev eth0 nodad
";

/// When keepalived has come to this instance, it is done with routes and rules.
const INSTANCE: &str = "vrrp_instance V {\n interface eth0\n virtual_router_id 5\n \
                        virtual_ipaddress {\n 192.0.2.251\n }\n}\n\
                        track_group TG {\n group {\n V\n }\n}\n";

/// Not among them, because keepalived 2.2.7 has them wrong: a `nexthop` without words is a way to
/// nowhere, `or` ahead of `via` is refused by the kernel, of the id of a tunnel it keeps half the
/// bits, and behind a tunnel of no known kind it skips a word.
const ROUTES: &[&str] = &[
    "default via 192.0.2.1",
    "any via 192.0.2.1 metric 10",
    "all via 192.0.2.1 metric 11",
    "default dev eth1 metric 12",
    "default via 2001:db8:ffff::1",
    "default6 via 2001:db8:ffff::1 metric 9",
    "10.0.1.0/24 dev eth0",
    "10.0.2.1 dev eth0",
    "to 10.0.3.0/24 dev eth0",
    "unicast 10.0.4.0/24 dev eth0",
    "local 10.0.5.1 table local scope host dev eth0",
    "broadcast 10.0.6.255 table local scope link dev eth0",
    "brd 10.0.7.255 table 255 scope link dev eth0",
    "multicast 10.0.8.0/24 dev eth0",
    "blackhole 10.0.9.0/24",
    "unreachable 10.0.10.0/24 metric 3",
    "prohibit 10.0.11.0/24",
    "throw 10.0.12.0/24 table 100",
    "6 10.0.13.0/24",
    "0x7 10.0.14.0/24",
    "10.0.15.0/24 via 192.0.2.1",
    "10.0.16.0/24 via inet 192.0.2.1 dev eth0",
    "10.0.17.0/24 gw 192.0.2.1",
    "10.0.18.0/24 via 198.51.100.1 dev eth0 onlink",
    "10.0.19.0/24 via 192.0.2.1 src 192.0.2.250",
    "10.0.20.0/24 dev eth0 tos 0x10",
    "10.0.21.0/24 dev eth0 dsfield 16 metric 4",
    "10.0.22.0/24 dev eth0 table 0x64",
    "10.0.23.0/24 dev eth0 table main",
    "10.0.24.0/24 dev eth0 protocol 4",
    "10.0.25.0/24 dev eth0 protocol boot no_track",
    "10.0.26.0/24 dev eth0 protocol 0xfa no_track",
    "10.0.27.0/24 dev eth0 no_track",
    "10.0.28.0/24 dev eth0 scope link",
    "10.0.29.0/24 dev eth0 scope 0xfd",
    "10.0.30.0/24 dev eth0 metric 10",
    "10.0.31.0/24 dev eth0 priority 010",
    "10.0.32.0/24 dev eth0 preference 4294967295",
    "10.0.33.0/24 dev eth0 metric 0x10",
    "10.0.34.0/24 oif eth1",
    "10.0.35.0/24 dev eth0 dev eth1",
    "10.0.36.0/24 dev eth0 mtu 1400 advmss 1000 reordering 5 cwnd 10 ssthresh 7",
    "10.0.37.0/24 dev eth0 mtu lock 1400 advmss lock 1000 cwnd lock 10 ssthresh lock 7",
    "10.0.38.0/24 dev eth0 mtu 1400 mtu lock 1300",
    "10.0.39.0/24 dev eth0 hoplimit 9 window 55 initcwnd 3 initrwnd 4",
    "10.0.40.0/24 dev eth0 quickack 1 fastopen_no_cookie 1 features ecn",
    "10.0.41.0/24 dev eth0 quickack 0 fastopen_no_cookie 0",
    "10.0.42.0/24 dev eth0 congctl reno",
    "10.0.43.0/24 dev eth0 congctl lock reno",
    "10.0.44.0/24 dev eth0 rtt 300 rttvar 300 rto_min 300",
    "10.0.45.0/24 dev eth0 rtt 4000 rttvar 4000 rto_min 4000",
    "10.0.46.0/24 dev eth0 rtt 300ms rttvar 400ms rto_min 500ms",
    "10.0.47.0/24 dev eth0 rtt 1s rttvar 2sec rto_min 1.5secs",
    "10.0.48.0/24 dev eth0 rtt lock 1.25s rttvar lock 0.3s rto_min lock 250ms",
    "10.0.49.0/24 dev eth0 rtt 100ms rttvar 100 rto_min 10",
    "10.0.50.0/24 dev eth0 rtt 130s",
    "10.0.51.0/24 dev eth0 rto_min 200",
    "10.0.52.0/24 dev eth0 realms 1/2",
    "10.0.53.0/24 dev eth0 realms 3",
    "10.0.54.0/24 dev eth0 realms 0x11/010",
    "10.0.55.0/24 dev eth0 realms cosmos",
    "10.0.56.0/24 nexthop via 192.0.2.1 weight 2 nexthop via 192.0.2.2 dev eth0 weight 256",
    "10.0.57.0/24 nexthop via 10.9.9.9 dev eth0 onlink nexthop dev eth1 realms 4/5",
    "10.0.59.0/24 mtu 1400 metric 5 nexthop via 192.0.2.1",
    "10.0.60.0/24 nexthop weight 3 via 192.0.2.1 dev eth0 via 192.0.2.2 nexthop dev eth1",
    "10.0.61.0/24 via 192.0.2.1 or 203.0.113.1",
    "10.0.63.0/24 via 192.0.2.1 or 192.0.2.2 or 192.0.2.3",
    "10.0.64.0/24 encap ip id 5 dst 192.0.2.70 src 192.0.2.71 tos 16 ttl 20 dev eth0",
    "10.0.65.0/24 encap ip id 7 dst 192.0.2.70 dev eth0",
    "10.0.66.0/24 encap ip dst 192.0.2.70 tos 0x10 dev eth0 metric 3",
    "10.0.67.0/24 encap ip6 id 5 dst 2001:db8::70 src 2001:db8::71 tc 16 hoplimit 20 dev eth0",
    "10.0.69.0/24 dev eth0 append metric 3",
    "10.0.69.0/24 dev eth1 append metric 3",
    "10.0.70.0/24 dev eth0 prepend metric 3",
    "10.0.70.0/24 dev eth1 prepend metric 3",
    "10.0.71.0/24 dev eth0 add metric 3",
    "10.0.71.0/24 dev eth1 add metric 3",
    "10.0.72.0/24 dev eth0 inet x",
    "10.0.73.7/24 dev eth0",
    "10.0.74.0/ dev eth0",
    "10.0.75.0/24 dev eth0 ttl-propagate enabled",
    "10.0.76.0/24 dev eth0 track_group TG",
    "10.0.77.0/24 dev eth0 scope nonsense",
    "10.0.78.0/24 dev eth0 metric x",
    "10.0.79.0/24 via 2001:db8:ffff::1",
    "10.0.80.0/24 dev eth0 hoplimit 256",
    "10.0.81.0/24 dev eth0 realms 256",
    "10.0.82.0/24 dev eth0 rtt 1e3",
    "10.0.83.0/24 dev eth0 features zzz ttl-propagate zzz",
    "10.0.84.0/24 dev eth0 as to 192.0.2.1",
    "10.0.85.0/24 dev eth0 inet6 x",
    "10.0.90.0/24 dev eth0 nonsense",
    "10.0.91.0/24 nonsense dev eth0",
    "nonsense 10.0.92.0/24 dev eth0",
    "10.0.93.0/24 10.0.94.0/24 dev eth0",
    "10.0.87.0/24 nexthop via 192.0.2.1 zzz nexthop dev eth1",
    "10.0.88.0/24 dev eth0 quickack 2",
    "10.0.89.0/24 dev eth0 mtu 0x578",
    "2001:db8:1::/48 dev eth0",
    "2001:db8:2::/48 via 2001:db8:ffff::1 metric 5 mtu lock 1300",
    "2001:db8:3::/48 via fe80::9 dev eth0",
    "2001:db8:4::/48 via inet6 2001:db8:ffff::1 dev eth0",
    "2001:db8:5::/48 dev eth0 expires 600",
    "2001:db8:6::/48 dev eth0 pref high",
    "2001:db8:7::/48 dev eth0 pref low",
    "2001:db8:8::/48 dev eth0 pref medium",
    "2001:db8:9::/48 dev eth0 pref 3",
    "2001:db8:a::/48 dev eth0 pref 8",
    "2001:db8:b::/48 dev eth0 from 2001:db8:77::/48",
    "2001:db8:c::/48 nexthop via 2001:db8:ffff::1 weight 3 nexthop via 2001:db8:ffff::2",
    "blackhole 2001:db8:d::/48",
    "unreachable 2001:db8:e::/48 metric 7 table 100",
    "2001:db8:f::/48 encap ip6 id 5 dst 2001:db8::70 dev eth0",
    "2001:db8:10::1 src 2001:db8:ffff::250 dev eth0",
    "2001:db8:11::/48 dev eth0 realms 1",
    "2001:db8:12::/48 dev eth0 advmss 1000 hoplimit 5 initcwnd 4 congctl reno",
    "2001:db8:13::/48 dev eth0 metric 0",
];

const RULES: &[&str] = &[
    "priority 1001 from 10.1.0.0/24 table 100",
    "to 10.1.0.0/24 table main preference 1002",
    "to 10.1.0.0/24 lookup main order 1003",
    "from 10.1.0.0/24 to 10.2.0.0/16 table 100 order 1004 iif eth0 oif eth1",
    "priority 1005 table 100 tos 16 fwmark 0x10/0xff",
    "priority 1006 table 100 fwmark 16",
    "priority 1007 table 100 fwmark 020/0",
    "priority 1008 table 100 fwmark 1/",
    "priority 1009 table 100 realms 1/2",
    "priority 1010 table 100 realms 5",
    "priority 1011 table 100 realms 0x11/010",
    "priority 1012 table 100 suppress_prefixlength 3 suppress_ifgroup 5",
    "priority 1013 table 100 sup_pl 0 sup_group default",
    "priority 1014 table 100 tunnel-id 55 uidrange 1000-2000",
    "priority 1015 l3mdev",
    "priority 1016 table 100 protocol 4",
    "priority 1017 table 100 protocol 4 no_track",
    "priority 1018 table 100 ipproto tcp sport 10-20 dport 30-30",
    "priority 1019 table 100 ipproto 17",
    "priority 1020 table 100 ipproto UDP",
    "priority 1021 table 100 ipproto icmp",
    "priority 1022 table 100 ipproto ipip",
    "priority 1023 type blackhole",
    "priority 1024 goto 2000",
    "priority 1025 type goto 2001",
    "priority 1026 nop",
    "priority 1027 blackhole",
    "priority 1028 unreachable",
    "priority 1029 prohibit",
    "priority 1030 table 100 not from 10.9.0.0/16",
    "priority 1031 not from 10.9.0.0/16 table 0x65",
    "priority 1032 from 2001:db8::/32 table 100",
    "priority 1033 table 100 inet6",
    "priority 1034 from all table 100",
    "priority 1035 to default table 100 inet6",
    "priority 1036 table local dev eth0",
    "priority 1037 table 100 iif eth0 iif eth1",
    "priority 1038 from 2001:db8::/32 to 2001:db8:9::/48 prohibit",
    "from 10.77.0.0/16 table 100",
    "to 10.78.0.0/16 table 100",
    "from 2001:db8:3::/48 table 100",
    "priority 1039 from 10.1.2.3/24 table 100",
    "priority 1040 from 10.1.0.0/ table 100",
    "priority 1041 from 10.0.0.0/8 from 10.1.0.0/16 table 100",
    "priority 0x412 dsfield 0x10 table 100",
    "priority 02023 table 4294967295",
    "priority 0 from 10.3.0.0/16 table 100",
    "priority 4294967295 table 100",
    "priority 1044 table 100 iif eth0 track_group TG",
    "priority 1045 table 100 track_group TG",
    "priority 1046 table 100 uidrange 0x10-0x20",
    "priority 1047 table 100 protocol 0x10",
    "priority 1048 table 100 fwmark 0x100000000",
    "priority 1049 table 100 ipproto nonsense",
    "priority 1050 table 100 tunnel-id 0x11",
    "priority 1051 goto 0x7d1",
    "priority 1052 table 100 sup_pl 0x3",
    "priority 1053 table 100 ipproto tcp sport 80",
    "priority 1054 prohibit realms 1",
    "priority 1055 prohibit suppress_prefixlength 5",
    "priority 1056 l3mdev table 100",
    "priority 1057 l3mdev prohibit",
    "priority 1058 from 10.0.0.0/8 to 2001:db8::/32 table 100",
    "priority 1059 type table 100",
    "priority 1060 from 10.0.0.0/8",
    "priority 1061 table 100 table 101",
    "priority 1062 from 10.0.0.0/8 inet6 table 100",
    "priority 1063 goto 1000",
    "priority 1064 table 0",
    "priority 1065 table 100 uidrange 5",
    "priority 1066 pref 1067 table 100",
];

/// Which lines a test is about.
#[derive(Clone, Copy)]
enum Kind {
    Routes,
    Rules,
}

impl Kind {
    /// The block that the lines are read in.
    const fn block(self) -> &'static str {
        match self {
            Self::Routes => "static_routes",
            Self::Rules => "static_rules",
        }
    }

    /// What the kernel has of them, but for its own. `ip` locks every `rto_min`; and a rule that
    /// is not tracked has no protocol with keepalived 2.2.7, but ours.
    fn listing(self, node: &Node) -> BTreeSet<String> {
        let all = match self {
            Self::Routes => {
                "(ip -o -d -4 route show table all; ip -o -d -6 route show table all) \
                 | sed 's/expires [0-9]*sec/expires/; s/rto_min lock/rto_min/'"
            }
            Self::Rules => {
                "(ip -o -d -4 rule; ip -o -d -6 rule | sed 's/^/inet6 /') \
                 | sed 's/proto unspec/proto keepalived/'"
            }
        };
        let text = node.sh(all);
        let lines = text.lines().filter(|line| !line.contains("proto kernel"));
        lines.map(|line| line.trim_end().to_owned()).collect()
    }

    /// What we read in a configuration, by lines, as `ip` takes it.
    fn ours(self, config: &Config) -> Vec<(u32, String)> {
        let route = |route: &Route| {
            let family = if route.dest.addr().is_ipv4() {
                "-4"
            } else {
                "-6"
            };
            let text = format!("ip {family} route {} {route}", route.placement);
            (route.origin.line, text)
        };
        let rule = |rule: &Rule| {
            let family = if rule.family == Family::V4 {
                "-4"
            } else {
                "-6"
            };
            (rule.origin.line, format!("ip {family} rule add {rule}"))
        };
        match self {
            Self::Routes => config.static_routes.iter().map(route).collect(),
            Self::Rules => config.static_rules.iter().map(rule).collect(),
        }
    }

    /// Compares what both make of `lines`; gives how much the kernel has then.
    fn compare(self, lab: &Lab, lines: &[String], setup: &str, machine: &Machine) -> usize {
        let text = format!("{INSTANCE}{} {{\n{}\n}}\n", self.block(), lines.join("\n"));
        let ours = self.ours(&test(text.clone(), machine).config);
        let mut script: String = ours.iter().map(|(_, c)| format!("{c} 2>&1\n")).collect();
        script.push_str("true");

        let [theirs_node, our_node] = ["theirs", "ours"].map(|name| lab.node(name));
        theirs_node.sh(setup);
        our_node.sh(setup);
        let said = our_node.sh(&script);
        let mut keepalived = Daemon::start(&theirs_node, Which::Keepalived, &text);
        keepalived.wait_for_line("(V) Entering", SOON);
        let [theirs, ours] = [&theirs_node, &our_node].map(|node| self.listing(node));
        assert!(
            theirs == ours,
            "only keepalived's:\n{:#?}\nonly ours:\n{:#?}\nof\n{script}\nip said:\n{said}\n\
             keepalived said:\n{}",
            theirs.difference(&ours).collect::<Vec<_>>(),
            ours.difference(&theirs).collect::<Vec<_>>(),
            keepalived.log(),
        );
        ours.len()
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn routes_mean_the_same() {
    let Some(lab) = lab("routes") else { return };
    let there = Kind::Routes.compare(&lab, &owned(ROUTES), INTERFACES, &Machine::default());
    assert!(there > 85, "{there} routes");
}

#[test]
fn rules_mean_the_same() {
    let Some(lab) = lab("rules") else { return };
    let there = Kind::Rules.compare(&lab, &owned(RULES), INTERFACES, &Machine::default());
    assert!(there > 45, "{there} rules");
}

/// Lines of other people's files, as they stand there, with what they need of a machine: the
/// interfaces they name, and addresses beside their gateways.
#[derive(Default)]
struct Found {
    routes: Vec<String>,
    rules: Vec<String>,
    interfaces: BTreeSet<String>,
    gateways: BTreeSet<(String, IpAddr)>,
}

impl Found {
    /// Takes the lines of one file that mean something to us.
    fn take(&mut self, text: &str, machine: &Machine) {
        let config = test(text, machine).config;
        // What is made by a definition cannot be taken out of its file.
        let line = |n: u32| {
            let text = text.lines().nth(n as usize - 1)?;
            let text = text.split(['#', '!']).next()?.trim();
            let whole = !text.contains(['$', '~', '@', '{', '}']) && !text.is_empty();
            whole.then(|| text.to_owned())
        };
        let virtual_routes = config.instances.iter().flat_map(|i| &i.virtual_routes);
        for route in config.static_routes.iter().chain(virtual_routes) {
            let Some(line) = line(route.origin.line) else {
                continue;
            };
            self.routes.push(line);
            self.interfaces
                .extend(route.interfaces().map(str::to_owned));
            let legs = route.legs.iter().map(|leg| &leg.hop);
            for hop in legs.chain([&route.hop]) {
                let dev = hop.dev.clone().unwrap_or_else(|| "eth0".to_owned());
                self.gateways.extend(hop.via.map(|via| (dev, via)));
            }
        }
        let virtual_rules = config.instances.iter().flat_map(|i| &i.virtual_rules);
        for rule in config.static_rules.iter().chain(virtual_rules) {
            let Some(line) = line(rule.origin.line) else {
                continue;
            };
            self.rules.push(line);
            let names = [&rule.when.iif, &rule.when.oif];
            self.interfaces.extend(names.into_iter().flatten().cloned());
        }
    }

    /// The script that makes a machine for them.
    fn setup(&self) -> String {
        let mut script = INTERFACES.to_owned();
        let own = ["eth0", "eth1", "lo"];
        let others = self
            .interfaces
            .iter()
            .filter(|i| !own.contains(&i.as_str()));
        for (n, name) in others.enumerate() {
            script += &format!(
                "ip link add {name} type veth peer name other{n}\n\
                 ip link set {name} up\nip link set other{n} up\n"
            );
        }
        for (dev, gateway) in &self.gateways {
            // Of two gateways in one network the second finds an address there.
            let beside = match gateway {
                IpAddr::V4(ip) => format!("{}/24", std::net::Ipv4Addr::from(u32::from(*ip) ^ 1)),
                IpAddr::V6(ip) => format!("{}/64", std::net::Ipv6Addr::from(u128::from(*ip) ^ 1)),
            };
            script += &format!("ip addr add {beside} dev {dev} 2>/dev/null || true\n");
        }
        script
    }
}

/// Lines in parts of which none has two that are about the same.
fn apart(lines: &[String], about: impl Fn(&str) -> String) -> Vec<Vec<&str>> {
    let mut parts: Vec<(BTreeSet<String>, Vec<&str>)> = Vec::new();
    for line in lines.iter().collect::<BTreeSet<_>>() {
        let key = about(line);
        match parts.iter_mut().find(|(keys, _)| !keys.contains(&key)) {
            Some((keys, part)) => {
                keys.insert(key);
                part.push(line);
            }
            None => parts.push((BTreeSet::from([key]), vec![line])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// A line of a sample with a destination or a priority of its own: there all have the same.
fn told_apart(n: usize, line: &str) -> String {
    line.replace("198.51.100.0/24", &format!("10.1.{n}.0/24"))
        .replace("2001:db8:1::/48", &format!("2001:db8:1{n:02}::/48"))
        // The machine's own address is no gateway.
        .replace("192.0.2.1 ", "192.0.2.9 ")
        .replace("src 192.0.2.9 ", "src 192.0.2.250 ")
        .replace("priority 500 ", &format!("priority {} ", 501 + n))
}

/// What a corpus has of routes and rules, `least` of each at the least.
fn material_means_the_same(name: &str, below: &str, least: [usize; 2]) {
    let Some(directory) = material(below) else {
        return;
    };
    let Some(lab) = lab(name) else { return };
    let everything = Machine::with_interfaces(
        "lo eth0 eth1 eth2 eth3 eth4 eth5 eth6 eth7 eth8 eth9 bond0.13 bond0.17 vrrp.253 ens3",
    );
    let mut found = Found::default();
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().flatten().collect();
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let path = file.path();
        if path.extension().is_some_and(|e| e == "conf") {
            found.take(
                &String::from_utf8_lossy(&fs::read(path).unwrap()),
                &everything,
            );
        }
    }
    let setup = found.setup();
    let names: Vec<_> = found.interfaces.iter().map(String::as_str).collect();
    let everything = Machine::with_interfaces(&format!("lo eth0 eth1 {}", names.join(" ")));
    // keepalived 2.2.7 forgets the tunnel of a leg.
    found
        .routes
        .retain(|line| !line.contains("nexthop") || !line.contains("encap"));
    if below.ends_with("samples") {
        for lines in [&mut found.routes, &mut found.rules] {
            for (n, line) in lines.iter_mut().enumerate() {
                *line = told_apart(n, &format!("{line} "));
            }
        }
    }
    let mut there = [0, 0];
    let destination = |line: &str| {
        let config = test(format!("static_routes {{\n{line}\n}}\n"), &everything).config;
        let keys = config
            .static_routes
            .iter()
            .map(|r| format!("{} {}", r.dest, r.table));
        keys.collect()
    };
    for part in apart(&found.routes, destination) {
        there[0] += Kind::Routes.compare(&lab, &owned(&part), &setup, &everything);
    }
    for part in apart(&found.rules, |line| line.split_whitespace().collect()) {
        there[1] += Kind::Rules.compare(&lab, &owned(&part), &setup, &everything);
    }
    assert!(
        there[0] >= least[0] && there[1] >= least[1],
        "only {there:?}"
    );
}

#[test]
fn samples_mean_the_same() {
    material_means_the_same("routes-samples", "spec/samples", [40, 30]);
}

#[test]
fn lines_of_others_mean_the_same() {
    material_means_the_same("routes-corpus", "corpus", [10, 10]);
}
