//! Bytes to adverts and back. Nothing here allocates on reading, and no length that a packet
//! claims is believed before it was compared with the bytes that are there.

mod ah;
mod checksum;
mod ipv4;
mod message;

pub use ah::{AH_LEN, AuthHeader};
pub use checksum::{Coverage, checksum, is_good};
pub use ipv4::Ipv4Header;
pub use message::{
    AddressList, Addresses, Advert, AdvertWriter, HEADER_LEN, Header, PROTOCOL_AH, PROTOCOL_VRRP,
    TYPE_ADVERTISEMENT, Tail, dispatch_vrid,
};

#[cfg(test)]
mod tests;
