//! The parent process, from the command line to the end.
//!
//! It reads the configuration once, before it goes into the background: a file that cannot be
//! used is told to whoever started us. Then it holds the pid files, starts the children and
//! watches over them ([`supervisor`]).

mod background;
mod ending;
pub(crate) mod load;
mod process;
mod respawn;
mod supervisor;
mod systemd;

use std::process::ExitCode;
use std::sync::Arc;

use nix::sys::prctl;
use nix::sys::resource::{RLIM_INFINITY, Resource, UsageWho, getrusage, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::sys::time::TimeVal;

use crate::cli::{self, Options, Process};
use crate::logging::{Logging, Names};
use crate::pidfile::{PidFile, PidFileError};
use crate::signal::Held;
use crate::{Build, Config, dump, names, sys};
use supervisor::Supervisor;

/// What files are created with when nobody says otherwise; scripts inherit it.
const UMASK: u32 = 0o177;

/// Runs the daemon.
pub(crate) fn run(options: &Options, build: &Build) -> ExitCode {
    sys::keep_memory();
    let Ok(signals) = Held::hold_for_parent(options.ignore_sigint) else {
        return ExitCode::FAILURE;
    };
    sys::use_locale_for_time();
    let logging = Logging::start(options, None, &Names::default());
    let version = cli::version_line(build);
    tracing::info!("Starting {version}");
    introduce(options, build);
    let code = match start(options, signals, &logging) {
        Ok(code) => code,
        Err(e) => {
            tracing::error!("{e:#}");
            ExitCode::FAILURE
        }
    };
    log_cpu_usage();
    tracing::info!("Stopped {version}");
    code
}

/// All between the first and the last line of the log.
fn start(options: &Options, signals: Held, logging: &Logging) -> anyhow::Result<ExitCode> {
    let loaded = match load::read_inside(options) {
        Ok(loaded) => loaded,
        Err((loaded, error)) => {
            let name = names::namespace(options, &loaded.config).unwrap_or_default();
            tracing::error!("{error}");
            tracing::error!("Unable to set network namespace {name} - exiting");
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut config = match load::judge(loaded) {
        Ok(config) => config,
        Err(why) => return Ok(ExitCode::from(why.exit_status())),
    };
    settle_umask(options, &mut config, None);
    mention_ineffective(options);
    mention_absent(options, &config);
    let names = names::names(options, &config);
    if names != Names::default() {
        tracing::info!("Changing syslog ident to Keepalived{}", names.suffix());
        logging.rename(options, None, &names);
    }
    let (mut own, children) = match claim_pid_files(options, &config) {
        Ok(files) => files,
        Err(e @ (PidFileError::Locked(_) | PidFileError::Running { .. })) => {
            tracing::error!("{e}");
            tracing::error!("daemon is already running");
            return Ok(ExitCode::SUCCESS);
        }
        Err(e) => return Err(e.into()),
    };
    let mut options = options.clone();
    if !options.foreground {
        // A reload must find the file again from the root directory.
        let file = std::path::absolute(load::main_file(&options))?;
        options.config_file = Some(file.to_string_lossy().into_owned());
        background::go()?;
    }
    own.write(std::process::id())?;
    logging.run_in_background();
    if let Some(name) = names::process_name(&config, None) {
        prctl::set_name(&std::ffi::CString::new(name)?)?;
    }
    // What scripts leave behind comes to us, so that somebody waits for it.
    prctl::set_child_subreaper(true)?;
    let pattern = core_dumps(&options);
    let code = Supervisor::run(options, config, signals, children);
    drop(pattern);
    drop(own);
    code
}

/// The umask: the command line's, else the configuration's, else keepalived's default. It goes
/// into the configuration, which the children get: scripts run under it. `before` is what was
/// settled last.
fn settle_umask(options: &Options, config: &mut Arc<Config>, before: Option<u32>) {
    let given = options.umask.map(u32::from);
    let mask = given.or(config.global.umask).unwrap_or(UMASK);
    Arc::make_mut(config).global.umask = Some(mask);
    if before != Some(mask) {
        umask(Mode::from_bits_truncate(mask));
    }
}

/// The pid files of the children; `None` for one without work.
type ChildFiles = Vec<(Process, Option<PidFile>)>;

/// Takes the parent's pid file and those of the children that will run, all or none. A child
/// without work has its file of an earlier life removed.
fn claim_pid_files(
    options: &Options,
    config: &Config,
) -> Result<(PidFile, ChildFiles), PidFileError> {
    let scheme = names::pid_files(options, config);
    let own = PidFile::claim(&scheme.path(None))?;
    let mut files = Vec::new();
    for process in [Process::Vrrp, Process::Checker] {
        let file = PidFile::claim(&scheme.path(Some(process)));
        let file = if supervisor::wanted(process, options, config) {
            Some(file?)
        } else {
            // Dropped, and so removed, unless somebody else has it.
            drop(file);
            None
        };
        files.push((process, file));
    }
    Ok((own, files))
}

/// Who we are and how we were started.
fn introduce(options: &Options, build: &Build) {
    if let Ok(uts) = nix::sys::utsname::uname() {
        tracing::info!(
            "Running on {} {} {} (built for Linux {})",
            uts.sysname().to_string_lossy(),
            uts.release().to_string_lossy(),
            uts.version().to_string_lossy(),
            build.kernel_headers
        );
    }
    let words: Vec<_> = options
        .argv
        .iter()
        .map(|word| format!("'{word}'"))
        .collect();
    for line in wrap(&words, 100) {
        tracing::info!("{line}");
    }
    if let Some(complaint) = dump::directory_complaint() {
        tracing::warn!("{complaint}");
    }
}

/// `Command line: ` and the words, continued on further lines when they are many.
fn wrap(words: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::from("Command line:")];
    for word in words {
        let line = lines.last_mut().expect("there is always a line");
        if line.len() + 1 + word.len() > width && line.contains('\'') {
            lines.push(format!("              {word}"));
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines
}

/// Warns of options that are understood and do nothing yet.
fn mention_ineffective(options: &Options) {
    for option in ineffective(options) {
        tracing::warn!("option {option} is not supported yet and has no effect");
    }
}

/// The options among those given that do nothing yet.
fn ineffective(options: &Options) -> impl Iterator<Item = &'static str> {
    let all = [
        (options.address_monitoring, "--address-monitoring"),
        (options.snmp, "--snmp"),
        (options.snmp_agent_socket.is_some(), "--snmp-agent-socket"),
        (options.release_vips, "--release-vips"),
    ];
    all.into_iter()
        .filter_map(|(given, option)| given.then_some(option))
}

/// Processes that would have work and do not exist yet. Where the blocks stand in the
/// configuration was said when it was read.
fn mention_absent(options: &Options, config: &Config) {
    if !config.bfd_sessions.is_empty() && options.wanted.bfd {
        tracing::warn!(
            "{} bfd_instance blocks are configured: BFD is not supported yet",
            config.bfd_sessions.len()
        );
    }
}

//----------- Core dumps -------------------------------------------------------------------------

/// The kernel's file name for core dumps as it was; put back at the end.
#[derive(Debug)]
struct CorePattern(String);

/// Where the kernel has that name.
const CORE_PATTERN: &str = "/proc/sys/kernel/core_pattern";

impl Drop for CorePattern {
    fn drop(&mut self) {
        if let Err(e) = std::fs::write(CORE_PATTERN, &self.0) {
            tracing::warn!("the kernel's core_pattern cannot be put back: {e}");
        }
    }
}

/// Allows core dumps, under the name that was asked for.
fn core_dumps(options: &Options) -> Option<CorePattern> {
    let wanted = options.core_dump || options.core_dump_pattern.is_some();
    if wanted && let Err(e) = setrlimit(Resource::RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY) {
        tracing::warn!("core dumps cannot be allowed: {e}");
    }
    let wanted = options.core_dump_pattern.as_deref()?;
    let before = std::fs::read_to_string(CORE_PATTERN).ok()?;
    if let Err(e) = std::fs::write(CORE_PATTERN, wanted) {
        tracing::warn!("the kernel's core_pattern cannot be set: {e}");
        return None;
    }
    Some(CorePattern(before))
}

/// `CPU usage (self/children) user: 0.000000/0.002464 system: 0.008735/0.002401`
fn log_cpu_usage() {
    let (Ok(own), Ok(children)) = (
        getrusage(UsageWho::RUSAGE_SELF),
        getrusage(UsageWho::RUSAGE_CHILDREN),
    ) else {
        return;
    };
    let text = |t: TimeVal| format!("{}.{:06}", t.tv_sec(), t.tv_usec());
    tracing::debug!(
        "CPU usage (self/children) user: {}/{} system: {}/{}",
        text(own.user_time()),
        text(children.user_time()),
        text(own.system_time()),
        text(children.system_time())
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_options_without_effect_are_said_to_have_none() {
        let options = Options {
            dont_release_ipvs: true,
            dont_release_vrrp: true,
            ..Options::default()
        };
        assert_eq!(ineffective(&options).next(), None);
        let options = Options {
            snmp: true,
            ..options
        };
        assert!(ineffective(&options).eq(["--snmp"]));
    }

    #[test]
    fn a_long_command_line_goes_on_below() {
        let words: Vec<_> = ["'/usr/sbin/keepalived'", "'-n'", "'-f'", "'/etc/k.conf'"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(
            wrap(&words, 100),
            ["Command line: '/usr/sbin/keepalived' '-n' '-f' '/etc/k.conf'"]
        );
        assert_eq!(
            wrap(&words, 47),
            [
                "Command line: '/usr/sbin/keepalived' '-n' '-f'",
                "              '/etc/k.conf'"
            ]
        );
    }
}
