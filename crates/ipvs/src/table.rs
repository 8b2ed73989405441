//! The seam between those who want something of IPVS and the kernel.

use std::future::Future;

use crate::command::Command;
use crate::dest::DestEntry;
use crate::error::{Refusal, TableError};
use crate::service::{ServiceEntry, ServiceKey};
use crate::setting::{Info, Timeouts};
use crate::state::{Entry, State};
use crate::sync::SyncDaemon;

/// A table of virtual services: the kernel's ([`Kernel`](crate::Kernel)) or the test double
/// ([`Recorder`](crate::Recorder)).
///
/// Long work lets other tasks run in between. A call that is dropped half-way leaves the table
/// half changed; the next one works.
pub trait Table {
    /// What the kernel says of its IPVS.
    fn info(&mut self) -> impl Future<Output = Result<Info, TableError>>;

    /// The timeouts of connections.
    fn timeouts(&mut self) -> impl Future<Output = Result<Timeouts, TableError>>;

    /// The sync daemons that run: none, one or both.
    fn daemons(&mut self) -> impl Future<Output = Result<Vec<SyncDaemon>, TableError>>;

    /// All services, whoever added them.
    fn services(&mut self) -> impl Future<Output = Result<Vec<ServiceEntry>, TableError>>;

    /// One service; `None` if there is none.
    fn service(
        &mut self,
        key: &ServiceKey,
    ) -> impl Future<Output = Result<Option<ServiceEntry>, TableError>>;

    /// The real servers of one service; empty if there is no such service.
    fn dests(
        &mut self,
        of: &ServiceKey,
    ) -> impl Future<Output = Result<Vec<DestEntry>, TableError>>;

    /// Does all of `commands` in their order. One that is refused does not stop the others; the
    /// refused ones are returned in the same order.
    ///
    /// # Errors
    /// See [`TableError`]. Some commands are done then and some are not.
    fn apply(
        &mut self,
        commands: &[Command],
    ) -> impl Future<Output = Result<Vec<Refusal>, TableError>>;

    /// Reads in one pass the services that `which` is true for, each with its real servers, without
    /// statistics.
    fn read(
        &mut self,
        mut which: impl FnMut(&ServiceKey) -> bool,
    ) -> impl Future<Output = Result<State, TableError>> {
        async move {
            let mut state = State::new();
            for found in self.services().await? {
                if which(&found.service.key) {
                    let mut entry = Entry::new(found.service);
                    for dest in self.dests(&found.service.key).await? {
                        entry.put(dest.dest);
                    }
                    state.put(entry);
                }
            }
            Ok(state)
        }
    }

    /// Reads everything in one pass, with statistics.
    fn snapshot(
        &mut self,
    ) -> impl Future<Output = Result<Vec<(ServiceEntry, Vec<DestEntry>)>, TableError>> {
        async move {
            let mut all = Vec::new();
            for service in self.services().await? {
                let dests = self.dests(&service.service.key).await?;
                all.push((service, dests));
            }
            Ok(all)
        }
    }
}
