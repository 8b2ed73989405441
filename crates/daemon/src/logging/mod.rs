//! Logging: `tracing` events become the lines that keepalived's users know.
//!
//! ```text
//!   event -> Layer: level, text -> Queue (bounded) -> writer thread -> syslog, console, file
//! ```
//!
//! The thread that logs never waits: a syslog daemon that hangs, or a terminal that nobody reads,
//! fills the queue, further lines are counted, and the count is logged once there is room. Before
//! the daemon has gone into the background there may be no thread (it would not survive the fork),
//! so [`Logging::start`] writes directly until [`Logging::run_in_background`].
//!
//! Levels: `error`, `warn` and `info` are always logged, `debug` with `-D`, `trace` with `-D -D`.
//! Events of other people's crates are not logged at all.

mod layer;
mod queue;
mod syslog;
mod writer;

use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::{Detail, Options, Process};
use layer::Lines;
use queue::Queue;
use syslog::Syslog;
use writer::{Destination, Writer};

/// How long the end of the process waits for lines that are still in the queue.
const DRAIN: Duration = Duration::from_millis(500);

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plan {
    /// The name before each syslog line; `None` logs no syslog.
    syslog: Option<String>,
    /// Standard error.
    console: bool,
    /// A file of our own.
    file: Option<PathBuf>,
}

/// The names that the configuration adds to idents and file names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// `net_namespace`, or `-s`.
    pub(crate) namespace: Option<String>,
    /// `instance`.
    pub(crate) instance: Option<String>,
}

impl Names {
    /// `_namespace_instance`, as far as there are any.
    pub(crate) fn suffix(&self) -> String {
        [&self.namespace, &self.instance]
            .into_iter()
            .flatten()
            .map(|name| format!("_{}", name.replace('/', "_")))
            .collect()
    }
}

/// The handle on the logging of this process: lines still queued are written when it goes.
#[derive(Debug)]
pub(crate) struct Logging(Queue);

impl Logging {
    /// Starts logging for the parent, or for a child; once in a process.
    pub(crate) fn start(options: &Options, process: Option<Process>, names: &Names) -> Self {
        let queue = Queue::new(writer(options, process, names));
        let lines = Lines::new(queue.clone(), options.detail);
        // Fails only if a subscriber is set already: then that one is used.
        let _ = tracing_subscriber::registry().with(lines).try_init();
        Self(queue)
    }

    /// Changes idents and file names to those of the configuration.
    pub(crate) fn rename(&self, options: &Options, process: Option<Process>, names: &Names) {
        self.0.replace_writer(writer(options, process, names));
    }

    /// From now on a thread writes, and logging never waits.
    pub(crate) fn run_in_background(&self) {
        self.0.run_in_background();
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.0.drain(DRAIN);
    }
}

/// The writer to where `options` want the lines of `process` to go.
fn writer(options: &Options, process: Option<Process>, names: &Names) -> Writer {
    let plan = plan(options, process, names);
    let mut destinations = Vec::new();
    if let Some(ident) = plan.syslog {
        destinations.push(Destination::Syslog(Syslog::new(
            "/dev/log",
            ident,
            options.facility,
        )));
    }
    if plan.console {
        destinations.push(Destination::Console);
    }
    if let Some(path) = plan.file {
        destinations.push(Destination::file(path));
    }
    Writer::new(destinations)
}

/// Where the lines of `process` (the parent for `None`) go.
fn plan(options: &Options, process: Option<Process>, names: &Names) -> Plan {
    let (ident, part) = match process {
        None => ("Keepalived", ""),
        Some(Process::Vrrp) => ("Keepalived_vrrp", "_vrrp"),
        Some(Process::Checker) => ("Keepalived_healthcheckers", "_check"),
        Some(Process::Bfd) => ("Keepalived_bfd", "_bfd"),
    };
    let suffix = names.suffix();
    let file = options.log_file.as_ref().map(|path| {
        let path = path
            .clone()
            .unwrap_or_else(|| crate::dump::directory().join("keepalived.log"));
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let extension = path
            .extension()
            .map(|e| format!(".{}", e.to_string_lossy()))
            .unwrap_or_default();
        let part = if process.is_none() {
            String::new()
        } else {
            format!("{part}{suffix}")
        };
        path.with_file_name(format!("{stem}{part}{extension}"))
    });
    Plan {
        syslog: (!options.no_syslog).then(|| format!("{ident}{suffix}")),
        console: options.log_console && options.foreground,
        file,
    }
}

/// How much `options` let through: the least important level.
fn max_level(detail: Detail) -> tracing::Level {
    match detail {
        Detail::Normal => tracing::Level::INFO,
        Detail::Detailed => tracing::Level::DEBUG,
        Detail::Extra => tracing::Level::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idents_and_files_name_the_process() {
        let options = Options {
            log_file: Some(Some("/var/log/ka.log".into())),
            log_console: true,
            ..Options::default()
        };
        let names = Names {
            namespace: Some("blue".into()),
            instance: Some("a".into()),
        };
        let none = Names::default();
        let parent = plan(&options, None, &none);
        assert_eq!(parent.syslog.as_deref(), Some("Keepalived"));
        assert_eq!(parent.file, Some("/var/log/ka.log".into()));
        assert!(!parent.console, "the console needs -n too");
        let child = plan(&options, Some(Process::Vrrp), &names);
        assert_eq!(child.syslog.as_deref(), Some("Keepalived_vrrp_blue_a"));
        assert_eq!(child.file, Some("/var/log/ka_vrrp_blue_a.log".into()));
        let quiet = Options {
            no_syslog: true,
            foreground: true,
            ..options
        };
        let quiet = plan(&quiet, Some(Process::Checker), &none);
        assert_eq!((quiet.syslog, quiet.console), (None, true));
    }
}
