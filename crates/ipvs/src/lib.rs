//! The kernel's table of virtual servers (IPVS) over generic netlink.
//!
//! ```text
//!  wanted: State ──┐                              ┌──▶ Kernel ──wire──▶ generic netlink
//!                  ├─ reconcile ──▶ [Command] ── Table
//!  known:  State ──┘                              └──▶ Recorder (tests, benches)
//! ```
//!
//! What is there is read in one pass ([`Table::read`]), compared with what is wanted
//! ([`reconcile`], pure) and changed in batches ([`Table::apply`]). Services that are not ours are
//! left alone. An error names the service and says what to do ([`TableError`], [`CommandError`]).
#![forbid(unsafe_code)]

#[cfg(test)]
mod any;
mod command;
mod dest;
mod error;
mod kernel;
mod name;
mod reconcile;
mod recorder;
mod service;
mod setting;
mod socket;
mod state;
mod stats;
mod sync;
mod table;
pub mod wire;

pub use command::{Command, Object};
pub use dest::{Dest, DestEntry, DestKey, Forward, Tunnel, TunnelFlags};
pub use error::{CommandError, Reason, Refusal, TableError};
pub use kernel::Kernel;
pub use name::{NAME_MAX, Name, NameError};
pub use reconcile::{reconcile, reconcile_service};
pub use recorder::Recorder;
pub use rk_base::Family;
pub use service::{
    Granularity, Persistence, Protocol, SchedulerFlags, Service, ServiceEntry, ServiceKey,
};
pub use setting::{Info, Timeouts};
pub use socket::ReceiveBuffer;
pub use state::{Entry, State};
pub use stats::Stats;
pub use sync::{SyncDaemon, SyncState};
pub use table::Table;
