//! Every option once: how it is spelt, what it takes, what it is for. The reader of the command
//! line, the help, the manual page and the shell completions all come from this table.

/// What follows an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing.
    Nothing,
    /// A value, glued or as the next word; the name stands for it in the help.
    Value(&'static str),
    /// A value only when it is glued (`-tFILE`, `--config-test=FILE`).
    Glued(&'static str),
}

/// Which option it is; each is named after it, and the table describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::enum_variant_names, reason = "the option is called config-id")]
pub(crate) enum Id {
    UseFile,
    Vrrp,
    Check,
    NoBfd,
    All,
    LogConsole,
    LogDetail,
    LogFacility,
    LogFile,
    FlushLogFile,
    NoSyslog,
    Umask,
    ReleaseVips,
    DontReleaseVrrp,
    DontReleaseIpvs,
    DontRespawn,
    DontFork,
    DumpConf,
    Pid,
    VrrpPid,
    CheckersPid,
    BfdPid,
    Genhash,
    AddressMonitoring,
    Snmp,
    SnmpAgentSocket,
    CoreDump,
    CoreDumpPattern,
    Namespace,
    AllConfig,
    ConfigId,
    Signum,
    ConfigTest,
    ConfigFd,
    IgnoreSigint,
    Version,
    Help,
    Generate,
    Format,
    Strict,
}

/// Who an option is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Everybody: the help shows it.
    Users,
    /// Packagers and the program itself.
    Machinery,
}

/// One option of a table whose options are told apart by `I`.
#[derive(Debug)]
pub(crate) struct Opt<I = Id> {
    /// Which one.
    pub(crate) id: I,
    /// `--long`, without the dashes.
    pub(crate) long: &'static str,
    /// `-s`.
    pub(crate) short: Option<char>,
    /// What follows.
    pub(crate) takes: Takes,
    /// One line of help.
    pub(crate) help: &'static str,
    /// Whether the help shows it.
    pub(crate) audience: Audience,
}

/// A row of the table.
pub(crate) const fn opt<I: Copy>(
    id: I,
    long: &'static str,
    short: char,
    takes: Takes,
    help: &'static str,
) -> Opt<I> {
    Opt {
        id,
        long,
        short: Some(short),
        takes,
        help,
        audience: Audience::Users,
    }
}

/// A row without a short form.
const fn long(
    id: Id,
    long: &'static str,
    takes: Takes,
    audience: Audience,
    help: &'static str,
) -> Opt {
    Opt {
        id,
        long,
        short: None,
        takes,
        help,
        audience,
    }
}

use Audience::{Machinery, Users};
use Takes::{Glued, Nothing, Value};

/// All options, in the order of the help.
pub(crate) static OPTIONS: &[Opt] = &[
    opt(
        Id::UseFile,
        "use-file",
        'f',
        Value("FILE"),
        "Read this file, pattern or directory",
    ),
    opt(
        Id::Vrrp,
        "vrrp",
        'P',
        Nothing,
        "Run without the health checker",
    ),
    opt(Id::Check, "check", 'C', Nothing, "Run without VRRP"),
    opt(Id::NoBfd, "no_bfd", 'B', Nothing, "Run without BFD"),
    long(
        Id::All,
        "all",
        Nothing,
        Users,
        "Run every part, even with nothing configured for it",
    ),
    opt(
        Id::LogConsole,
        "log-console",
        'l',
        Nothing,
        "Log to standard error too (with -n)",
    ),
    opt(
        Id::LogDetail,
        "log-detail",
        'D',
        Nothing,
        "Log the steps as well; twice for every packet",
    ),
    opt(
        Id::LogFacility,
        "log-facility",
        'S',
        Value("FACILITY"),
        "Syslog facility: 0-7, local0-local7, user or daemon",
    ),
    opt(
        Id::LogFile,
        "log-file",
        'g',
        Glued("FILE"),
        "Log to a file too",
    ),
    long(
        Id::FlushLogFile,
        "flush-log-file",
        Nothing,
        Users,
        "Nothing to do: every line is flushed",
    ),
    opt(
        Id::NoSyslog,
        "no-syslog",
        'G',
        Nothing,
        "Do not log to syslog",
    ),
    opt(
        Id::Umask,
        "umask",
        'u',
        Value("MASK"),
        "File creation mask, as a number",
    ),
    opt(
        Id::ReleaseVips,
        "release-vips",
        'X',
        Nothing,
        "Drop addresses on a transition by signal",
    ),
    opt(
        Id::DontReleaseVrrp,
        "dont-release-vrrp",
        'V',
        Nothing,
        "Keep addresses, routes and rules when stopping, and say no goodbye",
    ),
    opt(
        Id::DontReleaseIpvs,
        "dont-release-ipvs",
        'I',
        Nothing,
        "Keep IPVS tables when stopping",
    ),
    opt(
        Id::DontRespawn,
        "dont-respawn",
        'R',
        Nothing,
        "Stop when a child dies",
    ),
    opt(
        Id::DontFork,
        "dont-fork",
        'n',
        Nothing,
        "Stay in the foreground",
    ),
    opt(
        Id::DumpConf,
        "dump-conf",
        'd',
        Nothing,
        "Log the configuration as it was understood",
    ),
    opt(Id::Pid, "pid", 'p', Value("FILE"), "Pid file of the parent"),
    opt(
        Id::VrrpPid,
        "vrrp_pid",
        'r',
        Value("FILE"),
        "Pid file of the VRRP process",
    ),
    opt(
        Id::CheckersPid,
        "checkers_pid",
        'c',
        Value("FILE"),
        "Pid file of the health checker",
    ),
    opt(
        Id::BfdPid,
        "bfd_pid",
        'b',
        Value("FILE"),
        "Pid file of the BFD process",
    ),
    opt(
        Id::Genhash,
        "genhash",
        'T',
        Nothing,
        "Be genhash; must come first",
    ),
    opt(
        Id::AddressMonitoring,
        "address-monitoring",
        'a',
        Nothing,
        "Log every address change",
    ),
    opt(Id::Snmp, "snmp", 'x', Nothing, "Serve SNMP"),
    opt(
        Id::SnmpAgentSocket,
        "snmp-agent-socket",
        'A',
        Value("SOCKET"),
        "Address of the SNMP master agent",
    ),
    opt(
        Id::CoreDump,
        "core-dump",
        'm',
        Nothing,
        "Leave a core file after a crash",
    ),
    opt(
        Id::CoreDumpPattern,
        "core-dump-pattern",
        'M',
        Glued("PATTERN"),
        "Give the kernel this name for core files while running (core)",
    ),
    opt(
        Id::Namespace,
        "namespace",
        's',
        Value("NAME"),
        "Run in this network namespace",
    ),
    opt(
        Id::AllConfig,
        "all-config",
        'e',
        Nothing,
        "A missing include is an error",
    ),
    opt(
        Id::ConfigId,
        "config-id",
        'i',
        Value("ID"),
        "What @ID lines are compared with",
    ),
    long(
        Id::Signum,
        "signum",
        Value("NAME"),
        Users,
        "Print the number of a signal: STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON",
    ),
    opt(
        Id::ConfigTest,
        "config-test",
        't',
        Glued("FILE"),
        "Check the configuration and exit",
    ),
    long(
        Id::Format,
        "format",
        Value("FORM"),
        Users,
        "How -t prints: text, plain, json or sarif",
    ),
    long(
        Id::Strict,
        "strict",
        Nothing,
        Users,
        "With -t, warnings end with status 5, too",
    ),
    long(
        Id::ConfigFd,
        "config-fd",
        Value("FD"),
        Machinery,
        "Not used",
    ),
    long(
        Id::IgnoreSigint,
        "ignore-sigint",
        Nothing,
        Users,
        "Do not stop on Ctrl-C",
    ),
    opt(
        Id::Version,
        "version",
        'v',
        Nothing,
        "Print the version and exit",
    ),
    opt(Id::Help, "help", 'h', Nothing, "Print this and exit"),
    long(
        Id::Generate,
        "generate",
        Value("WHAT"),
        Machinery,
        "Print man (the manual page), bash, zsh or fish (completions), and exit",
    ),
];

/// Names of options that keepalived does not have, which are always spelt out.
const OURS: [&str; 3] = ["format", "strict", "generate"];

/// The option of `table` with this letter.
pub(crate) fn by_short<I>(table: &'static [Opt<I>], letter: char) -> Option<&'static Opt<I>> {
    table.iter().find(|o| o.short == Some(letter))
}

/// The option of `table` with this name, or with the only name that starts so.
pub(crate) fn by_long<I>(table: &'static [Opt<I>], name: &str) -> Option<&'static Opt<I>> {
    if let Some(exact) = table.iter().find(|o| o.long == name) {
        return Some(exact);
    }
    // keepalived's options keep the abbreviations they have there: ours are spelt out.
    let mut candidates = table
        .iter()
        .filter(|o| !OURS.contains(&o.long))
        .filter(|o| o.long.starts_with(name));
    let first = candidates.next()?;
    candidates.next().is_none().then_some(first)
}
