//! Many routers on a virtual clock and a faulty network, over the very core that the daemon
//! drives.
//!
//! A [`World`] has nodes and a network. Tests make a world, disturb it (loss, partitions,
//! frozen processes, reloads), let time pass, and ask who is Master. While it runs, the world
//! checks after every single input that nothing was done without a cause: see
//! [`World::complaints`].
//!
//! Everything follows from the seed: the same world runs the same way each time.
#![forbid(unsafe_code)]

mod check;
mod network;
mod random;
mod world;

pub use network::{Faults, Packet};
pub use random::Random;
pub use world::{Node, NodeId, Shell, World};
