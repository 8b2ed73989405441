//! Against the real kernel, each test in network namespaces of its own.
//!
//! As root the namespaces are made directly; an ordinary user gets them inside a user namespace.
//! Where neither is possible the tests say `skipped: reason` and pass.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod address;
mod announce;
mod enter;
mod firewall;
mod firewall_effect;
mod marks;
mod raw;
mod reflector;
mod sandbox;
