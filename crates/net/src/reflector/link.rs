//! Links and addresses as the kernel reports them.

use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkInfo, LinkMessage};
use rk_base::{IfIndex, Prefix};

use crate::announce::Mac;

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The kernel's number of it.
    pub index: IfIndex,
    /// Its name; may change while the index stays.
    pub name: String,
    /// `IFF_*` flags.
    pub flags: u32,
    /// Its link-layer address, if that has 48 bits.
    pub mac: Option<Mac>,
    /// Largest packet, bytes.
    pub mtu: u32,
    /// `ARPHRD_*`: 1 is Ethernet.
    pub hardware_type: u16,
    /// The bridge, bond or VRF it is in.
    pub master: Option<IfIndex>,
    /// The interface below it (of a macvlan, VLAN...), or its other end (veth).
    pub parent: Option<IfIndex>,
    /// What kind of virtual interface it is (`macvlan`, `veth`, `vrf`...); `None` for hardware.
    pub kind: Option<String>,
}

impl Link {
    /// Administratively up (`IFF_UP`).
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.has(libc::IFF_UP)
    }

    /// Able to carry packets (`IFF_RUNNING`).
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.has(libc::IFF_RUNNING)
    }

    /// Up and running: what VRRP asks of an interface.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.is_up() && self.is_running()
    }

    /// Whether it can send to groups (`IFF_MULTICAST`).
    #[must_use]
    pub const fn is_multicast(&self) -> bool {
        self.has(libc::IFF_MULTICAST)
    }

    /// The loopback (`IFF_LOOPBACK`).
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.has(libc::IFF_LOOPBACK)
    }

    /// Does no address resolution (`IFF_NOARP`).
    #[must_use]
    pub const fn is_noarp(&self) -> bool {
        self.has(libc::IFF_NOARP)
    }

    const fn has(&self, flag: i32) -> bool {
        self.flags & flag.cast_unsigned() != 0
    }

    /// From a link message; `None` if it has no index or no name (a bridge-port message).
    pub(super) fn read(message: &LinkMessage) -> Option<Self> {
        let mut link = Self {
            index: IfIndex::new(message.header.index)?,
            name: String::new(),
            flags: message.header.flags.bits(),
            mac: None,
            mtu: 0,
            hardware_type: message.header.link_layer_type.into(),
            master: None,
            parent: None,
            kind: None,
        };
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name.clone_from(name),
                LinkAttribute::Address(mac) => link.mac = mac.as_slice().try_into().ok(),
                LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
                LinkAttribute::Controller(index) => link.master = IfIndex::new(*index),
                LinkAttribute::Link(index) => link.parent = IfIndex::new(*index),
                LinkAttribute::LinkInfo(infos) => {
                    link.kind = infos.iter().find_map(|info| match info {
                        LinkInfo::Kind(kind) => Some(kind.to_string()),
                        _ => None,
                    });
                }
                _ => {}
            }
        }
        (!link.name.is_empty()).then_some(link)
    }

    #[cfg(test)]
    pub(crate) fn sample(name: &str, index: u32) -> Self {
        Self {
            index: IfIndex::new(index).unwrap(),
            name: name.to_owned(),
            flags: (libc::IFF_UP | libc::IFF_RUNNING | libc::IFF_MULTICAST) as u32,
            mac: None,
            mtu: 1500,
            hardware_type: 1,
            master: None,
            parent: None,
            kind: None,
        }
    }
}

/// An address and its prefix length, and the peer's address.
pub(super) type AddressKey = (Prefix, Option<IpAddr>);

/// An address on an interface, as the kernel reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkAddress {
    /// The interface.
    pub ifindex: IfIndex,
    /// The local address, with the length of its network.
    pub prefix: Prefix,
    /// The other end of a point-to-point address.
    pub peer: Option<IpAddr>,
    /// IPv4 broadcast address, if one is set.
    pub broadcast: Option<Ipv4Addr>,
    /// IPv4 label (`eth0:1`); the interface name if none was given.
    pub label: Option<String>,
    /// `RT_SCOPE_*`: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// `IFA_F_*` flags, all 32 bits.
    pub flags: u32,
    /// Seconds for which it is preferred as a source; `u32::MAX` is for ever.
    pub preferred_lft: u32,
    /// Who put it there (`IFA_PROTO`, kernels from 5.18): 18 is keepalived.
    pub protocol: Option<u8>,
}

impl LinkAddress {
    /// The address without its prefix length.
    #[must_use]
    pub const fn addr(&self) -> IpAddr {
        self.prefix.addr()
    }

    /// Whether packets can be sent from it: duplicate address detection is done, and well.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        let tentative = self.flags & libc::IFA_F_TENTATIVE != 0;
        let optimistic = self.flags & libc::IFA_F_OPTIMISTIC != 0;
        self.flags & libc::IFA_F_DADFAILED == 0 && (!tentative || optimistic)
    }

    /// What tells it apart from the others on its interface.
    pub(super) const fn key(&self) -> AddressKey {
        (self.prefix, self.peer)
    }

    /// From an address message; `None` if it has no address or no interface.
    pub(super) fn read(message: &AddressMessage) -> Option<Self> {
        let header = &message.header;
        let (mut address, mut local, mut broadcast) = (None, None, None);
        let (mut label, mut protocol) = (None, None);
        let mut flags = u32::from(header.flags.bits());
        let mut preferred_lft = u32::MAX;
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Address(a) => address = Some(*a),
                AddressAttribute::Local(a) => local = Some(*a),
                AddressAttribute::Broadcast(a) => broadcast = Some(*a),
                AddressAttribute::Label(text) => label = Some(text.clone()),
                AddressAttribute::Flags(all) => flags = all.bits(),
                AddressAttribute::CacheInfo(info) => preferred_lft = info.ifa_preferred,
                AddressAttribute::Protocol(p) => protocol = Some(u8::from(*p)),
                _ => {}
            }
        }
        // IFA_ADDRESS is the address itself, or the peer's if IFA_LOCAL says another.
        let own = local.or(address)?;
        Some(Self {
            ifindex: IfIndex::new(header.index)?,
            prefix: Prefix::new(own, header.prefix_len).ok()?,
            peer: address.filter(|a| *a != own),
            broadcast,
            label,
            scope: header.scope.into(),
            flags,
            preferred_lft,
            protocol,
        })
    }

    #[cfg(test)]
    pub(crate) fn sample(ifindex: u32, prefix: &str) -> Self {
        Self {
            ifindex: IfIndex::new(ifindex).unwrap(),
            prefix: prefix.parse().unwrap(),
            peer: None,
            broadcast: None,
            label: None,
            scope: 0,
            flags: libc::IFA_F_PERMANENT,
            preferred_lft: u32::MAX,
            protocol: None,
        }
    }
}
