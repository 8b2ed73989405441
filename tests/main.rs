//! End to end: rkeepalived on test hosts, with Debian's keepalived on the other side of the wire.
//!
//! Every test makes a laboratory of its own and cleans it up, so they run beside each other. They
//! assert order, presence and bytes, never speed: deadlines are there to end a test that waits in
//! vain.
//!
//! `RKEEPALIVED_TEST_OURS=keepalived` puts keepalived in the place of ours. That is how a scenario
//! is itself tested: what the reference cannot pass, the scenario may not ask.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on says so and ends"
)]

mod bad_input;
mod bed;
mod bytes;
mod cell;
mod cli;
mod conf_samples;
mod differential;
mod guides;
mod honest_time;
mod lifecycle;
mod lvs;
#[path = "../crates/config/tests/support/machine.rs"]
mod machine;
mod mail;
mod matrix;
mod notify;
mod parity;
mod rfc;
mod routing;
mod tracking;
mod world;
