//! The nftables messages we send, each as one function.

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, DataAttribute, Expressions, Hook, HookNumber, InetHookNumber,
    ListAttribute, NfTablesMessage, RuleAttribute, RuleMessage, SetAttribute, SetElementAttribute,
    SetElementList, SetElementMessage, SetFlags, SetMessage, TableAttribute, TableMessage,
};
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};

use super::Family;
use super::content::SetName;

/// The comment our tables bear (`nft list tables` shows it): by it a later run knows them again.
pub(super) const MARK: &str = "rkeepalived";
/// `NFTNL_UDATA_TABLE_COMMENT`: user data is a row of (type, length, value).
const UDATA_TABLE_COMMENT: u8 = 0;
/// `NFTNL_UDATA_SET_KEYBYTEORDER`, and its value for network byte order. It is for nft(8), which
/// otherwise would have to guess how to show the keys.
const UDATA_SET_KEYBYTEORDER: u8 = 0;
const BYTEORDER_BIG_ENDIAN: u32 = 2;
const NF_ACCEPT: u32 = 1;
/// Elements in one message: an attribute holds at most 64 KiB, an element needs up to 48 bytes.
const ELEMENTS: usize = 1024;

/// How nft(8) numbers the types of keys; a concatenation is a row of six-bit numbers.
#[derive(Clone, Copy)]
pub(super) enum KeyType {
    Ipv4Address = 7,
    Ipv6Address = 8,
    Icmpv6Type = 29,
    Ipv6AddressAndIndex = 8 << 6 | 20,
    Ipv6AddressAndName = 8 << 6 | 41,
}

/// One message of a transaction: its flags (beside `NLM_F_REQUEST`) and what it says.
pub(super) struct Request {
    pub(super) flags: u16,
    pub(super) message: NetfilterMessage,
}

/// The user data that holds [`MARK`].
pub(super) fn mark() -> Vec<u8> {
    let mut data = vec![UDATA_TABLE_COMMENT, MARK.len() as u8 + 1];
    data.extend(MARK.bytes());
    data.push(0);
    data
}

/// Wraps a message for `family`.
pub(super) fn message(family: Family, message: NfTablesMessage) -> NetfilterMessage {
    let family = match family {
        Family::Ipv4 => NetfilterProtoFamily::IPv4,
        Family::Ipv6 => NetfilterProtoFamily::IPv6,
    };
    NetfilterMessage::new(NetfilterHeader::new(family, 0, 0), message)
}

pub(super) fn request(family: Family, flags: u16, inner: NfTablesMessage) -> Request {
    Request {
        flags,
        message: message(family, inner),
    }
}

pub(super) fn new_table(family: Family, table: &str) -> Request {
    let attributes = vec![
        TableAttribute::Name(table.to_owned()),
        TableAttribute::UserData(mark()),
    ];
    let inner = NfTablesMessage::NewTable(TableMessage { attributes });
    request(family, NLM_F_CREATE | NLM_F_EXCL, inner)
}

/// Deletes the table with all it holds. The handle says that it is the one we looked at.
pub(super) fn delete_table(family: Family, handle: u64) -> Request {
    let attributes = vec![TableAttribute::Handle(handle)];
    let inner = NfTablesMessage::DeleteTable(TableMessage { attributes });
    request(family, 0, inner)
}

/// A chain; with a hook and a priority it is a base chain of type filter that accepts by default.
pub(super) fn new_chain(
    family: Family,
    table: &str,
    name: &str,
    base: Option<(InetHookNumber, i32)>,
) -> Request {
    let mut attributes = vec![
        ChainAttribute::Table(table.to_owned()),
        ChainAttribute::Name(name.to_owned()),
    ];
    if let Some((hook, priority)) = base {
        attributes.push(ChainAttribute::Hook(vec![
            Hook::Number(HookNumber::Inet(hook)),
            Hook::Priority(priority.cast_unsigned()),
        ]));
        attributes.push(ChainAttribute::Policy(NF_ACCEPT));
        attributes.push(ChainAttribute::Type("filter".to_owned()));
    }
    let inner = NfTablesMessage::NewChain(ChainMessage { attributes });
    request(family, NLM_F_CREATE, inner)
}

/// A set named `name`, keys being `key_len` bytes of `key_type`. `id` names it inside the
/// transaction.
pub(super) fn new_set(
    family: Family,
    table: &str,
    (name, id): (&str, u32),
    flags: SetFlags,
    key_type: KeyType,
    key_len: u32,
) -> Request {
    let mut attributes = vec![
        SetAttribute::Table(table.to_owned()),
        SetAttribute::Name(name.to_owned()),
        SetAttribute::Flags(flags),
        SetAttribute::KeyType(key_type as u32),
        SetAttribute::KeyLen(key_len),
        SetAttribute::Id(id),
    ];
    if matches!(
        key_type,
        KeyType::Ipv4Address | KeyType::Ipv6Address | KeyType::Icmpv6Type
    ) {
        let mut data = vec![UDATA_SET_KEYBYTEORDER, 4];
        data.extend(BYTEORDER_BIG_ENDIAN.to_ne_bytes());
        attributes.push(SetAttribute::UserData(data));
    }
    let inner = NfTablesMessage::NewSet(SetMessage { attributes });
    request(family, NLM_F_CREATE, inner)
}

/// One of the sets of addresses.
pub(super) fn new_address_set(table: &str, set: SetName, id: u32) -> Request {
    let (key_type, key_len) = match set {
        SetName::Ipv4 => (KeyType::Ipv4Address, 4),
        SetName::Ipv6 => (KeyType::Ipv6Address, 16),
        SetName::LinkLocal => (KeyType::Ipv6AddressAndIndex, 16 + 4),
        SetName::LinkLocalNamed => (KeyType::Ipv6AddressAndName, 16 + 16),
    };
    let named = (set.name(), id);
    new_set(
        set.family(),
        table,
        named,
        SetFlags::empty(),
        key_type,
        key_len,
    )
}

/// Whether elements come or go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Delete,
}

/// Changes `set` by `keys`, in as few messages as they fit in.
pub(super) fn elements(
    family: Family,
    table: &str,
    set: &str,
    change: Change,
    keys: Vec<Vec<u8>>,
) -> Vec<Request> {
    let mut requests = Vec::new();
    let mut keys = keys.into_iter().peekable();
    while keys.peek().is_some() {
        let element = |key| {
            let key = SetElementAttribute::Key(DataAttribute::Value(key));
            ListAttribute::Element(vec![key])
        };
        let attributes = vec![
            SetElementList::Table(table.to_owned()),
            SetElementList::Set(set.to_owned()),
            SetElementList::Elements(keys.by_ref().take(ELEMENTS).map(element).collect()),
        ];
        let message = SetElementMessage { attributes };
        let (flags, message) = match change {
            Change::Add => (NLM_F_CREATE, NfTablesMessage::NewSetElement(message)),
            Change::Delete => (0, NfTablesMessage::DeleteSetElement(message)),
        };
        requests.push(request(family, flags, message));
    }
    requests
}

/// A rule at the end of `chain`.
pub(super) fn new_rule(
    family: Family,
    table: &str,
    chain: &str,
    expressions: Vec<Expressions>,
) -> Request {
    let attributes = vec![
        RuleAttribute::Table(table.to_owned()),
        RuleAttribute::Chain(chain.to_owned()),
        RuleAttribute::Expressions(expressions.into_iter().map(ListAttribute::from).collect()),
    ];
    let inner = NfTablesMessage::NewRule(RuleMessage { attributes });
    request(family, NLM_F_CREATE | NLM_F_APPEND, inner)
}
