//! Both programs in turns, and what is common to all watches of checks.

use std::time::Duration;

use anyhow::Result;
use rk_lab::{Lab, Node, Which, eventually, pause};

use super::config::Servers;
use super::listener::Listener;
use super::meter::Reading;
use crate::bench::{BOTH, SOON, Table, median};

/// What some turns of each program showed, ours first.
pub(super) struct Turns<T>([Vec<T>; 2]);

impl<T> Turns<T> {
    /// Takes `rounds` turns of each program on a node of its own. In turns, because others use the
    /// machine too.
    pub(super) fn take(
        lab: &Lab,
        rounds: usize,
        mut once: impl FnMut(&Node, Which) -> Result<T>,
    ) -> Result<Self> {
        let nodes = ["ours", "theirs"].map(|name| lab.node(name));
        let mut seen = [const { Vec::new() }; 2];
        for _ in 0..rounds {
            for (n, which) in BOTH.into_iter().enumerate() {
                seen[n].push(once(&nodes[n], which)?);
            }
        }
        Ok(Self(seen))
    }

    /// All turns of each.
    pub(super) fn all(&self) -> &[Vec<T>; 2] {
        &self.0
    }

    /// One figure of each, `pick`ed from those of its turns.
    pub(super) fn each(&self, of: impl Fn(&T) -> f64, pick: fn(Vec<f64>) -> f64) -> [f64; 2] {
        [0, 1].map(|n: usize| pick(self.0[n].iter().map(&of).collect()))
    }
}

/// What one watch of checks showed.
pub(super) struct Watch {
    /// Checks made in a second.
    pub(super) rate: f64,
    /// CPU, in percent of one processor.
    pub(super) cpu: f64,
}

/// Watches the checks that come to `listener` for a while; `read` tells the CPU time.
pub(super) fn watch(
    listener: &Listener<'_>,
    time: Duration,
    mut read: impl FnMut() -> Result<Reading>,
) -> Result<Watch> {
    let (taken, before) = (listener.taken(), read()?);
    pause(time);
    let (taken, after) = (listener.taken() - taken, read()?);
    Ok(Watch {
        rate: taken as f64 / (after.at - before.at),
        cpu: after.percent_since(before),
    })
}

/// Waits until every server was asked for the first time, and most of them twice more.
pub(super) fn steady(listener: &Listener<'_>, servers: Servers) {
    let begun = u64::from(servers.all() * 3);
    eventually(SOON, "all servers are checked", || {
        (listener.taken() >= begun).then_some(())
    });
}

/// The line on the memory of the checker process.
pub(super) fn memory_line(table: &mut Table, ours: f64, theirs: Option<f64>) {
    table.line("memory of the checker process", ours, theirs, None, "MiB");
}

/// The middle of what `of` says of these.
pub(super) fn middle<T>(watches: &[T], of: impl Fn(&T) -> f64) -> f64 {
    median(watches.iter().map(of).collect())
}
