//! Virtual addresses: from "they shall be there" to the kernel's answer, and on to the neighbours.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use rk_base::{Family, IfIndex, Instant};
use rk_config::model::Lifetime;
use rk_net::announce::forwards_ipv6;
use rk_net::{
    Address, AddressError, AddressFlags, Announcement, Completion, Dropped, LinkAddress, Op, OpId,
    Outcome,
};
use rk_vrrp::{Addresses, Announce, AnnounceReason, Input, State};
use tracing::{debug, info, warn};

use super::announcements::{Kernel, Round};
use super::router::{Asked, Router, RouterId};
use super::translate::VirtualAddress;
use super::world::World;

/// How long one turn of the loop may spend in the kernel on addresses.
const BUDGET: Duration = Duration::from_millis(2);

impl World {
    /// Asks the kernel for what is missing, or to take away what is there.
    pub(super) fn want_addresses(&mut self, id: RouterId, which: Addresses) {
        self.withdraw_request(id);
        let wanted = which == Addresses::Present;
        let Some(router) = self.routers.get_mut(id) else {
            return;
        };
        let mut ops = Vec::new();
        let mut places = VecDeque::new();
        for (place, (held, address)) in router
            .held
            .iter_mut()
            .zip(&router.plan.addresses)
            .enumerate()
        {
            held.wanted = wanted;
            if held.set == wanted {
                continue;
            }
            let Some(link) = self.reflector.table().by_name(&address.interface) else {
                if wanted {
                    warn!(
                        "({}) {} cannot be set: there is no interface {}",
                        router.plan.settings.name, address.prefix, address.interface
                    );
                }
                held.set = false;
                continue;
            };
            let kernel = kernel_address(address, link.index);
            ops.push(if wanted {
                Op::Add(kernel)
            } else {
                Op::Delete(kernel)
            });
            places.push_back(place);
        }
        if !wanted {
            let gone: Vec<IpAddr> = router
                .plan
                .addresses
                .iter()
                .map(|a| a.prefix.addr())
                .collect();
            self.announcements.forget(|a| gone.contains(&a.address));
            router.burst = 0;
        }
        self.touch_firewall(id);
        if ops.is_empty() {
            return;
        }
        self.next_op += 1;
        let op = OpId(self.next_op);
        if let Some(router) = self.routers.get_mut(id) {
            router.asked = Some(Asked { id: op, places });
        }
        self.asked.insert(op, id);
        self.writer.submit(op, ops);
    }

    /// What is to be dropped may have changed with `id`: the next step looks.
    fn touch_firewall(&mut self, id: RouterId) {
        let accepts = |r: &Router| r.plan.config.accept;
        self.firewall_is_stale |= self.routers.get(id).is_some_and(|r| !accepts(r));
    }

    /// Brings the firewall into line: what is not to be accepted is dropped from before the address
    /// is there until it is gone (Accept_Mode off). Once for all that a turn has changed, since it
    /// looks at every router.
    fn refresh_firewall(&mut self) {
        if !std::mem::take(&mut self.firewall_is_stale) {
            return;
        }
        let table = self.reflector.table();
        let deaf = self
            .routers
            .iter()
            .filter(|(_, r, _)| !r.plan.config.accept);
        let dropped: BTreeSet<Dropped> = deaf
            .flat_map(|(_, r, _)| r.plan.addresses.iter().zip(&r.held))
            .filter(|(_, held)| held.wanted || held.set)
            .filter_map(|(a, _)| {
                Some(Dropped::new(
                    a.prefix.addr(),
                    table.by_name(&a.interface)?.index,
                ))
            })
            .collect();
        let result = self.firewall.set(&dropped);
        let failed = std::mem::replace(&mut self.firewall_failed, result.is_err());
        if let Err(error) = result {
            // Tried again in the next turn; said once.
            self.firewall_is_stale = error.retryable();
            if !failed {
                warn!("packets to addresses cannot be dropped (no_accept, strict mode): {error}");
            }
        }
    }

    /// Takes back what the kernel was asked for this router and has not done yet.
    pub(super) fn withdraw_request(&mut self, id: RouterId) {
        let Some(router) = self.routers.get_mut(id) else {
            return;
        };
        if let Some(asked) = router.asked.take() {
            self.writer.cancel(asked.id);
            self.asked.remove(&asked.id);
        }
    }

    /// Lets the kernel do the next few requests and deals with its answers.
    pub(super) fn step_addresses(&mut self, now: Instant) -> io::Result<()> {
        self.refresh_firewall();
        if self.writer.is_idle() {
            return Ok(());
        }
        for completion in self.writer.step(BUDGET)? {
            self.completed(now, completion);
        }
        self.refresh_firewall();
        Ok(())
    }

    fn completed(&mut self, now: Instant, completion: Completion) {
        let Some(id) = self.asked.get(&completion.id).copied() else {
            return;
        };
        // Those that came together are announced together: a round for all, then the next round.
        let new: Vec<usize> = completion
            .results
            .into_iter()
            .filter_map(|(op, result)| self.answered(id, &op, result))
            .collect();
        if let Some(repeat) = self.routers.get(id).map(|r| r.burst).filter(|n| *n > 0) {
            self.announce_places(id, now, &new, repeat);
        }
        if completion.last {
            self.asked.remove(&completion.id);
            if let Some(router) = self.routers.get_mut(id) {
                router.asked = None;
            }
            self.touch_firewall(id);
            self.tell(id);
        }
    }

    /// The kernel's answer about one address; its place, if the kernel has it now.
    fn answered(
        &mut self,
        id: RouterId,
        op: &Op,
        result: Result<Outcome, AddressError>,
    ) -> Option<usize> {
        let router = self.routers.get_mut(id)?;
        let place = router.asked.as_mut()?.places.pop_front()?;
        let name = router.plan.settings.name.clone();
        let (held, address) = router
            .held
            .get_mut(place)
            .zip(router.plan.addresses.get(place))?;
        match (op, result) {
            (Op::Add(_), Ok(_)) => {
                held.set = true;
                debug!(
                    "Assigned address {} for interface {}",
                    address.prefix, address.interface
                );
                return Some(place);
            }
            (Op::Delete(_), Ok(outcome)) => {
                held.set = false;
                if outcome == Outcome::Changed {
                    held.echoes += 1;
                }
                held.echoes = held.echoes.max(0);
                debug!(
                    "Deassigned address {} from interface {}",
                    address.prefix, address.interface
                );
            }
            (op, Err(error)) => {
                let verb = if matches!(op, Op::Add(_)) {
                    "setting"
                } else {
                    "removing"
                };
                warn!(
                    "({name}) {verb} {} on {}: {error}; configured at {}",
                    address.prefix, address.interface, router.plan.config.origin
                );
            }
        }
        None
    }

    /// Tells the neighbours where the addresses are: those that the kernel has at once, the
    /// others as soon as it has them.
    pub(super) fn announce(&mut self, id: RouterId, now: Instant, announce: Announce) {
        if announce.reason == AnnounceReason::Source {
            self.announce_source(id, now, announce.repeat);
            return;
        }
        let Some(router) = self.routers.get_mut(id) else {
            return;
        };
        if router.asked.is_some() {
            router.burst = announce.repeat;
        }
        let set: Vec<usize> = router
            .held
            .iter()
            .enumerate()
            .filter(|(_, h)| h.set)
            .map(|(n, _)| n)
            .collect();
        if matches!(
            announce.reason,
            AnnounceReason::Master | AnnounceReason::MasterDelayed
        ) {
            for address in set.iter().filter_map(|n| router.plan.addresses.get(*n)) {
                let (what, addr) = (kind(address.prefix.addr()), address.prefix.addr());
                debug!(
                    "({}) Sending/queueing {what} on {} for {addr}",
                    router.plan.settings.name, address.interface
                );
            }
        }
        self.announce_places(id, now, &set, announce.repeat);
    }

    /// Queues `repeat` announcements for each of these addresses, one round after the other.
    fn announce_places(&mut self, id: RouterId, now: Instant, places: &[usize], repeat: u32) {
        let Some(router) = self.routers.get(id) else {
            return;
        };
        let table = self.reflector.table();
        let garp = &router.plan.config.garp;
        let mut forwarding: HashMap<IfIndex, bool> = HashMap::new();
        let ready: Vec<(Announcement, Duration)> = places
            .iter()
            .filter_map(|n| router.plan.addresses.get(*n))
            .filter_map(|a| Some((a, table.by_name(&a.interface)?)))
            .filter_map(|(a, link)| {
                let addr = a.prefix.addr();
                let (v6, interval) = match addr {
                    IpAddr::V4(_) => (false, garp.garp_interval),
                    IpAddr::V6(_) => (true, garp.gna_interval),
                };
                let router_flag = v6
                    && *forwarding
                        .entry(link.index)
                        .or_insert_with(|| forwards_ipv6(link));
                let announcement = Announcement::new(link, addr, router_flag).ok()?;
                Some((announcement, interval))
            })
            .collect();
        for (announcement, _) in &ready {
            if let Some(link) = self.reflector.table().by_index(announcement.ifindex) {
                self.announcements.name(announcement.ifindex, &link.name);
            }
        }
        for n in 0..repeat {
            let round = if n == 0 { Round::First } else { Round::Again };
            for (announcement, interval) in &ready {
                self.announcements
                    .push(now, *interval, *announcement, round);
            }
        }
    }

    /// Announces the address a unicast instance sends from.
    fn announce_source(&mut self, id: RouterId, now: Instant, repeat: u32) {
        let Some(router) = self.routers.get(id) else {
            return;
        };
        let Some(source) = router.source else { return };
        let Some(link) = self.reflector.table().holder(source) else {
            return;
        };
        let router_flag = source.is_ipv6() && forwards_ipv6(link);
        if let Ok(announcement) = Announcement::new(link, source, router_flag) {
            self.announcements.name(link.index, &link.name);
            for _ in 0..repeat {
                self.announcements
                    .push(now, Duration::ZERO, announcement, Round::First);
            }
        }
    }

    /// Sends announcements that are due, as long as a turn may take for it.
    pub(super) fn send_announcements(&mut self, now: Instant) {
        let kernel = if self.writer.is_idle() {
            Kernel::Idle
        } else {
            Kernel::Busy
        };
        self.announcements.send(now, &self.announcer, kernel);
    }

    /// An address went away: if it is a virtual one that should be there, its router must know.
    pub(super) fn address_removed(&mut self, now: Instant, gone: &LinkAddress) {
        if !self.virtual_addresses.contains(&gone.addr()) {
            return;
        }
        let Some(interface) = self.reflector.table().by_index(gone.ifindex) else {
            return;
        };
        let interface = interface.name.clone();
        let mut lost = Vec::new();
        for id in self.routers.ids() {
            let master = self
                .routers
                .core(id)
                .is_some_and(|c| c.state() == State::Master);
            let Some(router) = self.routers.get_mut(id) else {
                continue;
            };
            let removing = router.asked.is_some();
            for (held, address) in router.held.iter_mut().zip(&router.plan.addresses) {
                let same = address.prefix.addr() == gone.addr() && *address.interface == *interface;
                if !same {
                    continue;
                }
                if held.echoes > 0 || (removing && !held.wanted) {
                    held.echoes -= 1;
                } else if held.set {
                    held.set = false;
                    if held.wanted && address.tracked && master {
                        lost.push(id);
                    }
                }
            }
        }
        for id in lost {
            info!(
                "Netlink reflector reports IP {} removed from {interface}",
                gone.addr()
            );
            self.feed(id, now, Input::AddressLost(gone.addr()));
        }
    }

    /// Takes away what an earlier run left behind: every configured address that is there although
    /// nobody here has set it.
    pub(super) fn adopt_leftovers(&mut self, id: RouterId) {
        let Some(router) = self.routers.get_mut(id) else {
            return;
        };
        let table = self.reflector.table();
        for (held, address) in router.held.iter_mut().zip(&router.plan.addresses) {
            let Some(link) = table.by_name(&address.interface) else {
                continue;
            };
            let there = table
                .addresses(link.index)
                .any(|a| a.addr() == address.prefix.addr());
            if there && !held.set {
                // Known as set, it goes when the instance says that it wants none.
                held.set = true;
                info!(
                    "({}) {} is still on {} from an earlier run",
                    router.plan.settings.name, address.prefix, address.interface
                );
            }
        }
    }
}

/// The words of the log for announcing an address.
fn kind(addr: IpAddr) -> &'static str {
    match Family::of(addr) {
        Family::V4 => "gratuitous ARPs",
        Family::V6 => "Unsolicited Neighbour Adverts",
    }
}

/// The address as the kernel is asked for it.
pub(super) fn kernel_address(address: &VirtualAddress, ifindex: IfIndex) -> Address {
    let v6 = address.prefix.addr().is_ipv6();
    Address {
        ifindex,
        prefix: address.prefix,
        peer: address.peer,
        broadcast: address.broadcast,
        label: address.label.clone(),
        scope: address.scope,
        flags: AddressFlags {
            nodad: v6 && !address.flags.dad,
            home: address.flags.home,
            mngtmpaddr: address.flags.mngtmpaddr,
            noprefixroute: address.flags.noprefixroute,
            autojoin: address.flags.autojoin,
        },
        preferred_lft: match address.preferred_lft {
            Some(Lifetime::Seconds(seconds)) => Some(seconds),
            Some(Lifetime::Forever) => None,
            // keepalived: an IPv6 host address is never chosen as a source, unless told.
            None => (v6 && address.prefix.is_host()).then_some(0),
        },
    }
}
