//! The command line: keepalived's options, read as keepalived's `getopt_long` reads them.

mod options;

pub(crate) use options::{Detail, Facility, Options, PidPaths, Process, Wanted};
