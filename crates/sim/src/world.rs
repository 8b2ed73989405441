//! Nodes, events and time.

use core::cmp::Reverse;
use core::net::IpAddr;
use core::time::Duration;
use std::collections::{BinaryHeap, VecDeque};

use rk_base::Instant;
use rk_vrrp::{
    Addresses, AtStop, Input, Instance, Output, Reading, Settings, State, StopReason, TrackerId,
    Transition,
};

use crate::check::Before;
use crate::network::{Faults, Packet, arrivals};
use crate::random::Random;

/// A node of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// How the process around the core behaves.
#[derive(Clone, Copy, Debug)]
pub struct Shell {
    /// How late it serves a timer at most.
    pub latency: Duration,
    /// Packets that the kernel keeps for it; later ones are lost.
    pub queue: usize,
    /// Whether it notices that it did not run and says so ([`Input::Stalled`]).
    pub tells_stalls: bool,
}

impl Default for Shell {
    fn default() -> Self {
        Self {
            latency: Duration::from_micros(100),
            queue: 1000,
            tells_stalls: true,
        }
    }
}

/// One router and the process around it.
#[derive(Debug)]
pub struct Node {
    pub(crate) router: Instance,
    address: IpAddr,
    shell: Shell,
    /// Which part of the network it is in.
    side: u8,
    /// Its process exists.
    alive: bool,
    /// Its process does not run: since when.
    frozen: Option<Instant>,
    /// Which of its freezes that is, so that an old thaw does not end a new freeze.
    freezes: u32,
    queue: VecDeque<(Instant, Packet)>,
    overflowed: bool,
    /// The virtual addresses are installed.
    pub(crate) addresses: bool,
    /// Every transition, oldest first.
    pub(crate) transitions: Vec<(Instant, Transition)>,
    /// From whom a priority 0 was ever fed.
    pub(crate) goodbyes: Vec<IpAddr>,
    /// When its next timer is served.
    wake: Option<(Instant, Instant)>,
}

impl Node {
    /// The core.
    #[must_use]
    pub const fn router(&self) -> &Instance {
        &self.router
    }

    /// Every transition, oldest first.
    #[must_use]
    pub fn transitions(&self) -> &[(Instant, Transition)] {
        &self.transitions
    }

    /// Whether its process runs.
    #[must_use]
    pub const fn runs(&self) -> bool {
        self.alive && self.frozen.is_none()
    }

    /// Whether it acts as Master at this moment.
    #[must_use]
    pub fn is_master(&self) -> bool {
        self.runs() && self.router.state() == State::Master
    }
}

/// Something that happens at a time.
#[derive(Debug)]
enum Event {
    Arrive(NodeId, Packet),
    Thaw(NodeId, u32),
}

/// An event and when; the number keeps those of one time in order.
#[derive(Debug)]
struct Scheduled(Instant, u64, Event);

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}
impl Eq for Scheduled {}
impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

/// Routers, their network, and the clock of all.
#[derive(Debug)]
pub struct World {
    now: Instant,
    nodes: Vec<Node>,
    events: BinaryHeap<Reverse<Scheduled>>,
    numbered: u64,
    faults: Faults,
    random: Random,
    complaints: Vec<String>,
    /// How long two or more acted as Master at the same time, since [`World::clear_overlap`].
    overlap: Duration,
}

impl World {
    /// An empty world with a good network.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            // Not at zero, so that nothing can depend on starting there.
            now: Instant::ZERO + Duration::from_secs(3600),
            nodes: Vec::new(),
            events: BinaryHeap::new(),
            numbered: 0,
            faults: Faults::none(Duration::from_micros(200)),
            random: Random::new(seed),
            complaints: Vec::new(),
            overlap: Duration::ZERO,
        }
    }

    //----------- What a test does -------------------------------------------------------------

    /// Adds a router that sends from `address`; its process does not exist yet.
    pub fn add(&mut self, settings: Settings, address: IpAddr, shell: Shell) -> NodeId {
        self.nodes.push(Node {
            router: Instance::new(settings),
            address,
            shell,
            side: 0,
            alive: false,
            frozen: None,
            freezes: 0,
            queue: VecDeque::new(),
            overflowed: false,
            addresses: false,
            transitions: Vec::new(),
            goodbyes: Vec::new(),
            wake: None,
        });
        NodeId(self.nodes.len() - 1)
    }

    /// Starts the process of a node, if it has none.
    pub fn start(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(id.0).filter(|n| !n.alive) else {
            return;
        };
        node.router = Instance::new(node.router.settings().clone());
        node.alive = true;
        node.frozen = None;
        node.queue.clear();
        let address = node.address;
        self.feed(id, Input::SourceAddress(Some(address)));
        self.feed(id, Input::Start);
    }

    /// Ends the process of a node in good order.
    pub fn stop(&mut self, id: NodeId) {
        if self.node(id).runs() {
            let (reason, at_stop) = (StopReason::Shutdown, AtStop::Release);
            self.feed(id, Input::Stop { reason, at_stop });
            self.nodes[id.0].alive = false;
        }
    }

    /// Ends the machine of a node at once: no goodbye, its addresses are gone with it.
    pub fn kill(&mut self, id: NodeId) {
        let node = &mut self.nodes[id.0];
        node.alive = false;
        node.addresses = false;
    }

    /// Stops the process of a node for so long (SIGSTOP, SIGCONT).
    pub fn freeze(&mut self, id: NodeId, length: Duration) {
        let node = &mut self.nodes[id.0];
        if !node.runs() {
            return;
        }
        node.frozen = Some(self.now);
        node.freezes += 1;
        let freeze = node.freezes;
        self.at(self.now + length, Event::Thaw(id, freeze));
    }

    /// A tracked thing of a node says something.
    pub fn track(&mut self, id: NodeId, tracker: u32, reading: Reading) {
        if self.node(id).runs() {
            self.feed(
                id,
                Input::Tracker {
                    id: TrackerId(tracker),
                    reading,
                    detail: None,
                },
            );
        }
    }

    /// Somebody removes the virtual address of a node.
    pub fn remove_address(&mut self, id: NodeId, address: IpAddr) {
        if self.node(id).runs() {
            self.feed(id, Input::AddressLost(address));
        }
    }

    /// A node reads its configuration again.
    pub fn reload(&mut self, id: NodeId, settings: Settings) {
        if self.node(id).runs() {
            self.feed(id, Input::Reload(Box::new(settings)));
        }
    }

    /// Puts a node on one side of a partition; packets do not cross.
    pub fn move_to(&mut self, id: NodeId, side: u8) {
        self.nodes[id.0].side = side;
    }

    /// Makes the network as bad as this from now on.
    pub const fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Lets time pass.
    pub fn run(&mut self, length: Duration) {
        let end = self.now + length;
        while self.step(end) {}
    }

    //----------- What a test asks -------------------------------------------------------------

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// A node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Every node.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// Who acts as Master.
    #[must_use]
    pub fn masters(&self) -> Vec<NodeId> {
        self.ids().filter(|id| self.node(*id).is_master()).collect()
    }

    /// How long more than one acted as Master since the last [`World::clear_overlap`].
    #[must_use]
    pub const fn overlap(&self) -> Duration {
        self.overlap
    }

    /// Counts the overlap from now on.
    pub const fn clear_overlap(&mut self) {
        self.overlap = Duration::ZERO;
    }

    /// What was done without a cause, in words; empty if all is well.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    //----------- How it runs ------------------------------------------------------------------

    /// Does the next thing that happens until `end`; false when there is none.
    fn step(&mut self, end: Instant) -> bool {
        let timer = self.next_timer();
        let event = self.events.peek().map(|Reverse(s)| s.0);
        let next = match (timer, event) {
            (Some((t, _)), Some(e)) => t.min(e),
            (Some((t, _)), None) => t,
            (None, Some(e)) => e,
            (None, None) => end,
        };
        if next > end || (timer.is_none() && event.is_none()) {
            self.pass_to(end);
            return false;
        }
        self.pass_to(next);
        // Packets that are there are read before a timer is served.
        match timer {
            Some((at, id)) if event.is_none_or(|e| e > at) => {
                self.nodes[id.0].wake = None;
                self.feed(id, Input::Timer);
            }
            _ => {
                if let Some(Reverse(Scheduled(_, _, event))) = self.events.pop() {
                    self.happen(event);
                }
            }
        }
        true
    }

    /// Moves the clock, and counts how long several were Master.
    fn pass_to(&mut self, to: Instant) {
        if self.masters().len() > 1 {
            self.overlap += to.since(self.now);
        }
        self.now = self.now.max(to);
    }

    /// The next timer that is served, a little after it is due.
    fn next_timer(&mut self) -> Option<(Instant, NodeId)> {
        let mut next: Option<(Instant, NodeId)> = None;
        for (index, node) in self.nodes.iter_mut().enumerate() {
            let due = if node.runs() { node.router.due() } else { None };
            node.wake = match (due, node.wake) {
                (None, _) => None,
                (Some(due), Some((old, at))) if old == due => Some((due, at)),
                (Some(due), _) => Some((
                    due,
                    due.max(self.now) + self.random.up_to(node.shell.latency),
                )),
            };
            if let Some((_, at)) = node.wake
                && next.is_none_or(|(t, _)| at < t)
            {
                next = Some((at, NodeId(index)));
            }
        }
        next
    }

    fn at(&mut self, when: Instant, event: Event) {
        self.numbered += 1;
        self.events
            .push(Reverse(Scheduled(when, self.numbered, event)));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive(id, packet) => {
                let now = self.now;
                let node = &mut self.nodes[id.0];
                if !node.alive {
                    return;
                }
                if node.frozen.is_none() {
                    self.feed_packet(id, now, &packet);
                } else if node.queue.len() < node.shell.queue {
                    node.queue.push_back((now, packet));
                } else {
                    node.overflowed = true;
                }
            }
            Event::Thaw(id, freeze) => self.thaw(id, freeze),
        }
    }

    /// A process runs again: what a shell does then, in its order.
    fn thaw(&mut self, id: NodeId, freeze: u32) {
        let node = &mut self.nodes[id.0];
        let Some(since) = node.frozen.take_if(|_| node.freezes == freeze) else {
            return;
        };
        if !node.alive {
            return;
        }
        let length = self.now.since(since);
        let overflowed = core::mem::take(&mut node.overflowed);
        let noticed = overflowed || length >= node.router.master_adver_interval();
        let queued = core::mem::take(&mut node.queue);
        if noticed && node.shell.tells_stalls {
            self.feed(id, Input::Stalled { length });
        }
        for (received_at, packet) in queued {
            self.feed_packet(id, received_at, &packet);
        }
    }

    fn feed_packet(&mut self, id: NodeId, received_at: Instant, packet: &Packet) {
        let payload = packet.payload();
        let meta = packet.meta(received_at);
        if packet.transmit.priority == rk_base::Priority::LEAVING {
            self.nodes[id.0].goodbyes.push(meta.src);
        }
        self.feed(
            id,
            Input::Packet {
                meta,
                payload: &payload,
            },
        );
    }

    /// Feeds the core one input, checks what it answers, and does it.
    fn feed(&mut self, id: NodeId, input: Input<'_>) {
        let node = &mut self.nodes[id.0];
        let before = Before::new(node, self.now, &input);
        let mut out = Vec::new();
        node.router.handle(self.now, input, &mut out);
        for output in &out {
            match output {
                Output::Addresses(to) => node.addresses = *to == Addresses::Present,
                Output::Transition(t) => node.transitions.push((self.now, t.clone())),
                _ => {}
            }
        }
        let wrong = before.judge(node, &out);
        self.complaints
            .extend(wrong.map(|w| format!("{} node {}: {w}", self.now, id.0)));
        for output in out {
            if let Output::Send(transmit) = output {
                self.send(id, transmit);
            }
        }
    }

    fn send(&mut self, from: NodeId, transmit: rk_vrrp::Transmit) {
        let side = self.node(from).side;
        let packet = Packet { transmit };
        for to in self.ids() {
            let node = self.node(to);
            let for_it = packet.transmit.dst.is_multicast() || packet.transmit.dst == node.address;
            if to == from || node.side != side || !for_it {
                continue;
            }
            for delay in arrivals(&self.faults, &mut self.random) {
                self.at(self.now + delay, Event::Arrive(to, packet.clone()));
            }
        }
    }
}
