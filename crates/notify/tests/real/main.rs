//! Real scripts, real pipes, and mail servers of every temper on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod aiosmtpd;
mod fifo;
#[path = "../../../script/tests/real/lab.rs"]
mod lab;
mod mail;
mod queue;
mod server;
