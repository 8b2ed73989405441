//! What happens to interfaces and their addresses, as far as virtual routers care.

use std::collections::HashSet;
use std::net::IpAddr;

use rk_base::Instant;
use rk_net::{Change, Key, Peers, Protocol, SocketOptions};
use rk_vrrp::{Auth, Input, Reading, TrackerKind, Transport};
use tracing::{info, warn};

use super::router::RouterId;
use super::world::World;

impl World {
    /// Takes in what the kernel reported, in its order.
    pub(super) fn kernel_changed(&mut self, now: Instant, changes: &[Change]) {
        let mut touched: HashSet<String> = HashSet::new();
        for change in changes {
            match change {
                Change::LinkAdded(link) => {
                    info!("Interface {} added", link.name);
                    touched.insert(link.name.clone());
                }
                Change::LinkRemoved(link) => {
                    info!("Interface {} deleted", link.name);
                    touched.insert(link.name.clone());
                }
                Change::LinkChanged { old, new } => {
                    if old.is_usable() != new.is_usable() {
                        let word = if new.is_usable() { "up" } else { "down" };
                        info!("Netlink reports {} {word}", new.name);
                    }
                    touched.insert(old.name.clone());
                    touched.insert(new.name.clone());
                }
                // A virtual address is never a source: setting a thousand of them touches nobody.
                Change::AddressAdded(a) | Change::AddressChanged { new: a, .. } => {
                    if !self.virtual_addresses.contains(&a.addr()) {
                        touched.extend(self.link_name(a.ifindex));
                    }
                }
                Change::AddressRemoved(a) if self.virtual_addresses.contains(&a.addr()) => {
                    self.address_removed(now, a);
                }
                Change::AddressRemoved(a) => touched.extend(self.link_name(a.ifindex)),
                Change::Resynced => {
                    warn!("netlink messages were lost; the state was read again as a whole");
                    self.forget_echoes();
                }
            }
        }
        for name in touched {
            self.refresh_interface(now, &name);
        }
    }

    fn link_name(&self, index: rk_base::IfIndex) -> Option<String> {
        self.reflector
            .table()
            .by_index(index)
            .map(|l| l.name.clone())
    }

    /// After a loss of messages no echo can be counted on.
    fn forget_echoes(&mut self) {
        for id in self.routers.ids() {
            if let Some(router) = self.routers.get_mut(id) {
                router.held.iter_mut().for_each(|h| h.echoes = 0);
            }
        }
    }

    /// What an interface says to those who track it.
    pub(super) fn interface_reading(&self, name: &str) -> Reading {
        let usable = self
            .reflector
            .table()
            .by_name(name)
            .is_some_and(rk_net::Link::is_usable);
        if usable { Reading::Up } else { Reading::Down }
    }

    /// Brings everything that hangs on the interface `name` into line with what it is now.
    fn refresh_interface(&mut self, now: Instant, name: &str) {
        if let Some(tracker) = self.trackers.known(TrackerKind::Interface, name) {
            let reading = self.interface_reading(name);
            self.tell_trackers(tracker, now, reading, None);
        }
        for id in self.routers.ids() {
            let Some(router) = self.routers.get(id) else {
                continue;
            };
            if *router.plan.settings.interface == *name || router.plan.settings.interface.is_empty()
            {
                self.refresh_socket(now, id);
            }
        }
    }

    /// Opens, reopens or closes a router's sockets as its interface and source come and go, and
    /// tells its core where it sends from.
    pub(super) fn refresh_socket(&mut self, now: Instant, id: RouterId) {
        let Some(router) = self.routers.get(id) else {
            return;
        };
        let settings = &router.plan.settings;
        let table = self.reflector.table();
        let link = table.by_name(&settings.interface);
        let ifindex = link.map(|l| l.index);
        let family = settings.family;
        let ignore = |a: IpAddr| self.virtual_addresses.contains(&a);
        let automatic = || ifindex.and_then(|i| table.source(i, family, ignore));
        let source = match (&settings.transport, router.plan.source) {
            (Transport::Unicast { .. }, Some(fixed)) => table.holder(fixed).map(|_| fixed),
            (_, Some(fixed)) => ifindex.map(|_| fixed),
            (_, None) => automatic(),
        };
        let wanted = match &settings.transport {
            Transport::Multicast { group } => ifindex.map(|i| (Some(i), Peers::Multicast(*group))),
            Transport::Unicast { .. } => {
                let bound = settings.interface.is_empty() || ifindex.is_some();
                source
                    .filter(|_| bound)
                    .map(|s| (ifindex, Peers::Unicast(s)))
            }
        };
        let protocol = match settings.auth {
            Auth::Ah(_) => Protocol::Ah,
            Auth::None | Auth::Pass(_) => Protocol::Vrrp,
        };
        let wanted = wanted.map(|(ifindex, peers)| Key {
            ifindex,
            protocol,
            peers,
        });
        let current = router
            .socket
            .and_then(|s| self.pool.socket(s))
            .map(|info| info.key);
        let changed = router.source != source;
        if wanted != current {
            self.replace_socket(id, wanted);
        }
        if changed {
            if let Some(router) = self.routers.get_mut(id) {
                router.source = source;
            }
            self.feed(id, now, Input::SourceAddress(source));
        }
    }

    fn replace_socket(&mut self, id: RouterId, wanted: Option<Key>) {
        if let Some(old) = self.routers.forget_socket(id) {
            self.pool.close(old);
        }
        let (Some(key), Some(router)) = (wanted, self.routers.get(id)) else {
            return;
        };
        let name = router.plan.settings.name.clone();
        let options = SocketOptions {
            receive_buffer: router.plan.rx_buffer.and_then(|n| usize::try_from(n).ok()),
            ..SocketOptions::default()
        };
        match self.pool.open(key, &options) {
            Ok(socket) => {
                let first = self.pool.socket(socket).filter(|info| info.users == 1);
                if let Some(info) = first {
                    info!("VRRP sockpool: {info}");
                }
                self.routers.listen(id, socket);
            }
            Err(error) => warn!("({name}) cannot open its sockets: {error}"),
        }
    }
}
