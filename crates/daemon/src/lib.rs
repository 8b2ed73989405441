//! The daemon: the processes around the cores.
//!
//! In the order in which a start runs through them: [`cli`] reads the command line, `parent`
//! reads the configuration and starts the children, [`ipc`] carries what they say to each other,
//! [`vrrp`] is the VRRP process, and `dump` writes what `SIGUSR1` asks for.
#![deny(unsafe_code)]

mod cli;
mod ipc;
#[allow(unsafe_code, reason = "raw system calls live here and nowhere else in this crate")]
mod sys;
mod vrrp;

pub(crate) use rk_config::Config;
