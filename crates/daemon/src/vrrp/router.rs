//! The virtual routers of the process: their cores, what the world has of each, when each is due.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::IpAddr;

use rk_base::Instant;
use rk_net::{OpId, SocketId};
use rk_vrrp::{Instance, Transition};

use super::translate::Plan;

/// The place of a router in [`Routers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RouterId(pub(super) usize);

/// One virtual router, but for its core.
#[derive(Debug)]
pub(super) struct Router {
    pub(super) plan: Plan,
    /// The sockets it uses, while its interface exists.
    pub(super) socket: Option<SocketId>,
    /// The unicast source the socket was opened for.
    pub(super) source: Option<IpAddr>,
    /// What the kernel has of its addresses: one entry for each of `plan.addresses`.
    pub(super) held: Vec<Held>,
    /// Announcements an address still gets once the kernel has it.
    pub(super) burst: u32,
    /// What the kernel is asked to do at present.
    pub(super) asked: Option<Asked>,
    /// Transitions told to nobody yet, because the addresses are still on their way.
    pub(super) untold: VecDeque<Transition>,
    /// Why it is in its state.
    pub(super) cause: Option<String>,
    /// Wall clock (microseconds since 1970) of the last transition and of the last advert.
    pub(super) last_transition: u64,
    pub(super) last_advert_sent: u64,
    /// The error the last advert met, so that the same one is logged once.
    pub(super) send_error: Option<rk_net::SendError>,
    /// The entry it has in the timer queue.
    armed: Option<Instant>,
}

/// Whether the kernel has a virtual address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// It is on the interface, as far as the kernel told us.
    pub(super) set: bool,
    /// It shall be there.
    pub(super) wanted: bool,
    /// Removals of ours that the kernel has not echoed to us yet; below zero when an echo came
    /// before the answer.
    pub(super) echoes: i32,
}

/// A submission to the address writer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: OpId,
    /// Which of `plan.addresses` its ops are about, in their order.
    pub(super) places: VecDeque<usize>,
}

impl Router {
    pub(super) fn new(plan: Plan) -> Self {
        Self {
            held: vec![Held::default(); plan.addresses.len()],
            plan,
            socket: None,
            source: None,
            burst: 0,
            asked: None,
            untold: VecDeque::new(),
            cause: None,
            last_transition: 0,
            last_advert_sent: 0,
            send_error: None,
            armed: None,
        }
    }

    /// The instance's name.
    pub(super) fn name(&self) -> &str {
        &self.plan.settings.name
    }
}

/// All routers, and when each is due.
///
/// The timer queue holds one entry a router, never later than its due time. A re-arming (one for
/// every advert a Backup hears) costs nothing: an entry that comes up too early is put back.
#[derive(Debug, Default)]
pub(super) struct Routers {
    all: Vec<Option<Router>>,
    /// The cores, in the same places: sync groups want them side by side.
    cores: Vec<Instance>,
    /// Places of routers that a reload took out.
    free: Vec<RouterId>,
    order: Vec<RouterId>,
    timers: BinaryHeap<Reverse<(Instant, RouterId)>>,
    by_packet: HashMap<(SocketId, u8), Vec<RouterId>>,
}

impl Routers {
    /// Adds a router at the end of the order.
    pub(super) fn add(&mut self, plan: Plan) -> RouterId {
        let core = Instance::new(plan.settings.clone());
        let router = Some(Router::new(plan));
        let id = match self.free.pop() {
            Some(id) => {
                self.all[id.0] = router;
                self.cores[id.0] = core;
                id
            }
            None => {
                self.all.push(router);
                self.cores.push(core);
                RouterId(self.all.len() - 1)
            }
        };
        self.order.push(id);
        id
    }

    /// Takes a router out.
    pub(super) fn remove(&mut self, id: RouterId) -> Option<Router> {
        self.order.retain(|o| *o != id);
        self.forget_socket(id);
        let router = self.all.get_mut(id.0)?.take()?;
        self.free.push(id);
        Some(router)
    }

    /// Puts the routers into the order of a new configuration.
    pub(super) fn reorder(&mut self, order: Vec<RouterId>) {
        self.order = order;
    }

    /// All routers in the order of the configuration.
    pub(super) fn ids(&self) -> Vec<RouterId> {
        self.order.clone()
    }

    /// All routers in the order of the configuration.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RouterId, &Router, &Instance)> {
        self.order
            .iter()
            .filter_map(|id| Some((*id, self.get(*id)?, self.core(*id)?)))
    }

    /// A router's core.
    pub(super) fn core(&self, id: RouterId) -> Option<&Instance> {
        self.cores.get(id.0)
    }

    /// A router's core.
    pub(super) fn core_mut(&mut self, id: RouterId) -> Option<&mut Instance> {
        self.cores.get_mut(id.0)
    }

    /// All cores; a router's has the index that its id holds.
    pub(super) fn cores_mut(&mut self) -> &mut [Instance] {
        &mut self.cores
    }

    pub(super) fn get(&self, id: RouterId) -> Option<&Router> {
        self.all.get(id.0)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: RouterId) -> Option<&mut Router> {
        self.all.get_mut(id.0)?.as_mut()
    }

    /// Makes sure that the router comes up when its core is due.
    pub(super) fn arm(&mut self, id: RouterId) {
        let Some(router) = self.all.get_mut(id.0).and_then(Option::as_mut) else {
            return;
        };
        let Some(due) = self.cores.get(id.0).and_then(Instance::due) else {
            return;
        };
        if router.armed.is_none_or(|armed| due < armed) {
            router.armed = Some(due);
            self.timers.push(Reverse((due, id)));
        }
    }

    /// The earliest time a router may be due.
    pub(super) fn next(&mut self) -> Option<Instant> {
        while let Some(&Reverse((at, id))) = self.timers.peek() {
            let Some(router) = self.all.get_mut(id.0).and_then(Option::as_mut) else {
                self.timers.pop();
                continue;
            };
            // Superseded by an earlier entry that has come up since.
            if router.armed != Some(at) {
                self.timers.pop();
                continue;
            }
            match self.cores.get(id.0).and_then(Instance::due) {
                Some(due) if due > at => {
                    self.timers.pop();
                    router.armed = Some(due);
                    self.timers.push(Reverse((due, id)));
                }
                Some(_) => return Some(at),
                None => {
                    self.timers.pop();
                    router.armed = None;
                }
            }
        }
        None
    }

    /// The next router that is due at `now`, with its due time; it must be armed again.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(RouterId, Instant)> {
        let at = self.next().filter(|at| *at <= now)?;
        let Reverse((_, id)) = self.timers.pop()?;
        if let Some(router) = self.get_mut(id) {
            router.armed = None;
        }
        Some((id, at))
    }

    /// Packets for the router's VRID on `socket` are for it.
    pub(super) fn listen(&mut self, id: RouterId, socket: SocketId) {
        let Some(router) = self.get_mut(id) else {
            return;
        };
        router.socket = Some(socket);
        let vrid = router.plan.settings.vrid.get();
        self.by_packet.entry((socket, vrid)).or_default().push(id);
    }

    /// The router has no socket any more; returns the one it had.
    pub(super) fn forget_socket(&mut self, id: RouterId) -> Option<SocketId> {
        let router = self.get_mut(id)?;
        let socket = router.socket.take()?;
        let key = (socket, router.plan.settings.vrid.get());
        if let Some(list) = self.by_packet.get_mut(&key) {
            list.retain(|other| *other != id);
            if list.is_empty() {
                self.by_packet.remove(&key);
            }
        }
        Some(socket)
    }

    /// Whose packet this is: VRID `vrid` received on `socket` from `source`.
    ///
    /// Unicast instances may share a VRID; their peers tell whose it is.
    pub(super) fn receiver(&self, socket: SocketId, vrid: u8, source: IpAddr) -> Option<RouterId> {
        let candidates = self.by_packet.get(&(socket, vrid))?;
        let knows = |id: &&RouterId| {
            self.get(**id).is_some_and(|r| {
                r.plan
                    .config
                    .unicast_peers
                    .iter()
                    .any(|p| p.address == source)
            })
        };
        match candidates.as_slice() {
            [only] => Some(*only),
            several => several.iter().find(knows).or(several.first()).copied(),
        }
    }
}
