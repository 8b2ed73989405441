//! What a service or a real server has done.

use rk_ipvs_sys as sys;

use crate::wire::{self, Attribute, WireError};

/// Counters since the service or real server was added or zeroed, and rates estimated by the
/// kernel over a few seconds. 64 bits where the kernel has them (since 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub in_packets: u64,
    /// Packets to clients; only those that pass through us (NAT).
    pub out_packets: u64,
    /// Bytes from clients.
    pub in_bytes: u64,
    /// Bytes to clients.
    pub out_bytes: u64,
    /// Connections per second.
    pub connections_per_second: u64,
    /// Packets from clients per second.
    pub in_packets_per_second: u64,
    /// Packets to clients per second.
    pub out_packets_per_second: u64,
    /// Bytes from clients per second.
    pub in_bytes_per_second: u64,
    /// Bytes to clients per second.
    pub out_bytes_per_second: u64,
}

impl Stats {
    /// Reads both forms: the wide one has eight bytes in every field, the old one four in most.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut stats = Self::default();
        for attribute in wire::attributes(bytes, "statistics") {
            let it = attribute?;
            let field = match it.kind {
                sys::IPVS_STATS_ATTR_CONNS => &mut stats.connections,
                sys::IPVS_STATS_ATTR_INPKTS => &mut stats.in_packets,
                sys::IPVS_STATS_ATTR_OUTPKTS => &mut stats.out_packets,
                sys::IPVS_STATS_ATTR_INBYTES => &mut stats.in_bytes,
                sys::IPVS_STATS_ATTR_OUTBYTES => &mut stats.out_bytes,
                sys::IPVS_STATS_ATTR_CPS => &mut stats.connections_per_second,
                sys::IPVS_STATS_ATTR_INPPS => &mut stats.in_packets_per_second,
                sys::IPVS_STATS_ATTR_OUTPPS => &mut stats.out_packets_per_second,
                sys::IPVS_STATS_ATTR_INBPS => &mut stats.in_bytes_per_second,
                sys::IPVS_STATS_ATTR_OUTBPS => &mut stats.out_bytes_per_second,
                _ => continue,
            };
            *field = number(&it)?;
        }
        Ok(stats)
    }
}

fn number(attribute: &Attribute<'_>) -> Result<u64, WireError> {
    const NAME: &str = "IPVS_STATS_ATTR";
    match attribute.value.len() {
        4 => attribute.u32(NAME).map(u64::from),
        _ => attribute.u64(NAME),
    }
}
