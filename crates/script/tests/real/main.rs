//! Real processes: everything here forks, executes and kills.
#![allow(clippy::unwrap_used)]

mod environment;
mod lab;
mod run;
mod track;
