//! The messages that make tables, maps, rules and elements of marks.

use std::num::NonZeroU32;

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED, NLM_F_CREATE};
use netlink_packet_netfilter::nftables::{
    DataAttribute, ExpressionAttribute, Expressions, Immediate, InetHookNumber, ListAttribute,
    Lookup, Meta, MetaKey, NfTablesMessage, Register, SetAttribute, SetDescription,
    SetElementAttribute, SetElementList, SetElementMessage, SetFlags, SetMessage, Verdict,
    VerdictAttribute,
};

use super::super::existing::Known;
use super::super::layout::{NETWORK_HEADER, TRANSPORT_HEADER, equals, meta, payload};
use super::super::request::{self, Request};
use super::super::{Family, FirewallSettings};
use super::{Difference, Map, Marked, Transport};

const CHAIN: &str = "in";
/// Elements in one message: an attribute holds at most 64 KiB, an element needs up to 84 bytes.
const ELEMENTS: usize = 512;
/// The nft types of the parts of a key and of a mark.
const TYPE_IPV4_ADDR: u32 = 7;
const TYPE_IPV6_ADDR: u32 = 8;
const TYPE_INET_SERVICE: u32 = 13;
const TYPE_MARK: u32 = 19;
const MARK_LEN: u32 = 4;
const PORT_LEN: u32 = 2;
/// For nft(8): `NFTNL_UDATA_SET_KEYBYTEORDER` and `..._DATABYTEORDER`, each of four bytes, host.
const UDATA_KEYBYTEORDER: u8 = 0;
const UDATA_DATABYTEORDER: u8 = 1;
const BYTEORDER_HOST_ENDIAN: u32 = 1;
const NFTA_SET_FIELD_LEN: u16 = 1;
const NFTA_LIST_ELEM: u16 = 1;
const NFTA_DATA_VALUE: u16 = 1;
const NFT_RETURN: u32 = -5_i32 as u32;

/// What keepalived makes for IPVS.
pub(super) const KNOWN: Known = Known {
    chains: &[CHAIN],
    sets: &["tcp_map", "udp_map", "sctp_map"],
    purpose: &["tcp_map", "udp_map", "sctp_map"],
};

impl Map {
    const fn name(self) -> &'static str {
        match self.transport {
            Transport::Tcp => "tcp_map",
            Transport::Udp => "udp_map",
            Transport::Sctp => "sctp_map",
        }
    }

    const fn protocol(self) -> u8 {
        self.transport.number()
    }

    const fn address_len(self) -> u32 {
        match self.family {
            Family::Ipv4 => 4,
            Family::Ipv6 => 16,
        }
    }
}

/// The messages that make `difference`.
pub(super) fn transition(settings: &FirewallSettings, difference: &Difference) -> Vec<Request> {
    let table = settings.table.as_str();
    let mut requests = Vec::new();
    for &family in &difference.tables {
        requests.push(request::new_table(family, table));
        let base = Some((InetHookNumber::LocalIn, settings.priority));
        requests.push(request::new_chain(family, table, CHAIN, base));
    }
    for (id, &map) in (1..).zip(&difference.maps) {
        requests.push(new_map(settings, map, id));
        let rule = rule(settings, map);
        requests.push(request::new_rule(map.family, table, CHAIN, rule));
    }
    let gone: Vec<_> = difference.gone.iter().map(|it| (*it, None)).collect();
    let new: Vec<_> = difference
        .new
        .iter()
        .map(|(it, mark)| (*it, Some(*mark)))
        .collect();
    for elements in [gone, new] {
        for same in elements.chunk_by(|(a, _), (b, _)| a.map() == b.map()) {
            requests.extend(same.chunks(ELEMENTS).filter_map(|some| change(table, some)));
        }
    }
    requests
}

fn new_map(settings: &FirewallSettings, map: Map, id: u32) -> Request {
    let address = match map.family {
        Family::Ipv4 => TYPE_IPV4_ADDR,
        Family::Ipv6 => TYPE_IPV6_ADDR,
    };
    let parts = [map.address_len(), PORT_LEN].map(|len| {
        let len = DefaultNla::new(NFTA_SET_FIELD_LEN, len.to_be_bytes().to_vec());
        DefaultNla::new(NFTA_LIST_ELEM | NLA_F_NESTED, emitted(&len))
    });
    let mut user_data = Vec::new();
    for kind in [UDATA_KEYBYTEORDER, UDATA_DATABYTEORDER] {
        user_data.extend([kind, 4]);
        user_data.extend(BYTEORDER_HOST_ENDIAN.to_ne_bytes());
    }
    let mut attributes = vec![
        SetAttribute::Table(settings.table.clone()),
        SetAttribute::Name(map.name().to_owned()),
        SetAttribute::Flags(SetFlags::Interval | SetFlags::Map | SetFlags::Concat),
        SetAttribute::KeyType(address << 6 | TYPE_INET_SERVICE),
        // Each part fills whole registers.
        SetAttribute::KeyLen(map.address_len() + PORT_LEN.next_multiple_of(4)),
        SetAttribute::DataType(TYPE_MARK),
        SetAttribute::DataLen(MARK_LEN),
        SetAttribute::Id(id),
        SetAttribute::Description(vec![SetDescription::Concat(parts.to_vec())]),
        SetAttribute::UserData(user_data),
    ];
    if settings.counters {
        let counter = ExpressionAttribute::Name("counter".to_owned());
        attributes.push(SetAttribute::Expression(counter));
    }
    let inner = NfTablesMessage::NewSet(SetMessage { attributes });
    request::request(map.family, NLM_F_CREATE, inner)
}

/// `meta mark set ip daddr . tcp dport map @tcp_map return`
fn rule(settings: &FirewallSettings, map: Map) -> Vec<Expressions> {
    let (offset, second) = match map.family {
        Family::Ipv4 => (16, Register::Reg32_01),
        Family::Ipv6 => (24, Register::Reg2),
    };
    let mut rule = vec![
        meta(MetaKey::L4Proto, Register::Reg1),
        equals(vec![map.protocol()]),
        payload(NETWORK_HEADER, offset, map.address_len(), Register::Reg1),
        payload(TRANSPORT_HEADER, 2, PORT_LEN, second),
        Expressions::Lookup(vec![
            Lookup::Set(map.name().to_owned()),
            Lookup::SourceRegister(Register::Reg1),
            Lookup::DestinationRegister(Register::Reg1),
        ]),
        Expressions::Meta(vec![
            Meta::Key(MetaKey::Mark),
            Meta::SourceRegister(Register::Reg1),
        ]),
    ];
    if settings.counters {
        rule.push(Expressions::Other {
            expression_type: "counter".to_owned(),
            attributes: Vec::new(),
        });
    }
    let verdict = vec![VerdictAttribute::Code(Verdict::Other(NFT_RETURN))];
    rule.push(Expressions::Immediate(vec![
        Immediate::DestinationRegister(Register::Verdict),
        Immediate::Data(DataAttribute::Verdict(verdict)),
    ]));
    rule
}

/// Elements of one map that come (with a mark) or go (without).
fn change(table: &str, some: &[(Marked, Option<NonZeroU32>)]) -> Option<Request> {
    let (first, mark) = some.first()?;
    let map = first.map();
    let element = |(marked, mark): &(Marked, Option<NonZeroU32>)| {
        let end = DefaultNla::new(NFTA_DATA_VALUE, marked.key(marked.last));
        let mut attributes = vec![
            SetElementAttribute::Key(DataAttribute::Value(marked.key(marked.first))),
            SetElementAttribute::KeyEnd(vec![end]),
        ];
        if let Some(mark) = mark {
            let mark = mark.get().to_ne_bytes().to_vec();
            attributes.push(SetElementAttribute::Data(DataAttribute::Value(mark)));
        }
        ListAttribute::Element(attributes)
    };
    let attributes = vec![
        SetElementList::Table(table.to_owned()),
        SetElementList::Set(map.name().to_owned()),
        SetElementList::Elements(some.iter().map(element).collect()),
    ];
    let message = SetElementMessage { attributes };
    Some(match mark {
        Some(_) => {
            let inner = NfTablesMessage::NewSetElement(message);
            request::request(map.family, NLM_F_CREATE, inner)
        }
        None => request::request(map.family, 0, NfTablesMessage::DeleteSetElement(message)),
    })
}

fn emitted(attribute: &DefaultNla) -> Vec<u8> {
    let mut bytes = vec![0; attribute.buffer_len()];
    attribute.emit(&mut bytes);
    bytes
}
