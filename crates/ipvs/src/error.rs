//! What can go wrong, named for what the caller can do about it.

use std::io;

use rk_base::Family;

use crate::command::{Command, Object};
use crate::name::Name;
use crate::wire::WireError;

/// Why the table as a whole cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The kernel has no IPVS (yet). Load it and open the table again.
    #[error(
        "this kernel has no IPVS: load it with `modprobe ip_vs`, or build it in (CONFIG_IP_VS)"
    )]
    NoIpvs,
    /// `CAP_NET_ADMIN` is missing.
    #[error("not permitted to use IPVS (CAP_NET_ADMIN in the namespace of the table is needed)")]
    NotPermitted,
    /// Answers of the kernel were lost: it may have done what it was told or not. Read the table
    /// again.
    #[error("answers of the kernel were lost; the IPVS table must be read again")]
    AnswersLost,
    /// The kernel said something that cannot be understood.
    #[error("cannot understand the kernel's IPVS table: {0}")]
    Malformed(#[from] WireError),
    /// The kernel refused to tell.
    #[error("reading {what}: {}{}", io::Error::from_raw_os_error(*errno), text(said.as_ref()))]
    Kernel {
        /// What was asked for.
        what: &'static str,
        /// Its error number.
        errno: i32,
        /// Its words.
        said: Option<String>,
    },
    /// The netlink socket failed as a whole.
    #[error("the netlink socket to IPVS failed: {0}")]
    Socket(#[from] io::Error),
}

impl TableError {
    /// Whether the same call may succeed later with nothing done by an administrator.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::AnswersLost => true,
            Self::Kernel { errno, .. } => [libc::ENOMEM, libc::ENOBUFS].contains(errno),
            Self::Socket(error) => {
                [Some(libc::ENOMEM), Some(libc::ENOBUFS)].contains(&error.raw_os_error())
            }
            Self::NoIpvs | Self::NotPermitted | Self::Malformed(_) => false,
        }
    }
}

/// One command of several that the kernel refused. The others were done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which of the commands, counted from 0.
    pub index: usize,
    /// Why.
    pub error: CommandError,
}

/// Why the kernel refused a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{command}: {reason}{}", text(said.as_ref()))]
pub struct CommandError {
    /// What it was told to do.
    pub command: Command,
    /// What that means.
    pub reason: Reason,
    /// Its error number.
    pub errno: i32,
    /// Its words, if it had any.
    pub said: Option<String>,
}

/// What a refusal means, named for what the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is there already, put there by somebody else. Read the table again and adopt it.
    #[error("it exists already")]
    Exists,
    /// It is not there, or its service is not: somebody else removed it. Read the table again.
    #[error("it does not exist")]
    Missing,
    /// The kernel knows no scheduler of this name.
    #[error("the kernel has no scheduler `{0}` (is there a module ip_vs_{0}?)")]
    UnknownScheduler(Name),
    /// The kernel knows no scheduler or no persistence engine of this name; it does not say which.
    #[error(
        "the kernel has no scheduler `{scheduler}` or no persistence engine `{engine}` (are there \
         modules ip_vs_{scheduler} and ip_vs_pe_{engine}?)"
    )]
    UnknownSchedulerOrEngine {
        /// The scheduler.
        scheduler: Name,
        /// The engine.
        engine: Name,
    },
    /// A family the kernel's IPVS was built without.
    #[error("the kernel's IPVS cannot do {0}")]
    NoFamily(Family),
    /// The interface of a sync daemon does not exist. Try again when it does.
    #[error("there is no interface {0}")]
    NoInterface(Name),
    /// Service and real server are of two families, which only tunnels can join, and only while no
    /// sync daemon runs.
    #[error(
        "service and real server are of two address families: that takes lvs_method TUN, and no \
         sync daemon may run"
    )]
    MixedFamilies,
    /// A weight above 2,147,483,647, or a lower threshold above the upper one.
    #[error("a weight or threshold is out of range (the lower must not exceed the upper)")]
    OutOfRange,
    /// The kernel cannot do this combination of settings.
    #[error("the kernel does not take these settings (invalid argument)")]
    Invalid,
    /// The kernel is short of memory. Try again later.
    #[error("the kernel is short of memory")]
    NoMemory,
    /// Anything else.
    #[error("{}", io::Error::from_raw_os_error(*.0))]
    Kernel(i32),
}

impl CommandError {
    /// What `errno` means for `command`.
    #[must_use]
    pub fn new(command: &Command, errno: i32, said: Option<String>) -> Self {
        let reason = match errno {
            libc::EEXIST => Reason::Exists,
            // The service of the command; then the real server.
            libc::ESRCH => Reason::Missing,
            libc::ENOENT => match command {
                Command::NewService(service) | Command::SetService(service) => match service.engine
                {
                    None => Reason::UnknownScheduler(service.scheduler),
                    Some(engine) => Reason::UnknownSchedulerOrEngine {
                        scheduler: service.scheduler,
                        engine,
                    },
                },
                _ => Reason::Missing,
            },
            libc::EAFNOSUPPORT => match command.service() {
                Some(service) => Reason::NoFamily(service.family()),
                None => Reason::Kernel(errno),
            },
            libc::ENODEV => match command {
                Command::NewDaemon(daemon) => Reason::NoInterface(daemon.interface),
                _ => Reason::Kernel(errno),
            },
            libc::ERANGE => Reason::OutOfRange,
            libc::EINVAL if mixed(command) => Reason::MixedFamilies,
            libc::EINVAL => Reason::Invalid,
            libc::ENOMEM | libc::ENOBUFS => Reason::NoMemory,
            errno => Reason::Kernel(errno),
        };
        Self {
            command: *command,
            reason,
            errno,
            said,
        }
    }

    /// What the command was about.
    #[must_use]
    pub const fn object(&self) -> Object {
        self.command.object()
    }

    /// Whether the table is as the command would have it all the same: what was to be added exists,
    /// what was to be removed does not. It may still differ in its settings.
    #[must_use]
    pub const fn already(&self) -> bool {
        match self.reason {
            Reason::Exists => true,
            Reason::Missing => matches!(
                self.command,
                Command::DelService(_) | Command::DelDest(..) | Command::DelDaemon { .. }
            ),
            _ => false,
        }
    }

    /// Whether the same command may succeed later with nothing changed in the configuration.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self.reason, Reason::NoMemory | Reason::NoInterface(_))
    }
}

/// Whether service and real server are of two families.
fn mixed(command: &Command) -> bool {
    match command {
        Command::NewDest(service, dest) | Command::SetDest(service, dest) => {
            service.family() != Family::of(dest.key.address)
        }
        _ => false,
    }
}

fn text(said: Option<&String>) -> String {
    said.map(|said| format!(" ({said})")).unwrap_or_default()
}
