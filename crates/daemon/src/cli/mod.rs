//! The command line: keepalived's options, read as keepalived's `getopt_long` reads them.

#[cfg(test)]
mod completion;
mod getopt;
mod interpret;
mod options;
mod table;
#[cfg(test)]
mod tests;
mod text;

use std::process::ExitCode;

pub(crate) use getopt::{Piece, pieces};
pub(crate) use interpret::{Request, interpret};
pub(crate) use options::{Detail, Facility, Options, PidPaths, Process};
pub(crate) use table::{Opt, Takes, opt};
pub(crate) use text::{generate, help, version, version_line};

/// The arguments of a command that is not the daemon (`lint`, `fmt`). Those are options of our own,
/// so clap reads them.
///
/// # Errors
/// The status to end with, once help or complaint is printed.
pub(crate) fn command_arguments<A: clap::Parser>(
    name: &str,
    words: &[String],
) -> Result<A, ExitCode> {
    let named = std::iter::once(name).chain(words.iter().map(String::as_str));
    A::try_parse_from(named).map_err(|e| {
        // Nobody may be reading: the status says it, too.
        drop(e.print());
        ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(1))
    })
}
