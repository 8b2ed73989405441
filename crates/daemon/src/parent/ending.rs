//! How a child process ended, and what that means.

use nix::sys::wait::WaitStatus;

use crate::cli::Process;

/// The status that ends the daemon: starting the child again would not help.
pub(super) fn permanent(how: &WaitStatus) -> Option<u8> {
    match how {
        WaitStatus::Exited(_, code @ (1 | 2 | 4)) => u8::try_from(*code).ok(),
        _ => None,
    }
}

/// Logs how a child ended.
pub(super) fn report(process: Process, how: &WaitStatus) {
    match how {
        WaitStatus::Exited(pid, code @ (1 | 2 | 4)) => {
            let name = match code {
                1 => "FATAL",
                2 => "CONFIG",
                _ => "MISSING PERMISSION",
            };
            tracing::error!("pid {pid} exited with permanent error {name}. Terminating");
        }
        WaitStatus::Exited(pid, code) => tracing::error!("pid {pid} exited with status {code}"),
        WaitStatus::Signaled(pid, signal, _) => {
            let number = *signal as i32;
            let text = meaning(number);
            let hint = match signal {
                nix::sys::signal::Signal::SIGKILL | nix::sys::signal::Signal::SIGXCPU => {
                    " - has rlimit_rttime been exceeded?"
                }
                _ => "",
            };
            tracing::error!("pid {pid} exited due to signal {number} ({text}){hint}");
            if *signal == nix::sys::signal::Signal::SIGSEGV {
                let process = title(process);
                tracing::error!("the {process} process crashed: please report this");
            }
        }
        _ => {}
    }
}

/// What log lines call a process.
pub(super) fn title(process: Process) -> &'static str {
    match process {
        Process::Vrrp => "VRRP",
        Process::Checker => "Healthcheck",
        Process::Bfd => "BFD",
    }
}

/// What the C library calls the signals that end processes.
fn meaning(signal: i32) -> &'static str {
    match signal {
        libc::SIGHUP => "Hangup",
        libc::SIGINT => "Interrupt",
        libc::SIGQUIT => "Quit",
        libc::SIGILL => "Illegal instruction",
        libc::SIGABRT => "Aborted",
        libc::SIGBUS => "Bus error",
        libc::SIGFPE => "Floating point exception",
        libc::SIGKILL => "Killed",
        libc::SIGSEGV => "Segmentation fault",
        libc::SIGTERM => "Terminated",
        libc::SIGXCPU => "CPU time limit exceeded",
        libc::SIGSYS => "Bad system call",
        _ => "signal",
    }
}
