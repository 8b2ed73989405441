//! The files of several nodes against each other, before any of them is started.
//!
//! What must agree for the nodes to be one virtual router is compared with the first node; what
//! must differ or mirror (priorities, unicast peers) is compared between every two.

mod compare;
mod pair;
mod servers;
mod watch;

use std::fmt;

use crate::Code;
use crate::diagnostic::Severity;
use crate::model::{Config, Instance, Origin};

/// A node: how to call it, and what its files mean.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// How findings call it: the name of its file, say.
    pub name: &'a str,
    /// Its configuration.
    pub config: &'a Config,
}

/// Something that two nodes do not agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its stable number, `RK2800` and up.
    pub code: Code,
    /// How bad it is; never an error, for each file alone is usable.
    pub severity: Severity,
    /// What differs, on which node, and what follows from it.
    pub message: String,
    /// The places on the nodes.
    pub spots: Vec<Spot>,
    /// What to do.
    pub help: String,
}

/// A place in a node's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The name of the node.
    pub node: String,
    /// The line there.
    pub origin: Origin,
    /// What is there.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            severity,
            message,
            spots,
            help,
        } = self;
        writeln!(f, "{severity}[{code}]: {message}")?;
        for Spot { node, origin, text } in spots {
            writeln!(f, "  {node}: {origin}: {text}")?;
        }
        writeln!(f, "  help: {help}")
    }
}

/// What a kind of finding is about.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its stable number.
    pub code: Code,
    /// Its short name.
    pub name: &'static str,
    /// What it finds and why that matters.
    pub summary: &'static str,
    /// The files of two nodes, a and b, and what is found in them.
    pub example: Pair,
}

/// The files of two nodes and what the rules say about them.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The file of the node called a.
    pub a: &'static str,
    /// The file of the node called b.
    pub b: &'static str,
    /// The findings.
    pub findings: &'static str,
}

/// A pair of those that the tests compare.
macro_rules! pair {
    ($name:literal) => {
        Pair {
            a: include_str!(concat!(
                "../../../tests/data/lint/cluster/",
                $name,
                "/a.conf"
            )),
            b: include_str!(concat!(
                "../../../tests/data/lint/cluster/",
                $name,
                "/b.conf"
            )),
            findings: include_str!(concat!(
                "../../../tests/data/lint/cluster/",
                $name,
                "/findings.txt"
            )),
        }
    };
}

/// Declares the rules once: constant, number, name, example, summary.
macro_rules! rules {
    ($($constant:ident = $number:literal, $name:literal, $pair:literal, $summary:literal;)*) => {
        $(const $constant: Code = Code::lint($number);)*

        /// Every rule in the order of the numbers.
        pub const RULES: &[Rule] = &[
            $(Rule { code: $constant, name: $name, summary: $summary, example: pair!($pair) }),*
        ];
    };
}

rules! {
    MISSING = 2801, "cluster-instance-missing", "02-missing-instance",
        "A virtual router is on one node only: nobody takes over when that node dies.";
    VRID = 2802, "cluster-router-id", "03-router-id",
        "The nodes give one router different virtual router ids. They do not hear each other, and \
         all become master.";
    VERSION = 2803, "cluster-version", "04-version",
        "The nodes speak different versions of the protocol. Each drops the adverts of the other, \
         and all become master.";
    INTERVAL = 2804, "cluster-interval", "05-interval-v2",
        "The nodes have different advert_int. In version 2 each drops the adverts of the other, \
         and all become master; in version 3 the time until a takeover depends on who was master.";
    AUTHENTICATION = 2805, "cluster-authentication", "07-password",
        "The nodes authenticate differently, or with different passwords. Each drops the adverts \
         of the other, and all become master.";
    ADDRESSES = 2806, "cluster-addresses", "09-addresses",
        "The nodes do not bring the same addresses: after a takeover some are gone.";
    ORDER = 2807, "cluster-address-order", "11-address-order",
        "The nodes list the same addresses in another order. The first one decides about the \
         family, and other routers may compare the lists one by one.";
    PRIORITY = 2808, "cluster-equal-priority", "13-equal-priority",
        "Two nodes have the same priority. The address of the sender then decides between two \
         masters, and which node is master depends on who was started first.";
    PEERS = 2809, "cluster-peers", "16-peers-copied",
        "The unicast peers do not mirror each other: a node that sends to nobody, or from an \
         address that nobody lists, is not heard.";
    PREEMPTION = 2810, "cluster-preemption", "18-nopreempt-one-side",
        "The nodes do not agree on preemption, so that moving back depends on who failed.";
    GROUP = 2811, "cluster-sync-group", "20-sync-group",
        "The sync groups have other members on another node: a takeover there moves other \
         addresses together.";
    WEIGHTS = 2812, "cluster-weights", "22-weights-too-small",
        "Even when all trackers of the stronger node fail, its priority is not below the other's: \
         their weights never move the addresses.";
    STATE = 2813, "cluster-state", "24-state-on-both",
        "`state MASTER` stands on several nodes, or on one with a lower priority. It does not \
         decide who is master, but misleads readers, and clears nopreempt.";
    MULTICAST = 2814, "cluster-multicast-group", "26-multicast-group",
        "The nodes send to different multicast groups. They do not hear each other, and all become \
         master.";
    VMAC = 2815, "cluster-virtual-mac", "27-virtual-mac",
        "Only one node uses the virtual MAC address. At each takeover the hosts must learn \
         another MAC address, which use_vmac is there to avoid.";
    SERVERS = 2816, "cluster-virtual-servers", "28-virtual-servers",
        "A virtual server is on one node only: after a takeover nobody answers for it.";
    ROUTER_ID = 2817, "cluster-same-router-id", "29-same-router-id",
        "Two nodes have the same router_id, which is the name that mails carry.";
    FAMILY = 2818, "cluster-family", "30-family",
        "The adverts of one router are IPv4 on one node and IPv6 on the other. They do not hear \
         each other, and all become master.";
    SERVICE = 2819, "cluster-service-settings", "32-service-settings",
        "The nodes balance a virtual server differently, so that a takeover changes where clients \
         go, and breaks connections that were handed over.";
    REAL_SERVERS = 2820, "cluster-real-servers", "33-real-servers",
        "The nodes balance a virtual server to other real servers, or with other weights.";
    SYNC_DAEMON = 2821, "cluster-sync-daemon", "35-sync-daemon",
        "The daemons that hand connections over do not hear each other: every connection breaks \
         at a takeover.";
    TRACKING = 2822, "cluster-tracking", "50-tracked-on-one-node",
        "Only one node watches what the instance is there for. The other one takes over, and \
         stays, while the same thing is broken there.";
    NOTIFY = 2823, "cluster-notify", "52-notify-on-one-node",
        "Only one node runs a script when the instance changes state: after a takeover what the \
         script starts or stops is as it was.";
    CHECKERS = 2824, "cluster-checkers", "44-real-server-unchecked",
        "A real server is checked in another way on another node, or only on one: after a takeover \
         another set of servers is in the pool.";
}

/// The rule with this number (`RK2801`, any case) or name.
#[must_use]
pub fn find(what: &str) -> Option<&'static Rule> {
    let mut rules = RULES.iter();
    rules.find(|r| r.name == what || r.code.to_string().eq_ignore_ascii_case(what))
}

/// Compares the nodes. The findings stand in the order of the first node's instances.
#[must_use]
pub fn check(nodes: &[Node<'_>]) -> Vec<Finding> {
    let mut out = Vec::new();
    for (n, a) in nodes.iter().enumerate() {
        for b in &nodes[n + 1..] {
            let pairs = pair::pair(*a, *b);
            if n == 0 {
                compare::alike(&pairs, &mut out);
            }
            compare::apart(&pairs, &mut out);
        }
    }
    out
}

/// One virtual router on two nodes.
#[derive(Clone, Copy)]
struct Router<'a> {
    a: Node<'a>,
    b: Node<'a>,
    on_a: &'a Instance,
    on_b: &'a Instance,
}

/// Two nodes and what belongs together on them.
struct Pairs<'a> {
    a: Node<'a>,
    b: Node<'a>,
    routers: Vec<Router<'a>>,
    only_a: Vec<&'a Instance>,
    only_b: Vec<&'a Instance>,
}
