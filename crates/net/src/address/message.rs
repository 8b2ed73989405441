//! An [`Address`] as the netlink message that adds or deletes it.

use std::net::IpAddr;

use netlink_packet_route::address::{
    AddressAttribute, AddressFlags as KernelFlags, AddressHeaderFlags, AddressMessage,
    AddressProtocol, CacheInfo,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::{Address, Op, PROTOCOL_KEEPALIVED};

impl Op {
    pub(super) fn message(&self) -> RouteNetlinkMessage {
        match self {
            Self::Add(address) => RouteNetlinkMessage::NewAddress(addition(address)),
            Self::Delete(address) => RouteNetlinkMessage::DelAddress(identity(address)),
        }
    }
}

/// What names the address: interface, address, prefix length, peer.
fn identity(address: &Address) -> AddressMessage {
    let own = address.prefix.addr();
    let mut message = AddressMessage::default();
    message.header.family = match own {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.header.prefix_len = address.prefix.len();
    message.header.index = address.ifindex.get();
    // IFA_LOCAL is ours, IFA_ADDRESS the peer's: without a peer both are ours.
    message.attributes.push(AddressAttribute::Local(own));
    message
        .attributes
        .push(AddressAttribute::Address(address.peer.unwrap_or(own)));
    message
}

fn addition(address: &Address) -> AddressMessage {
    let mut message = identity(address);
    message.header.scope = address.scope.into();
    let flags = address.flags.bits();
    // Old kernels know the lowest eight only, from here.
    let low = u8::try_from(flags & 0xff).unwrap_or(0);
    message.header.flags = AddressHeaderFlags::from_bits_retain(low);
    let attributes = &mut message.attributes;
    if flags != 0 {
        attributes.push(AddressAttribute::Flags(KernelFlags::from_bits_retain(
            flags,
        )));
    }
    if let (IpAddr::V4(_), Some(broadcast)) = (address.prefix.addr(), address.broadcast) {
        attributes.push(AddressAttribute::Broadcast(broadcast));
    }
    if let (IpAddr::V4(_), Some(label)) = (address.prefix.addr(), &address.label) {
        attributes.push(AddressAttribute::Label(label.clone()));
    }
    if let Some(preferred) = address.preferred_lft {
        let mut info = CacheInfo::default();
        info.ifa_preferred = preferred;
        info.ifa_valid = u32::MAX;
        attributes.push(AddressAttribute::CacheInfo(info));
    }
    // Kernels before 5.18 skip attributes that they do not know.
    let protocol = AddressProtocol::Other(PROTOCOL_KEEPALIVED);
    attributes.push(AddressAttribute::Protocol(protocol));
    message
}
