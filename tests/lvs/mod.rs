//! Load balancing with real requests, in a guest whose kernel has IPVS.
//!
//! Every scenario takes the daemon as an argument. Debian's keepalived passes them all: that shows
//! that the scenario asks for what keepalived does.

mod answers;
mod bad_input;
mod bed;
mod churn;
mod client;
mod daemon;
mod dump;
mod each;
mod extensions;
mod failover;
mod failures;
mod guides;
mod long;
mod marks;
mod options;
mod reload;
mod rhythm;
mod tables;
mod told;
mod torture;
mod traffic;
mod ways;
mod weights;
