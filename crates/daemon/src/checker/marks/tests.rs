use rk_config::Options;
use rk_net::Transport;

use super::*;
use crate::source::{Machine, SystemFiles};

/// A configuration of this text; with `nftables_ipvs`, and from mark 50.
fn config(text: &str) -> model::Config {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keepalived.conf");
    let global = "global_defs {\nnftables_ipvs\nnftables_ipvs_start_fwmark 50\n}\n";
    std::fs::write(&file, format!("{global}{text}")).unwrap();
    let options = Options::default();
    let loaded = rk_config::load(file.to_str().unwrap(), &options, &SystemFiles, &Machine);
    assert!(loaded.unsupported.is_empty(), "{:?}", loaded.unsupported);
    loaded.config
}

fn group(name: &str, entries: &str) -> String {
    format!("virtual_server_group {name} {{\n{entries}\n}}\n")
}

fn server(service: &str, protocol: &str, method: &str) -> String {
    format!(
        "virtual_server {service} {{\nlb_kind {method}\nprotocol {protocol}\n\
         real_server 10.0.0.2 80 {{\n}}\n}}\n"
    )
}

/// The marks that the virtual servers have, as `mark family` in their order; `-` for none.
fn shown(numbers: &Numbers, config: &model::Config) -> Vec<String> {
    let one = |v: &model::VirtualServer| {
        let group = config
            .virtual_server_groups
            .iter()
            .find(|group| match &v.service {
                Service::Group { name, .. } => group.name == *name,
                _ => false,
            })?;
        let (mark, families) = numbers.of(&v.service, group)?;
        let families: Vec<_> = families.map(|family| format!("{family:?}")).collect();
        Some(format!("{mark} {}", families.join(" ")))
    };
    let all = config.virtual_servers.iter();
    all.map(|v| one(v).unwrap_or_else(|| "-".to_owned()))
        .collect()
}

#[test]
fn each_group_and_protocol_has_a_mark_of_its_own() {
    let groups = [
        group("one", "10.1.0.1 80\n10.1.0.5-9 443"),
        group("two", "10.2.0.1 80"),
        group("tunnelled", "10.3.0.1 80\nfd00::1 80"),
        group("own_mark", "10.4.0.1 80\nfwmark 7"),
        group("every_port", "10.5.0.1 0"),
    ];
    let servers = [
        server("group two", "TCP", "NAT"),
        server("group two", "UDP", "NAT"),
        server("10.9.0.1 80", "TCP", "NAT"),
        server("group own_mark", "TCP", "NAT"),
        server("group one", "TCP", "DR"),
        server("group tunnelled", "SCTP", "TUN"),
        server("group every_port", "TCP", "NAT"),
    ];
    let config = config(&(groups.concat() + &servers.concat()));
    let mut numbers = Numbers::default();
    numbers.settle(&config);
    let wanted = ["50 V4", "51 V4", "-", "-", "52 V4", "53 V4 V6", "-"];
    assert_eq!(shown(&numbers, &config), wanted);
    let marked = |transport, first: &str, last: &str, port| {
        Marked::new(
            transport,
            first.parse().unwrap(),
            last.parse().unwrap(),
            port,
        )
        .unwrap()
    };
    let wanted = [
        (marked(Transport::Tcp, "10.2.0.1", "10.2.0.1", 80), 50),
        (marked(Transport::Udp, "10.2.0.1", "10.2.0.1", 80), 51),
        (marked(Transport::Tcp, "10.1.0.1", "10.1.0.1", 80), 52),
        (marked(Transport::Tcp, "10.1.0.5", "10.1.0.9", 443), 52),
        (marked(Transport::Sctp, "10.3.0.1", "10.3.0.1", 80), 53),
        (marked(Transport::Sctp, "fd00::1", "fd00::1", 80), 53),
    ];
    let wanted: Wanted = wanted
        .into_iter()
        .map(|(marked, mark)| (marked, NonZeroU32::new(mark).unwrap()))
        .collect();
    assert_eq!(numbers.packets(&config), wanted);
}

#[test]
fn a_reload_leaves_marks_where_they_are() {
    let groups =
        ["a", "b", "c"].map(|name| group(name, &format!("10.1.0.{} 80", name.as_bytes()[0])));
    let servers = ["a", "b", "c"].map(|name| server(&format!("group {name}"), "TCP", "NAT"));
    let mut numbers = Numbers::default();
    let first = config(&(groups.concat() + &servers[..2].concat()));
    numbers.settle(&first);
    assert_eq!(shown(&numbers, &first), ["50 V4", "51 V4"]);
    let second = config(&(groups.concat() + &servers[2] + &servers[1]));
    numbers.settle(&second);
    assert_eq!(shown(&numbers, &second), ["52 V4", "51 V4"]);
    // Nothing is left of a group that lost its mark.
    assert_eq!(numbers.packets(&second).len(), 2);
    // One gets a mark of its own: no other stands for it any more.
    let own = groups[2].clone() + &group("b", "10.1.0.98 80\nfwmark 9");
    let third = config(&(own + &servers[2] + &servers[1]));
    numbers.settle(&third);
    assert_eq!(shown(&numbers, &third), ["52 V4", "-"]);
    assert_eq!(numbers.packets(&third).len(), 1);
}

#[test]
fn marks_that_the_configuration_names_are_not_given() {
    let servers = server("group a", "TCP", "NAT") + &server("group b", "TCP", "NAT");
    let groups = group("a", "10.1.0.1 80") + &group("b", "10.1.0.2 80");
    let mut numbers = Numbers::default();
    let first = config(&(groups.clone() + &servers + &server("fwmark 51", "TCP", "NAT")));
    numbers.settle(&first);
    assert_eq!(shown(&numbers, &first), ["50 V4", "52 V4", "-"]);
    // One that it comes to name later is taken back.
    let named = group("named", "fwmark 50") + &server("group named", "TCP", "NAT");
    let second = config(&(groups + &named + &servers));
    numbers.settle(&second);
    assert_eq!(shown(&numbers, &second), ["-", "53 V4", "52 V4"]);
}

#[test]
fn behind_the_last_mark_comes_the_first() {
    assert_eq!(after(NonZeroU32::MAX), NonZeroU32::MIN);
    assert_eq!(after(NonZeroU32::MIN).get(), 2);
}
