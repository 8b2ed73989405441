//! The daemon: the processes around the cores.
//!
//! In the order in which a start runs through them: `cli` reads the command line; `parent` reads
//! the configuration, holds the pid files, starts the children and watches over them; `child` is
//! where each of those begins; `ipc` carries what they say to each other; `vrrp` is the VRRP
//! process and `checker` the one that balances; `outlets` and `ipvs` are what both have in common;
//! `dump` writes what `SIGUSR1` asks for. `config_test`, `lint`, `explain`, `fmt` and `genhash` run
//! in place of a daemon. `source` is the real machine for the configuration, `logging` and `signal`
//! serve all of them, and `sys` holds the system calls that need `unsafe`.
#![deny(unsafe_code)]

mod checker;
mod child;
mod cli;
mod config_test;
mod dump;
mod explain;
mod fmt;
mod genhash;
mod ipc;
mod ipvs;
mod lint;
mod logging;
mod names;
mod outlets;
mod output;
mod parent;
mod pidfile;
mod signal;
mod source;
#[allow(
    unsafe_code,
    reason = "raw system calls live here and nowhere else in this crate"
)]
mod sys;
mod vrrp;

use std::io::{self, Write as _};
use std::process::ExitCode;

pub(crate) use rk_config::Config;

use cli::Request;

/// What the build knows about the program.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// Our own version.
    pub version: &'static str,
    /// The version of keepalived whose behaviour we give.
    pub compatible_with: &'static str,
    /// The date of the build, `MM/DD,YYYY`.
    pub date: &'static str,
    /// The git revision, when the build knew it.
    pub revision: Option<&'static str>,
    /// The version of the kernel headers of the build machine.
    pub kernel_headers: &'static str,
}

/// The program: understands its command line and becomes what that asks for, the daemon in most
/// cases. Gives the exit status.
#[must_use]
pub fn run(build: &Build) -> ExitCode {
    let mut argv: Vec<String> = std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if let Some(role) = argv.get(1).and_then(|word| child::Role::from_word(word)) {
        return child::run(role);
    }
    if let [_, word, rest @ ..] = argv.as_slice() {
        match word.as_str() {
            "lint" => return lint::run(rest),
            "explain" => return explain::run(rest),
            "fmt" => return fmt::run(rest),
            _ => {}
        }
    }
    let record_ipvs = argv
        .get(1)
        .and_then(|word| checker::record::file(word))
        .inspect(|_| drop(argv.remove(1)));
    let interpreted = cli::interpret(&argv);
    // Nobody may be reading: that is no reason not to go on.
    let say = |text: &str| drop(io::stderr().write_all(text.as_bytes()));
    let print = |bytes: &[u8]| drop(io::stdout().write_all(bytes));
    say(&interpreted.stderr);
    print(interpreted.stdout.as_bytes());
    match interpreted.request {
        Request::Help => say(&cli::help()),
        Request::Version => say(&cli::version(build)),
        Request::Genhash(words) => return genhash::run(&words),
        Request::Generate(what) => match cli::generate(&what) {
            Some(document) => print(&document),
            None => {
                say(&format!(
                    "Unknown document {what}: man, man5, bash, zsh or fish\n"
                ));
                return ExitCode::FAILURE;
            }
        },
        Request::Exit(status) => return ExitCode::from(status),
        Request::Run(mut options) => {
            options.record_ipvs = record_ipvs;
            if let Ok(here) = std::env::current_dir() {
                options.anchor_paths(&here);
            }
            return match &options.config_test {
                Some(log) => config_test::run(&options, log.as_deref()),
                None => parent::run(&options, build),
            };
        }
    }
    ExitCode::SUCCESS
}
