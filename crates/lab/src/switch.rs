//! The laboratory itself: bridges, and cables from nodes to them.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;

use crate::node::Node;

/// A switch namespace with bridges; the source of nodes and cables.
#[derive(Debug)]
pub struct Lab {
    name: String,
    switch: Rc<Node>,
    offer: Vec<PathBuf>,
    ports: Cell<u32>,
}

impl Lab {
    /// A laboratory of that name (it shows in error messages).
    ///
    /// # Errors
    /// When namespaces may not be made here: the caller is neither root nor in a user namespace
    /// of its own.
    pub fn new(name: &str) -> Result<Self> {
        let switch = Rc::new(Node::new("switch", &[])?);
        Ok(Self {
            name: name.to_owned(),
            switch,
            offer: Vec::new(),
            ports: Cell::new(0),
        })
    }

    /// Every node made from here on finds this program as `/run/lab/<file name>`.
    #[must_use]
    pub fn offer(mut self, program: &Path) -> Self {
        self.offer.push(program.to_owned());
        self
    }

    /// Makes a host.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    #[must_use]
    pub fn node(&self, name: &str) -> Node {
        match Node::new(name, &self.offer) {
            Ok(node) => node,
            Err(error) => panic!("{}: {error:#}", self.name),
        }
    }

    /// Makes a bridge that forwards at once and floods multicast to every port.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn bridge(&self, name: &str) {
        self.switch.net_sh(&format!(
            "ip link add {name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0 \
             && ip link set {name} up"
        ));
    }

    /// Runs a cable from `node` to `bridge`; the node's end is called `dev` and gets `addresses`
    /// (`192.0.2.1/24`; IPv6 ones at once usable).
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn link(&self, bridge: &str, node: &Node, dev: &str, addresses: &[&str]) -> Cable {
        let number = self.ports.get() + 1;
        self.ports.set(number);
        let port = format!("port{number}");
        self.switch.net_sh(&format!(
            "ip link add {port} type veth peer name {dev} netns {} \
             && ip link set {port} master {bridge} up",
            node.pid()
        ));
        let mut script = format!("ip link set {dev} up");
        for address in addresses {
            let nodad = if address.contains(':') { " nodad" } else { "" };
            script.push_str(&format!(" && ip address add {address} dev {dev}{nodad}"));
        }
        node.sh(&script);
        Cable {
            switch: Rc::clone(&self.switch),
            port,
        }
    }

    /// The namespace with the bridges, for captures on a bridge and odd wirings.
    #[must_use]
    pub fn switch(&self) -> &Node {
        &self.switch
    }
}

/// A cable between a node and a bridge.
#[derive(Debug)]
pub struct Cable {
    switch: Rc<Node>,
    port: String,
}

impl Cable {
    /// Pulls it: the port on the bridge goes down, so the node's end loses its carrier.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn pull(&self) {
        self.switch
            .net_sh(&format!("ip link set {} down", self.port));
    }

    /// Plugs it in again.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn plug(&self) {
        self.switch.net_sh(&format!("ip link set {} up", self.port));
    }

    /// The name of the port in the switch namespace.
    #[must_use]
    pub fn port(&self) -> &str {
        &self.port
    }
}
