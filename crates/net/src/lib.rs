//! The kernel's side of VRRP: sockets, timers, links and addresses, and nothing that decides.
//!
//! In the order of a packet's life:
//!
//! ```text
//!  raw::Pool ──Received──▶ (the protocol, elsewhere) ──Frame──▶ raw::Pool
//!  clock::Alarm ─fired──▶          │ wants addresses
//!  reflector::Reflector ─Change─▶  ├──Op──▶ address::AddressWriter ──Completion──▶
//!                                  └──Announcement──▶ announce::Announcer
//! ```
//!
//! Everything here is meant for **one single-threaded tokio runtime**: file descriptors are
//! non-blocking, and what a system call can make long (a thousand addresses) comes in steps with
//! a time budget, so that adverts go out in between.
#![deny(unsafe_code)]

pub mod address;
pub mod announce;
pub mod clock;
pub mod firewall;
mod netlink;
pub mod netns;
pub mod raw;
pub mod reflector;
mod sys;

pub use address::{
    Address, AddressError, AddressFlags, AddressWriter, Completion, Op, OpId, Outcome,
};
pub use announce::{Announcement, Announcer, Unannounceable};
pub use clock::{Alarm, Clock};
pub use firewall::{Dropped, Firewall, FirewallError, FirewallSettings, Marked, Marker, Transport};
pub use netlink::ReceiveBuffer;
pub use raw::{Frame, Key, Peers, Pool, Protocol, Received, SendError, SocketId, SocketOptions};
pub use reflector::{Change, Link, LinkAddress, Reflector, Table};
