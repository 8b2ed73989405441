//! The daemon: the processes around the cores.
//!
//! In the order in which a start runs through them: [`cli`] reads the command line, `parent`
//! reads the configuration and starts the children, [`ipc`] carries what they say to each other,
//! [`vrrp`] is the VRRP process, and `dump` writes what `SIGUSR1` asks for.
#![deny(unsafe_code)]

mod cli;
mod dump;
mod ipc;
mod logging;
mod pidfile;
mod signal;
#[allow(unsafe_code, reason = "raw system calls live here and nowhere else in this crate")]
mod sys;
mod vrrp;

pub(crate) use rk_config::Config;

/// What the build knows about the program.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// Our own version.
    pub version: &'static str,
    /// The version of keepalived whose behaviour we give.
    pub compatible_with: &'static str,
    /// The date of the build, `MM/DD,YYYY`.
    pub date: &'static str,
    /// The git revision, when the build knew it.
    pub revision: Option<&'static str>,
    /// The version of the kernel headers of the build machine.
    pub kernel_headers: &'static str,
}
