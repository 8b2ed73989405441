//! What an instance says to the log. `Display` is the phrase people grep for.

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;
use std::sync::Arc;

use rk_base::Priority;

use crate::cause::FaultReason;
use crate::machine::State;
use crate::settings::Version;

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Always logged.
    Info,
    /// Logged with `--log-detail` only.
    Detail,
}

/// A log line of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The instance's name.
    pub instance: Arc<str>,
    /// What happened.
    pub what: Occurrence,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// `Entering X STATE`, with `(init)` at start.
    Entering {
        /// The state.
        state: State,
        /// Whether this is the first one after the start.
        init: bool,
    },
    /// `entering FAULT state ...`: why, before the line above.
    Fault(FaultReason),
    /// The down timer ran out.
    AdvertisementTimeout,
    /// The down timer ran out, but so late that silence proves nothing.
    Listening {
        /// How long nobody was listening.
        stalled: Duration,
        /// For how long it listens now.
        wait: Duration,
    },
    /// The addresses are to be set.
    SettingVips,
    /// The addresses are to be removed.
    RemovingVips,
    /// As Backup, a Master was heard for the first time.
    MasterSet(IpAddr),
    /// As Backup, another Master was heard.
    MasterChanged {
        /// The Master before.
        from: IpAddr,
        /// The Master now.
        to: IpAddr,
    },
    /// As Backup, an advert of lower priority was not listened to.
    LowerDiscarded {
        /// Its sender.
        from: IpAddr,
        /// Its priority.
        priority: Priority,
    },
    /// As Backup, the Master left.
    BackupPriorityZero,
    /// As Master, somebody left.
    MasterPriorityZero,
    /// As Master, an advert we yield to.
    HigherAdvert {
        /// Its sender.
        from: IpAddr,
        /// Its priority.
        theirs: Priority,
        /// Ours.
        ours: Priority,
    },
    /// As Master, an advert we yield to because of its address.
    HigherAddress {
        /// Its sender.
        from: IpAddr,
        /// The priority of both.
        priority: Priority,
    },
    /// As Master, an advert we do not yield to.
    LowerAdvert {
        /// Its sender.
        from: IpAddr,
        /// Its priority.
        theirs: Priority,
        /// Ours.
        ours: Priority,
        /// Whether we answer with an advert.
        forcing: bool,
    },
    /// Somebody uses our address and priority.
    OurAddress,
    /// Two routers with priority 255.
    OwnerConflict(IpAddr),
    /// The rogue owner stays: we fall to 254.
    OwnerDemoted(IpAddr),
    /// The rogue owner is gone: 255 again.
    OwnerRestored,
    /// Priority 0 was sent on entering FAULT.
    SentPriorityZero,
    /// Tracking moved the priority.
    EffectivePriority {
        /// Before.
        from: Priority,
        /// Now.
        to: Priority,
    },
    /// The preemption delay began.
    PreemptDelayStart(Duration),
    /// The preemption delay is no longer needed.
    PreemptDelayStop,
    /// As Backup, the Master's interval is used from now on.
    IntervalLearned {
        /// The interval before.
        from: Duration,
        /// The interval now.
        to: Duration,
    },
    /// As Master, our own interval is used again.
    IntervalOwn {
        /// The interval before.
        from: Duration,
        /// The interval now.
        to: Duration,
    },
    /// The advert's interval is not ours.
    IntervalMismatch {
        /// The version decides the unit.
        version: Version,
        /// Its sender.
        from: IpAddr,
        /// Ours.
        ours: Duration,
        /// The packet's.
        theirs: Duration,
    },
    /// A packet too short for what it announces.
    Truncated {
        /// Its sender.
        from: IpAddr,
        /// Octets it would need.
        need: usize,
        /// Octets there are.
        have: usize,
    },
    /// A TTL that is not allowed.
    Ttl {
        /// Its sender.
        from: IpAddr,
        /// What it had.
        ttl: u8,
        /// The least allowed.
        min: u8,
        /// The greatest allowed.
        max: u8,
    },
    /// Another protocol version.
    WrongVersion {
        /// Its sender.
        from: IpAddr,
        /// The packet's.
        received: u8,
        /// Ours.
        expected: Version,
    },
    /// Another authentication type than ours, or an unknown one.
    AuthType {
        /// Its sender.
        from: IpAddr,
        /// The packet's.
        received: u8,
        /// Ours.
        expected: u8,
    },
    /// A wrong password.
    AuthPassword(IpAddr),
    /// An authentication header that does not verify.
    AuthHeader(IpAddr),
    /// An authentication header whose sequence number did not grow.
    Replayed {
        /// Its sender.
        from: IpAddr,
        /// The packet's.
        received: u32,
        /// The last one accepted.
        last: u32,
    },
    /// A type other than advertisement.
    WrongType {
        /// Its sender.
        from: IpAddr,
        /// The type.
        received: u8,
    },
    /// A version 3 advert that lists nothing.
    NoAddresses(IpAddr),
    /// A wrong checksum.
    Checksum {
        /// The version.
        version: Version,
        /// Its sender.
        from: IpAddr,
    },
    /// A packet sent to an address we do not listen to.
    Destination {
        /// Its sender.
        from: IpAddr,
        /// Where it went.
        to: IpAddr,
    },
    /// The sender is no peer (and was dropped, or would have been with `check_unicast_src`).
    NotAPeer(IpAddr),
    /// The owner ignores adverts.
    OwnerIgnores(IpAddr),
    /// The old form of the unicast checksum was recognised.
    OldUnicastChecksum,
    /// The advert lists another number of addresses.
    AddressCount {
        /// How many we have.
        expected: usize,
        /// How many it lists.
        received: usize,
    },
    /// An address of ours is not in the advert.
    AddressMissing {
        /// Our virtual router.
        vrid: u8,
        /// The sender.
        from: IpAddr,
        /// The address.
        address: IpAddr,
    },
    /// An advert could not be sent for want of a source address.
    NoSource,
}

impl Event {
    /// How loud the line is.
    #[must_use]
    pub fn level(&self) -> Level {
        use Occurrence as O;
        match self.what {
            O::AdvertisementTimeout
            | O::SettingVips
            | O::RemovingVips
            | O::MasterSet(_)
            | O::MasterChanged { .. }
            | O::BackupPriorityZero
            | O::MasterPriorityZero
            | O::SentPriorityZero
            | O::PreemptDelayStart(_)
            | O::PreemptDelayStop
            | O::IntervalLearned { .. }
            | O::IntervalOwn { .. } => Level::Detail,
            _ => Level::Info,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Occurrence as O;
        // One phrase has a colon behind the name.
        if let O::Fault(FaultReason::Tracker { kind, name, .. }) = &self.what
            && *kind != crate::tracking::TrackerKind::Interface
        {
            return write!(
                f,
                "({}): entering FAULT state due to {kind} {name}",
                self.instance
            );
        }
        write!(f, "({}) ", self.instance)?;
        match &self.what {
            O::Entering { state, init } => {
                write!(
                    f,
                    "Entering {state} STATE{}",
                    if *init { " (init)" } else { "" }
                )
            }
            O::Fault(FaultReason::Group { member, .. }) => {
                write!(f, "entering FAULT state (sync group member {member})")
            }
            O::Fault(reason) => write!(f, "entering FAULT state ({reason})"),
            O::AdvertisementTimeout => f.write_str("Receive advertisement timeout"),
            O::Listening { stalled, wait } => write!(
                f,
                "was not running for {:.3} s, listening for {:.3} s more before believing silence",
                stalled.as_secs_f64(),
                wait.as_secs_f64()
            ),
            O::SettingVips => f.write_str("setting VIPs."),
            O::RemovingVips => f.write_str("removing VIPs."),
            O::MasterSet(to) => write!(f, "master set to {to}"),
            O::MasterChanged { from, to } => write!(f, "master changed from {from} to {to}"),
            O::LowerDiscarded { from, priority } => {
                write!(
                    f,
                    "received lower priority ({priority}) advert from {from} - discarding"
                )
            }
            O::BackupPriorityZero => f.write_str("Backup received priority 0 advertisement"),
            O::MasterPriorityZero => f.write_str("Master received priority 0 message"),
            O::HigherAdvert { from, theirs, ours } => write!(
                f,
                "Master received advert from {from} with higher priority {theirs}, ours {ours}"
            ),
            O::HigherAddress { from, priority } => write!(
                f,
                "Master received advert from {from} with same priority {priority} but higher IP \
                 address than ours"
            ),
            O::LowerAdvert {
                from,
                theirs,
                ours,
                forcing,
            } => {
                write!(
                    f,
                    "Received advert from {from} with lower priority {theirs}, ours {ours}"
                )?;
                f.write_str(if *forcing {
                    ", forcing new election"
                } else {
                    ""
                })
            }
            O::OurAddress => f.write_str(
                "WARNING - equal priority advert received from remote host with our IP address.",
            ),
            O::OwnerConflict(from) => write!(
                f,
                "CONFIGURATION ERROR: local instance and {from} are both configured as address \
                 owner, please resolve"
            ),
            O::OwnerDemoted(from) => write!(
                f,
                "{from} keeps claiming to be the address owner, reducing own priority to 254"
            ),
            O::OwnerRestored => f.write_str("no other address owner heard, priority 255 again"),
            O::SentPriorityZero => f.write_str("sent 0 priority"),
            O::EffectivePriority { from, to } => {
                write!(f, "Changing effective priority from {from} to {to}")
            }
            O::PreemptDelayStart(d) => {
                write!(
                    f,
                    "start preempt delay ({}.{:06})",
                    d.as_secs(),
                    d.subsec_micros()
                )
            }
            O::PreemptDelayStop => f.write_str("stop preempt delay"),
            O::IntervalLearned { from, to } => write!(
                f,
                "advertisement interval updated from {}ms to {}ms by master",
                from.as_millis(),
                to.as_millis()
            ),
            O::IntervalOwn { from, to } => write!(
                f,
                "changing advert interval from {}ms to locally configured {}ms",
                from.as_millis(),
                to.as_millis()
            ),
            O::IntervalMismatch {
                version: Version::V2,
                from,
                ours,
                theirs,
            } => write!(
                f,
                "advertisement interval mismatch with {from} mine={} sec rcv'd={} sec",
                ours.as_secs(),
                theirs.as_secs()
            ),
            O::IntervalMismatch {
                version: Version::V3,
                ours,
                theirs,
                ..
            } => write!(
                f,
                "advertisement interval mismatch ours = {} centi-sec rcv'd={} centi-sec",
                ours.as_millis() / 10,
                theirs.as_millis() / 10
            ),
            O::Truncated { from, need, have } => {
                write!(
                    f,
                    "packet from {from} too short: needs {need} octets, has {have}"
                )
            }
            O::Ttl {
                from,
                ttl,
                min: 255,
                max: 255,
            } => {
                write!(
                    f,
                    "invalid TTL/HL from {from}. Received {ttl} and expect 255"
                )
            }
            O::Ttl {
                from,
                ttl,
                min,
                max,
            } => {
                write!(
                    f,
                    "invalid TTL/HL from {from}. Received {ttl} and expect {min} to {max}"
                )
            }
            O::WrongVersion {
                from,
                received,
                expected,
            } => write!(
                f,
                "wrong VRRP version from {from}. Received {received} and expect {expected}"
            ),
            O::AuthType {
                from,
                received,
                expected,
            } => write!(
                f,
                "received a {received} auth from {from}, expecting {expected}!"
            ),
            O::AuthPassword(from) => write!(f, "received an invalid passwd from {from}!"),
            O::AuthHeader(from) => {
                write!(f, "received an invalid authentication header from {from}!")
            }
            O::Replayed {
                from,
                received,
                last,
            } => write!(
                f,
                "replayed authentication header from {from}: sequence {received} after {last}"
            ),
            O::WrongType { from, received } => {
                write!(
                    f,
                    "packet type {received} from {from} is not an advertisement"
                )
            }
            O::NoAddresses(from) => write!(f, "advert from {from} lists no address, ignored"),
            O::Checksum { version, from } => {
                write!(f, "Invalid VRRPv{version} checksum from {from}")
            }
            O::Destination { from, to } => {
                write!(
                    f,
                    "packet from {from} to {to}, where we do not listen, ignored"
                )
            }
            O::NotAPeer(from) => write!(f, "unicast source address {from} not a unicast peer"),
            O::OwnerIgnores(from) => {
                write!(f, "address owner ignores advert from {from}")
            }
            O::OldUnicastChecksum => f.write_str("Setting unicast VRRPv3 checksum to old version"),
            O::AddressCount { expected, received } => {
                write!(f, "expected {expected} VIPs but received {received}")
            }
            O::AddressMissing {
                vrid,
                from,
                address,
            } => write!(
                f,
                "ip address associated with VRID {vrid} not present in advert from {from}: \
                 {address}"
            ),
            O::NoSource => f.write_str("Cant send advert: the interface has no address"),
        }
    }
}
