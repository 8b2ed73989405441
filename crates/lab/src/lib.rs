//! Test hosts: real network namespaces with real daemons in them.
//!
//! A [`Lab`] is a switch namespace with bridges in it. [`Lab::node`] makes a host: its own
//! network, PID, mount, UTS and IPC namespace with its own `/proc`, `/run`, `/tmp` and
//! `/etc/keepalived`, so that two nodes never see each other's processes, pid files or
//! configurations. [`Lab::link`] runs a cable from a node to a bridge; the returned [`Cable`] can
//! be pulled and plugged. [`Daemon`] starts Debian's keepalived or rkeepalived on a node with the
//! same words, and [`Capture`] reads what goes over the wire with the kernel's time stamps.
//!
//! Everything goes away on drop, also while a test panics: a node is held by one process, and
//! killing the first process of a PID namespace kills the rest.
//!
//! What the machine's kernel lacks is tested in a [`Guest`]: a kernel of its own, as a process.
//!
//! Root is not needed: root inside a user namespace (`unshare -Ur`) is enough.
//!
//! The lab is a test harness, so its methods panic, at the caller's line and with what was
//! expected, where a library would return an error. The exception is [`Lab::new`].

#![forbid(unsafe_code)]

mod capture;
mod daemon;
mod frame;
mod guest;
mod http;
mod ipvs;
mod node;
mod process;
mod rivals;
mod smtp;
mod switch;
mod wait;

pub use capture::Capture;
pub use daemon::{Daemon, Which, fitted};
pub use frame::{Arp, Frame, Kind, MacAddr, NeighbourAdvert, Vrrp, internet_checksum};
pub use guest::{Guest, GuestError, GuestOutput, Verdict, in_guest, inside};
pub use http::{Http, HttpManners, HttpRequest};
pub use ipvs::IpvsTable;
pub use node::{Net, Node};
pub use process::{Line, Process};
pub use rivals::Rivals;
pub use smtp::{Manners, Smtp, SmtpSession};
pub use switch::{Cable, Lab};
pub use wait::{eventually, pause};
