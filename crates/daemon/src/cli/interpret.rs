//! From the pieces of the command line to what is to be done.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::getopt::{Piece, pieces};
use super::options::{Detail, Facility, Options};
use super::table::{Id, OPTIONS};

/// What the command line asks for, and what it made us say.
#[derive(Debug)]
pub(crate) struct Interpreted {
    /// For standard error, ahead of everything else.
    pub(crate) stderr: String,
    /// For standard output.
    pub(crate) stdout: String,
    /// What to do.
    pub(crate) request: Request,
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Be the daemon, or test the configuration.
    Run(Box<Options>),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// Be genhash, with these words behind its name.
    Genhash(Vec<String>),
    /// Print a document made from the table of options: `man`, `bash` ...
    Generate(String),
    /// Everything is said; exit with this status.
    Exit(u8),
}

/// The signals that `--signum` knows. The two real-time signals are numbered as glibc numbers
/// them, whatever C library we run on: scripts have the numbers in them.
const SIGNALS: [(&str, u8); 6] = [
    ("STOP", 15),
    ("RELOAD", 1),
    ("DATA", 10),
    ("STATS", 12),
    ("STATS_CLEAR", 63),
    ("JSON", 36),
];

/// Understands `argv`, the program's name included.
pub(crate) fn interpret(argv: &[String]) -> Interpreted {
    let mut stderr = String::new();
    let mut stdout = String::new();
    let request = read(argv, &mut stderr, &mut stdout);
    Interpreted {
        stderr,
        stdout,
        request,
    }
}

/// [`interpret`], with the texts as buffers; writing into a `String` cannot fail.
fn read(argv: &[String], stderr: &mut String, stdout: &mut String) -> Request {
    let (program, words) = match argv.split_first() {
        Some((program, words)) => (program.as_str(), words),
        None => ("keepalived", &[][..]),
    };
    if Path::new(program)
        .file_name()
        .is_some_and(|name| name == "genhash")
    {
        return Request::Genhash(words.to_vec());
    }
    let mut o = Options {
        argv: argv.to_vec(),
        ..Options::default()
    };
    let mut stray = Vec::new();
    let mut refused = false;
    let mut all = pieces(OPTIONS, words);
    let mut is_first = true;
    while let Some(piece) = all.next() {
        let first = std::mem::replace(&mut is_first, false);
        let (opt, value) = match piece {
            Piece::Option(opt, value) => (opt, value),
            Piece::Unknown(spelt) => {
                let _ = writeln!(stderr, "Unknown option {spelt}");
                refused = true;
                continue;
            }
            Piece::MissingValue(spelt) => {
                let _ = writeln!(stderr, "Missing parameter for option {spelt}");
                refused = true;
                continue;
            }
            Piece::Word(word) => {
                stray.push(word);
                continue;
            }
        };
        // Only options that take a value read it, and those have one.
        let text = value.clone().unwrap_or_default();
        match opt.id {
            Id::Help => return Request::Help,
            Id::Version => return Request::Version,
            Id::Generate => return Request::Generate(text),
            Id::Genhash => {
                if !first {
                    let _ = writeln!(
                        stderr,
                        "Warning -- `-T` not used as first option, previous options ignored"
                    );
                }
                return Request::Genhash(all.rest());
            }
            Id::Signum => match SIGNALS.iter().find(|(name, _)| *name == text) {
                Some((_, number)) => {
                    let _ = writeln!(stdout, "{number}");
                    return Request::Exit(0);
                }
                None => {
                    let _ = writeln!(stderr, "Unknown sigfunc {text}");
                    return Request::Exit(1);
                }
            },
            id => {
                if let Err(complaint) = set(&mut o, id, value) {
                    let _ = writeln!(stderr, "{complaint}");
                    // A program would read what it did not ask for; the rest keepalived forgives.
                    refused |= id == Id::Format;
                }
            }
        }
    }
    if !stray.is_empty() {
        let _ = writeln!(stdout, "Unexpected argument(s): {} ", stray.join(" "));
    }
    if refused {
        Request::Exit(1)
    } else {
        Request::Run(Box::new(o))
    }
}

/// Puts one option into `o`; an error is what to say about its value.
fn set(o: &mut Options, id: Id, value: Option<String>) -> Result<(), String> {
    // Only options that take a value read it, and those have one.
    let text = value.clone().unwrap_or_default();
    let path = || PathBuf::from(&text);
    match id {
        Id::UseFile => o.config_file = value,
        Id::Vrrp => o.wanted.checker = false,
        Id::Check => o.wanted.vrrp = false,
        Id::NoBfd => o.wanted.bfd = false,
        Id::All => {
            o.wanted.vrrp = true;
            o.wanted.checker = true;
            o.wanted.bfd = true;
            o.wanted.even_unconfigured = true;
        }
        Id::LogConsole => o.log_console = true,
        Id::LogDetail => {
            o.detail = match o.detail {
                Detail::Normal => Detail::Detailed,
                Detail::Detailed | Detail::Extra => Detail::Extra,
            }
        }
        Id::LogFacility => match facility(&text) {
            Some(facility) => o.facility = facility,
            None => {
                o.complaints = true;
                return Err(format!("Invalid log facility '{text}'"));
            }
        },
        Id::LogFile => o.log_file = Some(value.map(PathBuf::from)),
        Id::NoSyslog => o.no_syslog = true,
        Id::Umask => match umask(&text) {
            Some(mask) => o.umask = Some(mask),
            None => return Err(format!("Invalid --umask option {text}")),
        },
        Id::ReleaseVips => o.release_vips = true,
        Id::DontReleaseVrrp => o.dont_release_vrrp = true,
        Id::DontReleaseIpvs => o.dont_release_ipvs = true,
        Id::DontRespawn => o.dont_respawn = true,
        Id::DontFork => o.foreground = true,
        Id::DumpConf => o.dump_conf = true,
        Id::Pid => o.pid_paths.parent = Some(path()),
        Id::VrrpPid => o.pid_paths.vrrp = Some(path()),
        Id::CheckersPid => o.pid_paths.checker = Some(path()),
        Id::BfdPid => o.pid_paths.bfd = Some(path()),
        Id::AddressMonitoring => o.address_monitoring = true,
        Id::Snmp => o.snmp = true,
        Id::SnmpAgentSocket => o.snmp_agent_socket = value,
        Id::CoreDump => o.core_dump = true,
        Id::CoreDumpPattern => {
            o.core_dump_pattern = Some(value.unwrap_or_else(|| "core".into()));
        }
        Id::Namespace => o.namespace = value,
        Id::AllConfig => o.all_config = true,
        Id::ConfigId => o.config_id = value,
        Id::ConfigTest => {
            o.config_test = Some(value.map(PathBuf::from));
            o.foreground = true;
            o.dont_respawn = true;
            o.no_syslog = true;
        }
        Id::IgnoreSigint => o.ignore_sigint = true,
        Id::Strict => o.strict = true,
        Id::Format => o.format = text.parse().map_err(|e| format!("{e}"))?,
        Id::FlushLogFile | Id::ConfigFd => {}
        // Requests and not settings.
        Id::Help | Id::Version | Id::Generate | Id::Genhash | Id::Signum => {}
    }
    Ok(())
}

/// `0`-`7`, `local0`-`local7`, `user` or `daemon`.
fn facility(text: &str) -> Option<Facility> {
    match text {
        "user" => Some(Facility::USER),
        "daemon" => Some(Facility::DAEMON),
        _ => Facility::local(text.strip_prefix("local").unwrap_or(text).parse().ok()?),
    }
}

/// A number as C writes it (`0177`, `0x7f`, `127`), 0777 at most.
fn umask(text: &str) -> Option<u16> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    u16::from_str_radix(digits, radix)
        .ok()
        .filter(|mask| *mask <= 0o777)
}
