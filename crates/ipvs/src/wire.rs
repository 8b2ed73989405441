//! Generic netlink of family `IPVS`: attributes written and read.
//!
//! ```text
//!  nlmsghdr │ genlmsghdr: command, version 1 │ attributes
//!                                              ├ SERVICE { AF, FWMARK | PROTOCOL ADDR PORT, ... }
//!                                              ├ DEST    { ADDR_FAMILY, ADDR, PORT, ... }
//!                                              └ DAEMON  { STATE, MCAST_IFN, SYNC_ID, ... }
//! ```
//!
//! Ports are in network byte order (but for the sync daemon's), addresses fill 16 bytes with IPv4
//! in the first four, all else is in the byte order of the machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{
    DecodeError, Emitable, NLA_F_NESTED, NLA_HEADER_SIZE, NlasIterator, ParseableParametrized,
};
use netlink_packet_generic::{GenlFamily, GenlHeader};
use rk_base::Family;
use rk_ipvs_sys as sys;

use crate::dest::DestEntry;
use crate::name::Name;
use crate::service::ServiceEntry;
use crate::setting::{Info, Timeouts};
use crate::sync::SyncDaemon;

/// What cannot be understood of a message of the kernel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// An attribute is cut short, or says a length that it cannot have.
    #[error("attributes of {part} are cut short")]
    Truncated {
        /// Inside of what.
        part: &'static str,
    },
    /// An attribute that every such message has is not there.
    #[error("{part} without {attribute}")]
    Missing {
        /// Inside of what.
        part: &'static str,
        /// The attribute, by its name in the header.
        attribute: &'static str,
    },
    /// An attribute has a size or value that it cannot have.
    #[error("{attribute} has a value that makes no sense")]
    Value {
        /// The attribute, by its name in the header.
        attribute: &'static str,
    },
}

/// Anything the kernel tells of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A virtual service.
    Service(ServiceEntry),
    /// A real server of the service that was asked for.
    Dest(DestEntry),
    /// A sync daemon that runs.
    Daemon(SyncDaemon),
    /// The connection timeouts.
    Timeouts(Timeouts),
    /// What the kernel says of itself.
    Info(Info),
    /// A command of a newer kernel.
    Other {
        /// Its number.
        command: u8,
    },
}

impl Message {
    /// Reads the attributes that follow the generic netlink header. Total: any bytes give a message
    /// or an error.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn parse(command: u8, attributes: &[u8]) -> Result<Self, WireError> {
        match u32::from(command) {
            sys::IPVS_CMD_NEW_SERVICE => {
                let part = nested(
                    attributes,
                    "IPVS_CMD_ATTR_SERVICE",
                    sys::IPVS_CMD_ATTR_SERVICE,
                )?;
                ServiceEntry::parse(part).map(Self::Service)
            }
            sys::IPVS_CMD_NEW_DEST => {
                let part = nested(attributes, "IPVS_CMD_ATTR_DEST", sys::IPVS_CMD_ATTR_DEST)?;
                DestEntry::parse(part).map(Self::Dest)
            }
            sys::IPVS_CMD_NEW_DAEMON => {
                let part = nested(
                    attributes,
                    "IPVS_CMD_ATTR_DAEMON",
                    sys::IPVS_CMD_ATTR_DAEMON,
                )?;
                SyncDaemon::parse(part).map(Self::Daemon)
            }
            sys::IPVS_CMD_SET_CONFIG => Timeouts::parse(attributes).map(Self::Timeouts),
            sys::IPVS_CMD_SET_INFO => Info::parse(attributes).map(Self::Info),
            _ => Ok(Self::Other { command }),
        }
    }
}

fn nested<'a>(bytes: &'a [u8], name: &'static str, kind: u32) -> Result<&'a [u8], WireError> {
    let mut found = None;
    for attribute in attributes(bytes, "a message") {
        let attribute = attribute?;
        if attribute.kind == kind {
            found = Some(attribute.value);
        }
    }
    found.ok_or(WireError::Missing {
        part: "a message",
        attribute: name,
    })
}

/// One attribute as it was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) kind: u32,
    pub(crate) value: &'a [u8],
}

/// The attributes in `bytes`, which are `part`.
pub(crate) fn attributes<'a>(
    bytes: &'a [u8],
    part: &'static str,
) -> impl Iterator<Item = Result<Attribute<'a>, WireError>> {
    NlasIterator::new(bytes).map(move |found| {
        let found = found.map_err(|_| WireError::Truncated { part })?;
        // The accessor of a checked attribute lives no longer than the attribute itself.
        let value = found.into_inner();
        let kind = u32::from(found.kind());
        let end = usize::from(found.length());
        let value = value.get(NLA_HEADER_SIZE..end);
        let value = value.ok_or(WireError::Truncated { part })?;
        Ok(Attribute { kind, value })
    })
}

impl Attribute<'_> {
    fn exact<const N: usize>(&self, attribute: &'static str) -> Result<[u8; N], WireError> {
        let wrong = WireError::Value { attribute };
        self.value.try_into().map_err(|_| wrong)
    }

    pub(crate) fn u8(&self, name: &'static str) -> Result<u8, WireError> {
        self.exact::<1>(name).map(|[value]| value)
    }

    pub(crate) fn u16(&self, name: &'static str) -> Result<u16, WireError> {
        self.exact(name).map(u16::from_ne_bytes)
    }

    pub(crate) fn port(&self, name: &'static str) -> Result<u16, WireError> {
        self.exact(name).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&self, name: &'static str) -> Result<u32, WireError> {
        self.exact(name).map(u32::from_ne_bytes)
    }

    pub(crate) fn u64(&self, name: &'static str) -> Result<u64, WireError> {
        self.exact(name).map(u64::from_ne_bytes)
    }

    pub(crate) fn four(&self, name: &'static str) -> Result<[u8; 4], WireError> {
        self.exact(name)
    }

    pub(crate) fn sixteen(&self, name: &'static str) -> Result<[u8; 16], WireError> {
        self.exact(name)
    }

    pub(crate) fn family(&self, name: &'static str) -> Result<Family, WireError> {
        match i32::from(self.u16(name)?) {
            libc::AF_INET => Ok(Family::V4),
            libc::AF_INET6 => Ok(Family::V6),
            _ => Err(WireError::Value { attribute: name }),
        }
    }

    /// A string with or without its zero; `None` for an empty one.
    pub(crate) fn name(&self, name: &'static str) -> Result<Option<Name>, WireError> {
        let text = self.value.split(|&b| b == 0).next().unwrap_or_default();
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = WireError::Value { attribute: name };
        Name::new(text).map(Some).map_err(|_| wrong)
    }
}

/// The number of a family in attributes.
pub(crate) fn family_number(family: Family) -> u16 {
    match family {
        Family::V4 => libc::AF_INET as u16,
        Family::V6 => libc::AF_INET6 as u16,
    }
}

/// An address in the 16 bytes the kernel wants for both families.
pub(crate) fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V6(address) => address.octets(),
    }
}

/// The address in the 16 bytes of the kernel.
pub(crate) fn address_of(family: Family, bytes: [u8; 16]) -> IpAddr {
    let [a, b, c, d, ..] = bytes;
    match family {
        Family::V4 => Ipv4Addr::new(a, b, c, d).into(),
        Family::V6 => Ipv6Addr::from(bytes).into(),
    }
}

/// Attributes being written, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn put(&mut self, kind: u32, value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend([0; NLA_HEADER_SIZE]);
        self.bytes.extend(value);
        self.finish(start, kind as u16);
    }

    pub(crate) fn u8(&mut self, kind: u32, value: u8) {
        self.put(kind, &[value]);
    }

    pub(crate) fn u16(&mut self, kind: u32, value: u16) {
        self.put(kind, &value.to_ne_bytes());
    }

    pub(crate) fn port(&mut self, kind: u32, value: u16) {
        self.put(kind, &value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, kind: u32, value: u32) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// A string with the zero that ends it.
    pub(crate) fn name(&mut self, kind: u32, name: &Name) {
        let start = self.bytes.len();
        self.bytes.extend([0; NLA_HEADER_SIZE]);
        self.bytes.extend(name.as_bytes());
        self.bytes.push(0);
        self.finish(start, kind as u16);
    }

    /// An attribute that holds attributes.
    pub(crate) fn nest(&mut self, kind: u32, inside: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend([0; NLA_HEADER_SIZE]);
        inside(self);
        self.finish(start, kind as u16 | NLA_F_NESTED);
    }

    /// Fills in the header of the attribute that began at `start`, and pads.
    fn finish(&mut self, start: usize, kind: u16) {
        let end = self.bytes.len();
        // Nothing we write comes near 64 KiB: the longest attribute is a service.
        let len = u16::try_from(end - start).unwrap_or(u16::MAX);
        if let Some(header) = self.bytes.get_mut(start..start + NLA_HEADER_SIZE) {
            let [a, b] = len.to_ne_bytes();
            let [c, d] = kind.to_ne_bytes();
            header.copy_from_slice(&[a, b, c, d]);
        }
        self.bytes.resize(end.next_multiple_of(4), 0);
    }
}

/// A message to or from the kernel: what comes after the netlink header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) command: u8,
    pub(crate) attributes: Vec<u8>,
}

impl Payload {
    /// A message with the attributes that `fill` writes.
    pub(crate) fn new(command: u32, fill: impl FnOnce(&mut Writer)) -> Self {
        let mut writer = Writer::default();
        fill(&mut writer);
        Self {
            command: command as u8,
            attributes: writer.bytes,
        }
    }
}

impl GenlFamily for Payload {
    fn family_name() -> &'static str {
        "IPVS"
    }

    fn command(&self) -> u8 {
        self.command
    }

    fn version(&self) -> u8 {
        sys::IPVS_GENL_VERSION as u8
    }
}

impl Emitable for Payload {
    fn buffer_len(&self) -> usize {
        self.attributes.len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer[..self.attributes.len()].copy_from_slice(&self.attributes);
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Payload {
    fn parse_with_param(bytes: &[u8], header: GenlHeader) -> Result<Self, DecodeError> {
        Ok(Self {
            command: header.cmd,
            attributes: bytes.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests;
