//! The reflector's picture against what `ip` shows.

use std::collections::BTreeSet;

use rk_net::{Alarm, Change, ReceiveBuffer, Reflector};

use crate::sandbox::{Host, block_on, sandboxed, two_hosts};

/// `name index up mac` of every link, and `index address` of every address, by `ip`.
fn by_ip(host: &Host) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for link in host.ip_json("addr show").as_array().unwrap() {
        let index = link["ifindex"].as_u64().unwrap();
        let up = link["flags"].as_array().unwrap().iter().any(|f| f == "UP");
        all.insert(format!(
            "{} {index} {up} mtu {}",
            link["ifname"].as_str().unwrap(),
            link["mtu"]
        ));
        for address in link["addr_info"].as_array().unwrap() {
            let local = address["local"].as_str().unwrap();
            all.insert(format!("{index} {local}/{}", address["prefixlen"]));
        }
    }
    all
}

fn by_reflector(reflector: &Reflector) -> BTreeSet<String> {
    let table = reflector.table();
    let links = table
        .links()
        .map(|l| format!("{} {} {} mtu {}", l.name, l.index, l.is_up(), l.mtu));
    let addresses = table
        .all_addresses()
        .map(|a| format!("{} {}/{}", a.ifindex, a.addr(), a.prefix.len()));
    links.chain(addresses).collect()
}

/// A change in a few words.
fn word(change: &Change) -> String {
    match change {
        Change::LinkAdded(l) => format!("+{}", l.name),
        Change::LinkChanged { old, new } if old.name != new.name => {
            format!("{}={}", old.name, new.name)
        }
        Change::LinkChanged { old, new } if old.is_up() != new.is_up() => {
            format!("{} {}", new.name, if new.is_up() { "up" } else { "down" })
        }
        Change::LinkChanged { new, .. } => format!("{}~", new.name),
        Change::LinkRemoved(l) => format!("-{}", l.name),
        Change::AddressAdded(a) => format!("+{}", a.prefix),
        Change::AddressChanged { new, .. } => format!("{}~", new.prefix),
        Change::AddressRemoved(a) => format!("-{}", a.prefix),
        Change::Resynced => "resynced".to_owned(),
    }
}

/// The words of all changes until `last` comes, without mere flag changes.
async fn words_until(reflector: &mut Reflector, last: &str) -> Vec<String> {
    let mut words = Vec::new();
    while !words.iter().any(|w| w == last) {
        for change in reflector.next().await.unwrap() {
            let word = word(&change);
            if !word.ends_with('~') {
                words.push(word);
            }
        }
    }
    words
}

#[test]
fn the_first_picture_is_complete() {
    sandboxed("reflector::the_first_picture_is_complete", || {
        let (a, _b) = two_hosts();
        let mut lines = String::new();
        for n in 0..1000 {
            lines += &format!("addr add 10.9.{}.{}/32 dev va\n", n / 250, n % 250);
        }
        a.ip_batch(&lines);
        let _at_a = a.enter();
        block_on(async {
            let reflector = Reflector::open(None).await.unwrap();
            assert_eq!(by_reflector(&reflector), by_ip(&a));
            let link = reflector.table().by_name("va").unwrap();
            assert_eq!(link.mac, Some([2, 0, 0, 0, 0, 10]));
            assert_eq!(link.hardware_type, 1);
            assert_eq!(link.kind.as_deref(), Some("veth"));
            assert!(link.is_usable() && link.is_multicast());
            let ignore = |a: std::net::IpAddr| a.to_string() == "10.0.0.1";
            let table = reflector.table();
            assert_eq!(
                table
                    .primary_ipv4(link.index, |_| false)
                    .unwrap()
                    .to_string(),
                "10.0.0.1"
            );
            assert_eq!(
                table.primary_ipv4(link.index, ignore).unwrap().to_string(),
                "10.9.0.0"
            );
            assert_eq!(
                table.link_local(link.index, |_| false).unwrap().to_string(),
                "fe80::a"
            );
        });
    });
}

#[test]
fn changes_come_in_order_and_the_picture_follows() {
    sandboxed(
        "reflector::changes_come_in_order_and_the_picture_follows",
        || {
            let host = Host::new();
            let _at = host.enter();
            block_on(async {
                let mut reflector = Reflector::open(None).await.unwrap();
                host.ip_batch(
                    "link add one type veth peer name two\n\
                 link set one addrgenmode none\n\
                 link set two addrgenmode none\n\
                 addr add 192.0.2.1/24 dev one\n\
                 link set one up\n\
                 addr add 192.0.2.2/24 dev one\n\
                 addr del 192.0.2.2/24 dev one\n\
                 link set one down\n\
                 link set one name uno\n\
                 link add br0 type bridge\n\
                 link set uno master br0\n\
                 link set uno nomaster\n\
                 link del br0\n",
                );
                let words = words_until(&mut reflector, "-br0").await;
                assert_eq!(
                    words,
                    [
                        "+two",
                        "+one",
                        "+192.0.2.1/24",
                        "one up",
                        "+192.0.2.2/24",
                        "-192.0.2.2/24",
                        "one down",
                        "one=uno",
                        "+br0",
                        "-br0"
                    ]
                );
                assert_eq!(by_reflector(&reflector), by_ip(&host));
                let index = reflector.table().by_name("uno").unwrap().index;
                assert_eq!(reflector.table().by_index(index).unwrap().master, None);
                host.ip("link del uno");
                let words = words_until(&mut reflector, "-uno").await;
                assert!(words.contains(&"-192.0.2.1/24".to_owned()), "{words:?}");
                assert_eq!(by_reflector(&reflector), by_ip(&host));
            });
        },
    );
}

#[test]
fn after_an_overflow_the_differences_are_found() {
    sandboxed(
        "reflector::after_an_overflow_the_differences_are_found",
        || {
            let (a, _b) = two_hosts();
            let _at_a = a.enter();
            block_on(async {
                let mut reflector = Reflector::open(Some(ReceiveBuffer {
                    bytes: 8192,
                    beyond: true,
                }))
                .await
                .unwrap();
                let line = |verb: &str, n: u32| {
                    format!("addr {verb} 10.9.{}.{}/32 dev va\n", n / 250, n % 250)
                };
                // Far more than the buffer holds, and nobody reads meanwhile.
                let many: String = (0..500).map(|n| line("add", n)).collect();
                a.ip_batch(&many);
                a.ip("addr del 10.0.0.1/24 dev va");
                let words = words_until(&mut reflector, "resynced").await;
                assert_eq!(by_reflector(&reflector), by_ip(&a));
                let added = words.iter().filter(|w| w.starts_with("+10.9.")).count();
                let removed = words.iter().filter(|w| w.starts_with('-')).count();
                assert_eq!((added, removed), (500, 1), "each difference once");
                // And the other way round, with the last messages certainly among the lost.
                let some: String = (0..499).map(|n| line("del", n)).collect();
                a.ip_batch(&some);
                let words = words_until(&mut reflector, "resynced").await;
                assert_eq!(by_reflector(&reflector), by_ip(&a));
                assert_eq!(
                    words.iter().filter(|w| w.starts_with("-10.9.")).count(),
                    499
                );
            });
        },
    );
}

#[test]
fn a_change_can_be_seen_without_waiting() {
    sandboxed("reflector::a_change_can_be_seen_without_waiting", || {
        let (a, _b) = two_hosts();
        let _at_a = a.enter();
        block_on(async {
            let mut reflector = Reflector::open(None).await.unwrap();
            a.ip("link set va down");
            let words: Vec<_> = reflector.poll_now().unwrap().iter().map(word).collect();
            assert!(words.contains(&"va down".to_owned()), "{words:?}");
            assert!(!reflector.table().by_name("va").unwrap().is_usable());
        });
    });
}

#[test]
fn a_flood_of_changes_does_not_hold_up_a_timer() {
    sandboxed(
        "reflector::a_flood_of_changes_does_not_hold_up_a_timer",
        || {
            let (a, _b) = two_hosts();
            let _at_a = a.enter();
            block_on(async {
                let mut reflector = Reflector::open(None).await.unwrap();
                let mut alarm = Alarm::new().unwrap();
                let lines: String = (0..2000)
                    .map(|n| format!("addr add 10.9.{}.{}/32 dev va\n", n / 250, n % 250))
                    .collect();
                a.ip_batch(&lines);
                let mut changes = reflector.next().await.unwrap().len();
                alarm.set(Some(rk_base::Instant::ZERO)).unwrap();
                // The changes are asked for first, and there are always more: all the same the runtime
                // gets to see that the timer went off.
                let fired = loop {
                    tokio::select! {
                        biased;
                        more = reflector.next() => changes += more.unwrap().len(),
                        _ = alarm.fired() => break changes,
                    }
                };
                assert!(fired < 500, "{fired} changes before the timer");
                while changes < 2000 {
                    changes += reflector.next().await.unwrap().len();
                }
            });
        },
    );
}
