//! Real processes: everything here forks, executes and kills.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod environment;
mod lab;
mod run;
mod track;
