//! The signals that steer the daemon, in the order in which they came.
//!
//! They are held from the first moment of a process and read from a descriptor: a signal that
//! comes before anybody listens waits, and none interrupts anything.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// `SIGHUP`: read the configuration again.
    Reload,
    /// `SIGTERM` or `SIGINT`: stop.
    Stop,
    /// `SIGUSR1`: write the data dump.
    DumpData,
    /// `SIGUSR2`: write the statistics.
    DumpStats,
    /// 63: write the statistics, then clear them.
    DumpStatsAndClear,
    /// 36: write the JSON.
    DumpJson,
    /// `SIGCHLD`: a child has ended (told to the parent only).
    ChildEnded,
}

/// The number for clearing the statistics: `SIGRTMAX - 1` of the GNU C library.
pub(crate) const STATS_CLEAR: i32 = 63;
/// The number for the JSON dump: `SIGRTMIN + 2` of the GNU C library.
pub(crate) const JSON: i32 = 36;

/// The signals a process listens to.
#[derive(Clone, Debug)]
pub(crate) struct Held(Vec<i32>);

impl Held {
    /// The parent's signals. `SIGINT` is held and never read with `--ignore-sigint`: as good as
    /// ignored, and what the daemon starts does not inherit it.
    ///
    /// # Errors
    /// Never with a kernel that knows signals.
    pub(crate) fn hold_for_parent(ignore_sigint: bool) -> io::Result<Self> {
        let mut numbers = Self::requests();
        numbers.extend([libc::SIGTERM, libc::SIGCHLD, libc::SIGINT]);
        sys::hold_signals(&numbers)?;
        numbers.retain(|n| *n != libc::SIGINT || !ignore_sigint);
        Ok(Self(numbers))
    }

    /// A child's signals: the requests that somebody may send to it directly. It watches for
    /// `SIGTERM` and `SIGINT` by itself, and tokio for `SIGCHLD`.
    ///
    /// # Errors
    /// Never with a kernel that knows signals.
    pub(crate) fn hold_for_child() -> io::Result<Self> {
        let numbers = Self::requests();
        sys::hold_signals(&numbers)?;
        Ok(Self(numbers))
    }

    fn requests() -> Vec<i32> {
        vec![
            libc::SIGHUP,
            libc::SIGUSR1,
            libc::SIGUSR2,
            STATS_CLEAR,
            JSON,
        ]
    }

    /// The signals, from the current tokio runtime on.
    ///
    /// # Errors
    /// No descriptors left.
    pub(crate) fn listen(self) -> io::Result<Signals> {
        Ok(Signals(sys::watch(sys::signal_fd(&self.0)?)?))
    }
}

/// Signals as they come.
#[derive(Debug)]
pub(crate) struct Signals(AsyncFd<OwnedFd>);

impl Signals {
    /// The next signal. Cancelling loses none.
    ///
    /// # Errors
    /// The runtime is going down.
    pub(crate) async fn recv(&self) -> io::Result<Signal> {
        loop {
            let read = |fd: &OwnedFd| {
                let mut info = [0; size_of::<libc::signalfd_siginfo>()];
                nix::unistd::read(fd, &mut info)?;
                Ok(info)
            };
            let info = self.0.async_io(Interest::READABLE, read).await?;
            let [a, b, c, d, ..] = info;
            if let Some(signal) = meaning(i32::from_ne_bytes([a, b, c, d])) {
                return Ok(signal);
            }
        }
    }
}

/// What the signal with this number asks for.
fn meaning(number: i32) -> Option<Signal> {
    Some(match number {
        libc::SIGHUP => Signal::Reload,
        libc::SIGTERM | libc::SIGINT => Signal::Stop,
        libc::SIGUSR1 => Signal::DumpData,
        libc::SIGUSR2 => Signal::DumpStats,
        STATS_CLEAR => Signal::DumpStatsAndClear,
        JSON => Signal::DumpJson,
        libc::SIGCHLD => Signal::ChildEnded,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_signals_are_all_delivered() {
        // The mask is this thread's own; signals to the thread stay in it.
        let held = Held::hold_for_parent(false).unwrap();
        let wanted = [
            (libc::SIGHUP, Signal::Reload),
            (libc::SIGUSR1, Signal::DumpData),
            (libc::SIGUSR2, Signal::DumpStats),
            (libc::SIGTERM, Signal::Stop),
            (JSON, Signal::DumpJson),
            (STATS_CLEAR, Signal::DumpStatsAndClear),
        ];
        for (number, _) in wanted {
            sys::raise_here(number);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut got = Vec::new();
        runtime.block_on(async {
            let signals = held.listen().unwrap();
            for _ in wanted {
                got.push(signals.recv().await.unwrap());
            }
        });
        for (number, signal) in wanted {
            assert!(got.contains(&signal), "signal {number} is lost");
        }
    }
}
