//! Every kind of service and real server: programmed by us, read back by us, shown by `ipvsadm`.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;

use rk_ipvs::{
    Command, Dest, Entry, Family, Forward, Granularity, Persistence, Protocol, SchedulerFlags,
    Service, ServiceKey, State, Table, Tunnel, TunnelFlags, reconcile,
};

use crate::{apply, block_on, dest, ip, ipvsadm, key, name, open, run, service, sh, tcp};

fn mark(mark: u32, family: Family) -> ServiceKey {
    ServiceKey::Mark {
        mark: NonZeroU32::new(mark).unwrap(),
        family,
    }
}

fn persistent(service: Service, timeout: u32, granularity: Granularity) -> Service {
    Service {
        persistence: Some(Persistence {
            timeout,
            granularity,
        }),
        ..service
    }
}

fn weighted(dest: Dest, weight: u32) -> Dest {
    Dest { weight, ..dest }
}

/// A service with real servers, and the lines of `ipvsadm -Sn` about it.
struct Case {
    service: Service,
    dests: Vec<Dest>,
    lines: &'static [&'static str],
}

/// A line as `ipvsadm -S` has it: it does not tell of thresholds.
fn shown(line: &str) -> &str {
    line.split_once(" -x ").map_or(line, |(line, _)| line)
}

fn services() -> Vec<Case> {
    let both = SchedulerFlags::ONE.with(SchedulerFlags::TWO);
    let case = |service, lines| Case {
        service,
        dests: Vec::new(),
        lines,
    };
    vec![
        case(
            service(tcp("10.0.0.1", 80), "wlc"),
            &["-A -t 10.0.0.1:80 -s wlc"],
        ),
        case(
            service(key(Protocol::Udp, "10.0.0.1", 80), "rr"),
            &["-A -u 10.0.0.1:80 -s rr"],
        ),
        case(
            service(key(Protocol::Sctp, "10.0.0.1", 80), "wrr"),
            &["-A --sctp-service 10.0.0.1:80 -s wrr"],
        ),
        case(
            service(tcp("2001:db8::1", 443), "lc"),
            &["-A -t [2001:db8::1]:443 -s lc"],
        ),
        case(
            service(key(Protocol::Udp, "2001:db8::1", 53), "sed"),
            &["-A -u [2001:db8::1]:53 -s sed"],
        ),
        case(service(mark(7, Family::V4), "nq"), &["-A -f 7 -s nq"]),
        case(service(mark(7, Family::V6), "dh"), &["-A -f 7 -6 -s dh"]),
        case(
            service(mark(i32::MAX as u32, Family::V4), "lblc"),
            &["-A -f 2147483647 -s lblc"],
        ),
        // All ports: only with persistence.
        case(
            persistent(service(tcp("10.0.0.2", 0), "rr"), 300, Granularity::Address),
            &["-A -t 10.0.0.2:0 -s rr -p 300"],
        ),
        case(
            persistent(
                service(tcp("10.0.0.3", 80), "rr"),
                50,
                Granularity::Mask(Ipv4Addr::new(255, 255, 255, 0)),
            ),
            &["-A -t 10.0.0.3:80 -s rr -p 50 -M 255.255.255.0"],
        ),
        case(
            persistent(
                service(tcp("2001:db8::3", 80), "rr"),
                50,
                Granularity::Prefix(64),
            ),
            &["-A -t [2001:db8::3]:80 -s rr -p 50 -M 64"],
        ),
        case(
            Service {
                flags: both,
                ..service(tcp("10.0.0.4", 80), "sh")
            },
            &["-A -t 10.0.0.4:80 -s sh -b sh-fallback,sh-port"],
        ),
        case(
            Service {
                flags: SchedulerFlags::TWO,
                ..service(tcp("10.0.0.5", 80), "mh")
            },
            &["-A -t 10.0.0.5:80 -s mh -b mh-port"],
        ),
        case(
            Service {
                flags: SchedulerFlags::ONE.with(SchedulerFlags::THREE),
                ..service(tcp("10.0.0.6", 80), "lblcr")
            },
            &["-A -t 10.0.0.6:80 -s lblcr -b flag-1,flag-3"],
        ),
        case(
            Service {
                one_packet: true,
                ..service(key(Protocol::Udp, "10.0.0.7", 53), "fo")
            },
            &["-A -u 10.0.0.7:53 -s fo -o"],
        ),
        case(
            Service {
                engine: Some(name("sip")),
                ..persistent(
                    service(key(Protocol::Udp, "10.0.0.8", 5060), "ovf"),
                    60,
                    Granularity::Address,
                )
            },
            &["-A -u 10.0.0.8:5060 -s ovf -p 60 --pe sip"],
        ),
        case(service(mark(9, Family::V6), "wlc"), &["-A -f 9 -6 -s wlc"]),
    ]
}

fn dests() -> Vec<Case> {
    let gue = |flags| Forward::Tunnel(Tunnel::Gue { port: 6080, flags });
    let gre = |flags| Forward::Tunnel(Tunnel::Gre { flags });
    vec![
        Case {
            service: service(tcp("10.1.0.1", 80), "wlc"),
            dests: vec![
                weighted(dest("192.168.0.1", 8080, Forward::Nat), 3),
                weighted(dest("192.168.0.2", 80, Forward::Nat), 0),
                weighted(dest("192.168.0.3", 65535, Forward::Nat), i32::MAX as u32),
                dest("192.168.0.1", 80, Forward::Direct),
                Dest {
                    upper_threshold: 1000,
                    lower_threshold: 200,
                    ..dest("192.168.0.4", 80, Forward::Direct)
                },
                Dest {
                    upper_threshold: 65535,
                    ..dest("192.168.0.5", 80, Forward::Direct)
                },
                dest("192.168.1.1", 80, Forward::Tunnel(Tunnel::Ipip)),
                dest("192.168.1.2", 80, gue(TunnelFlags::NO_CHECKSUM)),
                dest("192.168.1.3", 80, gue(TunnelFlags::CHECKSUM)),
                dest("192.168.1.4", 80, gue(TunnelFlags::REMOTE_CHECKSUM)),
                dest("192.168.1.5", 80, gre(TunnelFlags::NO_CHECKSUM)),
                dest("192.168.1.6", 80, gre(TunnelFlags::CHECKSUM)),
                // Of the other family: tunnels only.
                dest("2001:db8:1::1", 80, Forward::Tunnel(Tunnel::Ipip)),
                dest("2001:db8:1::2", 80, gre(TunnelFlags::CHECKSUM)),
            ],
            lines: &[
                "-A -t 10.1.0.1:80 -s wlc",
                "-a -t 10.1.0.1:80 -r 192.168.0.1:8080 -m -w 3",
                "-a -t 10.1.0.1:80 -r 192.168.0.2:80 -m -w 0",
                "-a -t 10.1.0.1:80 -r 192.168.0.3:65535 -m -w 2147483647",
                "-a -t 10.1.0.1:80 -r 192.168.0.1:80 -g -w 1",
                "-a -t 10.1.0.1:80 -r 192.168.0.4:80 -g -w 1 -x 1000 -y 200",
                "-a -t 10.1.0.1:80 -r 192.168.0.5:80 -g -w 1 -x 65535",
                "-a -t 10.1.0.1:80 -r 192.168.1.1:80 -i -w 1 --tun-type ipip",
                "-a -t 10.1.0.1:80 -r 192.168.1.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
                "-a -t 10.1.0.1:80 -r 192.168.1.3:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum",
                "-a -t 10.1.0.1:80 -r 192.168.1.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum",
                "-a -t 10.1.0.1:80 -r 192.168.1.5:80 -i -w 1 --tun-type gre --tun-nocsum",
                "-a -t 10.1.0.1:80 -r 192.168.1.6:80 -i -w 1 --tun-type gre --tun-csum",
                "-a -t 10.1.0.1:80 -r [2001:db8:1::1]:80 -i -w 1 --tun-type ipip",
                "-a -t 10.1.0.1:80 -r [2001:db8:1::2]:80 -i -w 1 --tun-type gre --tun-csum",
            ],
        },
        Case {
            service: service(tcp("2001:db8::9", 80), "wrr"),
            dests: vec![
                dest("2001:db8:2::1", 81, Forward::Nat),
                dest("2001:db8:2::2", 80, Forward::Direct),
                dest("192.168.2.1", 80, Forward::Tunnel(Tunnel::Ipip)),
            ],
            lines: &[
                "-A -t [2001:db8::9]:80 -s wrr",
                "-a -t [2001:db8::9]:80 -r [2001:db8:2::1]:81 -m -w 1",
                "-a -t [2001:db8::9]:80 -r [2001:db8:2::2]:80 -g -w 1",
                "-a -t [2001:db8::9]:80 -r 192.168.2.1:80 -i -w 1 --tun-type ipip",
            ],
        },
        Case {
            service: service(mark(3, Family::V4), "rr"),
            dests: vec![
                dest("192.168.3.1", 0, Forward::Direct),
                dest("192.168.3.1", 8080, Forward::Nat),
            ],
            lines: &[
                "-A -f 3 -s rr",
                "-a -f 3 -r 192.168.3.1:0 -g -w 1",
                "-a -f 3 -r 192.168.3.1:8080 -m -w 1",
            ],
        },
        Case {
            service: service(key(Protocol::Sctp, "10.1.0.2", 36412), "sh"),
            dests: vec![dest("192.168.4.1", 36412, Forward::Nat)],
            lines: &[
                "-A --sctp-service 10.1.0.2:36412 -s sh",
                "-a --sctp-service 10.1.0.2:36412 -r 192.168.4.1:36412 -m -w 1",
            ],
        },
    ]
}

fn state(cases: &[Case]) -> State {
    let entries = cases.iter().map(|case| {
        let mut entry = Entry::new(case.service);
        for dest in &case.dests {
            entry.put(*dest);
        }
        entry
    });
    entries.collect()
}

fn keys(state: &State) -> HashSet<ServiceKey> {
    state.entries().map(|entry| entry.service().key).collect()
}

fn program_and_compare(cases: &[Case]) {
    let mut table = open();
    let wanted = state(cases);
    apply(
        &mut table,
        &reconcile(&State::new(), &wanted, &keys(&wanted)),
    );

    let mut lines: Vec<&str> = cases.iter().flat_map(|case| case.lines).copied().collect();
    lines.sort_unstable();
    assert_eq!(
        ipvsadm(),
        lines.iter().map(|line| shown(line)).collect::<Vec<_>>()
    );
    let thresholds = run("ipvsadm", &["-Ln", "--thresholds"]);
    for dest in cases.iter().flat_map(|case| &case.dests) {
        let Dest {
            key,
            upper_threshold,
            lower_threshold,
            ..
        } = dest;
        let shows = |line: &&str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            matches!(words[..], ["->", at, upper, lower, _, _]
                if at == key.to_string()
                    && upper == upper_threshold.to_string()
                    && lower == lower_threshold.to_string())
        };
        assert!(
            thresholds.lines().any(|line| shows(&line)),
            "{dest:?}: {thresholds}"
        );
    }
    let there = block_on(table.read(|_| true)).unwrap();
    for entry in wanted.entries() {
        assert_eq!(there.entry(&entry.service().key), Some(entry));
    }
    assert_eq!(there, wanted);
    assert_eq!(reconcile(&there, &wanted, &keys(&wanted)), []);

    // What ipvsadm makes of the same text is the same to our reader.
    apply(&mut table, &[Command::Flush]);
    assert_eq!(ipvsadm(), [""; 0]);
    let (services, dests): (Vec<&str>, Vec<&str>) =
        lines.iter().partition(|line| line.starts_with("-A"));
    for line in services.into_iter().chain(dests) {
        sh(&format!("ipvsadm {line}"));
    }
    assert_eq!(block_on(table.read(|_| true)).unwrap(), wanted);

    apply(
        &mut table,
        &reconcile(&wanted, &State::new(), &keys(&wanted)),
    );
    assert_eq!(ipvsadm(), [""; 0]);
}

#[test]
fn every_kind_of_service() {
    rk_lab::in_guest(|| program_and_compare(&services()));
}

#[test]
fn every_kind_of_real_server() {
    rk_lab::in_guest(|| program_and_compare(&dests()));
}

#[test]
fn what_is_wanted_is_reached_in_place_and_others_are_left_alone() {
    rk_lab::in_guest(|| {
        let mut table = open();
        sh("ipvsadm -A -t 10.9.0.1:80 -s rr; ipvsadm -a -t 10.9.0.1:80 -r 10.9.0.2:80 -m");
        let foreign = [
            "-A -t 10.9.0.1:80 -s rr",
            "-a -t 10.9.0.1:80 -r 10.9.0.2:80 -m -w 1",
        ];
        // A service that we want, but that somebody else made otherwise.
        sh("ipvsadm -A -t 10.1.0.1:80 -s sed -p 9; ipvsadm -a -t 10.1.0.1:80 -r 1.2.3.4:80 -m");
        let before = state(&services());
        let mut after = state(&dests());
        let ours: HashSet<_> = keys(&before).union(&keys(&after)).copied().collect();

        let there = block_on(table.read(|key| ours.contains(key))).unwrap();
        apply(&mut table, &reconcile(&there, &before, &ours));
        let there = block_on(table.read(|key| ours.contains(key))).unwrap();
        apply(&mut table, &reconcile(&there, &after, &ours));

        let cases = dests();
        let lines = cases.iter().flat_map(|case| case.lines).chain(&foreign);
        let mut lines: Vec<&str> = lines.map(|line| shown(line)).collect();
        lines.sort_unstable();
        assert_eq!(ipvsadm(), lines);

        // A changed method, weight, tunnel, threshold; a scheduler, persistence.
        let one = tcp("10.1.0.1", 80);
        let entry = after.entry_mut(&one).unwrap();
        entry.put(weighted(dest("192.168.0.1", 80, Forward::Nat), 9));
        entry.put(dest("192.168.1.2", 80, Forward::Tunnel(Tunnel::Ipip)));
        entry.put(dest("192.168.0.4", 80, Forward::Direct));
        let mut changed = Entry::new(persistent(service(one, "lc"), 7, Granularity::Address));
        for dest in entry.dests() {
            changed.put(*dest);
        }
        after.put(changed);
        let there = block_on(table.read(|key| ours.contains(key))).unwrap();
        let commands = reconcile(&there, &after, &ours);
        assert_eq!(commands.len(), 4, "{commands:#?}");
        apply(&mut table, &commands);
        let now = ipvsadm();
        for line in [
            "-A -t 10.1.0.1:80 -s lc -p 7",
            "-a -t 10.1.0.1:80 -r 192.168.0.1:80 -m -w 9",
            "-a -t 10.1.0.1:80 -r 192.168.1.2:80 -i -w 1 --tun-type ipip",
            "-a -t 10.1.0.1:80 -r 192.168.0.4:80 -g -w 1",
        ] {
            assert!(now.iter().any(|found| found == line), "{line}: {now:#?}");
        }

        let there = block_on(table.read(|key| ours.contains(key))).unwrap();
        apply(&mut table, &reconcile(&there, &State::new(), &ours));
        assert_eq!(ipvsadm(), foreign);
    });
}

#[test]
fn a_table_stays_in_the_namespace_it_was_opened_in() {
    rk_lab::in_guest(|| {
        let mut here = open();
        run("ip", &["netns", "add", "other"]);
        // A namespace belongs to a thread; the table may leave it.
        let other = std::thread::spawn(|| {
            let file = std::fs::File::open("/run/netns/other").unwrap();
            nix::sched::setns(file, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            rk_ipvs::Kernel::open().unwrap()
        });
        let mut other = other.join().unwrap();
        apply(
            &mut other,
            &[Command::NewService(service(tcp("10.0.0.1", 80), "rr"))],
        );
        assert_eq!(ipvsadm(), [""; 0]);
        assert_eq!(
            run("ip", &["netns", "exec", "other", "ipvsadm", "-Sn"]).trim(),
            "-A -t 10.0.0.1:80 -s rr"
        );
        assert!(block_on(here.services()).unwrap().is_empty());
        let found = block_on(other.service(&tcp("10.0.0.1", 80))).unwrap();
        assert_eq!(found.unwrap().service, service(tcp("10.0.0.1", 80), "rr"));
        let none = block_on(other.service(&tcp("10.0.0.2", 80))).unwrap();
        assert_eq!(none, None);
        assert_eq!(block_on(other.dests(&tcp("10.0.0.2", 80))).unwrap(), []);
        assert!(ip("10.0.0.1").is_ipv4());
    });
}
