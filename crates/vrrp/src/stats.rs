//! What an instance has counted, as `keepalived.stats` shows it.

/// Counters of one instance since it was made (or since they were cleared).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Adverts that passed every check.
    pub advert_rcvd: u64,
    /// Adverts sent, priority 0 included; one for all unicast peers together.
    pub advert_sent: u64,
    /// Times the instance became Master.
    pub become_master: u64,
    /// Times it left that state.
    pub release_master: u64,
    /// Packets too short for what they announce.
    pub packet_len_err: u64,
    /// Version 2 adverts with another interval than ours, version 3 adverts with interval 0.
    pub advert_interval_err: u64,
    /// Packets with a TTL or hop limit that is not allowed.
    pub ip_ttl_err: u64,
    /// Packets of a type other than advertisement.
    pub invalid_type_rcvd: u64,
    /// Adverts whose address list is not ours.
    pub addr_list_err: u64,
    /// Packets with an unknown authentication type.
    pub invalid_authtype: u64,
    /// Packets with another authentication type than ours.
    pub authtype_mismatch: u64,
    /// Packets whose authentication data is wrong.
    pub auth_failure: u64,
    /// Adverts received with priority 0.
    pub pri_zero_rcvd: u64,
    /// Adverts sent with priority 0.
    pub pri_zero_sent: u64,
    /// Packets with another version than ours.
    pub version_err: u64,
    /// Packets whose checksum is wrong.
    pub checksum_err: u64,
    /// Packets that passed only by the pseudo-header checksum although the message-only form is
    /// configured.
    pub checksum_fallback: u64,
    /// Packets from an address, or to one, that is not ours to listen to.
    pub address_err: u64,
    /// Adverts that could not be built because the interface has no address.
    pub no_source_err: u64,
    /// Times the instance could not trust silence because it had not been running.
    pub stalls: u64,
}
