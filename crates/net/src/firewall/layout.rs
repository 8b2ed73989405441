//! Which tables, chains, sets and rules there are, and the steps from one content to another.
//!
//! ```text
//! table ip6 keepalived
//!   chain in  { hook input;  neighbour discovery accept; fe80::/10 goto in_link_local;
//!               daddr @vips drop }
//!   chain out { hook output; the same with out_link_local and saddr }
//!   chain in_link_local { daddr . iif @vips_link_local drop }       chain out_link_local: saddr . oif
//! ```
//!
//! `ip` has the `@vips` rules only. These are the objects keepalived makes, by name, order and
//! meaning, so that what reads them (`nft list`, monitoring) sees no difference.

use netlink_packet_netfilter::nftables::{
    Bitwise, Cmp, DataAttribute, Expressions, Immediate, InetHookNumber, Lookup, Meta, MetaKey,
    Operator, Payload, Register, SetFlags, Verdict, VerdictAttribute,
};

use super::content::{self, Difference, SetName};
use super::existing::Known;
use super::request::{self, Change, KeyType, Request};
use super::{Family, FirewallSettings};

const NEIGHBOR_DISCOVERY: &str = "neighbor-discovery";
/// ICMPv6 types 135 (neighbour solicitation) and 136 (advertisement).
const NEIGHBOR_TYPES: [u8; 2] = [135, 136];
pub(super) const NETWORK_HEADER: u32 = 1;
pub(super) const TRANSPORT_HEADER: u32 = 2;
const IPPROTO_ICMPV6: u8 = 58;
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;

/// What keepalived makes for VRRP, that for VMACs included.
pub(super) const KNOWN: Known = Known {
    chains: &["in", "out", "in_link_local", "out_link_local"],
    sets: &[
        "vips",
        NEIGHBOR_DISCOVERY,
        "vips_link_local",
        "vips_link_local_name",
        "vmac_map",
        "vmac_set",
        "mld-report",
        "parent_link_local",
    ],
    purpose: &["vips", "vmac_map"],
};

#[derive(Clone, Copy)]
enum Direction {
    In,
    Out,
}

impl Direction {
    const BOTH: [Self; 2] = [Self::In, Self::Out];

    const fn chain(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }

    const fn link_local_chain(self) -> &'static str {
        match self {
            Self::In => "in_link_local",
            Self::Out => "out_link_local",
        }
    }
}

/// The messages that make `difference`.
pub(super) fn transition(settings: &FirewallSettings, difference: &Difference) -> Vec<Request> {
    let mut requests = Vec::new();
    let table = &settings.table;
    for (id, &set) in (1..).zip(&difference.sets) {
        match set {
            SetName::Ipv4 | SetName::Ipv6 => base(settings, set, id, &mut requests),
            SetName::LinkLocal | SetName::LinkLocalNamed => {
                requests.push(request::new_address_set(table, set, id));
                for direction in Direction::BOTH {
                    let chain = direction.link_local_chain();
                    let rule = link_local_rule(settings, set, direction);
                    requests.push(request::new_rule(Family::Ipv6, table, chain, rule));
                }
            }
        }
    }
    for (change, dropped) in [
        (Change::Delete, &difference.gone),
        (Change::Add, &difference.new),
    ] {
        for (set, keys) in content::keys(dropped) {
            let messages = request::elements(set.family(), table, set.name(), change, keys);
            requests.extend(messages);
        }
    }
    requests
}

/// The table of a family, without addresses.
fn base(settings: &FirewallSettings, set: SetName, id: u32, requests: &mut Vec<Request>) {
    /// Names a set inside the transaction, apart from those of addresses.
    const NEIGHBOR_DISCOVERY_ID: u32 = 100;
    let (family, table) = (set.family(), settings.table.as_str());
    let v6 = family == Family::Ipv6;
    requests.push(request::new_table(family, table));
    for (name, hook) in [
        ("out", InetHookNumber::LocalOut),
        ("in", InetHookNumber::LocalIn),
    ] {
        let base = Some((hook, settings.priority));
        requests.push(request::new_chain(family, table, name, base));
    }
    if v6 {
        for direction in Direction::BOTH {
            let name = direction.link_local_chain();
            requests.push(request::new_chain(family, table, name, None));
        }
    }
    requests.push(request::new_address_set(table, set, id));
    if v6 {
        requests.push(request::new_set(
            family,
            table,
            (NEIGHBOR_DISCOVERY, NEIGHBOR_DISCOVERY_ID),
            SetFlags::Constant,
            KeyType::Icmpv6Type,
            1,
        ));
        requests.extend(request::elements(
            family,
            table,
            NEIGHBOR_DISCOVERY,
            Change::Add,
            NEIGHBOR_TYPES.iter().map(|&t| vec![t]).collect(),
        ));
    }
    for direction in Direction::BOTH {
        let mut rules = Vec::new();
        if v6 {
            rules.push(neighbor_discovery_rule(settings));
            rules.push(link_local_goto(settings, direction));
        }
        rules.push(vips_rule(settings, family, direction));
        for rule in rules {
            requests.push(request::new_rule(family, table, direction.chain(), rule));
        }
    }
}

/// `ip daddr @vips drop`
fn vips_rule(
    settings: &FirewallSettings,
    family: Family,
    direction: Direction,
) -> Vec<Expressions> {
    let mut rule = vec![
        address(family, direction),
        lookup(SetName::main_of(family).name()),
    ];
    finish(settings, &mut rule, verdict(NF_DROP));
    rule
}

/// `icmpv6 type @neighbor-discovery accept`
///
/// keepalived compares the next header of the IPv6 header; asking for the protocol behind the
/// extension headers is shown the same by nft, and accepts a solicitation that has some, too.
//= rfc9568 §6.1 (Accept_Mode): False never drops neighbour solicitations and advertisements.
fn neighbor_discovery_rule(settings: &FirewallSettings) -> Vec<Expressions> {
    let mut rule = vec![
        meta(MetaKey::L4Proto, Register::Reg1),
        equals(vec![IPPROTO_ICMPV6]),
        payload(TRANSPORT_HEADER, 0, 1, Register::Reg1),
        lookup(NEIGHBOR_DISCOVERY),
    ];
    finish(settings, &mut rule, verdict(NF_ACCEPT));
    rule
}

/// `ip6 daddr fe80::/10 goto in_link_local`
fn link_local_goto(settings: &FirewallSettings, direction: Direction) -> Vec<Expressions> {
    let sixteen = |a: u8, b: u8| {
        let mut bytes = vec![0; 16];
        bytes[..2].copy_from_slice(&[a, b]);
        bytes
    };
    let mut rule = vec![
        address(Family::Ipv6, direction),
        Expressions::Bitwise(vec![
            Bitwise::SourceRegister(Register::Reg1),
            Bitwise::DestinationRegister(Register::Reg1),
            Bitwise::Length(16),
            Bitwise::Mask(DataAttribute::Value(sixteen(0xff, 0xc0))),
            Bitwise::Xor(DataAttribute::Value(vec![0; 16])),
        ]),
        equals(sixteen(0xfe, 0x80)),
    ];
    let goto = vec![
        VerdictAttribute::Code(Verdict::Goto),
        VerdictAttribute::Chain(direction.link_local_chain().to_owned()),
    ];
    finish(settings, &mut rule, goto);
    rule
}

/// `ip6 daddr . iif @vips_link_local drop`
fn link_local_rule(
    settings: &FirewallSettings,
    set: SetName,
    direction: Direction,
) -> Vec<Expressions> {
    let key = match (set, direction) {
        (SetName::LinkLocalNamed, Direction::In) => MetaKey::Iifname,
        (SetName::LinkLocalNamed, Direction::Out) => MetaKey::Oifname,
        (_, Direction::In) => MetaKey::Iif,
        (_, Direction::Out) => MetaKey::Oif,
    };
    let mut rule = vec![
        address(Family::Ipv6, direction),
        // The next register follows the sixteen bytes of the first: together they are the key.
        meta(key, Register::Reg2),
        lookup(set.name()),
    ];
    finish(settings, &mut rule, verdict(NF_DROP));
    rule
}

/// Loads the destination of what comes in, the source of what goes out.
fn address(family: Family, direction: Direction) -> Expressions {
    let (offset, len) = match (family, direction) {
        (Family::Ipv4, Direction::Out) => (12, 4),
        (Family::Ipv4, Direction::In) => (16, 4),
        (Family::Ipv6, Direction::Out) => (8, 16),
        (Family::Ipv6, Direction::In) => (24, 16),
    };
    payload(NETWORK_HEADER, offset, len, Register::Reg1)
}

pub(super) fn payload(base: u32, offset: u32, len: u32, register: Register) -> Expressions {
    Expressions::Payload(vec![
        Payload::DestinationRegister(register),
        Payload::Base(base),
        Payload::Offset(offset),
        Payload::Len(len),
    ])
}

pub(super) fn meta(key: MetaKey, register: Register) -> Expressions {
    Expressions::Meta(vec![Meta::Key(key), Meta::DestinationRegister(register)])
}

pub(super) fn equals(value: Vec<u8>) -> Expressions {
    Expressions::Cmp(vec![
        Cmp::SourceRegister(Register::Reg1),
        Cmp::Op(Operator::Equal),
        Cmp::Data(DataAttribute::Value(value)),
    ])
}

fn lookup(set: &str) -> Expressions {
    Expressions::Lookup(vec![
        Lookup::Set(set.to_owned()),
        Lookup::SourceRegister(Register::Reg1),
    ])
}

fn verdict(code: u32) -> Vec<VerdictAttribute> {
    vec![VerdictAttribute::Code(Verdict::Other(code))]
}

/// Ends a rule with its counter, if there are any, and its verdict.
fn finish(
    settings: &FirewallSettings,
    rule: &mut Vec<Expressions>,
    verdict: Vec<VerdictAttribute>,
) {
    if settings.counters {
        rule.push(Expressions::Other {
            expression_type: "counter".to_owned(),
            attributes: Vec::new(),
        });
    }
    rule.push(Expressions::Immediate(vec![
        Immediate::DestinationRegister(Register::Verdict),
        Immediate::Data(DataAttribute::Verdict(verdict)),
    ]));
}
