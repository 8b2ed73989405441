//! What the language asks of the world: files through [`Source`], the machine through [`Host`].
//!
//! This crate opens no file and asks no system: the daemon implements both traits for the real
//! machine, tests for an imagined one.

use crate::model::{Regex, Ssl};

/// Reads configuration files.
///
/// Paths are what the configuration says, made relative to the directory of the file that says
/// it; a relative path is relative to the working directory of the process.
pub trait Source {
    /// The bytes of the file at `path`, at most `limit` of them.
    ///
    /// # Errors
    /// [`ReadError`] tells why the file cannot be used.
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, ReadError>;

    /// The paths that match a shell pattern without braces, sorted, at most `limit` of them;
    /// directories end in `/`. A pattern without wildcards matches the path itself if it exists.
    fn glob(&self, pattern: &str, limit: usize) -> Vec<String>;

    /// Whether a directory exists at `path` (the part of a pattern before its first wildcard).
    fn is_dir(&self, path: &str) -> bool;
}

/// Why a configuration file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is none: the name may be misspelt.
    #[error("no such file")]
    Missing,
    /// It is a directory.
    #[error("is a directory")]
    Directory,
    /// It is no regular file, or somebody may execute it.
    #[error("is not a regular non-executable file")]
    NotPlain,
    /// It is longer than the limit.
    #[error("is {size} bytes long, more than the {limit} allowed")]
    TooLarge {
        /// How long it is, as far as known.
        size: u64,
        /// What is allowed.
        limit: usize,
    },
    /// The system refused.
    #[error("{0}")]
    Io(String),
}

/// Answers questions about the machine.
pub trait Host {
    /// Whether a network interface of this name exists now.
    fn interface_exists(&self, name: &str) -> bool;
    /// The names of all interfaces there are now; asked once for thousands of names that must be
    /// free.
    fn interface_names(&self) -> Vec<String> {
        Vec::new()
    }
    /// What kind of virtual interface one is, by the kernel's name for the kind (`macvlan`,
    /// `ipvlan`...); empty for any other, `None` if that cannot be told.
    fn interface_kind(&self, _name: &str) -> Option<String> {
        None
    }
    /// Whether the network namespace can be entered.
    fn net_namespace_exists(&self, name: &str) -> bool;
    /// The user with this name; a number is no name.
    fn user(&self, name: &str) -> Option<User>;
    /// The number of the group with this name.
    fn group(&self, name: &str) -> Option<u32>;
    /// The user this process runs as.
    fn current_user(&self) -> User;
    /// Where the search path has the program: a full path.
    fn find_program(&self, name: &str) -> Option<String>;
    /// What stands at `path`; a symbolic link itself is not followed.
    fn stat(&self, path: &str) -> Option<Stat>;
    /// Where the symbolic link at `path` points.
    fn read_link(&self, path: &str) -> Option<String>;
    /// Whether a directory exists at `path`, links followed.
    fn is_dir(&self, path: &str) -> bool;
    /// The host name.
    fn host_name(&self) -> String;
    /// An environment variable.
    fn env(&self, name: &str) -> Option<String>;
    /// A number to seed `${_RANDOM}` with, different at each start.
    fn random_seed(&self) -> u64;
    /// The number of a routing table, protocol, scope, realm, type of service or interface
    /// group in the name tables of iproute2.
    fn iproute_name(&self, table: NameTable, name: &str) -> Option<u32>;
    /// Whether a host name resolves to an address.
    fn resolves(&self, name: &str) -> bool;
    /// Whether a user is a member of a group beside its primary one.
    fn in_group(&self, _uid: u32, _gid: u32) -> bool {
        false
    }
    /// What is wrong with a regular expression, which this crate cannot compile by itself.
    fn regex_error(&self, _regex: &Regex) -> Option<PatternError> {
        None
    }
    /// What is wrong with the files of the `SSL` block, which this crate does not open.
    fn tls_error(&self, _ssl: &Ssl) -> Option<TlsFileError> {
        None
    }
    /// The file by which systemd-networkd manages an interface; `None` if it does not, or if that
    /// cannot be told.
    fn network_file(&self, _interface: &str) -> Option<NetworkFile> {
        None
    }
    /// How many CPUs there are.
    fn cpu_limit(&self) -> u32 {
        1024
    }
}

/// A `.network` file of systemd-networkd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkFile {
    /// Where it stands.
    pub path: String,
    /// `KeepConfiguration=` is `static` or `yes`: addresses that others set stay.
    pub keeps_addresses: bool,
}

/// Why a regular expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// How many bytes of the pattern stand before the mistake.
    pub offset: usize,
    /// What is wrong there.
    pub message: String,
}

/// Why a file of the `SSL` block cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TlsFileError {
    /// Which one.
    pub file: TlsFile,
    /// What is wrong with it.
    pub message: String,
}

/// A file of the `SSL` block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFile {
    /// `ca`.
    Ca,
    /// `certificate`.
    Certificate,
    /// `key`: also when it belongs to another certificate.
    Key,
}

impl TlsFile {
    /// The keyword that names the file.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Ca => "ca",
            Self::Certificate => "certificate",
            Self::Key => "key",
        }
    }
}

/// A name table of iproute2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameTable {
    /// `rt_tables`.
    Table,
    /// `rt_protos`.
    Protocol,
    /// `rt_scopes`.
    Scope,
    /// `rt_realms`.
    Realm,
    /// `rt_dsfield`.
    DsField,
    /// `group`.
    Group,
}

/// A user of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Name.
    pub name: String,
    /// Number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits, `0o7777` at most.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A pipe, a socket, a device.
    Other,
}
