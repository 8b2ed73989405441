//! Virtual addresses, beside each other and beside those the machine has.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use rk_base::{Family, Prefix};

use super::{Ctx, Lint, lint};
use crate::diagnostic::Diagnostic;
use crate::model::{Instance, InterfaceAddress};

pub(super) const LINTS: &[Lint] = &[
    lint(
        2201,
        "address-outside-networks",
        outside_networks,
        "The virtual address is in no network its interface is connected to, so the hosts there \
         have no way to it. Often a digit is wrong, or the interface.",
        example!("    virtual_ipaddress {\n        192.0.3.10/32\n    }\n"),
        example!("    virtual_ipaddress {\n        192.0.2.10/32\n    }\n"),
    ),
    lint(
        2202,
        "address-is-own",
        address_is_own,
        "The machine has the virtual address already. It stays there on a backup too, so two \
         machines answer for it.",
        example!("    virtual_ipaddress {\n        192.0.2.2/24\n    }\n"),
        example!("    virtual_ipaddress {\n        192.0.2.10/24\n    }\n"),
    ),
    lint(
        2203,
        "address-is-static",
        address_is_static,
        "The same address is static and virtual: static addresses stay while the router is \
         backup, so two machines answer for it.",
        example!("static_ipaddress {\n    192.0.2.10/24 dev eth0\n}\n", ""),
        example!("static_ipaddress {\n    192.0.2.20/24 dev eth0\n}\n", ""),
    ),
    lint(
        2204,
        "address-in-two-instances",
        in_two_instances,
        "Two instances bring the same address. When one of them loses its election it takes the \
         address away from the other.",
        example!(
            "vrrp_instance W {
    interface eth0
    virtual_router_id 11
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
}
",
            ""
        ),
        example!(
            "vrrp_instance W {
    interface eth0
    virtual_router_id 11
    priority 150
    virtual_ipaddress {
        192.0.2.11/24
    }
}
",
            ""
        ),
    ),
    lint(
        2205,
        "address-of-the-network",
        of_the_network,
        "The first address of an IPv4 network names the network, the last one is its broadcast \
         address. Hosts cannot talk to either.",
        example!("    virtual_ipaddress {\n        192.0.2.255/24\n    }\n"),
        example!("    virtual_ipaddress {\n        192.0.2.254/24\n    }\n"),
    ),
    lint(
        2206,
        "address-not-unicast",
        not_unicast,
        "A multicast, loopback or unspecified address cannot be that of a router.",
        example!("    virtual_ipaddress {\n        127.0.0.2/8\n    }\n"),
        example!("    virtual_ipaddress {\n        192.0.2.10/24\n    }\n"),
    ),
    lint(
        2207,
        "address-with-other-length",
        other_length,
        "The virtual address has another prefix length than the network it lies in. A master \
         then has a route to a wider or narrower network than the other machines.",
        example!("    virtual_ipaddress {\n        192.0.2.10/16\n    }\n"),
        example!("    virtual_ipaddress {\n        192.0.2.10/24\n    }\n"),
    ),
    lint(
        2208,
        "label-without-interface",
        label_without_interface,
        "Tools that know labels (ifconfig, and ip with label patterns) expect NAME:TEXT with the \
         name of the interface.",
        example!("    virtual_ipaddress {\n        192.0.2.10/24 label web\n    }\n"),
        example!("    virtual_ipaddress {\n        192.0.2.10/24 label eth0:web\n    }\n"),
    ),
    lint(
        2209,
        "address-on-loopback",
        on_loopback,
        "An address on the loopback interface is announced to nobody: no gratuitous ARP tells \
         the hosts where it is.",
        example!("    virtual_ipaddress {\n        192.0.2.10/32 dev lo\n    }\n"),
        example!("    virtual_ipaddress {\n        192.0.2.10/32 dev eth0\n    }\n"),
    ),
    lint(
        2210,
        "link-local-not-first",
        link_local_first,
        "RFC 9568 section 5.2.9 has the link-local address first in an IPv6 advert, and some \
         routers refuse adverts in which another one is.",
        example!("    virtual_ipaddress {\n        2001:db8::10/64\n        fe80::10/64\n    }\n"),
        example!("    virtual_ipaddress {\n        fe80::10/64\n        2001:db8::10/64\n    }\n"),
    ),
    lint(
        2211,
        "networkd-takes-addresses",
        networkd,
        "systemd-networkd manages the interface, and when it starts again or reads its files anew \
         it removes addresses that it does not know: the virtual ones, too. KeepConfiguration= in \
         the .network file tells it not to.",
        "# networkd manages eth2, and eth2.network says nothing of KeepConfiguration
vrrp_instance V {
    interface eth2
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
}",
        "# networkd manages eth3, and eth3.network has KeepConfiguration=static
vrrp_instance V {
    interface eth3
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
}",
    ),
];

/// Every virtual address with its instance.
fn virtuals<'a>(c: &Ctx<'a>) -> impl Iterator<Item = (&'a Instance, &'a InterfaceAddress)> {
    c.config.instances.iter().flat_map(|i| {
        let all = i
            .virtual_ipaddress
            .iter()
            .chain(&i.virtual_ipaddress_excluded);
        all.map(move |a| (i, a))
    })
}

/// The interface of a virtual address.
fn interface<'a>(i: &'a Instance, a: &'a InterfaceAddress) -> Option<&'a str> {
    a.dev.as_deref().or(i.interface.as_deref())
}

/// The addresses its interface has, when they are known.
fn beside<'a>(c: &Ctx<'a>, i: &Instance, a: &InterfaceAddress) -> Option<&'a [Prefix]> {
    let own = c.addresses?.get(interface(i, a)?)?;
    Some(own)
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn outside_networks(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    // Where an instance is on the wrong interface, all of its addresses are: one finding each.
    let mut last: Option<(&str, &str, usize)> = None;
    for (i, a) in virtuals(c) {
        let address = a.prefix.addr();
        let Some(own) = beside(c, i, a) else { continue };
        let own: Vec<_> = own.iter().filter(|p| p.family() == a.family()).collect();
        // A router without an address of the family may well have no other one; an address with
        // a network of its own brings that network.
        let brings = !a.prefix.is_host();
        let alone = own.iter().all(|p| is_link_local(p.addr()));
        let special = is_link_local(address) || a.peer.is_some();
        if brings || alone || special || own.iter().any(|p| p.contains(address)) {
            continue;
        }
        let name = interface(i, a).unwrap_or("its interface");
        if let (Some((instance, device, more)), Some(d)) = (&mut last, out.last_mut())
            && (*instance, *device) == (&*i.name, name)
        {
            let before = others(*more);
            *more += 1;
            let message = d.message.strip_suffix(&before).unwrap_or(&d.message);
            d.message = format!("{message}{}", others(*more));
            continue;
        }
        last = Some((&i.name, name, 0));
        let text = format!("({}) {address} is in no network of {name}", i.name);
        out.push(c.warn(&a.origin, "", text).help(
            "check the digits and the interface; if routers know the way, give it a virtual route",
        ));
    }
    out
}

/// `, nor are 2 others`; nothing for none.
fn others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", nor is another one".to_owned(),
        n => format!(", nor are {n} others"),
    }
}

fn address_is_own(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let Some(addresses) = c.addresses else {
        return Vec::new();
    };
    let mut owner: HashMap<IpAddr, &str> = HashMap::new();
    for (name, own) in addresses {
        owner.extend(own.iter().map(|p| (p.addr(), name.as_str())));
    }
    let others = virtuals(c).filter(|(i, _)| !i.priority.is_owner());
    others
        .filter_map(|(i, a)| {
            let address = a.prefix.addr();
            let name = owner.get(&address)?;
            let text = format!("({}) {name} has the address {address} already", i.name);
            let d = c.warn(&a.origin, "", text);
            Some(d.help("take it away from the interface, or choose another virtual address"))
        })
        .collect()
}

fn address_is_static(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let statics = c.config.static_addresses.iter();
    let statics: HashMap<_, _> = statics.map(|a| (a.prefix.addr(), a)).collect();
    virtuals(c)
        .filter_map(|(i, a)| {
            let first = statics.get(&a.prefix.addr())?;
            let text = format!("({}) {} is a static address too", i.name, a.prefix.addr());
            let d = c.warn(&a.origin, "", text);
            let d = c.also(d, &first.origin, "static here");
            Some(d.help("remove one of the two"))
        })
        .collect()
}

fn in_two_instances(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let mut seen: HashMap<_, (&Instance, &InterfaceAddress)> = HashMap::new();
    for (i, a) in virtuals(c) {
        // A link-local address belongs to its link, so each link may have the same one.
        let address = a.prefix.addr();
        let link = is_link_local(address).then(|| interface(i, a)).flatten();
        let Some((other, first)) = seen.get(&(address, link)).copied() else {
            seen.insert((address, link), (i, a));
            continue;
        };
        let text = if other.name == i.name {
            format!("({}) {address} is given twice", i.name)
        } else {
            format!("({}) {address} is an address of {} too", i.name, other.name)
        };
        let d = c.warn(&a.origin, "", text);
        let d = c.also(d, &first.origin, "first given here");
        out.push(d.help("remove one of the two"));
    }
    out
}

fn of_the_network(c: &Ctx<'_>) -> Vec<Diagnostic> {
    virtuals(c)
        .filter_map(|(i, a)| {
            let IpAddr::V4(ip) = a.prefix.addr() else {
                return None;
            };
            // Two and one address networks have neither (RFC 3021).
            let hosts = u32::MAX.checked_shr(a.prefix.len().into()).unwrap_or(0);
            let bits = u32::from(ip) & hosts;
            let what = match bits {
                _ if hosts <= 1 => return None,
                0 => "the network itself",
                bits if bits == hosts => "the broadcast address of its network",
                _ => return None,
            };
            let text = format!("({}) {} is {what}", i.name, a.prefix);
            Some(
                c.warn(&a.origin, "", text)
                    .help("check the address and its prefix length"),
            )
        })
        .collect()
}

fn not_unicast(c: &Ctx<'_>) -> Vec<Diagnostic> {
    virtuals(c)
        .filter(|(_, a)| {
            let ip = a.prefix.addr();
            ip.is_multicast() || ip.is_loopback() || ip.is_unspecified()
        })
        .map(|(i, a)| {
            let text = format!("({}) {} is no unicast address", i.name, a.prefix.addr());
            c.warn(&a.origin, "", text)
                .help("write an address of the network of the interface")
        })
        .collect()
}

fn other_length(c: &Ctx<'_>) -> Vec<Diagnostic> {
    virtuals(c)
        .filter_map(|(i, a)| {
            let own = beside(c, i, a)?;
            let address = a.prefix.addr();
            if a.prefix.is_host() || is_link_local(address) {
                return None;
            }
            let around: Vec<_> = own.iter().filter(|p| p.contains(address)).collect();
            let network = around.first()?;
            if around.iter().any(|p| p.len() == a.prefix.len()) {
                return None;
            }
            let text = format!(
                "({}) {} has another length than the network {network} it lies in",
                i.name, a.prefix
            );
            let right = if a.family() == Family::V4 { 32 } else { 128 };
            let help = format!("write {address}/{} or {address}/{right}", network.len());
            Some(c.warn(&a.origin, "", text).help(help))
        })
        .collect()
}

fn label_without_interface(c: &Ctx<'_>) -> Vec<Diagnostic> {
    virtuals(c)
        .filter_map(|(i, a)| {
            let (label, name) = (a.label.as_deref()?, interface(i, a)?);
            let rest = label.strip_prefix(name);
            if rest.is_some_and(|r| r.is_empty() || r.starts_with(':')) {
                return None;
            }
            let text = format!("({}) label {label} does not begin with {name}:", i.name);
            let help = format!("write label {name}:TEXT, 15 bytes at most");
            Some(c.note(&a.origin, "", text).help(help))
        })
        .collect()
}

fn on_loopback(c: &Ctx<'_>) -> Vec<Diagnostic> {
    virtuals(c)
        .filter(|(i, a)| interface(i, a) == Some("lo") && !a.prefix.addr().is_loopback())
        .map(|(i, a)| {
            let text = format!("({}) nobody hears of {} on lo", i.name, a.prefix.addr());
            c.warn(&a.origin, "", text).help(
                "put it on the interface of its network, or announce it with a routing protocol",
            )
        })
        .collect()
}

fn link_local_first(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let instances = c.config.instances.iter();
    instances
        .filter_map(|i| {
            let all = &i.virtual_ipaddress;
            let v6 = |a: &&InterfaceAddress| a.prefix.addr().is_ipv6();
            let found = all
                .iter()
                .filter(v6)
                .position(|a| is_link_local(a.prefix.addr()))?;
            let address = all.iter().filter(v6).nth(found).filter(|_| found > 0)?;
            let text = format!(
                "({}) the link-local address {} is not the first one",
                i.name,
                address.prefix.addr()
            );
            let d = c.note(&address.origin, "", text);
            Some(d.help("move it to the beginning of virtual_ipaddress, on every node"))
        })
        .collect()
}

fn networkd(c: &Ctx<'_>) -> Vec<Diagnostic> {
    // Files for another machine say nothing about this one's interfaces.
    if c.addresses.is_none() {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut seen = HashSet::new();
    for i in &c.config.instances {
        let own_device = i.use_vmac.is_none() && i.use_ipvlan.is_none();
        let all = i.virtual_ipaddress.iter();
        let all = all.chain(&i.virtual_ipaddress_excluded);
        let devices = all.filter_map(|a| a.dev.as_deref());
        let base = i.interface.as_deref().filter(|_| own_device);
        for device in base.into_iter().chain(devices) {
            if !seen.insert(device) {
                continue;
            }
            let file = c.host.network_file(device);
            let Some(file) = file.filter(|file| !file.keeps_addresses) else {
                continue;
            };
            let text = format!(
                "({}) systemd-networkd manages {device} and takes the virtual addresses away when \
                 it starts again",
                i.name
            );
            let name = file.path.rsplit('/').next().unwrap_or_default();
            out.push(c.note(&i.origin, "interface", text).help(format!(
                "write KeepConfiguration=static below [Network] into \
                 /etc/systemd/network/{name}.d/keepalived.conf"
            )));
        }
    }
    out
}
