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

pub(crate) use getopt::{Piece, pieces};
pub(crate) use interpret::{Request, interpret};
pub(crate) use options::{Detail, Facility, Options, PidPaths, Process};
pub(crate) use table::{Opt, Takes, opt};
pub(crate) use text::{generate, help, version, version_line};
