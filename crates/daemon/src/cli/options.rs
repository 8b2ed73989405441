//! What the command line means, once it is read.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The children a daemon can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Process {
    /// Virtual routers.
    Vrrp,
    /// Health checks of real servers.
    Checker,
    /// BFD sessions.
    Bfd,
}

/// How much to log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Detail {
    /// What an operator must see.
    #[default]
    Normal,
    /// `-D`: the steps as well.
    Detailed,
    /// `-D -D`: every packet and every frame.
    Extra,
}

/// Where syslog files our lines, as the number that goes into the priority (`LOG_DAEMON` = 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facility(pub(crate) u8);

impl Default for Facility {
    fn default() -> Self {
        Self::DAEMON
    }
}

impl Facility {
    /// `user`.
    pub(crate) const USER: Self = Self(1);
    /// `daemon`, the default.
    pub(crate) const DAEMON: Self = Self(3);

    /// `local0` to `local7`.
    pub(crate) fn local(n: u8) -> Option<Self> {
        (n < 8).then_some(Self(16 + n))
    }
}

/// The pid files named on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PidPaths {
    /// `-p`.
    pub(crate) parent: Option<PathBuf>,
    /// `-r`.
    pub(crate) vrrp: Option<PathBuf>,
    /// `-c`.
    pub(crate) checker: Option<PathBuf>,
    /// `-b`.
    pub(crate) bfd: Option<PathBuf>,
}

/// Which children may run, as `-P`, `-C`, `-B` and `--all` leave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Not switched off by `-C`.
    pub(crate) vrrp: bool,
    /// Not switched off by `-P`.
    pub(crate) checker: bool,
    /// Not switched off by `-B`.
    pub(crate) bfd: bool,
    /// `--all`: also those that the configuration has nothing for.
    pub(crate) even_unconfigured: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            vrrp: true,
            checker: true,
            bfd: true,
            even_unconfigured: false,
        }
    }
}

/// The command line, understood. Every child gets it with its configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Options {
    /// The command line word by word, for the log.
    pub(crate) argv: Vec<String>,
    /// `-f`: a file, a pattern or a directory.
    pub(crate) config_file: Option<String>,
    /// `-P`, `-C`, `-B`, `--all`.
    pub(crate) wanted: Wanted,
    /// `-n`.
    pub(crate) foreground: bool,
    /// `-l`.
    pub(crate) log_console: bool,
    /// `-D`.
    pub(crate) detail: Detail,
    /// `-S`.
    pub(crate) facility: Facility,
    /// `-g`: the inner `None` is the default file.
    pub(crate) log_file: Option<Option<PathBuf>>,
    /// `-G`.
    pub(crate) no_syslog: bool,
    /// `-u`.
    pub(crate) umask: Option<u16>,
    /// `-X`.
    pub(crate) release_vips: bool,
    /// `-V`: on stop keep addresses, routes and rules, and send no priority-0 advert.
    pub(crate) dont_release_vrrp: bool,
    /// `-I`.
    pub(crate) dont_release_ipvs: bool,
    /// `-R`.
    pub(crate) dont_respawn: bool,
    /// `-d`.
    pub(crate) dump_conf: bool,
    /// `-p`, `-r`, `-c`, `-b`.
    pub(crate) pid_paths: PidPaths,
    /// `-a`.
    pub(crate) address_monitoring: bool,
    /// `-x`.
    pub(crate) snmp: bool,
    /// `-A`.
    pub(crate) snmp_agent_socket: Option<String>,
    /// `-m`.
    pub(crate) core_dump: bool,
    /// `-M`: the pattern for the kernel.
    pub(crate) core_dump_pattern: Option<String>,
    /// `-s`.
    pub(crate) namespace: Option<String>,
    /// `-e`: a missing include is an error.
    pub(crate) all_config: bool,
    /// `-i`.
    pub(crate) config_id: Option<String>,
    /// `-t`: the inner `None` is standard error.
    pub(crate) config_test: Option<Option<PathBuf>>,
    /// `--format`: how a configuration test prints. Only the parent asks.
    #[serde(skip)]
    pub(crate) format: rk_report::Format,
    /// `--strict`: a configuration test counts warnings.
    pub(crate) strict: bool,
    /// `--ignore-sigint`.
    pub(crate) ignore_sigint: bool,
    /// Where a bench wants the IPVS commands, in the place of the kernel; see `checker::record`.
    pub(crate) record_ipvs: Option<PathBuf>,
    /// An option had a value that is none, and was left out: a configuration test fails for it.
    pub(crate) complaints: bool,
}

impl Options {
    /// Has pid files and the log file name the same place wherever the process goes from `here`.
    pub(crate) fn anchor_paths(&mut self, here: &Path) {
        let pids = &mut self.pid_paths;
        let files = [
            &mut pids.parent,
            &mut pids.vrrp,
            &mut pids.checker,
            &mut pids.bfd,
        ];
        let log = self.log_file.iter_mut().flatten();
        for path in files.into_iter().flatten().chain(log) {
            *path = here.join(&*path);
        }
    }
}
