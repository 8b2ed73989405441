//! Load balancing with real requests, in a guest whose kernel has IPVS.
//!
//! Every scenario takes the daemon as an argument. Debian's keepalived passes them all: that shows
//! that the scenario asks for what keepalived does.

mod bed;
mod client;
mod daemon;
mod failover;
mod tables;
mod traffic;
