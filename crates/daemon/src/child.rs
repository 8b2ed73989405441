//! The beginning and the end of every child process.
//!
//! A child is this program again, started with a hidden first word that says which child it is
//! and which descriptors the parent left open for it. The rest of its command line is the
//! parent's, so that it is recognised in `ps`.

use std::io;
use std::os::fd::RawFd;
use std::process::ExitCode;

use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use rk_config::model;

use crate::cli::Process;
use crate::ipc::{ChildStart, LinkFd, Snapshot};
use crate::logging::Logging;
use crate::signal::Held;
use crate::{checker, names, pidfile, sys, vrrp};

/// The hidden word, up to its value.
const HIDDEN: &str = "--rk-child=";

/// Which child to be, and what the parent left for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    /// Which one.
    pub(crate) process: Process,
    /// The memory file with configuration and options.
    pub(crate) snapshot: RawFd,
    /// The link to the parent.
    pub(crate) link: RawFd,
}

impl Role {
    /// The hidden word for this role.
    pub(crate) fn to_word(self) -> String {
        let name = match self.process {
            Process::Vrrp => "vrrp",
            Process::Checker => "checker",
            Process::Bfd => "bfd",
        };
        format!("{HIDDEN}{name},{},{}", self.snapshot, self.link)
    }

    /// The role that the first word of a command line gives, if it is the hidden one.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        let mut parts = word.strip_prefix(HIDDEN)?.split(',');
        let process = match parts.next()? {
            "vrrp" => Process::Vrrp,
            "checker" => Process::Checker,
            "bfd" => Process::Bfd,
            _ => return None,
        };
        let mut fd = || parts.next()?.parse().ok().filter(|fd: &RawFd| *fd > 2);
        let (snapshot, link) = (fd()?, fd()?);
        (snapshot != link).then_some(Self {
            process,
            snapshot,
            link,
        })
    }
}

/// Is the child until it ends.
pub(crate) fn run(role: Role) -> ExitCode {
    sys::keep_memory();
    // Whoever dies before this line, or is no parent any more, is missed at the link.
    if prctl::set_pdeathsig(Signal::SIGTERM).is_err() {
        return ExitCode::FAILURE;
    }
    // Signals that come before anybody listens wait.
    if Held::hold_for_child().is_err() {
        return ExitCode::FAILURE;
    }
    let Ok(start) = start(role) else {
        // Nobody can be told: where to log is in what could not be read.
        return ExitCode::FAILURE;
    };
    let (options, config) = (&start.options, &start.config);
    let process = Some(role.process);
    let logging = Logging::start(options, process, &names::names(options, config));
    logging.run_in_background();
    let settings = match role.process {
        Process::Vrrp => &config.global.vrrp_process,
        Process::Checker => &config.global.checker_process,
        Process::Bfd => &config.global.bfd_process,
    };
    schedule(settings);
    let pid_file = names::pid_files(options, config).path(process);
    let parent = getppid();
    let code = match role.process {
        Process::Vrrp => vrrp::run(start),
        Process::Checker => checker::run(start),
        Process::Bfd => {
            tracing::error!("this build has no such process: {:?}", role.process);
            ExitCode::FAILURE
        }
    };
    if getppid() != parent {
        // The parent, whose file it is, did not live to remove it.
        pidfile::remove_own(&pid_file);
    }
    code
}

/// Takes over what the parent left.
fn start(role: Role) -> io::Result<ChildStart> {
    let snapshot = Snapshot::from_fd(sys::inherit_fd(role.snapshot)?);
    let link = LinkFd::from_fd(sys::inherit_fd(role.link)?);
    let start = ChildStart::read(snapshot, link)?;
    if let Some(name) = &start.process_name {
        let name = std::ffi::CString::new(name.as_bytes())?;
        prctl::set_name(&name)?;
    }
    Ok(start)
}

/// Priority, CPUs and memory as configured. What the system refuses is logged: the process works
/// without it.
fn schedule(settings: &model::Process) {
    let refused = |what: &str, error: io::Error| tracing::warn!("Unable to set {what}: {error}");
    if let Some(nice) = settings.priority
        && let Err(e) = sys::set_nice(nice)
    {
        refused("the process priority", e);
    }
    if !settings.cpu_affinity.is_empty()
        && let Err(e) = sys::set_affinity(&settings.cpu_affinity)
    {
        refused("the CPU affinity", e);
    }
    if settings.no_swap
        && let Err(e) = mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE)
    {
        refused("no swapping", e.into());
    }
    if let Some(priority) = settings.rt_priority {
        // The limit first: it guards against a real-time process that never sleeps.
        let micros = settings.rlimit_rttime.unwrap_or(10_000).into();
        if let Err(e) = setrlimit(Resource::RLIMIT_RTTIME, micros, micros) {
            refused("the limit on real-time CPU", e.into());
        }
        if let Err(e) = sys::set_realtime(priority.into()) {
            refused("the real-time priority", e);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hidden_word_round_trips() {
        for process in [Process::Vrrp, Process::Checker, Process::Bfd] {
            let role = Role {
                process,
                snapshot: 7,
                link: 12,
            };
            assert_eq!(Role::from_word(&role.to_word()), Some(role));
        }
    }

    #[test]
    fn nobody_else_starts_a_child() {
        for word in [
            "-D",
            "--rk-child=",
            "--rk-child=vrrp",
            "--rk-child=vrrp,5",
            "--rk-child=vrrp,5,5",
            "--rk-child=vrrp,1,2",
            "--rk-child=vrrp,-1,5",
            "--rk-child=other,5,6",
        ] {
            assert_eq!(Role::from_word(word), None, "{word}");
        }
    }
}
