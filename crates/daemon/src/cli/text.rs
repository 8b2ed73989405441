//! What the program prints about itself: help, version, manual page, completions.

use std::fmt::Write as _;

use super::table::{Audience, Id, OPTIONS, Takes};
use crate::Build;

/// The command for clap, which draws the help, the manual page and the completions.
pub(crate) fn command() -> clap::Command {
    let mut command = clap::Command::new("keepalived")
        .about("Keeps addresses and services available: VRRP failover that explains itself")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .override_usage("keepalived [OPTION...]");
    for opt in OPTIONS {
        let mut arg = clap::Arg::new(opt.long).long(opt.long).help(opt.help);
        if let Some(letter) = opt.short {
            arg = arg.short(letter);
        }
        arg = match opt.takes {
            Takes::Nothing => arg.action(clap::ArgAction::SetTrue),
            Takes::Value(name) => arg.value_name(name).action(clap::ArgAction::Append),
            Takes::Glued(name) => arg
                .value_name(name)
                .num_args(0..=1)
                .require_equals(true)
                .action(clap::ArgAction::Append),
        };
        arg = match opt.id {
            Id::UseFile => arg.value_hint(clap::ValueHint::FilePath),
            Id::Signum => {
                arg.value_parser(["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON"])
            }
            _ => arg,
        };
        command = command.arg(arg.hide(opt.audience == Audience::Machinery));
    }
    command
}

/// The same with the words that make it something else than the daemon.
fn documented() -> clap::Command {
    let explain = clap::Command::new("explain")
        .about("Explains the code of a message, a lint or a keyword")
        .arg(
            clap::Arg::new("word")
                .value_name("CODE|LINT|KEYWORD")
                .num_args(1..)
                .required(true)
                .help("What to explain"),
        );
    command()
        .disable_help_subcommand(true)
        .override_usage("keepalived [OPTION...]\n       rkeepalived COMMAND [OPTION...]")
        .subcommand(crate::lint::command().name("lint"))
        .subcommand(crate::fmt::command().name("fmt"))
        .subcommand(explain)
}

/// The help, for standard error.
pub(crate) fn help() -> String {
    documented().render_help().to_string()
}

/// A manual page or a completion script; `None` when `what` is neither.
pub(crate) fn generate(what: &str) -> Option<Vec<u8>> {
    use clap_complete::Shell;
    let shell = match what {
        "man" => {
            let mut page = Vec::new();
            let man = clap_mangen::Man::new(documented().name("rkeepalived")).section("8");
            man.render(&mut page)
                .expect("writing to memory cannot fail");
            return Some(page);
        }
        "man5" => return Some(rk_config::manual::roff().into_bytes()),
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => return None,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut documented(), OWN_NAME, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Some(also_for_keepalived(shell, &script).into_bytes())
}

/// The name completions are made for; they serve the other name as well.
const OWN_NAME: &str = "rkeepalived";

/// Has a completion script serve `keepalived`, too.
fn also_for_keepalived(shell: clap_complete::Shell, script: &str) -> String {
    use clap_complete::Shell;
    match shell {
        // Bash hands the name as typed to the function, which goes by it.
        Shell::Bash => format!("{script}complete -F _rkeepalived -o default keepalived\n"),
        Shell::Zsh => script
            .replacen("#compdef rkeepalived", "#compdef rkeepalived keepalived", 1)
            .replace(
                "compdef _rkeepalived rkeepalived",
                "compdef _rkeepalived rkeepalived keepalived",
            ),
        _ => format!("{script}complete -c keepalived -w rkeepalived\n"),
    }
}

/// `Keepalived v2.4.3 (11/21,2026), git commit abc`: the first line of `-v` and of the log.
///
/// The first number is that of the keepalived whose behaviour we give: programs compare it to
/// find out which keywords they may use.
pub(crate) fn version_line(build: &Build) -> String {
    let mut line = format!("Keepalived v{} ({})", build.compatible_with, build.date);
    if let Some(revision) = build.revision {
        let _ = write!(line, ", git commit {revision}");
    }
    line
}

/// What probes look for: the features that this build really has.
const CONFIG_OPTIONS: &str = "NFTABLES LVS REGEX VRRP VRRP_AUTH JSON OLD_CHKSUM_COMPAT \
    FILE_LOGGING INIT=systemd SYSTEMD_NOTIFY";

/// All of `-v`, for standard error.
pub(crate) fn version(build: &Build) -> String {
    let mut text = version_line(build);
    let _ = write!(
        text,
        "\n\nrkeepalived {}, MIT OR Apache-2.0\n\nBuilt with kernel headers for Linux {}\n",
        build.version, build.kernel_headers
    );
    if let Ok(uts) = nix::sys::utsname::uname() {
        let _ = writeln!(
            text,
            "Running on {} {} {}",
            uts.sysname().to_string_lossy(),
            uts.release().to_string_lossy(),
            uts.version().to_string_lossy()
        );
    }
    if let Some(distro) = distro() {
        let _ = writeln!(text, "Distro: {distro}");
    }
    let _ = write!(
        text,
        "\nconfigure options: \n\nConfig options:  {CONFIG_OPTIONS}\n\nSystem options:  \n"
    );
    text
}

/// `PRETTY_NAME` of the distribution.
fn distro() -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release")
        .or_else(|_| std::fs::read_to_string("/usr/lib/os-release"))
        .ok()?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}
